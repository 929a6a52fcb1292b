//! Creates and opens mutexes, events and semaphores.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::sync::Arc;

use pagemate::Sharing;
use pagemate::sync::{
    Event, EventOptions, Mutex as Core, MutexOptions, Reset, Semaphore, SemaphoreOptions,
};

use crate::error::{self, ALREADY_EXISTS, INVALID_HANDLE, INVALID_PARAMETER, Result, answer};
use crate::handle::rights;
use crate::handle::table::{self as handle, Entry, Handle, Object};
use crate::locks::{Guard, Protected, Rank};
use crate::sync::object::{Kind, Mutex};
use crate::system::security::{self, SecurityAttributes};
use crate::text::name;

/// `CREATE_MUTEX_INITIAL_OWNER`, `CREATE_EVENT_MANUAL_RESET`, `CREATE_EVENT_INITIAL_SET`.
const INITIAL_OWNER: u32 = 1;
const MANUAL_RESET: u32 = 1;
const INITIAL_SET: u32 = 2;

/// Serializes the lookup of a mutex among this process' handles and the creation of a handle to it.
/// Without this lock, two threads that open one name at the same time would create two `Mutex`
/// objects for it.
static MUTEX_LOOKUP: Protected<()> = Protected::new(Rank::MutexLookup, ());

fn lookup_lock(kind: Kind) -> Option<Guard<()>> {
    match kind {
        Kind::Mutex => Some(MUTEX_LOOKUP.lock()),
        Kind::Event | Kind::Semaphore => None,
    }
}

/// Creates an object by `make`, or opens the existing one, and creates a handle to it.
///
/// # Safety
///
/// `attributes` is null or points to valid attributes.
unsafe fn create(
    kind: Kind,
    access: u32,
    attributes: *const SecurityAttributes,
    name: Option<String>,
    make: impl FnOnce(Option<&str>, Sharing) -> Result<(Object, bool)>,
) -> Result<Handle> {
    let name = name.filter(|name| !name.is_empty());
    name.as_deref().map_or(Ok(()), name::check)?;
    // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
    let (inherit, sharing) = unsafe { security::wanted(attributes) }?;
    let _lock = lookup_lock(kind);
    let (object, is_new) = make(name.as_deref(), sharing)?;
    let rights = kind.rights();
    let access = if is_new { rights.created(access) } else { rights.opened(access) }?;
    let access = rights.intersect(access);
    let handle = handle::open(Entry { object, access }, inherit)?;
    error::set_last(if is_new { 0 } else { ALREADY_EXISTS.0 });
    Ok(handle)
}

fn open(
    kind: Kind,
    access: u32,
    inherit: i32,
    name: Result<Option<String>>,
    find: impl FnOnce(&str) -> Result<Object>,
) -> Result<Handle> {
    let name = name?.ok_or(INVALID_PARAMETER)?;
    if name.is_empty() {
        return Err(INVALID_HANDLE);
    }
    name::check(&name)?;
    let _lock = lookup_lock(kind);
    let object = find(&name)?;
    // Windows reports a missing object before missing rights. So the rights are checked after the
    // name.
    let access = kind.rights().opened(access)?;
    let access = kind.rights().intersect(access);
    handle::open(Entry { object, access }, inherit != 0)
}

/// Opens or creates a mutex. All handles of this process to one mutex share one object, which
/// counts the owner's acquisitions.
fn mutex(name: Option<&str>, sharing: Sharing, owned: bool) -> Result<(Object, bool)> {
    if let Some(found) = name.and_then(handle::find_mutex) {
        return Ok((Object::Mutex(found), false));
    }
    let mut options = MutexOptions::new();
    options.sharing(sharing).locked(owned);
    let core = match name {
        Some(name) => options.open_or_create(name)?,
        None => options.create_unnamed()?,
    };
    let made = core.was_created();
    Ok((Object::Mutex(Arc::new(Mutex::new(core))), made))
}

fn find_mutex(name: &str) -> Result<Object> {
    let found = match handle::find_mutex(name) {
        Some(found) => found,
        None => Arc::new(Mutex::new(Core::open(name)?)),
    };
    Ok(Object::Mutex(found))
}

