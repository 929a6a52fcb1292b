//! Something that has happened, or not yet.
//!
//! | Bits | Mean |
//! |---|---|
//! | `SIGNALED` | it has happened |
//! | `TURN` | how often those who waited for a manual event were let go, so that each of them knows |
//! | `WAITERS` | somebody may be asleep |
//!
//! A manual event stays signaled until it is reset, and lets go all who wait. An automatic one lets
//! one go, whose step takes the signal away.

use std::io;

use super::mutex::note;
use super::{WAITERS, Waiter};
use crate::primitive::{AtomicU32, Ordering};
use crate::sys::fault;
use crate::sys::sync::Reset;
use crate::sys::wait::{self, ALL};

pub(crate) const SIGNALED: u32 = 1;
const TURN: u32 = !(SIGNALED | WAITERS);
const ONE_TURN: u32 = 2;

/// Makes it signaled.
pub(crate) fn set(word: &AtomicU32, reset: Reset) {
    match reset {
        Reset::Auto => {
            // Release: what came before, for the Acquire of who is let go.
            let seen = word.swap(SIGNALED, Ordering::Release);
            if seen & WAITERS != 0 {
                fault::point("set-before-wake");
                wait::wake(word, 1);
            }
        }
        Reset::Manual => let_all_go(word, SIGNALED),
    }
}

/// Makes it not signaled.
pub(crate) fn clear(word: &AtomicU32) {
    word.fetch_and(!SIGNALED, Ordering::Relaxed);
}

/// Lets those go who wait at this moment, and leaves it not signaled.
pub(crate) fn pulse(word: &AtomicU32, reset: Reset) {
    match reset {
        Reset::Manual => let_all_go(word, 0),
        Reset::Auto => {
            if word.load(Ordering::Relaxed) & WAITERS == 0 {
                return clear(word);
            }
            word.swap(SIGNALED, Ordering::Release);
            if wait::wake(word, 1) == 0 {
                clear(word);
            }
        }
    }
}

/// Begins a new turn of a manual event, which is then signaled or not.
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
        wait::wake(word, ALL);
    }
}

/// One who waits for an event.
pub(crate) struct Watcher<'a> {
    word: &'a AtomicU32,
    reset: Reset,
    /// When we last looked, or began to wait.
    turn: u32,
}

impl<'a> Watcher<'a> {
    pub(crate) fn new(word: &'a AtomicU32, reset: Reset) -> Watcher<'a> {
        Watcher { word, reset, turn: word.load(Ordering::Relaxed) & TURN }
    }
}

impl Waiter for Watcher<'_> {
    type Got = ();

    fn word(&self) -> &AtomicU32 {
        self.word
    }

    fn is_there(&mut self, _: bool) -> io::Result<bool> {
        let seen = self.word.load(Ordering::Relaxed);
        Ok(seen & SIGNALED != 0 || self.reset == Reset::Manual && seen & TURN != self.turn)
    }

    fn take(&mut self, slept: bool, _: bool) -> io::Result<Option<()>> {
        loop {
            // Acquire: what came before the signal, by the Release in `set` and `let_all_go`.
            let seen = self.word.load(Ordering::Acquire);
            if self.reset == Reset::Manual {
                let over = seen & SIGNALED != 0 || seen & TURN != self.turn;
                // A pulse lets us go now or, if we wait for something else too, not at all.
                self.turn = seen & TURN;
                return Ok(over.then_some(()));
            }
            if seen & SIGNALED == 0 {
                return Ok(None);
            }
            let left = (seen & !SIGNALED) | if slept { WAITERS } else { 0 };
            if self.word.compare_exchange(seen, left, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                return Ok(Some(()));
            }
        }
    }

    fn announce(&self) -> Option<(&AtomicU32, u32)> {
        let seen = self.word.load(Ordering::Relaxed);
        let over = self.reset == Reset::Manual && seen & TURN != self.turn;
        if seen & SIGNALED != 0 || over {
            return None;
        }
        note(self.word, seen).map(|expected| (self.word, expected))
    }
}
