//! How objects of whatever kind come to stand under a name.
#![allow(unsafe_code, reason = "Win32 calls")]

use std::io;
use std::os::windows::io::{FromRawHandle, OwnedHandle, RawHandle};
use std::time::Instant;

use windows_sys::Win32::Foundation::{
    ERROR_ALREADY_EXISTS, ERROR_FILE_NOT_FOUND, ERROR_INVALID_HANDLE, GetLastError,
};

use super::super::{Existing, RETRY_TIMEOUT};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, Namespace};

/// The name as the kernel takes it, with its NUL.
pub(crate) fn spelled(name: &Name) -> Vec<u16> {
    let prefix = match name.namespace() {
        Namespace::Local => r"Local\",
        Namespace::Global => r"Global\",
    };
    prefix.encode_utf16().chain(name.as_str().encode_utf16()).chain([0]).collect()
}

/// Opens what has a name, or makes it; true if it was made, which `make` tells too.
///
/// The name is looked up first, so that an existing object neither costs memory nor is refused
/// for the lack of it: the kernel builds what is asked for before it looks (row 19).
pub(crate) fn create(
    existing: Existing,
    open: impl Fn() -> Result<OwnedHandle>,
    make: impl Fn() -> Result<(OwnedHandle, bool)>,
) -> Result<(OwnedHandle, bool)> {
    let deadline = Instant::now() + RETRY_TIMEOUT;
    loop {
        match (open(), existing) {
            (Ok(handle), Existing::Open) => return Ok((handle, false)),
            (Ok(_), Existing::Refuse) => return Err(already_exists()),
            (Err(error), _) if error.kind() == ErrorKind::NotFound => {}
            (Err(error), Existing::Refuse) if is_of_an_object(&error) => {
                return Err(already_exists());
            }
            (Err(error), _) => return Err(error),
        }
        match make()? {
            (handle, true) => return Ok((handle, true)),
            // Somebody was faster; what came is theirs, and only a handle to it until here.
            (handle, false) => drop(handle),
        }
        if Instant::now() > deadline {
            let cause = "other processes create it and let it go all the time";
            return Err(Error::new(ErrorKind::TimedOut, cause));
        }
    }
}

/// Whether somebody's object refused to be opened, so that there is one.
fn is_of_an_object(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::WrongKind)
}

pub(crate) fn already_exists() -> Error {
    Error::new(ErrorKind::AlreadyExists, "some process already holds an object of this name")
}

/// Why a name does not open.
pub(crate) fn cannot_open(error: io::Error) -> Error {
    match code_of(&error) {
        ERROR_FILE_NOT_FOUND => Error::new(ErrorKind::NotFound, "no process holds it"),
        ERROR_INVALID_HANDLE => {
            let cause = "the name belongs to an object of another kind";
            Error::os_as(ErrorKind::WrongKind, cause, error)
        }
        _ => Error::os("it cannot be opened", error),
    }
}

/// What a call that opens returned.
pub(crate) fn opened(handle: RawHandle) -> io::Result<OwnedHandle> {
    owned(handle).ok_or_else(io::Error::last_os_error)
}

/// What a call that makes, or opens if there is one, just returned; true if it was made.
pub(crate) fn made(handle: RawHandle) -> io::Result<(OwnedHandle, bool)> {
    // SAFETY: it reads a number of this thread's; nothing came between it and the call it is about.
    let code = unsafe { GetLastError() };
    match owned(handle) {
        Some(handle) => Ok((handle, code != ERROR_ALREADY_EXISTS)),
        None => Err(error_of(code)),
    }
}

/// The handle that a call returned, if it is one.
pub(super) fn owned(handle: RawHandle) -> Option<OwnedHandle> {
    // SAFETY: the calls that end here return a new handle that nobody else knows, or null.
    (!handle.is_null()).then(|| unsafe { OwnedHandle::from_raw_handle(handle) })
}

pub(crate) fn code_of(error: &io::Error) -> u32 {
    error.raw_os_error().map_or(0, i32::cast_unsigned)
}

pub(super) fn error_of(code: u32) -> io::Error {
    io::Error::from_raw_os_error(code.cast_signed())
}
