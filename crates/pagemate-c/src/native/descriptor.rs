//! Descriptors and Windows handles that C passes in.

use std::fs::File;
use std::mem::ManuallyDrop;

use super::status::{Failure, Outcome};
use super::word::FileWord;

#[cfg(not(windows))]
use std::{
    ffi::c_int,
    os::fd::{BorrowedFd, FromRawFd, OwnedFd},
};

#[cfg(windows)]
use {
    super::argument::required,
    std::ffi::c_void,
    std::os::windows::io::{BorrowedHandle, FromRawHandle, OwnedHandle},
};

/// Borrows the open file of an options struct. The caller of the C function still owns it, so it is not
/// closed here.
///
/// # Safety
///
/// `file` is the number of an open file, which stays open while the result exists.
#[cfg(not(windows))]
pub(super) unsafe fn borrow_file(call: &str, file: FileWord) -> Outcome<ManuallyDrop<File>> {
    let file = c_int::try_from(file).ok().filter(|file| *file >= 0);
    let file = file.ok_or_else(|| Failure::invalid(call, "options->file is not a descriptor"))?;
    // SAFETY: `file` is not negative, and the caller guarantees that it is open and stays so.
    // `ManuallyDrop` prevents closing it.
    Ok(ManuallyDrop::new(unsafe { File::from_raw_fd(file) }))
}

/// Borrows the open file of an options struct. The caller of the C function still owns it, so it is not
/// closed here.
///
/// # Safety
///
/// `file` is the value of an open file handle, which stays open while the result exists.
#[cfg(windows)]
pub(super) unsafe fn borrow_file(call: &str, file: FileWord) -> Outcome<ManuallyDrop<File>> {
    if matches!(file, 0 | -1) {
        return Err(Failure::invalid(call, "options->file is not a handle"));
    }
    let file = std::ptr::with_exposed_provenance_mut(file.cast_unsigned());
    // SAFETY: `file` is neither NULL nor INVALID_HANDLE_VALUE, and the caller guarantees that it is open
    // and stays so. `ManuallyDrop` prevents closing it.
    Ok(ManuallyDrop::new(unsafe { File::from_raw_handle(file) }))
}

/// Duplicates a descriptor. The caller keeps the original.
///
/// # Safety
///
/// `descriptor` is negative or open, and stays open until this function returns.
#[cfg(not(windows))]
pub(super) unsafe fn duplicate(call: &str, descriptor: c_int) -> Outcome<OwnedFd> {
    if descriptor < 0 {
        return Err(Failure::invalid(call, format_args!("{descriptor} is not a descriptor")));
    }
    // SAFETY: `descriptor` is not negative, so the caller guarantees that it is open until this function
    // returns, which is as long as `borrowed` exists.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    borrowed.try_clone_to_owned().map_err(|error| Failure::os(call, &error))
}

/// Duplicates a Windows handle. The caller keeps the original.
///
/// # Safety
///
/// `handle` is NULL or open, and stays open until this function returns.
#[cfg(windows)]
pub(super) unsafe fn duplicate(call: &str, handle: *mut c_void) -> Outcome<OwnedHandle> {
    required(call, "handle", (!handle.is_null()).then_some(()))?;
    // SAFETY: `handle` is not NULL, so the caller guarantees that it is open until this function returns,
    // which is as long as `borrowed` exists.
    let borrowed = unsafe { BorrowedHandle::borrow_raw(handle) };
    borrowed.try_clone_to_owned().map_err(|error| Failure::os(call, &error))
}
