//! The locks of this library, their order, and their state across `fork`.
//!
//! A child that `fork` creates has only the thread that forked. If another thread of the parent held a
//! lock during `fork`, that lock would stay locked in the child for ever. So `fork` acquires all locks
//! first, and parent and child release them.
//!
//! Two threads that acquire two locks in different orders may wait for each other for ever. So each
//! lock has a [`Rank`], and a thread acquires locks in ascending rank only. Debug builds check this at
//! each acquisition. `fork` follows the same order.
//!
//! No other module has a lock: a test of the project refuses those of `std::sync`. State that needs no
//! exclusive access is atomic. Critical sections and slim locks lie in memory of the program, which is
//! responsible for them when it forks, as for the mutexes of the C library.
#![allow(unsafe_code, reason = "pthread_atfork(3), and data that a lock protects")]

use std::cell::{RefCell, UnsafeCell};
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pagemate::sync::MutexOptions;

/// The locks, in the order in which a thread acquires them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rank {
    /// Serializes the lookup of a mutex by name with the creation of a handle to it.
    MutexLookup,
    /// Protects the table of handles. The library also holds this lock while it restores inherited
    /// handles and while it starts programs, so that no other thread closes a handle meanwhile.
    Handles,
    /// Protects the list of views and private allocations. The library also holds this lock while
    /// it changes the protection of pages or replaces them.
    Regions,
    /// Protects the list of child processes that the library must reap.
    Children,
}

/// The number of ranks.
const COUNT: usize = Rank::Children as usize + 1;

/// The lock of each rank.
static LOCKS: [Mutex<()>; COUNT] = [const { Mutex::new(()) }; COUNT];

/// Acquires the lock of one rank. Ignores poisoning: an exported function aborts the process when
/// it panics, so no other thread of this process runs after a panic.
fn acquire(lock: &'static Mutex<()>) -> MutexGuard<'static, ()> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Data that the lock of a rank protects.
#[derive(Debug)]
pub(crate) struct Protected<T> {
    rank: Rank,
    value: UnsafeCell<T>,
}

// SAFETY: threads access `value` only through a `Guard`, which holds the lock of the rank. So one thread
// at a time accesses it, for which `T: Send` suffices.
unsafe impl<T: Send> Sync for Protected<T> {}

/// Exclusive access to protected data. Dropping it releases the lock.
#[derive(Debug)]
pub(crate) struct Guard<T: 'static> {
    protected: &'static Protected<T>,
    _order: order::Held,
    _lock: MutexGuard<'static, ()>,
}

impl<T> Protected<T> {
    /// Protects a value by the lock of a rank. Each rank protects one value.
    pub(crate) const fn new(rank: Rank, value: T) -> Protected<T> {
        Protected { rank, value: UnsafeCell::new(value) }
    }

    /// Acquires the lock.
    pub(crate) fn lock(&'static self) -> Guard<T> {
        register_fork_handlers();
        let order = order::Held::check(self.rank);
        Guard { protected: self, _order: order, _lock: acquire(&LOCKS[self.rank as usize]) }
    }
}

impl<T> Deref for Guard<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: `_lock` is held, and every other access to the value needs it.
        unsafe { &*self.protected.value.get() }
    }
}

impl<T> DerefMut for Guard<T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: `_lock` is held, and every other access to the value needs it. `&mut self` excludes
        // another reference through this guard.
        unsafe { &mut *self.protected.value.get() }
    }
}

#[cfg(debug_assertions)]
mod order {
    //! Checks in debug builds that threads acquire locks in ascending rank.

    use std::cell::Cell;

    use super::Rank;

    thread_local! {
        /// The ranks whose locks this thread holds, one bit for each.
        static HELD: Cell<u32> = const { Cell::new(0) };
    }

    #[derive(Debug)]
    pub(super) struct Held(u32);

    impl Held {
        /// Records that this thread acquires a lock.
        #[track_caller]
        pub(super) fn check(rank: Rank) -> Held {
            let (held, bit) = (HELD.get(), 1 << rank as u32);
            assert!(held < bit, "{rank:?} is acquired under a lock of the same or a higher rank");
            HELD.set(held | bit);
            Held(bit)
        }
    }

    impl Drop for Held {
        fn drop(&mut self) {
            HELD.set(HELD.get() & !self.0);
        }
    }
}

