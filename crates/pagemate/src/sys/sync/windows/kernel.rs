//! Creates and opens sync objects of the kernel.
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
use crate::error::{Error, ErrorKind, Result};
use crate::kind::Kind;
use crate::name::Name;
use crate::sys::object::{
    Existing,
    named::{self, code_of, kernel_name},
    native,
    security::Descriptor,
};

/// The properties of one type of kernel objects.
#[derive(Clone, Copy)]
pub(super) struct ObjectType {
    kind: Kind,
    /// The name of the type in messages.
    name: &'static str,
    /// The access rights that using an object needs.
    rights: u32,
    all_rights: u32,
    open: unsafe extern "system" fn(u32, i32, *const u16) -> RawHandle,
}

pub(super) const MUTEX: ObjectType = ObjectType {
    kind: Kind::Mutex,
    name: "mutex",
    rights: SYNCHRONIZATION_SYNCHRONIZE | MUTEX_MODIFY_STATE,
    all_rights: MUTEX_ALL_ACCESS,
    open: OpenMutexW,
};

pub(super) const EVENT: ObjectType = ObjectType {
    kind: Kind::Event,
    name: "event",
    rights: SYNCHRONIZATION_SYNCHRONIZE | EVENT_MODIFY_STATE,
    all_rights: EVENT_ALL_ACCESS,
    open: OpenEventW,
};

pub(super) const SEMAPHORE: ObjectType = ObjectType {
    kind: Kind::Semaphore,
    name: "semaphore",
    rights: SYNCHRONIZATION_SYNCHRONIZE | SEMAPHORE_MODIFY_STATE,
    all_rights: SEMAPHORE_ALL_ACCESS,
    open: OpenSemaphoreW,
};

impl ObjectType {
    fn of(spec: &Spec) -> ObjectType {
        match spec {
            Spec::Mutex { .. } => MUTEX,
            Spec::Event { .. } => EVENT,
            Spec::Semaphore { .. } => SEMAPHORE,
        }
    }

    /// Returns a security descriptor that lets these other users use an object of this type.
    pub(super) fn descriptor_for(self, others: Vec<String>) -> Result<Descriptor> {
        let others: Vec<_> = others.into_iter().map(|user| (user, self.rights)).collect();
        Descriptor::granting(self.all_rights, &others)
    }
}

/// Creates an object with the name, or opens the existing one. Returns its handle, and true if it
/// was created.
pub(super) fn create(name: &Name, spec: &Spec, existing: Existing) -> Result<(OwnedHandle, bool)> {
    let (object_type, sharing) = (ObjectType::of(spec), spec.sharing()?);
    create_with(name, spec, existing, || {
        Descriptor::new(sharing, object_type.all_rights, |_| object_type.rights)
    })
}

/// Does the same as [`create`]. If it creates the object, `descriptor` returns its security descriptor.
pub(super) fn create_with(
    name: &Name,
    spec: &Spec,
    existing: Existing,
    descriptor: impl Fn() -> Result<Descriptor>,
) -> Result<(OwnedHandle, bool)> {
    let spelled = kernel_name(name);
    let open = || open_spelled(&spelled, ObjectType::of(spec));
    let make = || {
        let made = create_or_open(spec, Some(&descriptor()?), Some(&spelled));
        made.map_err(|error| match code_of(&error) {
            // Another process has created an object of another type since the name was looked up.
            ERROR_INVALID_HANDLE => named::already_exists(),
            _ => cannot_create(error),
        })
    };
    named::create(existing, open, make)
}

pub(super) fn unnamed(spec: &Spec) -> Result<OwnedHandle> {
    spec.sharing()?;
    create_or_open(spec, None, None).map(|(handle, _)| handle).map_err(cannot_create)
}

pub(super) fn open(name: &Name, object_type: ObjectType) -> Result<OwnedHandle> {
    open_spelled(&kernel_name(name), object_type)
}

/// Checks a handle that another process sent. Fails if it does not refer to an object of this type,
/// or does not allow waiting.
pub(super) fn checked(handle: OwnedHandle, object_type: ObjectType) -> Result<OwnedHandle> {
    if !native::is_a(handle.as_handle(), object_type.kind)? {
        let cause = format!("the handle does not refer to a kernel {}", object_type.name);
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    if native::granted_access(handle.as_handle())? & SYNCHRONIZATION_SYNCHRONIZE == 0 {
        let cause = "the handle lacks the right SYNCHRONIZE, which waiting needs";
        return Err(Error::new(ErrorKind::PermissionDenied, cause));
    }
    Ok(handle)
}

fn open_spelled(spelled: &[u16], object_type: ObjectType) -> Result<OwnedHandle> {
    let open = |rights| {
        // SAFETY: `spelled` ends in a NUL and is borrowed for longer than the call.
        named::opened_handle(unsafe { (object_type.open)(rights, 0, spelled.as_ptr()) })
    };
    let opened = open(object_type.rights).or_else(|error| match code_of(&error) {
        // Services often grant other users the right to wait and no more, which is all that a mutex
        // needs. An operation that needs more rights fails when it is called.
        ERROR_ACCESS_DENIED => open(SYNCHRONIZATION_SYNCHRONIZE),
        _ => Err(error),
    });
    opened.map_err(named::cannot_open)
}

/// Creates an object, or opens the one that has its name. Returns its handle, and true if it was
/// created.
fn create_or_open(
    spec: &Spec,
    descriptor: Option<&Descriptor>,
    spelled: Option<&[u16]>,
) -> io::Result<(OwnedHandle, bool)> {
    let attributes = descriptor.map(Descriptor::attributes);
    let attributes = attributes.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let name = spelled.map_or(std::ptr::null(), <[u16]>::as_ptr);
    let handle = match *spec {
        Spec::Mutex { locked, .. } => {
            // SAFETY: `attributes` is null or refers to a local, whose descriptor `descriptor` borrows;
            // `name` is null or refers to `spelled`, which ends in a NUL. All of them outlive the call.
            unsafe { CreateMutexW(attributes, locked.into(), name) }
        }
        Spec::Event { reset, signaled, .. } => {
            let manual = reset == Reset::Manual;
            // SAFETY: `attributes` and `name` are null or refer to locals and to `spelled`, which ends in
            // a NUL; all of them outlive the call, see `CreateMutexW` above.
            unsafe { CreateEventW(attributes, manual.into(), signaled.into(), name) }
        }
        Spec::Semaphore { count, max, .. } => {
            let (count, max) = (count.cast_signed(), max.cast_signed());
            // SAFETY: `attributes` and `name` are null or refer to locals and to `spelled`, which ends in
            // a NUL; all of them outlive the call, see `CreateMutexW` above.
            unsafe { CreateSemaphoreW(attributes, count, max, name) }
        }
    };
    named::created_handle(handle)
}

fn cannot_create(error: io::Error) -> Error {
    Error::os("it cannot be created", error)
}
