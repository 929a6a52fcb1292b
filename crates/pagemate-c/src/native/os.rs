//! What is honestly different from system to system: descriptors, handles, POSIX objects.

use std::fs::File;
use std::mem::MaybeUninit;

use super::argument::hand_out;
use super::section::Section;
use super::status::{Failure, Outcome, Status};

#[cfg(not(windows))]
use {
    super::argument::{AccessWord, FileWord, given, text},
    super::options,
    super::status::call,
    std::ffi::{c_char, c_int},
    std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

#[cfg(windows)]
use {
    super::argument::{FileWord, given},
    super::status::call,
    std::ffi::c_void,
    std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle},
};

/// The open file that an options struct lends; not to be closed by us.
///
/// # Safety
///
/// The caller lends what it opened, for as long as the result is there.
#[cfg(not(windows))]
pub(super) unsafe fn lent(call: &str, file: FileWord) -> Outcome<File> {
    let file = c_int::try_from(file).ok().filter(|file| *file >= 0);
    let file = file.ok_or_else(|| Failure::invalid(call, "options->file is no descriptor"))?;
    // SAFETY: it is no negative number, and open, says the caller.
    Ok(unsafe { File::from_raw_fd(file) })
}

/// The open file that an options struct lends; not to be closed by us.
///
/// # Safety
///
/// The caller lends what it opened, for as long as the result is there.
#[cfg(windows)]
pub(super) unsafe fn lent(call: &str, file: FileWord) -> Outcome<File> {
    if matches!(file, 0 | -1) {
        return Err(Failure::invalid(call, "options->file is no handle"));
    }
    // SAFETY: it is neither NULL nor INVALID_HANDLE_VALUE, and open, says the caller.
    Ok(unsafe {
        File::from_raw_handle(std::ptr::with_exposed_provenance_mut(file.cast_unsigned()))
    })
}

/// A copy of a descriptor of C's.
///
/// # Safety
///
/// It is open, if it is one.
#[cfg(not(windows))]
pub(super) unsafe fn copied(call: &str, descriptor: c_int) -> Outcome<OwnedFd> {
    if descriptor < 0 {
        return Err(Failure::invalid(call, format_args!("{descriptor} is no descriptor")));
    }
    // SAFETY: it is no negative number, and open, says the caller.
    let lent = unsafe { BorrowedFd::borrow_raw(descriptor) };
    lent.try_clone_to_owned().map_err(|error| Failure::os(call, &error))
}

/// A copy of a handle of C's.
///
/// # Safety
///
/// It is open, if it is one.
#[cfg(windows)]
pub(super) unsafe fn copied(call: &str, handle: *mut c_void) -> Outcome<OwnedHandle> {
    given(call, "handle", (!handle.is_null()).then_some(()))?;
    // SAFETY: it is not NULL, and open, says the caller.
    let lent = unsafe { BorrowedHandle::borrow_raw(handle) };
    lent.try_clone_to_owned().map_err(|error| Failure::os(call, &error))
}

/// Any mappable descriptor as a section: memory that somebody handed on, or a device of yours. It has
/// the access that it was opened with, and its present length. Not on Windows.
///
/// Unless it is sealed, whoever else has it can cut it short, and touching what is gone ends the process
/// with SIGBUS; so does touching memory that was never set aside, when there is no more.
///
/// @param descriptor  It is copied, and remains yours to close. A copy of a named section's holds the
///                    name.
/// @param section     Gets the handle; NULL on failure.
/// @return PAGEMATE_INVALID_INPUT: what cannot be mapped, or has no length. PAGEMATE_OS: it is not open.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_section_from_descriptor(
    descriptor: c_int,
    section: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let words = "take descriptor";
    hand_out(words, "section", section, || {
        // SAFETY: it is open while we run, says the caller.
        let copy = unsafe { copied(words, descriptor) }?;
        Ok(Section::new(pagemate::Section::try_from(copy)?))
    })
}

/// Tells a section's descriptor, to be handed to another process. It is lent: valid until the handle
/// is closed, and not yours to close. Not on Windows.
///
/// Of a named section it takes part in the lock that keeps the name alive: a process that has it is a
/// holder. Over a file it is one of that file, and holds no name.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_descriptor(
    section: Option<&Section>,
    descriptor: Option<&mut MaybeUninit<c_int>>,
) -> Status {
    let words = "lend descriptor";
    call(|| {
        let section = &given(words, "section", section)?.section;
        given(words, "descriptor", descriptor)?.write(section.as_fd().as_raw_fd());
        Ok(())
    })
}

/// Opens memory that is not pagemate's: the POSIX object called `name`, as `shm_open(3)` takes it. Not
/// on Windows.
///
/// It lives by POSIX' rules: its name stays until somebody unlinks it, and whoever may write to it can
/// cut it short, which ends a process that touches what is gone with SIGBUS.
///
/// @param name     What it is called.
/// @param access   The default is PAGEMATE_ACCESS_READ_WRITE.
/// @param section  Gets the handle; NULL on failure.
/// @return PAGEMATE_NOT_FOUND, PAGEMATE_PERMISSION_DENIED, and PAGEMATE_INVALID_INPUT if it has no
///         length yet.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_section_open_posix(
    name: *const c_char,
    access: AccessWord,
    section: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let words = "open POSIX object";
    hand_out(words, "section", section, || {
        // SAFETY: the text ends in a NUL and is the caller's until we return.
        let name = unsafe { text(words, "name", name) }?;
        let access = options::access(words, "access", access)?.unwrap_or_default();
        Ok(Section::new(pagemate::os::unix::open_posix(name, access)?))
    })
}

/// Any handle to a file mapping as a section, with the access and the length that it has. On Windows
/// only.
///
/// @param handle   It is duplicated, and remains yours to close.
/// @param section  Gets the handle of pagemate's; NULL on failure.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_section_from_handle(
    handle: *mut c_void,
    section: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let words = "take handle";
    hand_out(words, "section", section, || {
        // SAFETY: it is open while we run, says the caller.
        let copy = unsafe { copied(words, handle) }?;
        Ok(Section::new(pagemate::Section::try_from(copy)?))
    })
}

/// Tells a section's handle of Windows', to be duplicated into another process, which then is a holder.
/// It is lent: valid until the section is closed, and not yours to close. On Windows only.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_handle(
    section: Option<&Section>,
    handle: Option<&mut MaybeUninit<*mut c_void>>,
) -> Status {
    let words = "lend handle";
    call(|| {
        let section = &given(words, "section", section)?.section;
        given(words, "handle", handle)?.write(section.as_handle().as_raw_handle());
        Ok(())
    })
}
