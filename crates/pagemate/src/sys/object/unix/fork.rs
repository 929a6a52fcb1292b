//! Whether this process has forked since: then a child may share its open files, and their locks.
//!
//! A child made by a bare `clone` call, past `fork(3)`, goes unnoticed. It has the memory like any
//! other, but its parent's end of a handle ends the name for both. Children that only start another
//! program (`vfork`, `posix_spawn`) go unnoticed too, and rightly: they use nothing of ours.
#![allow(unsafe_code, reason = "pthread_atfork(3)")]

use std::sync::Once;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

use super::seat;

/// How often this process and those it comes from were about to fork; 0 until we are told of it.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// How many forks lie between this process and the one that was told first.
static LIFE: AtomicU32 = AtomicU32::new(1);

/// A moment in this process' life.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment(u64);

/// Now. A file opened after this moment is this process' alone as long as it
/// [has not forked](Moment::has_not_forked_since).
pub(super) fn now() -> Moment {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        // SAFETY: the handlers count, close files and take a lock that nobody holds for long, which
        // is allowed wherever a process can fork.
        if unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) } == 0 {
            FORKS.store(1, SeqCst);
        }
    });
    Moment(FORKS.load(SeqCst))
}

/// A number that a forked child has not in common with its parent; never 0.
#[inline]
pub(crate) fn life() -> u32 {
    LIFE.load(std::sync::atomic::Ordering::Relaxed)
}

impl Moment {
    /// Whether no child can have a copy of what this process opened since.
    pub(super) fn has_not_forked_since(self) -> bool {
        self.0 != 0 && self.0 == FORKS.load(SeqCst)
    }
}

/// Runs before the child exists, so that neither of the two takes shared files for its own.
extern "C" fn before() {
    FORKS.fetch_add(1, SeqCst);
    seat::hold_still();
}

extern "C" fn in_parent() {
    seat::go_on();
}

extern "C" fn in_child() {
    LIFE.fetch_add(1, SeqCst);
    seat::leave_all();
}
