//! Paths as Windows programs spell them.
#![allow(unsafe_code, reason = "texts that end in a NUL")]

use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::error::{BAD_NETPATH, Code, INVALID_NAME, PATH_NOT_FOUND, Result};
use crate::text::name;

/// The path of a file from a call for bytes, which are taken as they are.
///
/// # Safety
///
/// `path` is null or ends in a NUL.
pub(crate) unsafe fn narrow(path: *const u8) -> Result<PathBuf> {
    // SAFETY: the caller's promise.
    of_file(unsafe { bytes(path) }?)
}

/// The path of a file from a call for 16-bit characters.
///
/// # Safety
///
/// `path` is null or ends in a NUL.
pub(crate) unsafe fn wide(path: *const u16) -> Result<PathBuf> {
    // SAFETY: the caller's promise.
    of_file(unsafe { characters(path) }?)
}

/// As [`narrow`], for a file or a folder: it may end in a separator.
///
/// # Safety
///
/// As there.
pub(crate) unsafe fn narrow_of_any(path: *const u8) -> Result<PathBuf> {
    // SAFETY: the caller's promise.
    of_any(unsafe { bytes(path) }?)
}

/// As [`wide`], for a file or a folder: it may end in a separator.
///
/// # Safety
///
/// As there.
pub(crate) unsafe fn wide_of_any(path: *const u16) -> Result<PathBuf> {
    // SAFETY: the caller's promise.
    of_any(unsafe { characters(path) }?)
}

/// # Safety
///
/// `path` is null or ends in a NUL.
unsafe fn bytes(path: *const u8) -> Result<Vec<u8>> {
    if path.is_null() {
        return Err(PATH_NOT_FOUND);
    }
    // SAFETY: the caller says that it ends.
    Ok(unsafe { CStr::from_ptr(path.cast()) }.to_bytes().to_vec())
}

/// # Safety
///
/// `path` is null or ends in a NUL.
unsafe fn characters(path: *const u16) -> Result<Vec<u8>> {
    // SAFETY: the caller's promise.
    Ok(unsafe { name::wide(path) }?.ok_or(PATH_NOT_FOUND)?.into_bytes())
}

/// The path of a file in this system's spelling: no file's ends in a separator.
pub(crate) fn of_file(path: Vec<u8>) -> Result<PathBuf> {
    let separated = matches!(path.as_slice(), [.., b'/' | b'\\']);
    let path = of_any(path)?;
    if separated { Err(INVALID_NAME) } else { Ok(path) }
}

/// The path in this system's spelling. Either slash separates; there are no drives and no servers,
/// and what Windows has in no file's name is refused.
pub(crate) fn of_any(mut path: Vec<u8>) -> Result<PathBuf> {
    match path.as_slice() {
        [] => return Err(PATH_NOT_FOUND),
        [b'\\', b'\\', ..] => return Err(BAD_NETPATH),
        [drive, b':', ..] if drive.is_ascii_alphabetic() => return Err(PATH_NOT_FOUND),
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

/// Why there is nothing to be found: for want of the thing itself, or of a folder on the way.
pub(crate) fn not_found(path: &std::path::Path, error: std::io::Error) -> Code {
    match error.kind() {
        std::io::ErrorKind::NotFound if !has_folder(path) => PATH_NOT_FOUND,
        _ => error.into(),
    }
}

/// Whether the folder is there in which the file would be.
pub(crate) fn has_folder(path: &std::path::Path) -> bool {
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
        let path = |text: &str| of_file(text.as_bytes().to_vec());
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
        assert_eq!(of_any(br"data\".to_vec()), Ok("data/".into()));
    }
}
