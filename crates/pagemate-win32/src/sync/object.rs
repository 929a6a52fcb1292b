//! Mutexes, events and semaphores: the calls that change them. The module `create` creates and
//! opens them, and `wait` waits for them.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use pagemate::ErrorKind;
use pagemate::sync::{Event, Mutex as Core};

use crate::error::{
    ACCESS_DENIED, Code, INVALID_PARAMETER, NOT_OWNER, Result, TOO_MANY_POSTS, done,
};
use crate::handle::rights::{self, MODIFY_STATE, Rights};
use crate::handle::table::{self as handle, Handle};
use crate::pointer::write_unless_null;

/// A mutex of this process, shared by all handles to it. Its owner may acquire it recursively.
#[derive(Debug)]
pub(crate) struct Mutex {
    pub(crate) core: Core,
    /// The number of recursive acquisitions of the owner beyond the first. Only the owner changes
    /// it.
    recursion: AtomicU32,
}

impl Mutex {
    pub(crate) fn new(core: Core) -> Mutex {
        Mutex { core, recursion: AtomicU32::new(0) }
    }

    /// Records that the owner acquired the mutex once more.
    pub(crate) fn acquire_again(&self) {
        self.recursion.fetch_add(1, Ordering::Relaxed);
    }

    /// Records that this thread became the owner.
    pub(crate) fn set_acquired(&self) {
        self.recursion.store(0, Ordering::Relaxed);
    }

    /// Releases one acquisition.
    pub(crate) fn release(&self) -> Result<()> {
        if !self.core.is_mine() {
            return Err(NOT_OWNER);
        }
        // Relaxed suffices, because only the owner accesses the count.
        match self.recursion.load(Ordering::Relaxed).checked_sub(1) {
            Some(less) => self.recursion.store(less, Ordering::Relaxed),
            None => self.core.unlock_forgotten()?,
        }
        Ok(())
    }
}

/// The kind of a synchronisation object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Mutex,
    Event,
    Semaphore,
}

impl Kind {
    pub(crate) fn rights(self) -> &'static Rights {
        match self {
            Kind::Mutex => &rights::MUTEX,
            Kind::Event | Kind::Semaphore => &rights::STATE,
        }
    }
}

/// Releases a mutex that this thread owns, once.
#[unsafe(no_mangle)]
pub extern "C" fn ReleaseMutex(handle: Handle) -> i32 {
    done(handle::mutex(handle).and_then(|(mutex, _)| mutex.release()))
}

/// Returns the event of a handle that has the right to change it.
pub(crate) fn modifiable_event(handle: Handle) -> Result<Arc<Event>> {
    let (event, access) = handle::event(handle)?;
    if access & MODIFY_STATE == 0 { Err(ACCESS_DENIED) } else { Ok(event) }
}

/// Sets an event.
#[unsafe(no_mangle)]
pub extern "C" fn SetEvent(handle: Handle) -> i32 {
    done(modifiable_event(handle).and_then(|event| Ok(event.set()?)))
}

/// Resets an event.
#[unsafe(no_mangle)]
pub extern "C" fn ResetEvent(handle: Handle) -> i32 {
    done(modifiable_event(handle).and_then(|event| Ok(event.reset()?)))
}

/// Releases the current waiters of an event (one of them if it resets automatically). The event is
/// not set afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn PulseEvent(handle: Handle) -> i32 {
    done(modifiable_event(handle).and_then(|event| Ok(event.pulse()?)))
}

/// Releases a semaphore, and reports its previous count.
///
/// # Safety
///
/// `before` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ReleaseSemaphore(handle: Handle, by: i32, before: *mut i32) -> i32 {
    done(release_semaphore(handle, by).map(|count| {
        // SAFETY: the caller guarantees that `before` is null or valid for writes.
        unsafe { write_unless_null(before, count) };
    }))
}

/// Adds to the count of a semaphore whose handle has the right to change it. Returns the previous
/// count.
pub(crate) fn release_semaphore(handle: Handle, by: i32) -> Result<i32> {
    let by = u32::try_from(by).ok().filter(|by| *by > 0).ok_or(INVALID_PARAMETER)?;
    let (semaphore, access) = handle::semaphore(handle)?;
    if access & MODIFY_STATE == 0 {
        return Err(ACCESS_DENIED);
    }
    let before = semaphore.release(by).map_err(|error| match error.kind() {
        ErrorKind::OutOfRange => TOO_MANY_POSTS,
        _ => Code::from(error),
    })?;
    i32::try_from(before).map_err(|_| INVALID_PARAMETER)
}
