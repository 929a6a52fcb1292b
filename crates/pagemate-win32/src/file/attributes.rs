//! `GetFileAttributes`: reports the attributes of a file or directory.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::{Result, answer};
use crate::file::path;

/// `FILE_ATTRIBUTE_` values. A writable file has `NORMAL` and never the archive attribute, because
/// file systems of Linux do not store it.
const READONLY: u32 = 0x1;
const DIRECTORY: u32 = 0x10;
const NORMAL: u32 = 0x80;

/// `INVALID_FILE_ATTRIBUTES`.
const NONE: u32 = u32::MAX;

/// Returns whether `data` describes a file for which all write permission bits are clear.
pub(super) fn is_read_only(data: &std::fs::Metadata) -> bool {
    data.is_file() && data.mode() & 0o222 == 0
}

fn attributes(path: &Path) -> Result<u32> {
    let data = std::fs::metadata(path).map_err(|error| path::not_found(path, error))?;
    Ok(match data {
        _ if data.is_dir() => DIRECTORY,
        _ if is_read_only(&data) => READONLY,
        _ => NORMAL,
    })
}

fn attributes_of(call: &'static str, path: Result<PathBuf>) -> u32 {
    answer(call, path.and_then(|path| attributes(&path)), NONE)
}

/// Returns the attributes of a file or directory: `DIRECTORY`, `READONLY` or `NORMAL`.
///
/// # Safety
///
/// `path` is null or points to a string that ends in a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetFileAttributesA(path: *const u8) -> u32 {
    // SAFETY: the caller guarantees that `path` is null or points to a string that ends in a NUL.
    attributes_of("GetFileAttributesA", unsafe { path::narrow_of_any(path) })
}

/// Does the same as [`GetFileAttributesA`], for 16-bit characters.
///
/// # Safety
///
/// As for [`GetFileAttributesA`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetFileAttributesW(path: *const u16) -> u32 {
    // SAFETY: the caller guarantees that `path` is null or points to a string that ends in a NUL.
    attributes_of("GetFileAttributesW", unsafe { path::wide_of_any(path) })
}
