//! A semaphore: a count that is never negative.
//!
//! | Bits | Name | Meaning |
//! |---|---|---|
//! | 0 to 30 | count | the number of free permits |
//! | 31 | `WAITERS` | a waiter may be asleep |
//!
//! | State | Ended by |
//! |---|---|
//! | count 0 | `release` |
//! | count > 0 | `release`; a waiter, which takes one permit |
//! | either with `WAITERS` | the same; `release` clears the bit and wakes as many waiters as it adds permits |

use std::io;

use super::{WAITERS, Waiter, mark_waiters};
use crate::primitive::{AtomicU32, Ordering};
use crate::sys::fault;
use crate::sys::wait::{self, WaitWord};

/// The highest count that fits into the word.
pub(crate) const MAX_COUNT: u32 = WAITERS - 1;

/// Returns the count of a word.
pub(crate) fn count(word: u32) -> u32 {
    word & MAX_COUNT
}

/// Adds `by` permits, and returns the count before; `None` without a change if the count would exceed
/// `max`.
pub(crate) fn release(word: &AtomicU32, by: u32, max: u32) -> Option<u32> {
    let mut seen = word.load(Ordering::Relaxed);
    loop {
        let more = count(seen).checked_add(by).filter(|more| *more <= max.min(MAX_COUNT))?;
        // Release: publishes this thread's writes to the Acquire in `SemaphoreWaiter::try_take`.
        match word.compare_exchange(seen, more, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => break,
            Err(now) => seen = now,
        }
    }
    if seen & WAITERS != 0 {
        fault::point("release-before-wake");
        wait::wake(word.into(), by);
    }
    Some(count(seen))
}

/// A waiter for one permit.
pub(crate) struct SemaphoreWaiter<'a> {
    pub(crate) word: &'a AtomicU32,
}

impl Waiter for SemaphoreWaiter<'_> {
    type Output = ();

    fn is_available(&mut self, _: bool) -> io::Result<bool> {
        Ok(count(self.word.load(Ordering::Relaxed)) != 0)
    }

    fn try_take(&mut self, slept: bool, _: bool) -> io::Result<Option<()>> {
        loop {
            let seen = self.word.load(Ordering::Relaxed);
            if count(seen) == 0 {
                return Ok(None);
            }
            let left = (seen - 1) | if slept { WAITERS } else { 0 };
            // Acquire: makes the releaser's writes visible, published by the Release in `release`.
            if self.word.compare_exchange(seen, left, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                if slept && count(left) != 0 {
                    // A `release` after this waiter woke up may have woken no thread: an earlier
                    // `release` had cleared the bit `WAITERS`, and this waiter had not set it
                    // again. Wake another waiter for the remaining permits.
                    wait::wake(self.word.into(), 1);
                }
                return Ok(Some(()));
            }
        }
    }

    fn prepare_sleep(&self) -> Option<(WaitWord<'_>, u32)> {
        let seen = self.word.load(Ordering::Relaxed);
        if count(seen) != 0 {
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
