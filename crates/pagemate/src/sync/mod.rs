//! Mutexes, events and semaphores that processes share, by name or by a passed descriptor.
//!
//! They have the semantics of the Win32 objects of the same names, on every platform. Their names
//! are in the same name space as those of sections, and have the same lifetime: a name lives until
//! the last handle is dropped, or its process exits or is killed.
//!
//! | Object | Use |
//! |---|---|
//! | [`Mutex`] | mutual exclusion; its guard unlocks it |
//! | [`Event`] | a signal, for one waiter or for all |
//! | [`Semaphore`] | a count of permits |
//! | [`SharedMutex`] | a mutex together with the value that it protects, in a section |
//! | [`SharedCondvar`] | waiting for a change of the value of a [`SharedMutex`], in a section |
//! | [`SharedRwLock`] | a read-write lock together with its value, in a section |
//! | [`SharedOnceCell`] | a value in a section that one process initialises once |
//! | [`wait_any`], [`wait_all`] | waiting for several of the first three |
//!
//! # Which lock
//!
//! | Access | Lock |
//! |---|---|
//! | short changes of a value by several processes | [`SharedMutex`] |
//! | long reads of a value by several processes at a time, rare changes | [`SharedRwLock`] |
//! | frequent reads that must not wait, or by users that may only read; one writer at a time | [`SeqLock`](crate::typed::SeqLock) |
//! | reads of a value that is computed once and then stays | [`SharedOnceCell`] |
//! | single numbers | an atomic in [`Shared`](crate::Shared) memory |
//! | data outside of a section, such as a file or a device | [`Mutex`] |
//!
//! # Names of the calls
//!
//! A call blocks (`lock`, `acquire`, `wait`), does not block (`try_` before the name), or blocks for a
//! limited time: `_for` takes a [`Duration`](std::time::Duration), `_until` an
//! [`Instant`](std::time::Instant).
//!
//! | Object | Blocks | Does not block | Limited |
//! |---|---|---|---|
//! | [`Mutex`], [`SharedMutex`] | `lock` | `try_lock` | `try_lock_for`, `try_lock_until` |
//! | [`SharedRwLock`] | `read`, `write` | `try_read`, `try_write` | `try_read_for`, `try_write_until` … |
//! | [`Semaphore`] | `acquire` | `try_acquire` | `try_acquire_for`, `try_acquire_until` |
//! | [`Event`] | `wait` | `try_wait` | `wait_for`, `wait_until` |
//! | [`SharedOnceCell`] | `wait` | `get` | `wait_for`, `wait_until` |
//! | [`SharedCondvar`] | `wait`, `wait_while` | | `wait_for`, `wait_while_until` … |
//! | several objects | `wait_any`, `wait_all` | `try_wait_any`, `try_wait_all` | `wait_any_for`, `wait_all_until` … |
//!
//! # Death of an owner
//!
//! If a process is killed while it holds a mutex, or a thread ends or panics while it holds one, the mutex
//! is abandoned. The next waiter acquires it within 100 ms, and its guard reports it:
//! [`was_abandoned`](MutexGuard::was_abandoned). The protected data is as the previous owner left it. A
//! process that is merely stopped, by SIGSTOP or by a debugger, keeps its mutexes.
//!
//! A [`SharedRwLock`] does the same for a writer, and the guards of readers report it too. A reader that is
//! killed releases the lock. Waiters of a [`SharedCondvar`] get the report, although no thread notifies them.
//!
//! Events and semaphores have no owner. They keep their state when a process is killed.
//!
//! # Platforms
//!
//! On Windows these are kernel objects, which any other program can open by their names.
//!
//! On Linux each object is a word in a shared page. To lock a free mutex, and to unlock a mutex without
//! waiters, is one atomic instruction without a system call. A waiter sleeps in `futex(2)`. Up to two
//! waiters of each mutex wake 30 times a second to check the liveness of the owner. All other waiters of
//! mutexes, events and semaphores wake twice a second: if a process is killed or stopped between
//! consuming a wake-up and acting on it, another waiter notices within half a second.
//!
//! On macOS waiters sleep in `os_sync_wait_on_address(3)`.
//!
//! # Fork
//!
//! A child made by `fork` holds the names of its parent, but none of its mutexes: those stay with the
//! parent. A guard that the child inherits unlocks nothing when it is dropped. The child can lock every
//! mutex that its parent had open, also after it has given up the right to open it (`setuid`, `chroot`).
//! `fork` takes about five microseconds longer in the child for each object with a mutex in it.
//!
//! `_Fork`, and `clone` when called directly, run no fork handlers. If a child of such a call uses a
//! mutex of its parent, it opens it with the rights that it has by then. If it never calls pagemate, its
//! parent appears alive for as long as the child lives or until it calls `exec`: use `fork` or
//! `posix_spawn` instead.
//!
//! A program that closes descriptors it did not open, as some daemons do when they start, must do so
//! before it opens any of these objects. Otherwise it loses its liveness locks, and other processes
//! treat it as dead.
//!
//! # Examples
//!
//! ```
//! use pagemate::sync::MutexOptions;
//!
//! # fn main() -> pagemate::Result<()> {
//! # let name = &format!("doc-sync-{}", std::process::id());
//! let mutex = MutexOptions::new().open_or_create(name)?;
//! let guard = mutex.lock()?;
//! if guard.was_abandoned() {
//!     // The previous owner died: check the protected data and repair it.
//! }
//! # Ok(())
//! # }
//! ```

