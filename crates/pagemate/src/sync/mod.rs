//! Mutexes, events and semaphores that processes share, by name or handed on.
//!
//! They are Windows' objects of these names, with Windows' meaning, on every system. Their names
//! stand in the one space of names that sections have too, and live as long: until the last handle
//! goes, by drop, exit or SIGKILL.
//!
//! - [`Mutex`]: one at a time. Its guard frees it.
//! - [`Event`]: something that has happened, for one or for all who wait.
//! - [`Semaphore`]: as many at a time as there are.
//! - [`SharedMutex`]: a mutex beside its data, both in a section.
//! - [`wait_any`] and [`wait_all`]: for several of the first three.
//!
//! **A holder's death is an answer, not a hang.** If a process is killed while it has a mutex, or a
//! thread ends, the next who waits has the mutex within a tenth of a second, and is told: the guard
//! [was abandoned](MutexGuard::was_abandoned). What the mutex guards is as its holder left it. A
//! process that merely stands still, by SIGSTOP or in a debugger, is never taken for dead.
//!
//! # Platforms
//!
//! On Windows they are the kernel's own, which any other program opens by their names. On Linux
//! each is a word in a shared page: who finds a mutex free takes it by one instruction, without a
//! system call, and who does not sleeps in `futex(2)`. Who sleeps for a mutex looks up thirty times a
//! second, which is how it learns of a death; who sleeps for the others, twice: should a process be
//! killed or stopped in the midst of waking somebody or of being woken, another sleeps on for half a
//! second. On macOS they sleep by `os_sync_wait_on_address(3)`.
//!
//! # Fork
//!
//! A forked child holds the names that its parent held, but none of its mutexes: those stay the
//! parent's, and a guard that the child finds in its memory frees nothing. Whoever closes descriptors
//! that are not theirs, as daemons do when they begin, should do it before they open any of these: a
//! process without its descriptors is as good as dead to the others.
//!
//! ```
//! use pagemate::sync::MutexOptions;
//!
//! # fn main() -> pagemate::Result<()> {
//! # let name = &format!("doc-sync-{}", std::process::id());
//! let mutex = MutexOptions::new().open_or_create(name)?;
//! let guard = mutex.lock()?;
//! if guard.was_abandoned() {
//!     // Whoever had it died: look at what it left, and mend it.
//! }
//! # Ok(())
//! # }
//! ```

mod event;
mod many;
mod mutex;
mod semaphore;
mod shareable;
mod shared;

pub use self::event::{Event, EventOptions, Reset};
pub use self::many::{Had, Waitable, wait_all, wait_all_for, wait_any, wait_any_for};
pub use self::mutex::{Mutex, MutexGuard, MutexOptions};
pub use self::semaphore::{Semaphore, SemaphoreOptions};
pub use self::shareable::Shareable;
#[doc(hidden)]
pub use self::shareable::fingerprint;
pub use self::shared::{SharedGuard, SharedMutex};

use crate::error::{Error, Quoted, Result};
use crate::name::Name;

/// What a handle was made or opened by.
#[derive(Debug)]
struct Identity {
    kind: &'static str,
    name: Option<Name>,
    created: bool,
}

impl Identity {
    fn unnamed(kind: &'static str) -> Identity {
        Identity { kind, name: None, created: true }
    }

    /// The error that `call` met on this object.
    #[cold]
    fn tell(&self, call: &'static str, error: Error) -> Error {
        let (kind, unnamed) = (self.kind, || format!("unnamed {}", self.kind));
        error.during(
            call,
            self.name
                .as_ref()
                .map_or_else(unnamed, |name| format!("{kind} {}", Quoted(&name.to_string()))),
        )
    }
}

/// Makes or opens the object called `name`.
fn named<T>(
    call: &'static str,
    kind: &'static str,
    name: &str,
    make: impl FnOnce(&Name) -> Result<(T, bool)>,
) -> Result<(T, Identity)> {
    let parsed = Name::new(name)?;
    let (object, created) =
        make(&parsed).map_err(|error| error.during(call, format!("{kind} {}", Quoted(name))))?;
    Ok((object, Identity { kind, name: Some(parsed), created }))
}
