//! The steps that are common to creating and opening mutexes, events and semaphores.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use pagemate::Sharing;

use crate::error::{self, ALREADY_EXISTS, INVALID_HANDLE, INVALID_PARAMETER, Result};
use crate::handle::entry::{Entry, Object};
use crate::handle::number::Handle;
use crate::handle::process_table as handle;
use crate::security::{self, SecurityAttributes};
use crate::text::name;

/// Creates an object by `make`, or opens the existing one, and creates a handle to it.
///
/// # Safety
///
/// `attributes` is null or points to valid attributes.
pub(super) unsafe fn create(
    access: u32,
    attributes: *const SecurityAttributes,
    name: Option<String>,
    make: impl FnOnce(Option<&str>, Sharing) -> Result<(Object, bool)>,
) -> Result<Handle> {
    let name = name.filter(|name| !name.is_empty());
    name.as_deref().map_or(Ok(()), name::check)?;
    // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
    let (inherit, sharing) = unsafe { security::wanted(attributes) }?;
    let (object, is_new) = make(name.as_deref(), sharing)?;
    let rights = object.rights();
    let access = if is_new { rights.created(access) } else { rights.opened(access) }?;
    let access = rights.intersect(access);
    let handle = handle::open(Entry { object, access }, inherit)?;
    error::set_last(if is_new { 0 } else { ALREADY_EXISTS.0 });
    Ok(handle)
}

/// Opens an object by `find`, and creates a handle to it.
pub(super) fn open(
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
    let object = find(&name)?;
    // If the object is missing and the rights are invalid too, Windows reports that the object is
    // missing. So check the rights after opening the name.
    let access = object.rights().intersect(object.rights().opened(access)?);
    handle::open(Entry { object, access }, inherit != 0)
}
