//! Errors of the creation of sections, with their causes and remedies.
#![allow(unsafe_code, reason = "GlobalMemoryStatusEx")]

use std::io;

use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_BAD_EXE_FORMAT, ERROR_COMMITMENT_LIMIT, ERROR_DISK_FULL,
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NO_SYSTEM_RESOURCES,
    ERROR_NOT_ENOUGH_MEMORY, ERROR_OUTOFMEMORY, ERROR_PRIVILEGE_NOT_HELD,
};
use windows_sys::Win32::System::SystemInformation::{GlobalMemoryStatusEx, MEMORYSTATUSEX};

use super::super::Spec;
use super::named::{already_exists, code_of};
use crate::error::{Error, ErrorKind};
use crate::name::{Name, Namespace};

pub(super) fn is_no_space(error: &io::Error) -> bool {
    matches!(
        code_of(error),
        ERROR_COMMITMENT_LIMIT
            | ERROR_DISK_FULL
            | ERROR_NOT_ENOUGH_MEMORY
            | ERROR_NO_SYSTEM_RESOURCES
            | ERROR_OUTOFMEMORY
    )
}

pub(super) fn too_long() -> Error {
    Error::new(ErrorKind::NoSpace, "its length is more than this system can address")
}

pub(super) fn not_a_file(error: io::Error) -> Error {
    Error::os_as(ErrorKind::InvalidInput, "it is not a file that can be mapped", error)
}

fn cannot_grow(len: u64, error: io::Error) -> Error {
    // ERROR_INVALID_PARAMETER means that the length exceeds the maximum length of a file
    // (`win32_rows.rs`, row 12).
    let too_long = code_of(&error) == ERROR_INVALID_PARAMETER;
    let kind = if too_long || is_no_space(&error) { ErrorKind::NoSpace } else { ErrorKind::Os };
    Error::os_as(kind, format!("the file cannot be extended to {len} bytes"), error)
}

/// Returns the error for a named section that could not be created.
pub(super) fn named_creation_error(name: &Name, spec: &Spec<'_>, error: io::Error) -> Error {
    match (code_of(&error), name.namespace()) {
        (ERROR_ACCESS_DENIED | ERROR_PRIVILEGE_NOT_HELD, Namespace::Global) => {
            let cause = r"a new Global\ section needs the privilege SeCreateGlobalPrivilege, which \
                services and administrators have: run elevated, or use a name without Global\";
            Error::os_as(ErrorKind::PermissionDenied, cause, error)
        }
        (ERROR_INVALID_HANDLE, _) => already_exists(),
        _ => creation_error(spec, error),
    }
}

/// Returns the error for a section that could not be created.
pub(super) fn creation_error(spec: &Spec<'_>, error: io::Error) -> Error {
    match (spec.file, code_of(&error)) {
        (None, _) => no_memory(spec, error),
        (Some(_), ERROR_BAD_EXE_FORMAT) => not_a_file(error),
        (Some(_), ERROR_ACCESS_DENIED) => {
            Error::os("the file is not open with the rights that the section needs", error)
        }
        (Some(_), _) => cannot_grow(spec.len, error),
    }
}

/// Returns the error for a section in memory that could not be created.
fn no_memory(spec: &Spec<'_>, error: io::Error) -> Error {
    if !is_no_space(&error) {
        return Error::os("it cannot be created", error);
    }
    let mut status = MEMORYSTATUSEX {
        dwLength: u32::try_from(size_of::<MEMORYSTATUSEX>()).expect("a small structure"),
        ..MEMORYSTATUSEX::default()
    };
    // SAFETY: `status` is a local variable, and its `dwLength` tells the call its length.
    _ = unsafe { GlobalMemoryStatusEx(&raw mut status) };
    let (len, left) = (spec.len, status.ullAvailPageFile);
    let cause = format!(
        "{len} bytes cannot be reserved: the system has {left} left in memory and page file; request \
         less, or end other processes"
    );
    Error::os_as(ErrorKind::NoSpace, cause, error)
}