fn event(
    name: Option<&str>,
    sharing: Sharing,
    manual: bool,
    signaled: bool,
) -> Result<(Object, bool)> {
    let reset = if manual { Reset::Manual } else { Reset::Auto };
    let mut options = EventOptions::new(reset);
    options.sharing(sharing).signaled(signaled);
    let event = match name {
        Some(name) => options.open_or_create(name)?,
        None => options.create_unnamed()?,
    };
    let made = event.was_created();
    Ok((Object::Event(Arc::new(event)), made))
}

/// Returns the options of a semaphore. Refuses invalid counts.
fn counts(count: i32, max: i32) -> Result<SemaphoreOptions> {
    let whole = |count: i32| u32::try_from(count).map_err(|_| INVALID_PARAMETER);
    let (count, max) = (whole(count)?, whole(max)?);
    if max == 0 || count > max {
        return Err(INVALID_PARAMETER);
    }
    Ok(SemaphoreOptions::new(count, max))
}

fn semaphore(
    name: Option<&str>,
    sharing: Sharing,
    mut options: SemaphoreOptions,
) -> Result<(Object, bool)> {
    options.sharing(sharing);
    let semaphore = match name {
        Some(name) => options.open_or_create(name)?,
        None => options.create_unnamed()?,
    };
    let made = semaphore.was_created();
    Ok((Object::Semaphore(Arc::new(semaphore)), made))
}

