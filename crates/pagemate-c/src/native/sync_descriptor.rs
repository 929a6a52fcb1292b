//! Sync objects and their descriptors and Windows handles.

use std::mem::MaybeUninit;

use super::argument::{create_handle, required};
use super::descriptor::duplicate;
use super::event::Event;
use super::mutex::Mutex;
use super::semaphore::Semaphore;
use super::status::{Status, run};

#[cfg(not(windows))]
use std::{
    ffi::c_int,
    os::fd::{AsFd, AsRawFd},
};

#[cfg(windows)]
use std::{
    ffi::c_void,
    os::windows::io::{AsHandle, AsRawHandle},
};

/// Creates a mutex handle for a descriptor received from another process. Not on Windows. Thread-safe.
///
/// @param descriptor  An open descriptor of a mutex. It is duplicated, and the caller still owns it. The
///                    duplicate of a named mutex's descriptor holds the name. A mutex without a name has no
///                    kind recorded, so the sender and the receiver must agree on it.
/// @param mutex       Receives the handle, which the caller closes by pagemate_mutex_close(); NULL on failure.
/// @return PAGEMATE_CORRUPTED: it is not a descriptor of a mutex. PAGEMATE_OS: it is not open.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_mutex_from_descriptor(
    descriptor: c_int,
    mutex: Option<&mut MaybeUninit<Option<Box<Mutex>>>>,
) -> Status {
    let call = "import descriptor";
    create_handle(call, "mutex", mutex, || {
        // SAFETY: the caller keeps `descriptor` open, if it is a descriptor, until this function returns.
        let copy = unsafe { duplicate(call, descriptor) }?;
        Ok(Mutex::new(copy.try_into()?))
    })
}

/// Returns the descriptor of a mutex, which other processes can receive. Not on Windows.
///
/// The descriptor belongs to the handle: it is valid until the handle is closed, and the caller must not
/// close it. A process that receives the descriptor of a named object is a holder. Thread-safe.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_descriptor(
    mutex: Option<&Mutex>,
    descriptor: Option<&mut MaybeUninit<c_int>>,
) -> Status {
    let call = "get descriptor";
    run(|| {
        let mutex = &required(call, "mutex", mutex)?.mutex;
        required(call, "descriptor", descriptor)?.write(mutex.as_fd().as_raw_fd());
        Ok(())
    })
}

/// Creates an event handle for a descriptor received from another process: see
/// pagemate_mutex_from_descriptor(). Not on Windows. Thread-safe.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_event_from_descriptor(
    descriptor: c_int,
    event: Option<&mut MaybeUninit<Option<Box<Event>>>>,
) -> Status {
    let call = "import descriptor";
    create_handle(call, "event", event, || {
        // SAFETY: the caller keeps `descriptor` open, if it is a descriptor, until this function returns.
        let copy = unsafe { duplicate(call, descriptor) }?;
        Ok(Event::new(copy.try_into()?))
    })
}

/// Returns the descriptor of an event, which other processes can receive. Not on Windows.
///
/// The descriptor belongs to the handle: it is valid until the handle is closed, and the caller must not
/// close it. A process that receives the descriptor of a named object is a holder. Thread-safe.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_descriptor(
    event: Option<&Event>,
    descriptor: Option<&mut MaybeUninit<c_int>>,
) -> Status {
    let call = "get descriptor";
    run(|| {
        let event = &required(call, "event", event)?.event;
        required(call, "descriptor", descriptor)?.write(event.as_fd().as_raw_fd());
        Ok(())
    })
}

/// Creates a semaphore handle for a descriptor received from another process: see
/// pagemate_mutex_from_descriptor(). Not on Windows. Thread-safe.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_semaphore_from_descriptor(
    descriptor: c_int,
    semaphore: Option<&mut MaybeUninit<Option<Box<Semaphore>>>>,
) -> Status {
    let call = "import descriptor";
    create_handle(call, "semaphore", semaphore, || {
        // SAFETY: the caller keeps `descriptor` open, if it is a descriptor, until this function returns.
        let copy = unsafe { duplicate(call, descriptor) }?;
        Ok(Semaphore::new(copy.try_into()?))
    })
}

/// Returns the descriptor of a semaphore, which other processes can receive. Not on Windows.
///
/// The descriptor belongs to the handle: it is valid until the handle is closed, and the caller must not
/// close it. A process that receives the descriptor of a named object is a holder. Thread-safe.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_descriptor(
    semaphore: Option<&Semaphore>,
    descriptor: Option<&mut MaybeUninit<c_int>>,
) -> Status {
    let call = "get descriptor";
    run(|| {
        let semaphore = &required(call, "semaphore", semaphore)?.semaphore;
        required(call, "descriptor", descriptor)?.write(semaphore.as_fd().as_raw_fd());
        Ok(())
    })
}

