//! Creation and opening of named kernel objects of every kind.
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

/// Returns the kernel's form of a name, with a NUL at its end.
pub(crate) fn kernel_name(name: &Name) -> Vec<u16> {
    let prefix = match name.namespace() {
        Namespace::Local => r"Local\",
        Namespace::Global => r"Global\",
    };
    prefix.encode_utf16().chain(name.bare().encode_utf16()).chain([0]).collect()
}

/// Opens the object that has a name, or creates it. Returns whether it was created. `create` also
/// returns whether it created an object, because the kernel opens an existing object instead.
///
/// The name is looked up before `create` runs. The kernel builds a new object before it looks its
/// name up (`win32_rows.rs`, row 19), which would cost memory, or fail for lack of memory, although
/// the object exists.
pub(crate) fn create(
    existing: Existing,
    open: impl Fn() -> Result<OwnedHandle>,
    create: impl Fn() -> Result<(OwnedHandle, bool)>,
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
        match create()? {
            (handle, true) => return Ok((handle, true)),
            // Another process created the object first. Close it and begin again with `open`, which
            // opens it with the right access.
            (handle, false) => drop(handle),
        }
        if Instant::now() > deadline {
            let cause = "other processes create and close it all the time; end them, or try again";
            return Err(Error::new(ErrorKind::TimedOut, cause));
        }
    }
}

/// Returns whether `error` shows that the name has an object that could not be opened.
fn is_of_an_object(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::WrongKind)
}

pub(crate) fn already_exists() -> Error {
    Error::new(ErrorKind::AlreadyExists, "some process already holds an object of this name")
}

/// Returns the error for a name that could not be opened.
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

/// Takes ownership of the result of a call that opens an object.
pub(crate) fn opened_handle(handle: RawHandle) -> io::Result<OwnedHandle> {
    owned_handle(handle).ok_or_else(io::Error::last_os_error)
}

/// Takes ownership of the result of a call that creates an object or opens an existing one. Returns
/// whether it was created. No other call may run between the two, because the thread's last error
/// distinguishes them.
pub(crate) fn created_handle(handle: RawHandle) -> io::Result<(OwnedHandle, bool)> {
    // SAFETY: GetLastError takes no argument and reads a number of this thread.
    let code = unsafe { GetLastError() };
    match owned_handle(handle) {
        Some(handle) => Ok((handle, code != ERROR_ALREADY_EXISTS)),
        None => Err(error_of(code)),
    }
}

/// Takes ownership of a handle that a call returned. `None` if it is null.
pub(super) fn owned_handle(handle: RawHandle) -> Option<OwnedHandle> {
    // SAFETY: all callers pass the result of a call that returns null or a new handle, which has no
    // other owner.
    (!handle.is_null()).then(|| unsafe { OwnedHandle::from_raw_handle(handle) })
}

pub(crate) fn code_of(error: &io::Error) -> u32 {
    error.raw_os_error().map_or(0, i32::cast_unsigned)
}

pub(super) fn error_of(code: u32) -> io::Error {
    io::Error::from_raw_os_error(code.cast_signed())
}
