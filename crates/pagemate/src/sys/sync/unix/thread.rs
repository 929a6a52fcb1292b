//! Who has a lock in this process, and what becomes of it when that thread ends.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Weak;
use std::sync::atomic::{AtomicU32, Ordering};

use super::mutex::Inner;
use crate::sys::liveness::generation;

/// A thread of one life of this process; zero is nobody. After a fork the child's is another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Who(pub(super) u64);

impl Who {
    /// The calling thread.
    #[inline]
    pub(super) fn am_i() -> Who {
        let thread = THREAD.get();
        let thread = if thread == 0 { number() } else { thread };
        Who(u64::from(generation()) << 32 | u64::from(thread))
    }

    /// The life that it is of.
    pub(super) fn life(self) -> u64 {
        self.0 >> 32
    }
}

thread_local! {
    static THREAD: Cell<u32> = const { Cell::new(0) };
    /// The locks that this thread has had.
    static LOCKS: RefCell<Locks> = const { RefCell::new(Locks(BTreeMap::new())) };
}

#[cold]
fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let thread = NEXT.fetch_add(1, Ordering::Relaxed).max(1);
    THREAD.set(thread);
    thread
}

/// The locks that a thread has had, by where they stand; those that it still has at its end are
/// abandoned.
struct Locks(BTreeMap<usize, Weak<Inner>>);

impl Drop for Locks {
    fn drop(&mut self) {
        for inner in self.0.values().filter_map(Weak::upgrade) {
            inner.thread_ends(Who::am_i());
        }
    }
}

/// Makes sure that this lock is looked after when the calling thread ends.
pub(super) fn look_after(lock: &Weak<Inner>) {
    // A thread that is ending looks after nothing any more.
    _ = LOCKS.try_with(|locks| {
        let Locks(locks) = &mut *locks.borrow_mut();
        // The place is not another lock's as long as this knows of it.
        let known = locks.insert(lock.as_ptr().addr(), lock.clone());
        if known.is_none() && locks.len().is_power_of_two() {
            locks.retain(|_, known| known.strong_count() > 0);
        }
    });
}
