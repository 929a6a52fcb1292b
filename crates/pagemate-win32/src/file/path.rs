//! Converts paths of Windows programs to Linux paths.
#![allow(unsafe_code, reason = "reads strings of the program")]

use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::error::{BAD_NETPATH, Code, INVALID_NAME, PATH_NOT_FOUND, Result};
use crate::text::name;

/// Returns the path of a file from a byte string, whose bytes are not converted.
///
/// # Safety
///
/// `path` is null or points to a string that ends in a NUL.
pub(crate) unsafe fn narrow(path: *const u8) -> Result<PathBuf> {
    // SAFETY: the caller guarantees that `path` is null or points to a string that ends in a NUL.
    of_file(unsafe { bytes(path) }?)
}

/// Returns the path of a file from a string of 16-bit characters.
///
/// # Safety
///
/// `path` is null or points to a string that ends in a NUL.
pub(crate) unsafe fn wide(path: *const u16) -> Result<PathBuf> {
    // SAFETY: the caller guarantees that `path` is null or points to a string that ends in a NUL.
    of_file(unsafe { characters(path) }?)
}

/// Returns the path of a file or directory from a byte string. Unlike for [`narrow`], the path may
/// end in a separator.
///
/// # Safety
///
/// As for [`narrow`].
pub(crate) unsafe fn narrow_of_any(path: *const u8) -> Result<PathBuf> {
    // SAFETY: the caller guarantees that `path` is null or points to a string that ends in a NUL.
    of_any(unsafe { bytes(path) }?)
}

/// Returns the path of a file or directory from a string of 16-bit characters. Unlike for [`wide`],
/// the path may end in a separator.
///
/// # Safety
///
/// As for [`wide`].
pub(crate) unsafe fn wide_of_any(path: *const u16) -> Result<PathBuf> {
    // SAFETY: the caller guarantees that `path` is null or points to a string that ends in a NUL.
    of_any(unsafe { characters(path) }?)
}

/// # Safety
///
/// `path` is null or points to a string that ends in a NUL.
unsafe fn bytes(path: *const u8) -> Result<Vec<u8>> {
    if path.is_null() {
        return Err(PATH_NOT_FOUND);
    }
    // SAFETY: `path` is not null, so the caller guarantees that it points to a string that ends in
    // a NUL.
    Ok(unsafe { CStr::from_ptr(path.cast()) }.to_bytes().to_vec())
}

/// # Safety
///
/// `path` is null or points to a string that ends in a NUL.
unsafe fn characters(path: *const u16) -> Result<Vec<u8>> {
    // SAFETY: the caller guarantees that `path` is null or points to a string that ends in a NUL.
    Ok(unsafe { name::wide(path) }?.ok_or(PATH_NOT_FOUND)?.into_bytes())
}

/// Returns the Linux path of a file. Refuses a path that ends in a separator.
pub(crate) fn of_file(path: Vec<u8>) -> Result<PathBuf> {
    let separated = matches!(path.as_slice(), [.., b'/' | b'\\']);
    let path = of_any(path)?;
    if separated { Err(INVALID_NAME) } else { Ok(path) }
}

/// Returns the Linux path of a file or directory.
///
/// Slash and backslash both separate the components. Refuses paths with a drive or a server, and
/// characters that Windows forbids in file names.
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

/// Returns the error for a path that does not exist. It is `PATH_NOT_FOUND` if a directory in the
/// path is missing, and `FILE_NOT_FOUND` if only the file is missing.
pub(crate) fn not_found(path: &std::path::Path, error: std::io::Error) -> Code {
    match error.kind() {
        std::io::ErrorKind::NotFound if !has_parent_directory(path) => PATH_NOT_FOUND,
        _ => error.into(),
    }
}

/// Returns whether the directory that would contain the file exists.
pub(crate) fn has_parent_directory(path: &std::path::Path) -> bool {
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
    fn both_slashes_separate_and_forbidden_characters_are_refused() {
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
