//! A count that is never less than zero: the word, less the note of [`WAITERS`].

use std::io;

use super::mutex::note;
use super::{WAITERS, Waiter};
use crate::primitive::{AtomicU32, Ordering};
use crate::sys::fault;
use crate::sys::wait::{self, Place};

/// The highest count there is room for.
pub(crate) const MOST: u32 = WAITERS - 1;

/// The count that a word has.
pub(crate) fn count(word: u32) -> u32 {
    word & MOST
}

/// Adds to the count, and tells what it was; `None` and no change if it would be more than `max`.
pub(crate) fn release(word: &AtomicU32, by: u32, max: u32) -> Option<u32> {
    let mut seen = word.load(Ordering::Relaxed);
    loop {
        let more = count(seen).checked_add(by).filter(|more| *more <= max.min(MOST))?;
        // Release: what came before, for the Acquire of who takes a part.
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

/// One who waits for a part.
pub(crate) struct Taker<'a> {
    pub(crate) word: &'a AtomicU32,
}

impl Waiter for Taker<'_> {
    type Got = ();

    fn is_there(&mut self, _: bool) -> io::Result<bool> {
        Ok(count(self.word.load(Ordering::Relaxed)) != 0)
    }

    fn take(&mut self, slept: bool, _: bool) -> io::Result<Option<()>> {
        loop {
            let seen = self.word.load(Ordering::Relaxed);
            if count(seen) == 0 {
                return Ok(None);
            }
            let left = (seen - 1) | if slept { WAITERS } else { 0 };
            // Acquire: what came before, by the Release in `release`.
            if self.word.compare_exchange(seen, left, Ordering::Acquire, Ordering::Relaxed).is_ok()
            {
                if slept && count(left) != 0 {
                    // Who released this rest found no note, because we had been woken for the first
                    // part and had not put it back yet.
                    wait::wake(self.word.into(), 1);
                }
                return Ok(Some(()));
            }
        }
    }

    fn announce(&self) -> Option<(Place<'_>, u32)> {
        let seen = self.word.load(Ordering::Relaxed);
        if count(seen) != 0 {
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
