//! Mutexes, events and semaphores, implemented by each platform.
//!
//! Every platform provides:
//!
//! - [`generation`], a number that differs from those of the parent and of the children of this
//!   process;
//! - a [`Mutex`], an [`Event`] and a [`Semaphore`], each with `create`, `open`, `unnamed`, `wait`
//!   and its own operations;
//! - [`wait_any`] and [`wait_all`] for several objects, and [`SleepOn`], the word or the object by which
//!   `wait_any` sleeps on a [`Source`];
//! - `Mutex::embedded`, a mutex whose words lie in a user's section.

pub(crate) mod typed;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg(unix)]
mod words;

#[cfg(unix)]
use self::unix as platform;
#[cfg(windows)]
use self::windows as platform;

use std::{fmt, io};

use crate::access::{Access, Sharing};
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::object::Object;

pub use crate::sys::object_state::Reset;

pub(crate) use platform::{
    Event, Mutex, Semaphore, SleepOn, Words, generation, read_state, wait_all, wait_any,
};

/// The state of an object when a thread acquired it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acquired {
    /// The last owner released it, or the object has no owners.
    Released,
    /// It is a mutex whose last owner ended without releasing it.
    Abandoned,
}

/// The kind, the initial state and the sharing of a new object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spec {
    Mutex { sharing: Sharing, locked: bool },
    Event { sharing: Sharing, reset: Reset, signaled: bool },
    Semaphore { sharing: Sharing, count: u32, max: u32 },
}

impl Spec {
    /// Returns the sharing, or an error if it is for reading only.
    pub(crate) fn sharing(&self) -> Result<Sharing> {
        let (Spec::Mutex { sharing, .. }
        | Spec::Event { sharing, .. }
        | Spec::Semaphore { sharing, .. }) = *self;
        if let Sharing::Group(Access::Read) | Sharing::Everyone(Access::Read) = sharing {
            let cause = "each use of a sync object writes to it: share it for reading and writing";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        Ok(sharing)
    }

    /// Returns whether this describes a mutex that its creator owns from the start.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(self, Spec::Mutex { locked: true, .. })
    }
}

/// One of several objects to wait for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Waitable<'a> {
    Mutex(&'a Mutex),
    Event(&'a Event),
    Semaphore(&'a Semaphore),
    Source(&'a dyn Source),
}

/// Something other than a sync object that [`wait_any`] can wait for, such as the messages of a channel.
pub(crate) trait Source: fmt::Debug + Send + Sync {
    /// Returns whether the caller of the wait has something to do. With `check_liveness` it also tests whether
    /// the processes that make progress are dead, which ends the wait too.
    fn is_ready(&self, check_liveness: bool) -> bool;

    /// Announces that this thread is about to sleep. Returns the word or the object to sleep on. The caller
    /// calls `is_ready` before it sleeps, and `end_sleep` afterwards.
    fn begin_sleep(&self) -> io::Result<SleepOn<'_>>;

    /// Ends the announcement.
    fn end_sleep(&self);

    /// Wakes another thread if the source is ready, because this thread may have consumed its wake-up.
    fn pass_on_wake(&self);
}

/// Returns the error of [`wait_all`] for a source.
fn not_for_all() -> Error {
    let cause = "a wait for all is for mutexes, events and semaphores; wait for any instead";
    Error::new(ErrorKind::InvalidInput, cause)
}

/// Mapped memory that contains the words of a lock. The memory stays mapped for as long as the value
/// lives, at the same address.
pub(crate) trait LockMemory: fmt::Debug + Send + Sync {
    /// Returns the object that the memory belongs to.
    fn object(&self) -> &Object;

    /// Returns the name by which that object was opened.
    #[cfg_attr(unix, expect(dead_code, reason = "only a lock on Windows is found by a name"))]
    fn name(&self) -> Option<&Name> {
        None
    }
}

impl LockMemory for Object {
    fn object(&self) -> &Object {
        self
    }
}
