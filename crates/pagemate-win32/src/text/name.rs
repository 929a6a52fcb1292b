//! The names of objects, as Windows refuses them.
#![allow(unsafe_code, reason = "texts that end in a NUL")]

use pagemate::{Access, ErrorKind, SectionOptions};

use crate::error::{
    BAD_PATHNAME, Code, FILENAME_EXCED_RANGE, INVALID_HANDLE, INVALID_NAME, PATH_NOT_FOUND, Result,
};

/// The longest name that the calls for bytes take, its final NUL included.
const MAX_PATH: usize = 260;

/// A name from a call for bytes, which are UTF-8; `None` for a null pointer.
///
/// # Safety
///
/// `name` is null or ends in a NUL.
pub(crate) unsafe fn narrow(name: *const u8) -> Result<Option<String>> {
    if name.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller says that it ends.
    let name = unsafe { std::ffi::CStr::from_ptr(name.cast()) }.to_bytes();
    let name = str::from_utf8(name).map_err(|_| INVALID_NAME)?;
    if name.encode_utf16().count() >= MAX_PATH {
        return Err(FILENAME_EXCED_RANGE);
    }
    Ok(Some(name.to_owned()))
}

/// A name from a call for 16-bit characters; `None` for a null pointer.
///
/// # Safety
///
/// `name` is null or ends in a NUL.
pub(crate) unsafe fn wide(name: *const u16) -> Result<Option<String>> {
    if name.is_null() {
        return Ok(None);
    }
    let mut units = Vec::new();
    let mut next = name;
    loop {
        // SAFETY: the caller says that it ends, and the end was not yet read. In a packed struct it may
        // stand at any address.
        match unsafe { next.read_unaligned() } {
            0 => break,
            unit => units.push(unit),
        }
        next = next.wrapping_add(1);
    }
    // A half of a pair has no spelling here.
    String::from_utf16(&units).map(Some).map_err(|_| INVALID_NAME)
}

/// Refuses what is no name, with the code that tells why.
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
        _ if bare.contains('\\') => no_folder(name),
        _ => INVALID_NAME,
    }
}

/// Nothing stands in what is no folder. If there is an object of that name, that is the reason.
fn no_folder(name: &str) -> Code {
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
    fn bad_names_are_told_apart() {
        // Rows 25 to 30.
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
