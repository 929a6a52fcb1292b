//! Reads strings of the program as strings of the system.
#![allow(unsafe_code, reason = "reads strings of the program")]

use std::ffi::{CStr, OsString};
use std::os::unix::ffi::OsStringExt;

use crate::error::{NO_UNICODE_TRANSLATION, Result};
use crate::text::name;

/// Returns a byte string, unconverted; `None` for a null pointer.
///
/// # Safety
///
/// `text` is null or points to a string that ends in a NUL.
#[allow(clippy::unnecessary_wraps, reason = "has the type of `wide`, which can fail")]
pub(crate) unsafe fn narrow(text: *const u8) -> Result<Option<OsString>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: `text` is not null, so the caller guarantees that it points to a string that ends in
    // a NUL.
    let text = unsafe { CStr::from_ptr(text.cast()) };
    Ok(Some(OsString::from_vec(text.to_bytes().to_vec())))
}

/// Returns a string of 16-bit characters; `None` for a null pointer. Refuses an unpaired surrogate,
/// which UTF-8 cannot represent.
///
/// # Safety
///
/// `text` is null or points to a string that ends in a NUL.
pub(crate) unsafe fn wide(text: *const u16) -> Result<Option<OsString>> {
    // SAFETY: the caller guarantees that `text` is null or points to a string that ends in a NUL.
    let text = unsafe { name::wide(text) }.map_err(|_| NO_UNICODE_TRANSLATION)?;
    Ok(text.map(OsString::from))
}
