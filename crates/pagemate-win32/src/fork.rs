//! Keeps the tables consistent in a child that `fork` creates.
//!
//! The child has only the thread that forked. If another thread of the parent held a table's lock
//! during `fork`, that lock would stay locked in the child for ever. So `fork` acquires all table
//! locks first, and parent and child release them.
#![allow(unsafe_code, reason = "pthread_atfork(3)")]

use std::cell::RefCell;
use std::mem::ManuallyDrop;
use std::sync::MutexGuard;
use std::sync::atomic::{AtomicBool, Ordering};

use pagemate::sync::MutexOptions;

use crate::handle::table::{self as handle, Table};
use crate::memory::region::{self, Regions};
use crate::process::children::{self, Children};
use crate::sync::create;

/// The guards of all table locks of this process.
type Locks = (
    MutexGuard<'static, ()>,
    MutexGuard<'static, Table>,
    MutexGuard<'static, Regions>,
    MutexGuard<'static, Children>,
);

thread_local! {
    /// The guards that the forking thread holds during `fork`. It has no destructor, so that it is
    /// valid even for a thread that forks while its thread-locals are destroyed.
    static HELD: RefCell<ManuallyDrop<Option<Locks>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
}

/// Registers the fork handlers. A thread that holds a table lock must not call this.
pub(crate) fn register_handlers() {
    // Do not use `Once`: a child that is forked while another thread runs one would wait for that
    // thread for ever. Threads that race here, and such a child, register the handlers more than
    // once, which `lock_all` tolerates.
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    if !REGISTERED.load(Ordering::Acquire) {
        // The handlers that were registered last run first. A thread that holds a table lock may
        // wait for a lock of the `pagemate` crate, whose own handler must therefore run later.
        // Creating a locked mutex makes that crate register its handler.
        if MutexOptions::new().locked(true).create_unnamed().is_err() {
            return;
        }
        // SAFETY: the handlers only acquire locks that are always released, and release them.
        // `pthread_atfork` permits that. If it fails, `fork` stays unprotected.
        _ = unsafe { libc::pthread_atfork(Some(lock_all), Some(unlock_all), Some(unlock_all)) };
        REGISTERED.store(true, Ordering::Release);
    }
}

/// Acquires all table locks, in the order in which calls acquire them.
extern "C" fn lock_all() {
    if HELD.with_borrow(|held| held.is_some()) {
        // An earlier registration of the handlers already acquired the locks.
        return;
    }
    let held =
        (create::lock_mutex_lookup(), handle::locked(), region::regions(), children::locked());
    HELD.with_borrow_mut(|slot| **slot = Some(held));
}

/// Releases all table locks, in the parent and in the child.
extern "C" fn unlock_all() {
    HELD.with_borrow_mut(|held| drop(held.take()));
}