mod condvar;
mod entry;
mod event;
mod mutex;
mod once_cell;
mod rwlock;
mod semaphore;
mod shared;
mod wait_many;

pub use self::condvar::SharedCondvar;
pub use self::event::{Event, EventOptions, Reset};
pub use self::mutex::{Mutex, MutexGuard, MutexOptions};
pub use self::once_cell::SharedOnceCell;
pub use self::rwlock::{SharedReadGuard, SharedRwLock, SharedWriteGuard};
pub use self::semaphore::{Permit, Semaphore, SemaphoreOptions};
pub use self::shared::{SharedGuard, SharedMutex};
pub use self::wait_many::{
    Acquired, Ready, Waitable, try_wait_all, try_wait_any, wait_all, wait_all_for, wait_all_until,
    wait_any, wait_any_for, wait_any_until,
};

use crate::deadline::Deadline;
use crate::error::{Error, Quoted, Result};
use crate::name::Name;
use crate::sys::object;

/// The kind and the name of a handle for error messages, and whether the handle created its object.
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

    /// Adds the failed call and this object to an error.
    #[cold]
    fn context(&self, call: &'static str, error: Error) -> Error {
        let (kind, unnamed) = (self.kind, || format!("unnamed {}", self.kind));
        error.during(
            call,
            self.name
                .as_ref()
                .map_or_else(unnamed, |name| format!("{kind} {}", Quoted(&name.to_string()))),
        )
    }
}

/// Calls `make` with the name, and adds the call and the name to an error.
fn with_name<T>(
    call: &'static str,
    kind: &'static str,
    name: Result<Name>,
    make: impl FnOnce(&Name) -> Result<(T, bool)>,
) -> Result<(T, Identity)> {
    let name = name?;
    let (object, created) = make(&name)
        .map_err(|error| error.during(call, format!("{kind} {}", Quoted(&name.to_string()))))?;
    Ok((object, Identity { kind, name: Some(name), created }))
}

/// Calls `open` with the name until it finds an object, or until the deadline.
fn open_before<T>(
    kind: &'static str,
    name: Result<Name>,
    deadline: Deadline,
    open: impl Fn(&Name) -> Result<T>,
) -> Result<(T, Identity)> {
    with_name("open", kind, name, |name| {
        Ok((object::open_before(name, deadline, || open(name))?, false))
    })
}