/// Creates a mutex handle for a Windows handle. On Windows only. Thread-safe.
///
/// @param handle     An open handle to a mutex. It is duplicated, and the caller still owns it.
/// @param mutex      Receives the handle of pagemate, which the caller closes by pagemate_mutex_close();
///                   NULL on failure.
/// @return PAGEMATE_OS: the handle is not open.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_mutex_from_handle(
    handle: *mut c_void,
    mutex: Option<&mut MaybeUninit<Option<Box<Mutex>>>>,
) -> Status {
    let call = "import handle";
    create_handle(call, "mutex", mutex, || {
        // SAFETY: the caller keeps `handle` open, if it is not NULL, until this function returns.
        let copy = unsafe { duplicate(call, handle) }?;
        Ok(Mutex::new(copy.try_into()?))
    })
}

/// Returns the Windows handle of a mutex, which can be duplicated into another process. On Windows only.
///
/// The handle belongs to pagemate's handle: it is valid until pagemate's handle is closed, and the
/// caller must not close it. A process with a duplicate is a holder. Thread-safe.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_handle(
    mutex: Option<&Mutex>,
    handle: Option<&mut MaybeUninit<*mut c_void>>,
) -> Status {
    let call = "get handle";
    run(|| {
        let mutex = &required(call, "mutex", mutex)?.mutex;
        required(call, "handle", handle)?.write(mutex.as_handle().as_raw_handle());
        Ok(())
    })
}

/// Creates an event handle for a Windows handle. On Windows only. Thread-safe.
///
/// @param handle     An open handle to an event. It is duplicated, and the caller still owns it.
/// @param event      Receives the handle of pagemate, which the caller closes by pagemate_event_close();
///                   NULL on failure.
/// @return PAGEMATE_OS: the handle is not open.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_event_from_handle(
    handle: *mut c_void,
    event: Option<&mut MaybeUninit<Option<Box<Event>>>>,
) -> Status {
    let call = "import handle";
    create_handle(call, "event", event, || {
        // SAFETY: the caller keeps `handle` open, if it is not NULL, until this function returns.
        let copy = unsafe { duplicate(call, handle) }?;
        Ok(Event::new(copy.try_into()?))
    })
}

/// Returns the Windows handle of an event, which can be duplicated into another process. On Windows only.
///
/// The handle belongs to pagemate's handle: it is valid until pagemate's handle is closed, and the
/// caller must not close it. A process with a duplicate is a holder. Thread-safe.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_handle(
    event: Option<&Event>,
    handle: Option<&mut MaybeUninit<*mut c_void>>,
) -> Status {
    let call = "get handle";
    run(|| {
        let event = &required(call, "event", event)?.event;
        required(call, "handle", handle)?.write(event.as_handle().as_raw_handle());
        Ok(())
    })
}

/// Creates a semaphore handle for a Windows handle. On Windows only. Thread-safe.
///
/// @param handle     An open handle to a semaphore. It is duplicated, and the caller still owns it.
/// @param semaphore  Receives the handle of pagemate, which the caller closes by pagemate_semaphore_close();
///                   NULL on failure.
/// @return PAGEMATE_OS: the handle is not open.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_semaphore_from_handle(
    handle: *mut c_void,
    semaphore: Option<&mut MaybeUninit<Option<Box<Semaphore>>>>,
) -> Status {
    let call = "import handle";
    create_handle(call, "semaphore", semaphore, || {
        // SAFETY: the caller keeps `handle` open, if it is not NULL, until this function returns.
        let copy = unsafe { duplicate(call, handle) }?;
        Ok(Semaphore::new(copy.try_into()?))
    })
}

/// Returns the Windows handle of a semaphore, which can be duplicated into another process. On Windows only.
///
/// The handle belongs to pagemate's handle: it is valid until pagemate's handle is closed, and the
/// caller must not close it. A process with a duplicate is a holder. Thread-safe.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_handle(
    semaphore: Option<&Semaphore>,
    handle: Option<&mut MaybeUninit<*mut c_void>>,
) -> Status {
    let call = "get handle";
    run(|| {
        let semaphore = &required(call, "semaphore", semaphore)?.semaphore;
        required(call, "handle", handle)?.write(semaphore.as_handle().as_raw_handle());
        Ok(())
    })
}
