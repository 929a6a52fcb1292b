//! Mutexes, events and semaphores as each system keeps them.
//!
//! Every platform provides a [`Mutex`], an [`Event`] and a [`Semaphore`], each with `create`, `open`
//! and `unnamed`, what is special to it, and `wait`; [`wait_any`] and [`wait_all`] for several; and
//! `Mutex::inside`, a lock in memory of the user's.

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

use crate::access::{Access, Sharing};
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::object::Object;

pub use crate::sys::state::{Reset, State};

pub(crate) use platform::{Event, Mutex, Semaphore, Words, read_state, wait_all, wait_any};

/// How one comes to have what one waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    Released,
    /// A lock whose last owner ended while it had it.
    Abandoned,
}

/// What a new object is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spec {
    Mutex { sharing: Sharing, locked: bool },
    Event { sharing: Sharing, reset: Reset, signaled: bool },
    Semaphore { sharing: Sharing, count: u32, max: u32 },
}

impl Spec {
    /// Whom it is shared with, if that makes sense.
    pub(crate) fn sharing(&self) -> Result<Sharing> {
        let (Spec::Mutex { sharing, .. }
        | Spec::Event { sharing, .. }
        | Spec::Semaphore { sharing, .. }) = *self;
        if let Sharing::Group(Access::Read) | Sharing::Everyone(Access::Read) = sharing {
            let cause = "whoever uses it changes it: share it for reading and writing";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        Ok(sharing)
    }

    /// Whether it is a mutex that its maker has from the start.
    pub(crate) fn is_locked(&self) -> bool {
        matches!(self, Spec::Mutex { locked: true, .. })
    }
}

/// One of several to wait for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Waitable<'a> {
    Mutex(&'a Mutex),
    Event(&'a Event),
    Semaphore(&'a Semaphore),
}

/// Memory of the user's that a lock stands in, kept mapped.
pub(crate) trait Home: Send + Sync {
    /// What the memory is of.
    fn object(&self) -> &Object;

    /// The name that this was opened by.
    #[cfg_attr(unix, expect(dead_code, reason = "there a lock needs nothing but the memory"))]
    fn name(&self) -> Option<&Name> {
        None
    }
}
