//! The protocols of sync objects on systems with futexes: each is one word in shared memory.
//!
//! The functions here know nothing but that word, and how to sleep on it; loom checks them as they
//! are. A process can be killed between any two of their steps, and any word may hold anything: no
//! step waits for another process to do its part, apart from sleeps that end by themselves.
//!
//! Whoever is about to sleep says so in the word, by [`WAITERS`], and sleeps only while the word
//! stays so. Whoever makes something available takes the note away with the same step and wakes one
//! or all. Of those who slept, each puts the note back as it takes its share, since others may still
//! be asleep; at worst that makes one call that wakes nobody.

pub(crate) mod event;
pub(crate) mod mutex;
pub(crate) mod semaphore;

use std::io;

use crate::deadline::Deadline;
use crate::primitive::AtomicU32;
use crate::sys::fault;
use crate::sys::wait::{self, SLICE};

/// Somebody may be asleep.
pub(crate) const WAITERS: u32 = 1 << 31;

/// One who waits for something.
pub(crate) trait Waiter {
    /// What is had when it is had.
    type Got;

    /// Takes it, if that can be done now. `slept` says that we put a note into the word; `judge`
    /// that nothing has happened for a while, so that it is time to look who is still alive.
    fn take(&mut self, slept: bool, judge: bool) -> io::Result<Option<Self::Got>>;

    /// Puts our note into the word, and gives what to sleep on; `None` if it is time to look again.
    fn announce(&self) -> Option<(&AtomicU32, u32)>;
}

/// Waits until it is had, or the time is up.
pub(crate) fn wait<W: Waiter>(waiter: &mut W, deadline: Deadline) -> io::Result<Option<W::Got>> {
    let (mut slept, mut judge) = (false, false);
    loop {
        if let Some(got) = waiter.take(slept, judge)? {
            return Ok(Some(got));
        }
        let Some(time) = deadline.next(SLICE) else {
            // The last look is at who is alive too.
            return waiter.take(slept, true);
        };
        let Some((word, expected)) = waiter.announce() else { continue };
        slept = true;
        fault::point("wait-before-sleep");
        judge = !wait::wait(word, expected, time)?;
        fault::point("wait-after-sleep");
    }
}
