//! Reads the names of objects, and refuses invalid names with Windows' error codes.
#![allow(unsafe_code, reason = "reads strings of the program")]

use pagemate::{Access, ErrorKind, SectionOptions};

use crate::error::{
    BAD_PATHNAME, Code, FILENAME_EXCED_RANGE, INVALID_HANDLE, INVALID_NAME, PATH_NOT_FOUND, Result,
};

/// The maximum length of a name in the calls for bytes, including the NUL.
const MAX_PATH: usize = 260;

/// Returns the object name in a byte string, which is UTF-8; `None` for a null pointer.
///
/// # Safety
///
/// `name` is null or points to a string that ends in a NUL.
pub(crate) unsafe fn narrow(name: *const u8) -> Result<Option<String>> {
    if name.is_null() {
        return Ok(None);
    }
    // SAFETY: `name` is not null, so the caller guarantees that it points to a string that ends in
    // a NUL.
    let name = unsafe { std::ffi::CStr::from_ptr(name.cast()) }.to_bytes();
    let name = str::from_utf8(name).map_err(|_| INVALID_NAME)?;
    if name.encode_utf16().count() >= MAX_PATH {
        return Err(FILENAME_EXCED_RANGE);
    }
    Ok(Some(name.to_owned()))
}

/// Returns the object name in a string of 16-bit characters; `None` for a null pointer.
///
/// # Safety
///
/// `name` is null or points to a string that ends in a NUL.
pub(crate) unsafe fn wide(name: *const u16) -> Result<Option<String>> {
    if name.is_null() {
        return Ok(None);
    }
    let mut units = Vec::new();
    let mut next = name;
    loop {
        // SAFETY: the caller guarantees that the string ends in a NUL, and no unit before `next` is
        // the NUL. The string may be unaligned in a packed struct.
        match unsafe { next.read_unaligned() } {
            0 => break,
            unit => units.push(unit),
        }
        next = next.wrapping_add(1);
    }
    // UTF-8 cannot represent an unpaired surrogate.
    String::from_utf16(&units).map(Some).map_err(|_| INVALID_NAME)
}

/// Refuses an invalid name. The error code is the one that Windows sets.
pub(crate) fn check(name: &str) -> Result<()> {
    pagemate::Name::new(name).map(drop).map_err(|error| refusal(name, error.kind()))
}

fn refusal(name: &str, kind: ErrorKind) -> Code {
    if kind == ErrorKind::WrongKind {
        return INVALID_HANDLE;
    }
    let mut bare = name;
    while let Some(rest) = bare.strip_prefix(r"Local\").or_else(|| bare.strip_prefix(r"Global\")) {
        bare = rest;
    }
    match bare {
        _ if name.starts_with('\\') => BAD_PATHNAME,
        _ if bare.is_empty() || bare.starts_with('\\') => INVALID_NAME,
        _ if bare.contains('\\') => missing_directory(name),
        _ => INVALID_NAME,
    }
}

/// Returns the error for a name with a backslash in it. Windows reads the part before the backslash
/// as a directory. The error says that this directory is missing, or, if an object has that name,
/// that the object is not a directory.
fn missing_directory(name: &str) -> Code {
    let rest = |name: &str| name.find('\\').map(|at| at + 1);
    let mut end = 0;
    while let Some(next) = rest(&name[end..]) {
        let folder = &name[..end + next - 1];
        end += next;
        if pagemate::Name::new(folder).is_ok() {
            let found = SectionOptions::new().access(Access::Read).open(folder);
            let nothing = matches!(&found, Err(error) if error.kind() == ErrorKind::NotFound);
            return if nothing { PATH_NOT_FOUND } else { INVALID_HANDLE };
        }
    }
    PATH_NOT_FOUND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_invalid_name_has_its_error_code() {
        // Rows 25 to 30 of `docs/platforms.md`.
        for (name, code) in [
            (r"local\x", PATH_NOT_FOUND),
            (r"a\b", PATH_NOT_FOUND),
            (r"Local\a\b", PATH_NOT_FOUND),
            (r"\b", BAD_PATHNAME),
            (r"Local\", INVALID_NAME),
            ("Local", INVALID_HANDLE),
            (r"Global\Session", INVALID_HANDLE),
        ] {
            assert_eq!(check(name), Err(code), "{name}");
        }
        assert_eq!(check(r"Local\Local\$x y/:*"), Ok(()));
    }
}