macro_rules! calls {
    ($unit:ty, $text:ident:
     $create_mutex:ident $create_mutex_ex:ident $open_mutex:ident
     $create_event:ident $create_event_ex:ident $open_event:ident
     $create_semaphore:ident $create_semaphore_ex:ident $open_semaphore:ident) => {
        /// Creates a mutex, or opens the existing one with its name.
        ///
        /// # Safety
        ///
        /// `attributes` is null or points to valid attributes; `name` is null or points to a string
        /// that ends in a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $create_mutex(
            attributes: *const SecurityAttributes,
            owned: i32,
            name: *const $unit,
        ) -> Handle {
            let flags = if owned != 0 { INITIAL_OWNER } else { 0 };
            // SAFETY: the caller guarantees that `attributes` and `name` are null or valid.
            unsafe { $create_mutex_ex(attributes, name, flags, rights::MUTEX.all) }
        }

        /// Does the same as `CreateMutex`, with the rights of the handle.
        ///
        /// # Safety
        ///
        /// As for `CreateMutex`.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $create_mutex_ex(
            attributes: *const SecurityAttributes,
            name: *const $unit,
            flags: u32,
            access: u32,
        ) -> Handle {
            // SAFETY: the caller guarantees that `name` is null or points to a string that ends in
            // a NUL.
            let name = unsafe { name::$text(name) };
            let made = name.and_then(|name| {
                // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
                unsafe {
                    create(Kind::Mutex, access, attributes, name, |name, sharing| {
                        mutex(name, sharing, flags & INITIAL_OWNER != 0)
                    })
                }
            });
            answer(made, std::ptr::null_mut())
        }

        /// Opens a mutex that some process holds a handle to.
        ///
        /// # Safety
        ///
        /// `name` is null or points to a string that ends in a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $open_mutex(
            access: u32,
            inherit: i32,
            name: *const $unit,
        ) -> Handle {
            // SAFETY: the caller guarantees that `name` is null or points to a string that ends in
            // a NUL.
            let name = unsafe { name::$text(name) };
            answer(open(Kind::Mutex, access, inherit, name, find_mutex), std::ptr::null_mut())
        }

        /// Creates an event, or opens the existing one with its name.
        ///
        /// # Safety
        ///
        /// `attributes` is null or points to valid attributes; `name` is null or points to a string
        /// that ends in a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $create_event(
            attributes: *const SecurityAttributes,
            manual: i32,
            signaled: i32,
            name: *const $unit,
        ) -> Handle {
            let manual = if manual != 0 { MANUAL_RESET } else { 0 };
            let signaled = if signaled != 0 { INITIAL_SET } else { 0 };
            // SAFETY: the caller guarantees that `attributes` and `name` are null or valid.
            unsafe { $create_event_ex(attributes, name, manual | signaled, rights::STATE.all) }
        }

        /// Does the same as `CreateEvent`, with the rights of the handle.
        ///
        /// # Safety
        ///
        /// As for `CreateEvent`.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $create_event_ex(
            attributes: *const SecurityAttributes,
            name: *const $unit,
            flags: u32,
            access: u32,
        ) -> Handle {
            // SAFETY: the caller guarantees that `name` is null or points to a string that ends in
            // a NUL.
            let name = unsafe { name::$text(name) };
            let made = name.and_then(|name| {
                // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
                unsafe {
                    create(Kind::Event, access, attributes, name, |name, sharing| {
                        event(name, sharing, flags & MANUAL_RESET != 0, flags & INITIAL_SET != 0)
                    })
                }
            });
            answer(made, std::ptr::null_mut())
        }

        /// Opens an event that some process holds a handle to.
        ///
        /// # Safety
        ///
        /// `name` is null or points to a string that ends in a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $open_event(
            access: u32,
            inherit: i32,
            name: *const $unit,
        ) -> Handle {
            // SAFETY: the caller guarantees that `name` is null or points to a string that ends in
            // a NUL.
            let name = unsafe { name::$text(name) };
            let opened = open(Kind::Event, access, inherit, name, |name| {
                Ok(Object::Event(Arc::new(Event::open(name)?)))
            });
            answer(opened, std::ptr::null_mut())
        }

        /// Creates a semaphore, or opens the existing one with its name.
        ///
        /// # Safety
        ///
        /// `attributes` is null or points to valid attributes; `name` is null or points to a string
        /// that ends in a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $create_semaphore(
            attributes: *const SecurityAttributes,
            count: i32,
            max: i32,
            name: *const $unit,
        ) -> Handle {
            // SAFETY: the caller guarantees that `attributes` and `name` are null or valid.
            unsafe { $create_semaphore_ex(attributes, count, max, name, 0, rights::STATE.all) }
        }

        /// Does the same as `CreateSemaphore`, with the rights of the handle. The flags are
        /// reserved.
        ///
        /// # Safety
        ///
        /// As for `CreateSemaphore`.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $create_semaphore_ex(
            attributes: *const SecurityAttributes,
            count: i32,
            max: i32,
            name: *const $unit,
            _flags: u32,
            access: u32,
        ) -> Handle {
            // SAFETY: the caller guarantees that `name` is null or points to a string that ends in
            // a NUL.
            let name = unsafe { name::$text(name) };
            // Invalid counts are refused before an invalid name.
            let made = name.and_then(|name| {
                let options = counts(count, max)?;
                // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
                unsafe {
                    create(Kind::Semaphore, access, attributes, name, |name, sharing| {
                        semaphore(name, sharing, options)
                    })
                }
            });
            answer(made, std::ptr::null_mut())
        }

        /// Opens a semaphore that some process holds a handle to.
        ///
        /// # Safety
        ///
        /// `name` is null or points to a string that ends in a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $open_semaphore(
            access: u32,
            inherit: i32,
            name: *const $unit,
        ) -> Handle {
            // SAFETY: the caller guarantees that `name` is null or points to a string that ends in
            // a NUL.
            let name = unsafe { name::$text(name) };
            let opened = open(Kind::Semaphore, access, inherit, name, |name| {
                Ok(Object::Semaphore(Arc::new(Semaphore::open(name)?)))
            });
            answer(opened, std::ptr::null_mut())
        }
    };
}

calls! { u8, narrow:
CreateMutexA CreateMutexExA OpenMutexA
CreateEventA CreateEventExA OpenEventA
CreateSemaphoreA CreateSemaphoreExA OpenSemaphoreA }

calls! { u16, wide:
CreateMutexW CreateMutexExW OpenMutexW
CreateEventW CreateEventExW OpenEventW
CreateSemaphoreW CreateSemaphoreExW OpenSemaphoreW }
