//! Sections and their descriptors, Windows handles and POSIX objects.

use std::mem::MaybeUninit;

use super::argument::{create_handle, required};
use super::descriptor::duplicate;
use super::section::Section;
use super::status::{Status, run};

#[cfg(not(windows))]
use {
    super::argument::text,
    super::word::AccessWord,
    std::ffi::{c_char, c_int},
    std::os::fd::{AsFd, AsRawFd},
};

#[cfg(windows)]
use {
    std::ffi::c_void,
    std::os::windows::io::{AsHandle, AsRawHandle},
};

/// Creates a section handle for a mappable descriptor: a section received from another process, or a device.
/// Not on Windows.
///
/// The handle has the access with which the descriptor was opened, and the current length of the
/// memory. Unless the memory is sealed, a process with write access can truncate it, and an access
/// to a truncated page ends this process with SIGBUS. If the memory was not reserved, an access to
/// it when no memory is left also ends the process with SIGBUS. Thread-safe.
///
/// @param descriptor  An open descriptor. It is duplicated, and the caller still owns it. The duplicate of a
///                    named section's descriptor holds the name.
/// @param section     Receives the handle, which the caller closes by pagemate_section_close(); NULL on
///                    failure.
/// @return PAGEMATE_INVALID_INPUT: the descriptor cannot be mapped or has no length. PAGEMATE_OS: it is not
///         open.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_section_from_descriptor(
    descriptor: c_int,
    section: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let call = "import descriptor";
    create_handle(call, "section", section, || {
        // SAFETY: the caller keeps `descriptor` open, if it is a descriptor, until this function returns.
        let copy = unsafe { duplicate(call, descriptor) }?;
        Ok(Section::new(pagemate::Section::try_from(copy)?))
    })
}

/// Returns the descriptor of a section, which other processes can receive. Not on Windows.
///
/// The descriptor belongs to the handle: it is valid until the handle is closed, and the caller must not
/// close it. For a named section it shares the lock that keeps the name alive, so a process that receives
/// it is a holder. Over a file it is a descriptor of that file and does not hold the name. Thread-safe.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_descriptor(
    section: Option<&Section>,
    descriptor: Option<&mut MaybeUninit<c_int>>,
) -> Status {
    let call = "get descriptor";
    run(|| {
        let section = &required(call, "section", section)?.section;
        required(call, "descriptor", descriptor)?.write(section.as_fd().as_raw_fd());
        Ok(())
    })
}

/// Opens the POSIX shared memory object `name`, as `shm_open(3)` does. Not on Windows.
///
/// The object follows the rules of POSIX: its name remains until a process unlinks it. A process
/// with write access can truncate it, and an access to a truncated page then ends this process with
/// SIGBUS. Thread-safe.
///
/// @param name     The name.
/// @param access   The access. The default is PAGEMATE_ACCESS_READ_WRITE.
/// @param section  Receives the handle, which the caller closes by pagemate_section_close(); NULL on failure.
/// @return PAGEMATE_NOT_FOUND. PAGEMATE_PERMISSION_DENIED. PAGEMATE_INVALID_INPUT: the object has no length
///         yet.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_section_open_posix(
    name: *const c_char,
    access: AccessWord,
    section: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let call = "open POSIX object";
    create_handle(call, "section", section, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        let access = super::access::access(call, "access", access)?.unwrap_or_default();
        Ok(Section::new(pagemate::os::unix::open_posix(name, access)?))
    })
}

/// Creates a section handle for a handle to a file mapping, with its access and length. On Windows only.
/// Thread-safe.
///
/// @param handle   An open handle to a file mapping. It is duplicated, and the caller still owns it.
/// @param section  Receives the handle of pagemate, which the caller closes by pagemate_section_close(); NULL
///                 on failure.
/// @return PAGEMATE_OS: the handle is not open.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_section_from_handle(
    handle: *mut c_void,
    section: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let call = "import handle";
    create_handle(call, "section", section, || {
        // SAFETY: the caller keeps `handle` open, if it is not NULL, until this function returns.
        let copy = unsafe { duplicate(call, handle) }?;
        Ok(Section::new(pagemate::Section::try_from(copy)?))
    })
}

/// Returns the Windows handle of a section, which can be duplicated into another process. On Windows only.
///
/// The handle belongs to the section: it is valid until the section handle is closed, and the
/// caller must not close it. A process with a duplicate is a holder. Thread-safe.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_handle(
    section: Option<&Section>,
    handle: Option<&mut MaybeUninit<*mut c_void>>,
) -> Status {
    let call = "get handle";
    run(|| {
        let section = &required(call, "section", section)?.section;
        required(call, "handle", handle)?.write(section.as_handle().as_raw_handle());
        Ok(())
    })
}