#[cfg(not(debug_assertions))]
mod order {
    //! Release builds do not check the order.

    #[derive(Debug)]
    pub(super) struct Held;

    impl Held {
        pub(super) fn check(_: super::Rank) -> Held {
            Held
        }
    }
}

thread_local! {
    /// The locks that the forking thread holds during `fork`. They have no destructor here, so that
    /// they are valid even for a thread that forks while its thread-locals are destroyed.
    static HELD_BY_FORK: RefCell<ManuallyDrop<Option<[MutexGuard<'static, ()>; COUNT]>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
}

/// Registers the fork handlers. Each lock does this first, so that `fork` always finds them
/// registered.
fn register_fork_handlers() {
    // Do not use `Once`: if one thread runs a `Once` while another thread forks, the child would
    // wait for ever for a thread that does not exist in it. Without `Once`, two threads, or a
    // parent and its child, may register the handlers twice. `lock_all` and `unlock_all` tolerate
    // that.
    static REGISTERED: AtomicBool = AtomicBool::new(false);
    if !REGISTERED.load(Ordering::Acquire) {
        // `fork` runs the handlers that acquire locks in the reverse order of their registration. A
        // thread that holds a lock of this library may wait for a lock of the `pagemate` crate, so
        // `lock_all` must run before the handler of that crate. Creating a locked mutex makes that
        // crate register its handler now, and this library registers its own afterwards.
        if MutexOptions::new().locked(true).create_unnamed().is_err() {
            return;
        }
        // SAFETY: the handlers only acquire locks that are always released, and release them.
        // `pthread_atfork` permits that. If it fails, `fork` stays unprotected.
        _ = unsafe { libc::pthread_atfork(Some(lock_all), Some(unlock_all), Some(unlock_all)) };
        REGISTERED.store(true, Ordering::Release);
    }
}

/// Acquires all locks in ascending rank.
extern "C" fn lock_all() {
    if HELD_BY_FORK.with_borrow(|held| held.is_some()) {
        // The handlers are registered twice, and the first call has acquired the locks already.
        return;
    }
    let held = LOCKS.each_ref().map(acquire);
    HELD_BY_FORK.with_borrow_mut(|slot| **slot = Some(held));
}

/// Releases all locks, in the parent and in the child.
extern "C" fn unlock_all() {
    HELD_BY_FORK.with_borrow_mut(|held| drop(held.take()));
}

#[cfg(test)]
mod tests {
    use super::*;

    static LOW: Protected<u32> = Protected::new(Rank::Handles, 0);
    static HIGH: Protected<u32> = Protected::new(Rank::Regions, 0);

    #[test]
    fn a_thread_acquires_locks_in_ascending_rank_only() {
        let low = LOW.lock();
        drop(HIGH.lock());
        drop(low);
        let high = HIGH.lock();
        let descending = std::panic::catch_unwind(|| drop(LOW.lock()));
        assert_eq!(descending.is_err(), cfg!(debug_assertions));
        drop(high);
        *LOW.lock() += 1;
        assert_eq!(*LOW.lock(), 1);
    }

    #[test]
    fn a_child_of_fork_finds_every_lock_released() {
        let over = AtomicBool::new(false);
        let acquire_all = || LOCKS.each_ref().map(acquire);
        drop(LOW.lock());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    drop(acquire_all());
                }
            });
            let statuses: Vec<i32> =
                (0..100).map(|_| status_of_child(|| drop(acquire_all()))).collect();
            over.store(true, Ordering::Relaxed);
            assert_eq!(statuses, [0; 100]);
        });
    }

    /// Runs `body` in a forked child, and returns its wait status.
    fn status_of_child(body: impl FnOnce()) -> i32 {
        // SAFETY: the child calls only `alarm`, `body`, which acquires locks, and `_exit`.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // A child that takes longer hangs.
            // SAFETY: `alarm` accesses no memory.
            unsafe { libc::alarm(60) };
            body();
            // SAFETY: `_exit` accepts any number and does not return.
            unsafe { libc::_exit(0) };
        }
        let mut status = -1;
        // SAFETY: `status` is a local.
        unsafe { libc::waitpid(child, &raw mut status, 0) };
        status
    }
}
