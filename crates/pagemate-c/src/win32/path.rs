//! Paths as Windows programs spell them.
#![allow(unsafe_code, reason = "texts that end in a NUL")]

use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::error::{BAD_NETPATH, INVALID_NAME, PATH_NOT_FOUND, Result};
use super::name;

/// A path from a call for bytes, which are taken as they are.
///
/// # Safety
///
/// `path` is null or ends in a NUL.
pub(super) unsafe fn narrow(path: *const u8) -> Result<PathBuf> {
    if path.is_null() {
        return Err(PATH_NOT_FOUND);
    }
    // SAFETY: the caller says that it ends.
    let path = unsafe { CStr::from_ptr(path.cast()) };
    translate(path.to_bytes().to_vec())
}

/// A path from a call for 16-bit characters.
///
/// # Safety
///
/// `path` is null or ends in a NUL.
pub(super) unsafe fn wide(path: *const u16) -> Result<PathBuf> {
    // SAFETY: the caller's promise.
    let path = unsafe { name::wide(path) }?.ok_or(PATH_NOT_FOUND)?;
    translate(path.into_bytes())
}

/// The path in this system's spelling. Either slash separates; there are no drives and no servers,
/// and what Windows has in no file's name is refused.
fn translate(mut path: Vec<u8>) -> Result<PathBuf> {
    match path.as_slice() {
        [] => return Err(PATH_NOT_FOUND),
        [b'\\', b'\\', ..] => return Err(BAD_NETPATH),
        [drive, b':', ..] if drive.is_ascii_alphabetic() => return Err(PATH_NOT_FOUND),
        [.., b'/' | b'\\'] => return Err(INVALID_NAME),
        _ => {}
    }
    if path.iter().any(|byte| *byte < b' ' || b"*?<>|\"".contains(byte)) {
        return Err(INVALID_NAME);
    }
    for byte in &mut path {
        if *byte == b'\\' {
            *byte = b'/';
        }
    }
    Ok(OsString::from_vec(path).into())
}

/// Whether the folder is there in which the file would be.
pub(super) fn has_folder(path: &std::path::Path) -> bool {
    match path.parent() {
        Some(folder) if folder.as_os_str() == OsStr::from_bytes(b"") => true,
        Some(folder) => folder.is_dir(),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_slash_separates_and_what_no_file_is_called_is_refused() {
        let path = |text: &str| translate(text.as_bytes().to_vec());
        assert_eq!(path(r"data\sub/file.bin"), Ok("data/sub/file.bin".into()));
        assert_eq!(path(r"\tmp\x:y"), Ok("/tmp/x:y".into()));
        for (text, code) in [
            ("", PATH_NOT_FOUND),
            (r"C:\data", PATH_NOT_FOUND),
            (r"\\server\share\file", BAD_NETPATH),
            (r"\\.\pipe\p", BAD_NETPATH),
            ("what?", INVALID_NAME),
            (r"data\", INVALID_NAME),
            ("a\tb", INVALID_NAME),
        ] {
            assert_eq!(path(text), Err(code), "{text:?}");
        }
    }
}
