//! What a child made by `fork` finds of ours: the tables as they were, and nobody changing them.
//!
//! Of its parent's threads the child has only the one that forked. Were another at a table in that
//! moment, its lock would never be given back in the child, which would wait for it for ever.
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

/// All locks of this process' tables.
type Locks = (
    MutexGuard<'static, ()>,
    MutexGuard<'static, Table>,
    MutexGuard<'static, Regions>,
    MutexGuard<'static, Children>,
);

thread_local! {
    /// What the thread that forks holds while it does. Without a destructor, so that it is also there
    /// for one that forks at its very end.
    static HELD: RefCell<ManuallyDrop<Option<Locks>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
}

/// Makes forks safe from now on. A thread that holds one of the locks must not call this.
pub(crate) fn watch() {
    // No `Once`: a child forked while another thread runs one waits for that thread for ever. Threads
    // that come here together, and such a child, register the handlers once more, which see to that.
    static WATCHED: AtomicBool = AtomicBool::new(false);
    if !WATCHED.load(Ordering::Acquire) {
        // The handlers that came last run first. Who holds one of our locks may wait for one of the
        // core's, which its own handler takes: so that has to be there before, as it is once there
        // was a mutex that somebody had.
        if MutexOptions::new().locked(true).create_unnamed().is_err() {
            return;
        }
        // SAFETY: the handlers take locks that nobody holds for ever and give them back, which is
        // allowed wherever a process can fork. Should it fail, forks are as they were.
        _ = unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after)) };
        WATCHED.store(true, Ordering::Release);
    }
}

/// In the order in which calls take them.
extern "C" fn before() {
    if HELD.with_borrow(|place| place.is_some()) {
        // The handlers are registered more than once.
        return;
    }
    let held = (create::alone(), handle::locked(), region::regions(), children::locked());
    HELD.with_borrow_mut(|place| **place = Some(held));
}

/// In the parent and in the child.
extern "C" fn after() {
    HELD.with_borrow_mut(|place| drop(place.take()));
}
