//! A mutex whose word contains the seat of its owner.
//!
//! | Word | Meaning | Ended by |
//! |---|---|---|
//! | 0 | free | `try_lock_uncontended`, `MutexWaiter::try_take` |
//! | `ABANDONED` | free; the last owner ended without releasing it | `MutexWaiter::try_take`, which reports it |
//! | a seat | owned by the process that has this seat | `unlock`, `abandon`; `try_take` once the seat is dead |
//! | any of these with `WAITERS` | the same, and a waiter may be asleep | the same; the step that frees it clears the bit, and one waiter is woken |
//!
//! The step that acquires the mutex stores the owner's seat in the word, and the step that releases it
//! removes the seat. The death of an owner between the two is therefore always detected.

use std::io;

use super::watch::{SeatLiveness, Watch};
use super::{WAITERS, Waiter, mark_waiters};
use crate::primitive::{AtomicU32, AtomicU64, Ordering};
use crate::sys::fault;
use crate::sys::sync::Acquired;
use crate::sys::wait::{self, CheckRate, WaitWord};

/// The mutex is free, and its last owner ended without releasing it.
pub(crate) const ABANDONED: u32 = 1 << 30;

/// The bits of the owner's seat.
pub(crate) const OWNER: u32 = ABANDONED - 1;

/// Acquires a mutex that is free, not abandoned and without waiters. Returns false otherwise.
#[inline]
pub(crate) fn try_lock_uncontended(word: &AtomicU32, seat: u32) -> bool {
    fault::point("lock-before-take");
    // Acquire: makes the last owner's writes visible, published by the Release in `free`.
    let taken = word.compare_exchange(0, seat, Ordering::Acquire, Ordering::Relaxed).is_ok();
    if taken {
        fault::point("lock-after-take");
    }
    taken
}

/// Releases the mutex. Returns false if this seat does not own it, because another process overwrote
/// the word.
#[inline]
pub(crate) fn unlock(word: &AtomicU32, seat: u32) -> bool {
    free(word, seat, 0)
}

/// Abandons the mutex for an owner that ends without releasing it.
pub(crate) fn abandon(word: &AtomicU32, seat: u32) -> bool {
    free(word, seat, ABANDONED)
}

#[inline]
fn free(word: &AtomicU32, seat: u32, to: u32) -> bool {
    fault::point("unlock-before-release");
    // Release: publishes the owner's writes to the Acquire in `try_lock_uncontended` and in
    // `MutexWaiter::try_take`. This holds for both exchanges.
    if word.compare_exchange(seat, to, Ordering::Release, Ordering::Relaxed).is_ok() {
        return true;
    }
    let marked = seat | WAITERS;
    let freed = word.compare_exchange(marked, to, Ordering::Release, Ordering::Relaxed).is_ok();
    if freed {
        fault::point("unlock-before-wake");
        wait::wake(word.into(), 1);
    }
    freed
}

/// A waiter of a mutex.
pub(crate) struct MutexWaiter<'a, S> {
    word: &'a AtomicU32,
    /// The waiter's own seat.
    seat: u32,
    liveness: S,
    watch: Watch<'a>,
}

impl<'a, S: SeatLiveness> MutexWaiter<'a, S> {
    /// Returns a waiter with this seat, for the mutex with this word and these watcher places.
    pub(crate) fn new(
        word: &'a AtomicU32,
        watchers: &'a AtomicU64,
        seat: u32,
        liveness: S,
    ) -> MutexWaiter<'a, S> {
        MutexWaiter { word, seat, liveness, watch: Watch::new(watchers, seat) }
    }
}

impl<S: SeatLiveness> Waiter for MutexWaiter<'_, S> {
    type Output = Acquired;

    fn is_available(&mut self, check_liveness: bool) -> io::Result<bool> {
        let owner = self.word.load(Ordering::Relaxed) & OWNER;
        Ok(owner == 0 || check_liveness && !self.liveness.is_alive(owner)?)
    }

    fn try_take(&mut self, slept: bool, check_liveness: bool) -> io::Result<Option<Acquired>> {
        let waiters = if slept { WAITERS } else { 0 };
        loop {
            let seen = self.word.load(Ordering::Relaxed);
            let owner = seen & OWNER;
            let acquired = if owner == 0 {
                if seen & ABANDONED == 0 { Acquired::Released } else { Acquired::Abandoned }
            } else if check_liveness && !self.liveness.is_alive(owner)? {
                Acquired::Abandoned
            } else {
                return Ok(None);
            };
            let next = self.seat | (seen & WAITERS) | waiters;
            fault::point("wait-before-take");
            // Acquire: makes the last owner's writes visible, published by the Release in `free`. A
            // dead owner has released nothing, but the kernel drops the lock of its seat after its
            // last write, and the test of that lock orders this thread after it.
            let taken =
                self.word.compare_exchange(seen, next, Ordering::Acquire, Ordering::Relaxed);
            if taken.is_ok() {
                fault::point("wait-after-take");
                return Ok(Some(acquired));
            }
        }
    }

    fn check_rate(&self) -> CheckRate {
        if self.watch.is_frequent() { CheckRate::Frequent } else { CheckRate::Rare }
    }

    fn maintain_watch(&self) -> io::Result<()> {
        let cleared = self.watch.clear_dead(&self.liveness)?;
        self.watch.try_join(&self.liveness);
        if cleared {
            // A second waiter can become a watcher, in the other place.
            wait::wake(self.word.into(), 1);
        }
        Ok(())
    }

    /// Makes this waiter a watcher if a place is free. The last watcher wakes a waiter for that
    /// when it leaves.
    fn on_futile_wake(&self) {
        self.watch.try_join(&self.liveness);
    }

    fn prepare_sleep(&self) -> Option<(WaitWord<'_>, u32)> {
        let seen = self.word.load(Ordering::Relaxed);
        if seen & OWNER == 0 {
            return None;
        }
        mark_waiters(self.word, seen).map(|expected| (self.word.into(), expected))
    }

    fn pass_on_wake(&self) {
        if self.prepare_sleep().is_none() {
            wait::wake(self.word.into(), 1);
        }
    }
}

impl<S> Drop for MutexWaiter<'_, S> {
    fn drop(&mut self) {
        if self.watch.leave() && self.word.load(Ordering::Relaxed) & WAITERS != 0 {
            // There is no watcher any more, so wake another waiter, which becomes one.
            wait::wake(self.word.into(), 1);
        }
    }
}
