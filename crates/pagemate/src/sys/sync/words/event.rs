//! An event that stays signaled until it is reset, and lets go all who wait.
//!
//! | Bits | Mean |
//! |---|---|
//! | `SIGNALED` | it has happened |
//! | `TURN` | how often those who waited were let go, so that each of them knows |
//! | `WAITERS` | somebody may be asleep |

use std::io;

use super::mutex::note;
use super::{WAITERS, Waiter};
use crate::primitive::{AtomicU32, Ordering};
use crate::sys::fault;
use crate::sys::wait::{self, ALL, Place};

pub(crate) const SIGNALED: u32 = 1;
const TURN: u32 = !(SIGNALED | WAITERS);
const ONE_TURN: u32 = 2;

/// Makes it signaled.
pub(crate) fn set(word: &AtomicU32) {
    let_all_go(word, SIGNALED);
}

/// Makes it not signaled.
pub(crate) fn clear(word: &AtomicU32) {
    word.fetch_and(!SIGNALED, Ordering::Relaxed);
}

/// Lets those go who wait at this moment, and leaves it not signaled.
pub(crate) fn pulse(word: &AtomicU32) {
    let_all_go(word, 0);
}

/// Begins a new turn, in which it is signaled or not.
fn let_all_go(word: &AtomicU32, signaled: u32) {
    let mut seen = word.load(Ordering::Relaxed);
    loop {
        let turn = (seen & TURN).wrapping_add(ONE_TURN) & TURN;
        // Release: what came before, for the Acquire of who is let go.
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

/// One who waits for such an event.
pub(crate) struct Watcher<'a> {
    word: &'a AtomicU32,
    /// When we last looked, or began to wait.
    turn: u32,
}

impl<'a> Watcher<'a> {
    pub(crate) fn new(word: &'a AtomicU32) -> Watcher<'a> {
        Watcher { word, turn: word.load(Ordering::Relaxed) & TURN }
    }

    fn is_over(&self, seen: u32) -> bool {
        seen & SIGNALED != 0 || seen & TURN != self.turn
    }
}

impl Waiter for Watcher<'_> {
    type Got = ();

    fn is_there(&mut self, _: bool) -> io::Result<bool> {
        Ok(self.is_over(self.word.load(Ordering::Relaxed)))
    }

    fn take(&mut self, _: bool, _: bool) -> io::Result<Option<()>> {
        // Acquire: what came before the signal, by the Release in `let_all_go`.
        let seen = self.word.load(Ordering::Acquire);
        let over = self.is_over(seen);
        // A pulse lets us go now or, if we wait for something else too, not at all.
        self.turn = seen & TURN;
        Ok(over.then_some(()))
    }

    fn announce(&self) -> Option<(Place<'_>, u32)> {
        let seen = self.word.load(Ordering::Relaxed);
        if self.is_over(seen) {
            return None;
        }
        note(self.word, seen).map(|expected| (self.word.into(), expected))
    }

    /// Nothing: all are woken at once.
    fn pass_on(&self) {}
}
