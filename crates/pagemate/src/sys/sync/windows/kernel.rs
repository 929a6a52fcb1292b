//! How the kernel's objects are made and opened.
#![allow(unsafe_code, reason = "Win32 calls")]

use std::io;
use std::os::windows::io::{AsHandle, OwnedHandle, RawHandle};

use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE};
use windows_sys::Win32::System::Threading::{
    CreateEventW, CreateMutexW, CreateSemaphoreW, EVENT_ALL_ACCESS, EVENT_MODIFY_STATE,
    MUTEX_ALL_ACCESS, MUTEX_MODIFY_STATE, OpenEventW, OpenMutexW, OpenSemaphoreW,
    SEMAPHORE_ALL_ACCESS, SEMAPHORE_MODIFY_STATE, SYNCHRONIZATION_SYNCHRONIZE,
};

use super::super::{Reset, Spec};
use crate::access::Kind;
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::object::{
    Existing,
    named::{self, code_of, spelled},
    native,
    security::Descriptor,
};

/// What the kernel has for one kind of objects.
#[derive(Clone, Copy)]
pub(super) struct Sort {
    kind: Kind,
    /// As people call it.
    what: &'static str,
    /// Those that it takes to use one.
    rights: u32,
    all_rights: u32,
    open: unsafe extern "system" fn(u32, i32, *const u16) -> RawHandle,
}

pub(super) const MUTEX: Sort = Sort {
    kind: Kind::Mutex,
    what: "mutex",
    rights: SYNCHRONIZATION_SYNCHRONIZE | MUTEX_MODIFY_STATE,
    all_rights: MUTEX_ALL_ACCESS,
    open: OpenMutexW,
};

pub(super) const EVENT: Sort = Sort {
    kind: Kind::Event,
    what: "event",
    rights: SYNCHRONIZATION_SYNCHRONIZE | EVENT_MODIFY_STATE,
    all_rights: EVENT_ALL_ACCESS,
    open: OpenEventW,
};

pub(super) const SEMAPHORE: Sort = Sort {
    kind: Kind::Semaphore,
    what: "semaphore",
    rights: SYNCHRONIZATION_SYNCHRONIZE | SEMAPHORE_MODIFY_STATE,
    all_rights: SEMAPHORE_ALL_ACCESS,
    open: OpenSemaphoreW,
};

impl Sort {
    fn of(spec: &Spec) -> Sort {
        match spec {
            Spec::Mutex { .. } => MUTEX,
            Spec::Event { .. } => EVENT,
            Spec::Semaphore { .. } => SEMAPHORE,
        }
    }

    /// A descriptor that lets these others use one.
    pub(super) fn for_use_by(self, others: Vec<String>) -> Result<Descriptor> {
        let others: Vec<_> = others.into_iter().map(|whom| (whom, self.rights)).collect();
        Descriptor::granting(self.all_rights, &others)
    }
}

/// Makes what `spec` says and gives it its name, or opens what has that name; true if it was made.
pub(super) fn create(name: &Name, spec: &Spec, existing: Existing) -> Result<(OwnedHandle, bool)> {
    let (sort, sharing) = (Sort::of(spec), spec.sharing()?);
    create_with(name, spec, existing, || Descriptor::new(sharing, sort.all_rights, |_| sort.rights))
}

/// The same, with the descriptor that `descriptor` gives if it is made.
pub(super) fn create_with(
    name: &Name,
    spec: &Spec,
    existing: Existing,
    descriptor: impl Fn() -> Result<Descriptor>,
) -> Result<(OwnedHandle, bool)> {
    let spelled = spelled(name);
    let open = || open_spelled(&spelled, Sort::of(spec));
    let make = || {
        let made = make(spec, Some(&descriptor()?), Some(&spelled));
        made.map_err(|error| match code_of(&error) {
            // It has come since we looked.
            ERROR_INVALID_HANDLE => named::already_exists(),
            _ => cannot_create(error),
        })
    };
    named::create(existing, open, make)
}

pub(super) fn unnamed(spec: &Spec) -> Result<OwnedHandle> {
    spec.sharing()?;
    make(spec, None, None).map(|(handle, _)| handle).map_err(cannot_create)
}

pub(super) fn open(name: &Name, sort: Sort) -> Result<OwnedHandle> {
    open_spelled(&spelled(name), sort)
}

/// Takes a handle that somebody handed us, with the rights that it has.
pub(super) fn taken(handle: OwnedHandle, sort: Sort) -> Result<OwnedHandle> {
    if !native::is_a(handle.as_handle(), sort.kind)? {
        let cause = format!("the handle is not one to a kernel's {}", sort.what);
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    if native::granted_access(handle.as_handle())? & SYNCHRONIZATION_SYNCHRONIZE == 0 {
        let cause = "the handle does not allow waiting";
        return Err(Error::new(ErrorKind::PermissionDenied, cause));
    }
    Ok(handle)
}

fn open_spelled(spelled: &[u16], sort: Sort) -> Result<OwnedHandle> {
    let open = |rights| {
        // SAFETY: the name ends with a NUL.
        named::opened(unsafe { (sort.open)(rights, 0, spelled.as_ptr()) })
    };
    let opened = open(sort.rights).or_else(|error| match code_of(&error) {
        // Programs with more rights often let others wait and no more, which is all that it takes
        // to use a mutex. What cannot be done with it is refused when it is tried.
        ERROR_ACCESS_DENIED => open(SYNCHRONIZATION_SYNCHRONIZE),
        _ => Err(error),
    });
    opened.map_err(named::cannot_open)
}

/// Makes an object, or opens the one that has its name; true if it was made.
fn make(
    spec: &Spec,
    descriptor: Option<&Descriptor>,
    spelled: Option<&[u16]>,
) -> io::Result<(OwnedHandle, bool)> {
    let attributes = descriptor.map(Descriptor::attributes);
    let attributes = attributes.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let name = spelled.map_or(std::ptr::null(), <[u16]>::as_ptr);
    let handle = match *spec {
        Spec::Mutex { locked, .. } => {
            // SAFETY: the attributes and their descriptor live on, and the name ends with a NUL.
            unsafe { CreateMutexW(attributes, locked.into(), name) }
        }
        Spec::Event { reset, signaled, .. } => {
            let manual = reset == Reset::Manual;
            // SAFETY: as above.
            unsafe { CreateEventW(attributes, manual.into(), signaled.into(), name) }
        }
        Spec::Semaphore { count, max, .. } => {
            let (count, max) = (count.cast_signed(), max.cast_signed());
            // SAFETY: as above.
            unsafe { CreateSemaphoreW(attributes, count, max, name) }
        }
    };
    named::made(handle)
}

fn cannot_create(error: io::Error) -> Error {
    Error::os("it cannot be created", error)
}
