//! A lock whose word says who has it.
//!
//! | Word | Means | Leaves by |
//! |---|---|---|
//! | 0 | free | `lock` |
//! | `ABANDONED` | free, and its last owner ended without giving it back | `lock`, which tells so |
//! | a seat | taken by who has that seat | `unlock`, `abandon`; `lock` once nobody has the seat |
//! | any with `WAITERS` | the same, and somebody may be asleep | the same; whoever frees it wakes one |
//!
//! The owner's seat comes into the word by the step that takes the lock, and out of it by the step
//! that gives it back, so that a death in between always shows.

use std::io;

use super::watch::{Seating, Watch};
use super::{WAITERS, Waiter};
use crate::primitive::{AtomicU32, AtomicU64, Ordering};
use crate::sys::fault;
use crate::sys::sync::Got;
use crate::sys::wait::{self, Pace, Place};

/// Free, and its last owner is gone.
pub(crate) const ABANDONED: u32 = 1 << 30;

/// The seat of the owner.
pub(crate) const OWNER: u32 = ABANDONED - 1;

/// Takes a lock that is free and that nobody waits for; false if it is not.
#[inline]
pub(crate) fn try_fast(word: &AtomicU32, seat: u32) -> bool {
    fault::point("lock-before-take");
    // Acquire: what the last owner wrote, by the Release in `free`.
    let taken = word.compare_exchange(0, seat, Ordering::Acquire, Ordering::Relaxed).is_ok();
    if taken {
        fault::point("lock-after-take");
    }
    taken
}

/// Gives a lock back; false if it is not ours, because others took us for dead.
#[inline]
pub(crate) fn unlock(word: &AtomicU32, seat: u32) -> bool {
    free(word, seat, 0)
}

/// Gives a lock up for an owner that ended.
pub(crate) fn abandon(word: &AtomicU32, seat: u32) -> bool {
    free(word, seat, ABANDONED)
}

#[inline]
fn free(word: &AtomicU32, seat: u32, to: u32) -> bool {
    fault::point("unlock-before-release");
    // Release: what we wrote, for the Acquire of who takes it next.
    if word.compare_exchange(seat, to, Ordering::Release, Ordering::Relaxed).is_ok() {
        return true;
    }
    let noted = seat | WAITERS;
    let freed = word.compare_exchange(noted, to, Ordering::Release, Ordering::Relaxed).is_ok();
    if freed {
        fault::point("unlock-before-wake");
        wait::wake(word.into(), 1);
    }
    freed
}

/// One who waits for a lock.
pub(crate) struct Locker<'a, S> {
    word: &'a AtomicU32,
    /// Our own.
    seat: u32,
    seating: S,
    watch: Watch<'a>,
}

impl<'a, S: Seating> Locker<'a, S> {
    /// A waiter with this seat, for the lock with this word and these places of watchers.
    pub(crate) fn new(
        word: &'a AtomicU32,
        watchers: &'a AtomicU64,
        seat: u32,
        seating: S,
    ) -> Locker<'a, S> {
        Locker { word, seat, seating, watch: Watch::new(watchers, seat) }
    }
}

impl<S: Seating> Waiter for Locker<'_, S> {
    type Got = Got;

    fn is_there(&mut self, judge: bool) -> io::Result<bool> {
        let owner = self.word.load(Ordering::Relaxed) & OWNER;
        Ok(owner == 0 || judge && !self.seating.is_alive(owner)?)
    }

    fn take(&mut self, slept: bool, judge: bool) -> io::Result<Option<Got>> {
        let note = if slept { WAITERS } else { 0 };
        loop {
            let seen = self.word.load(Ordering::Relaxed);
            let owner = seen & OWNER;
            let got = if owner == 0 {
                if seen & ABANDONED == 0 { Got::Released } else { Got::Abandoned }
            } else if judge && !self.seating.is_alive(owner)? {
                Got::Abandoned
            } else {
                return Ok(None);
            };
            let ours = self.seat | (seen & WAITERS) | note;
            fault::point("wait-before-take");
            // Acquire: what the last owner wrote, by the Release in `free`. The dead release
            // nothing; that they are dead is the kernel's word, which is as good.
            let taken =
                self.word.compare_exchange(seen, ours, Ordering::Acquire, Ordering::Relaxed);
            if taken.is_ok() {
                fault::point("wait-after-take");
                return Ok(Some(got));
            }
        }
    }

    fn pace(&self) -> Pace {
        if self.watch.is_close() { Pace::Often } else { Pace::Seldom }
    }

    fn tend(&self) -> io::Result<()> {
        let cleared = self.watch.tend(&self.seating)?;
        self.watch.join(&self.seating);
        if cleared {
            // For the other place.
            wait::wake(self.word.into(), 1);
        }
        Ok(())
    }

    /// The last watcher may have gone away.
    fn woken_in_vain(&self) {
        self.watch.join(&self.seating);
    }

    fn announce(&self) -> Option<(Place<'_>, u32)> {
        let seen = self.word.load(Ordering::Relaxed);
        if seen & OWNER == 0 {
            return None;
        }
        note(self.word, seen).map(|expected| (self.word.into(), expected))
    }

    fn pass_on(&self) {
        if self.announce().is_none() {
            wait::wake(self.word.into(), 1);
        }
    }
}

impl<S> Drop for Locker<'_, S> {
    fn drop(&mut self) {
        if self.watch.leave() && self.word.load(Ordering::Relaxed) & WAITERS != 0 {
            // Nobody watches any more.
            wait::wake(self.word.into(), 1);
        }
    }
}

/// Puts the note of a sleeper into a word that is as it was seen.
pub(super) fn note(word: &AtomicU32, seen: u32) -> Option<u32> {
    let noted = seen | WAITERS;
    let unchanged = seen == noted
        || word.compare_exchange(seen, noted, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    unchanged.then_some(noted)
}
