//! A manual event: it stays signaled until it is reset, and releases all its waiters.
//!
//! | Bits | Name | Meaning |
//! |---|---|---|
//! | 0 | `SIGNALED` | the event is signaled |
//! | 1 to 30 | `TURN` | the number of times that the waiters were released; a waiter compares it with the number that it has loaded |
//! | 31 | `WAITERS` | a waiter may be asleep |
//!
//! | State | Ended by |
//! |---|---|
//! | not signaled | `set`, which signals it and begins a turn; `pulse`, which only begins a turn |
//! | signaled | `clear`; `pulse`, which resets it and begins a turn |
//! | either with `WAITERS` | the same; `set` and `pulse` clear the bit and wake all waiters |

use std::io;

use super::{WAITERS, Waiter, mark_waiters};
use crate::primitive::{AtomicU32, Ordering};
use crate::sys::fault;
use crate::sys::wait::{self, ALL, WaitWord};

pub(crate) const SIGNALED: u32 = 1;
const TURN: u32 = !(SIGNALED | WAITERS);
const ONE_TURN: u32 = 2;

/// Signals the event.
pub(crate) fn set(word: &AtomicU32) {
    release_all(word, SIGNALED);
}

/// Resets the event.
pub(crate) fn clear(word: &AtomicU32) {
    word.fetch_and(!SIGNALED, Ordering::Relaxed);
}

/// Releases the present waiters, and resets the event.
pub(crate) fn pulse(word: &AtomicU32) {
    release_all(word, 0);
}

/// Begins a new turn, with the `SIGNALED` bit `signaled`.
fn release_all(word: &AtomicU32, signaled: u32) {
    let mut seen = word.load(Ordering::Relaxed);
    loop {
        let turn = (seen & TURN).wrapping_add(ONE_TURN) & TURN;
        // Release: publishes the setter's writes to the Acquire in `ManualWaiter::try_take`.
        let changed =
            word.compare_exchange(seen, turn | signaled, Ordering::Release, Ordering::Relaxed);
        match changed {
            Ok(_) => break,
            Err(now) => seen = now,
        }
    }
    if seen & WAITERS != 0 {
        fault::point("set-before-wake");
        wait::wake(word.into(), ALL);
    }
}

/// A waiter of a manual event.
pub(crate) struct ManualWaiter<'a> {
    word: &'a AtomicU32,
    /// The turn that this waiter loaded last.
    turn: u32,
}

impl<'a> ManualWaiter<'a> {
    pub(crate) fn new(word: &'a AtomicU32) -> ManualWaiter<'a> {
        ManualWaiter { word, turn: word.load(Ordering::Relaxed) & TURN }
    }

    /// Returns whether a word with this value releases the waiter.
    fn is_released(&self, seen: u32) -> bool {
        seen & SIGNALED != 0 || seen & TURN != self.turn
    }
}

impl Waiter for ManualWaiter<'_> {
    type Output = ();

    fn is_available(&mut self, _: bool) -> io::Result<bool> {
        Ok(self.is_released(self.word.load(Ordering::Relaxed)))
    }

    fn try_take(&mut self, _: bool, _: bool) -> io::Result<Option<()>> {
        // Acquire: makes the setter's writes visible, published by the Release in `release_all`.
        let seen = self.word.load(Ordering::Acquire);
        let released = self.is_released(seen);
        // A pulse releases a waiter once. Otherwise a wait for all of several objects that finds
        // another object missing would be released by the same pulse later.
        self.turn = seen & TURN;
        Ok(released.then_some(()))
    }

    fn prepare_sleep(&self) -> Option<(WaitWord<'_>, u32)> {
        let seen = self.word.load(Ordering::Relaxed);
        if self.is_released(seen) {
            return None;
        }
        mark_waiters(self.word, seen).map(|expected| (self.word.into(), expected))
    }

    /// Does nothing: `set` and `pulse` wake all waiters.
    fn pass_on_wake(&self) {}
}
