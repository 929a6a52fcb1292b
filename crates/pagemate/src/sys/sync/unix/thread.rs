//! Identifies threads, and abandons the mutexes of a thread that ends.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Weak;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::sys::liveness::{generation, generation_if_begun};

/// The identity of a thread within one generation of this process. A fork copies the calling thread, and
/// the copy has another identity, because the child has another generation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct ThreadId(pub(super) u64);

impl ThreadId {
    /// The identity of no thread. It differs also from the result of
    /// [`current_if_known`](ThreadId::current_if_known) for a thread without an id.
    pub(super) const NONE: ThreadId = ThreadId(u64::MAX);

    /// Returns the id of the calling thread.
    #[inline]
    pub(super) fn current() -> ThreadId {
        let thread = THREAD.get();
        let thread = if thread == 0 { assign_number() } else { thread };
        ThreadId(u64::from(generation()) << 32 | u64::from(thread))
    }

    /// Returns the id of the calling thread. If the thread has no id yet, the result differs from the id
    /// of every thread. It costs two loads and calls no function.
    #[inline]
    pub(super) fn current_if_known() -> ThreadId {
        ThreadId(u64::from(generation_if_begun()) << 32 | u64::from(THREAD.get()))
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

/// A mutex that a thread may still own when it ends.
pub(super) trait Owned {
    /// Abandons the mutex if the thread owns it by this handle.
    fn abandon_if_owned_by(&self, thread: ThreadId);
}

/// The mutexes that a thread has owned, by their addresses. When the thread ends, `drop` abandons
/// those that it still owns.
struct Mutexes(BTreeMap<usize, Weak<dyn Owned>>);

impl Drop for Mutexes {
    fn drop(&mut self) {
        for mutex in self.0.values().filter_map(Weak::upgrade) {
            mutex.abandon_if_owned_by(ThreadId::current());
        }
    }
}

/// Registers a mutex. If the calling thread ends while it owns the mutex, the mutex is abandoned.
pub(super) fn abandon_at_exit(mutex: Weak<dyn Owned>) {
    // Ignore the error: it means that the thread is ending and that the destructor of `MUTEXES` has
    // run.
    _ = MUTEXES.try_with(|mutexes| {
        let Mutexes(mutexes) = &mut *mutexes.borrow_mut();
        // The address is not reused while the map has a weak reference to it.
        let known = mutexes.insert(mutex.as_ptr().addr(), mutex);
        if known.is_none() && mutexes.len().is_power_of_two() {
            mutexes.retain(|_, known| known.strong_count() > 0);
        }
    });
}
