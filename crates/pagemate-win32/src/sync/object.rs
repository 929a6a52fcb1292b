//! Mutexes, events and semaphores: what handles to them may do, and changing them. `make` makes and opens
//! them, `wait` has the waiting.
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

/// A mutex as the threads of this process have it, by whatever handle: each as often as it likes.
#[derive(Debug)]
pub(crate) struct Mutex {
    pub(crate) core: Core,
    /// How many times more than once its owner has it.
    again: AtomicU32,
}

impl Mutex {
    pub(crate) fn new(core: Core) -> Mutex {
        Mutex { core, again: AtomicU32::new(0) }
    }

    /// Its owner takes it once more.
    pub(crate) fn take_again(&self) {
        self.again.fetch_add(1, Ordering::Relaxed);
    }

    /// This thread has come to have it.
    pub(crate) fn taken(&self) {
        self.again.store(0, Ordering::Relaxed);
    }

    /// Gives it back once.
    pub(crate) fn release(&self) -> Result<()> {
        if !self.core.is_mine() {
            return Err(NOT_OWNER);
        }
        // Nobody but its owner changes it.
        match self.again.load(Ordering::Relaxed).checked_sub(1) {
            Some(less) => self.again.store(less, Ordering::Relaxed),
            None => self.core.unlock_forgotten()?,
        }
        Ok(())
    }
}

/// What kind of object a handle is to stand for.
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

/// Gives back a mutex that this thread has.
#[unsafe(no_mangle)]
pub extern "C" fn ReleaseMutex(handle: Handle) -> i32 {
    done(handle::mutex(handle).and_then(|(mutex, _)| mutex.release()))
}

/// An event whose handle may change it.
pub(crate) fn changeable(handle: Handle) -> Result<Arc<Event>> {
    let (event, access) = handle::event(handle)?;
    if access & MODIFY_STATE == 0 { Err(ACCESS_DENIED) } else { Ok(event) }
}

/// Says that an event has happened.
#[unsafe(no_mangle)]
pub extern "C" fn SetEvent(handle: Handle) -> i32 {
    done(changeable(handle).and_then(|event| Ok(event.set()?)))
}

/// Says that an event has not happened.
#[unsafe(no_mangle)]
pub extern "C" fn ResetEvent(handle: Handle) -> i32 {
    done(changeable(handle).and_then(|event| Ok(event.reset()?)))
}

/// Lets those go who wait for an event at this moment.
#[unsafe(no_mangle)]
pub extern "C" fn PulseEvent(handle: Handle) -> i32 {
    done(changeable(handle).and_then(|event| Ok(event.pulse()?)))
}

/// Adds to a semaphore, and tells what it was before.
///
/// # Safety
///
/// `before` is null or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ReleaseSemaphore(handle: Handle, by: i32, before: *mut i32) -> i32 {
    done(add(handle, by).map(|count| {
        // SAFETY: the caller says that it can be written to, unless it is null.
        unsafe { write_unless_null(before, count) };
    }))
}

/// Adds to a semaphore whose handle may change it.
pub(crate) fn add(handle: Handle, by: i32) -> Result<i32> {
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
