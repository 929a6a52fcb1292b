//! Semaphores: creates, opens and releases them.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::sync::Arc;

use pagemate::sync::{Semaphore, SemaphoreOptions};
use pagemate::{ErrorKind, Sharing};

use crate::error::{Code, INVALID_PARAMETER, Result, TOO_MANY_POSTS, answer, done};
use crate::handle::entry::Object;
use crate::handle::number::Handle;
use crate::handle::process_table as handle;
use crate::handle::rights::{self, MODIFY_STATE};
use crate::pointer::write_unless_null;
use crate::security::SecurityAttributes;
use crate::sync::named::{create, open};
use crate::text::name;

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

/// # Safety
///
/// `attributes` is null or points to valid attributes.
unsafe fn create_semaphore(
    attributes: *const SecurityAttributes,
    name: Result<Option<String>>,
    count: i32,
    max: i32,
    access: u32,
) -> Result<Handle> {
    let name = name?;
    // Invalid counts are refused before an invalid name.
    let options = counts(count, max)?;
    let make = |name: Option<&str>, sharing| semaphore(name, sharing, options);
    // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
    unsafe { create(access, attributes, name, make) }
}

macro_rules! calls {
    ($unit:ty, $text:ident: $create_semaphore:ident $create_semaphore_ex:ident $open_semaphore:ident) => {
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
            // SAFETY: the caller guarantees that `name` is null or points to a string that ends in
            // a NUL.
            let name = unsafe { name::$text(name) };
            // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
            let made = unsafe { create_semaphore(attributes, name, count, max, rights::STATE.all) };
            answer(stringify!($create_semaphore), made, std::ptr::null_mut())
        }

        /// Does the same as `CreateSemaphore`. `access` is the rights of the new handle. The flags
        /// are ignored.
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
            // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
            let made = unsafe { create_semaphore(attributes, name, count, max, access) };
            answer(stringify!($create_semaphore_ex), made, std::ptr::null_mut())
        }

        /// Opens a semaphore that exists because some process has a handle to it.
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
            let opened = open(access, inherit, name, |name| {
                Ok(Object::Semaphore(Arc::new(Semaphore::open(name)?)))
            });
            answer(stringify!($open_semaphore), opened, std::ptr::null_mut())
        }
    };
}

calls! { u8, narrow: CreateSemaphoreA CreateSemaphoreExA OpenSemaphoreA }
calls! { u16, wide: CreateSemaphoreW CreateSemaphoreExW OpenSemaphoreW }

/// Releases a semaphore, and reports its previous count.
///
/// # Safety
///
/// `before` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ReleaseSemaphore(handle: Handle, by: i32, before: *mut i32) -> i32 {
    done(
        "ReleaseSemaphore",
        release_semaphore(handle, by).map(|count| {
            // SAFETY: the caller guarantees that `before` is null or valid for writes.
            unsafe { write_unless_null(before, count) };
        }),
    )
}

/// Adds to the count of a semaphore whose handle has the right to change it. Returns the previous
/// count.
pub(crate) fn release_semaphore(handle: Handle, by: i32) -> Result<i32> {
    let by = u32::try_from(by).ok().filter(|by| *by > 0).ok_or(INVALID_PARAMETER)?;
    let (semaphore, _) = handle::with_right(handle::semaphore(handle)?, MODIFY_STATE)?;
    let before = semaphore.release(by).map_err(|error| match error.kind() {
        ErrorKind::OutOfRange => TOO_MANY_POSTS,
        _ => Code::from(error),
    })?;
    i32::try_from(before).map_err(|_| INVALID_PARAMETER)
}
