//! Mutexes: creates, opens and releases them.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::sync::Arc;

use pagemate::Sharing;
use pagemate::sync::{Mutex as Core, MutexOptions};

use crate::error::{Result, answer, done};
use crate::handle::entry::Object;
use crate::handle::number::Handle;
use crate::handle::process_table as handle;
use crate::handle::rights;
use crate::locks::{Protected, Rank};
use crate::object::mutex::Mutex;
use crate::security::SecurityAttributes;
use crate::sync::named::{create, open};
use crate::text::name;

/// `CREATE_MUTEX_INITIAL_OWNER`.
const INITIAL_OWNER: u32 = 1;

/// A thread holds this lock while it looks for a mutex among the handles of this process and then
/// creates a handle to the mutex. Otherwise two threads that open one name at the same time would
/// create two `Mutex` objects for it.
static LOOKUP: Protected<()> = Protected::new(Rank::MutexLookup, ());

/// Opens or creates a mutex. All handles of this process to one mutex share one object, because
/// that object counts how often the owner has acquired the mutex.
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

/// # Safety
///
/// `attributes` is null or points to valid attributes.
unsafe fn create_mutex(
    attributes: *const SecurityAttributes,
    name: Result<Option<String>>,
    owned: bool,
    access: u32,
) -> Result<Handle> {
    let name = name?;
    let _lookup = LOOKUP.lock();
    let make = |name: Option<&str>, sharing| mutex(name, sharing, owned);
    // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
    unsafe { create(access, attributes, name, make) }
}

macro_rules! calls {
    ($unit:ty, $text:ident: $create_mutex:ident $create_mutex_ex:ident $open_mutex:ident) => {
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
            // SAFETY: the caller guarantees that `name` is null or points to a string that ends in
            // a NUL.
            let name = unsafe { name::$text(name) };
            // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
            let made = unsafe { create_mutex(attributes, name, owned != 0, rights::MUTEX.all) };
            answer(stringify!($create_mutex), made, std::ptr::null_mut())
        }

        /// Does the same as `CreateMutex`, and gives the handle the rights in `access`.
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
            let made =
                // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
                unsafe { create_mutex(attributes, name, flags & INITIAL_OWNER != 0, access) };
            answer(stringify!($create_mutex_ex), made, std::ptr::null_mut())
        }

        /// Opens a mutex that exists because some process has a handle to it.
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
            let _lookup = LOOKUP.lock();
            answer(
                stringify!($open_mutex),
                open(access, inherit, name, find_mutex),
                std::ptr::null_mut(),
            )
        }
    };
}

calls! { u8, narrow: CreateMutexA CreateMutexExA OpenMutexA }
calls! { u16, wide: CreateMutexW CreateMutexExW OpenMutexW }

/// Releases a mutex that this thread owns, once.
#[unsafe(no_mangle)]
pub extern "C" fn ReleaseMutex(handle: Handle) -> i32 {
    done("ReleaseMutex", handle::mutex(handle).and_then(|(mutex, _)| mutex.release()))
}
