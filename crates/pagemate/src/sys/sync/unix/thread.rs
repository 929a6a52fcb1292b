//! Identifies threads, and abandons the mutexes of a thread that ends.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Weak;
use std::sync::atomic::{AtomicU32, Ordering};

use super::mutex::Inner;
use crate::sys::liveness::generation;

/// A thread of one generation of this process; 0 is none. The thread that a fork copies has another id
/// in the child, because the generation differs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct ThreadId(pub(super) u64);

impl ThreadId {
    /// Returns the id of the calling thread.
    #[inline]
    pub(super) fn current() -> ThreadId {
        let thread = THREAD.get();
        let thread = if thread == 0 { assign_number() } else { thread };
        ThreadId(u64::from(generation()) << 32 | u64::from(thread))
    }

    /// Returns the generation of the process that the thread belongs to.
    pub(super) fn generation(self) -> u64 {
        self.0 >> 32
    }
}

thread_local! {
    /// The number of this thread, or 0 before it has one.
    static THREAD: Cell<u32> = const { Cell::new(0) };
    /// The mutexes that this thread has owned.
    static MUTEXES: RefCell<Mutexes> = const { RefCell::new(Mutexes(BTreeMap::new())) };
}

#[cold]
fn assign_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let thread = NEXT.fetch_add(1, Ordering::Relaxed).max(1);
    THREAD.set(thread);
    thread
}

/// The mutexes that a thread has owned, by their addresses. It abandons those that it still owns when
/// it ends.
struct Mutexes(BTreeMap<usize, Weak<Inner>>);

impl Drop for Mutexes {
    fn drop(&mut self) {
        for inner in self.0.values().filter_map(Weak::upgrade) {
            inner.abandon_if_owned_by(ThreadId::current());
        }
    }
}

/// Registers a mutex, which the calling thread then abandons if it ends as its owner.
pub(super) fn abandon_at_exit(mutex: &Weak<Inner>) {
    // The error is ignored: the thread is ending, and the destructor of `MUTEXES` has already run.
    _ = MUTEXES.try_with(|mutexes| {
        let Mutexes(mutexes) = &mut *mutexes.borrow_mut();
        // The address is not reused while the map has a weak reference to it.
        let known = mutexes.insert(mutex.as_ptr().addr(), mutex.clone());
        if known.is_none() && mutexes.len().is_power_of_two() {
            mutexes.retain(|_, known| known.strong_count() > 0);
        }
    });
}
