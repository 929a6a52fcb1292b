//! Sync objects handed on: descriptors, and handles of Windows'.

use std::mem::MaybeUninit;

use super::argument::{given, hand_out};
use super::event::Event;
use super::mutex::Mutex;
use super::os::copied;
use super::semaphore::Semaphore;
use super::status::{Status, call};

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

/// A descriptor that somebody handed on as a mutex. That it is one is the word of who did: without a name
/// there is no other. Not on Windows.
///
/// @param descriptor  It is copied, and remains yours to close. A copy of a named one's holds the name.
/// @param mutex       Gets the handle; NULL on failure.
/// @return PAGEMATE_CORRUPTED: it is none. PAGEMATE_OS: it is not open.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_mutex_from_descriptor(
    descriptor: c_int,
    mutex: Option<&mut MaybeUninit<Option<Box<Mutex>>>>,
) -> Status {
    let words = "take descriptor";
    hand_out(words, "mutex", mutex, || {
        // SAFETY: it is open while we run, says the caller.
        let copy = unsafe { copied(words, descriptor) }?;
        Ok(Mutex::new(copy.try_into()?))
    })
}

/// Tells a mutex's descriptor, to be handed to another process, which then is a holder of the name. It is
/// lent: valid until the handle is closed, and not yours to close. Not on Windows.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_descriptor(
    mutex: Option<&Mutex>,
    descriptor: Option<&mut MaybeUninit<c_int>>,
) -> Status {
    let words = "lend descriptor";
    call(|| {
        let mutex = &given(words, "mutex", mutex)?.mutex;
        given(words, "descriptor", descriptor)?.write(mutex.as_fd().as_raw_fd());
        Ok(())
    })
}

/// A descriptor that somebody handed on as an event: see pagemate_mutex_from_descriptor(). Not on Windows.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_event_from_descriptor(
    descriptor: c_int,
    event: Option<&mut MaybeUninit<Option<Box<Event>>>>,
) -> Status {
    let words = "take descriptor";
    hand_out(words, "event", event, || {
        // SAFETY: it is open while we run, says the caller.
        let copy = unsafe { copied(words, descriptor) }?;
        Ok(Event::new(copy.try_into()?))
    })
}

/// Tells an event's descriptor, to be handed to another process, which then is a holder of the name. It is
/// lent: valid until the handle is closed, and not yours to close. Not on Windows.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_descriptor(
    event: Option<&Event>,
    descriptor: Option<&mut MaybeUninit<c_int>>,
) -> Status {
    let words = "lend descriptor";
    call(|| {
        let event = &given(words, "event", event)?.event;
        given(words, "descriptor", descriptor)?.write(event.as_fd().as_raw_fd());
        Ok(())
    })
}

/// A descriptor that somebody handed on as a semaphore: see pagemate_mutex_from_descriptor(). Not on Windows.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_semaphore_from_descriptor(
    descriptor: c_int,
    semaphore: Option<&mut MaybeUninit<Option<Box<Semaphore>>>>,
) -> Status {
    let words = "take descriptor";
    hand_out(words, "semaphore", semaphore, || {
        // SAFETY: it is open while we run, says the caller.
        let copy = unsafe { copied(words, descriptor) }?;
        Ok(Semaphore::new(copy.try_into()?))
    })
}

/// Tells a semaphore's descriptor, to be handed to another process, which then is a holder of the name. It is
/// lent: valid until the handle is closed, and not yours to close. Not on Windows.
#[cfg(not(windows))]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_descriptor(
    semaphore: Option<&Semaphore>,
    descriptor: Option<&mut MaybeUninit<c_int>>,
) -> Status {
    let words = "lend descriptor";
    call(|| {
        let semaphore = &given(words, "semaphore", semaphore)?.semaphore;
        given(words, "descriptor", descriptor)?.write(semaphore.as_fd().as_raw_fd());
        Ok(())
    })
}

/// A handle of Windows' to a mutex as one of pagemate's. On Windows only.
///
/// @param handle     It is duplicated, and remains yours to close.
/// @param mutex      Gets the handle of pagemate's; NULL on failure.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_mutex_from_handle(
    handle: *mut c_void,
    mutex: Option<&mut MaybeUninit<Option<Box<Mutex>>>>,
) -> Status {
    let words = "take handle";
    hand_out(words, "mutex", mutex, || {
        // SAFETY: it is open while we run, says the caller.
        let copy = unsafe { copied(words, handle) }?;
        Ok(Mutex::new(copy.try_into()?))
    })
}

/// Tells a mutex's handle of Windows', to be duplicated into another process, which then is a holder. It is
/// lent: valid until the mutex is closed, and not yours to close. On Windows only.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_handle(
    mutex: Option<&Mutex>,
    handle: Option<&mut MaybeUninit<*mut c_void>>,
) -> Status {
    let words = "lend handle";
    call(|| {
        let mutex = &given(words, "mutex", mutex)?.mutex;
        given(words, "handle", handle)?.write(mutex.as_handle().as_raw_handle());
        Ok(())
    })
}

/// A handle of Windows' to an event as one of pagemate's. On Windows only.
///
/// @param handle     It is duplicated, and remains yours to close.
/// @param event      Gets the handle of pagemate's; NULL on failure.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_event_from_handle(
    handle: *mut c_void,
    event: Option<&mut MaybeUninit<Option<Box<Event>>>>,
) -> Status {
    let words = "take handle";
    hand_out(words, "event", event, || {
        // SAFETY: it is open while we run, says the caller.
        let copy = unsafe { copied(words, handle) }?;
        Ok(Event::new(copy.try_into()?))
    })
}

/// Tells an event's handle of Windows', to be duplicated into another process, which then is a holder. It is
/// lent: valid until the event is closed, and not yours to close. On Windows only.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_event_handle(
    event: Option<&Event>,
    handle: Option<&mut MaybeUninit<*mut c_void>>,
) -> Status {
    let words = "lend handle";
    call(|| {
        let event = &given(words, "event", event)?.event;
        given(words, "handle", handle)?.write(event.as_handle().as_raw_handle());
        Ok(())
    })
}

/// A handle of Windows' to a semaphore as one of pagemate's. On Windows only.
///
/// @param handle     It is duplicated, and remains yours to close.
/// @param semaphore  Gets the handle of pagemate's; NULL on failure.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_semaphore_from_handle(
    handle: *mut c_void,
    semaphore: Option<&mut MaybeUninit<Option<Box<Semaphore>>>>,
) -> Status {
    let words = "take handle";
    hand_out(words, "semaphore", semaphore, || {
        // SAFETY: it is open while we run, says the caller.
        let copy = unsafe { copied(words, handle) }?;
        Ok(Semaphore::new(copy.try_into()?))
    })
}

/// Tells a semaphore's handle of Windows', to be duplicated into another process, which then is a holder. It is
/// lent: valid until the semaphore is closed, and not yours to close. On Windows only.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_handle(
    semaphore: Option<&Semaphore>,
    handle: Option<&mut MaybeUninit<*mut c_void>>,
) -> Status {
    let words = "lend handle";
    call(|| {
        let semaphore = &given(words, "semaphore", semaphore)?.semaphore;
        given(words, "handle", handle)?.write(semaphore.as_handle().as_raw_handle());
        Ok(())
    })
}
