//! What a path leads to.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::path::{Path, PathBuf};

use crate::error::{Result, answer};
use crate::file::object::is_read_only;
use crate::file::path;

/// `FILE_ATTRIBUTE_READONLY` and its like. What is neither is normal: nothing here is to be archived.
const READONLY: u32 = 0x1;
const DIRECTORY: u32 = 0x10;
const NORMAL: u32 = 0x80;

/// `INVALID_FILE_ATTRIBUTES`.
const NONE: u32 = u32::MAX;

fn attributes(path: &Path) -> Result<u32> {
    let data = std::fs::metadata(path).map_err(|error| path::not_found(path, error))?;
    Ok(match data {
        _ if data.is_dir() => DIRECTORY,
        _ if is_read_only(&data) => READONLY,
        _ => NORMAL,
    })
}

fn told(path: Result<PathBuf>) -> u32 {
    answer(path.and_then(|path| attributes(&path)), NONE)
}

/// Tells whether something is a folder or a file, and whether that may be written to.
///
/// # Safety
///
/// `path` is null or ends in a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetFileAttributesA(path: *const u8) -> u32 {
    // SAFETY: the caller's promise.
    told(unsafe { path::narrow_of_any(path) })
}

/// As [`GetFileAttributesA`], for 16-bit characters.
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetFileAttributesW(path: *const u16) -> u32 {
    // SAFETY: the caller's promise.
    told(unsafe { path::wide_of_any(path) })
}
