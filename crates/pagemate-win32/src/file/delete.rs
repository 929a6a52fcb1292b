//! `DeleteFile`.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::path::Path;

use crate::error::{ACCESS_DENIED, Result, done};
use crate::file::attributes::is_read_only;
use crate::file::mapped::is_mapped;
use crate::file::path;

/// Deletes a file. Refuses a read-only file, and a file that this process has mapped.
fn delete(path: &Path) -> Result<()> {
    let data = std::fs::symlink_metadata(path).map_err(|error| path::not_found(path, error))?;
    if data.is_dir() || is_read_only(&data) || is_mapped(&data) {
        return Err(ACCESS_DENIED);
    }
    Ok(std::fs::remove_file(path)?)
}

/// Deletes a file.
///
/// # Safety
///
/// `path` is null or points to a string that ends in a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn DeleteFileA(path: *const u8) -> i32 {
    // SAFETY: the caller guarantees that `path` is null or points to a string that ends in a NUL.
    done("DeleteFileA", unsafe { path::narrow(path) }.and_then(|path| delete(&path)))
}

/// Does the same as [`DeleteFileA`], for 16-bit characters.
///
/// # Safety
///
/// As for [`DeleteFileA`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn DeleteFileW(path: *const u16) -> i32 {
    // SAFETY: the caller guarantees that `path` is null or points to a string that ends in a NUL.
    done("DeleteFileW", unsafe { path::wide(path) }.and_then(|path| delete(&path)))
}
