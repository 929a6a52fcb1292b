//! The protocols of sync objects on systems with futexes: each is one word in shared memory, of 32 bits
//! or, for events that reset by themselves, of 64.
//!
//! The functions here know nothing but that word, and how to sleep on it; loom checks them as they
//! are. A process can be killed between any two of their steps, and any word may hold anything: no
//! step waits for another process to do its part, apart from sleeps that end by themselves.
//!
//! Whoever is about to sleep says so in the word, by [`WAITERS`], and sleeps only while the word
//! stays so. Whoever makes something available takes the note away with the same step and wakes one
//! or all. Of those who slept, each puts the note back as it takes its share, since others may still
//! be asleep; at worst that makes one call that wakes nobody.

pub(crate) mod auto;
pub(crate) mod event;
pub(crate) mod mutex;
pub(crate) mod semaphore;
#[cfg(all(test, loom))]
mod tests;
pub(crate) mod watch;

use std::io;

use crate::deadline::Deadline;
use crate::sys::fault;
use crate::sys::wait::{self, Pace, Place, Slice};

/// Somebody may be asleep.
pub(crate) const WAITERS: u32 = 1 << 31;

/// One who waits for something.
pub(crate) trait Waiter {
    /// What is had when it is had.
    type Got;

    /// Whether it could be taken now; `judge` as below.
    fn is_there(&mut self, judge: bool) -> io::Result<bool>;

    /// Takes it, if that can be done now. `slept` says that we put a note into the word; `judge`
    /// that some time has passed, so that we have to look who is still alive.
    fn take(&mut self, slept: bool, judge: bool) -> io::Result<Option<Self::Got>>;

    /// How soon it has to look whether an owner is dead.
    fn pace(&self) -> Pace {
        Pace::Never
    }

    /// For one that has slept for a slice: sees to it that somebody looks often.
    fn tend(&self) -> io::Result<()> {
        Ok(())
    }

    /// Puts our note into the word, and gives what to sleep on; `None` if it is time to look again.
    fn announce(&self) -> Option<(Place<'_>, u32)>;

    /// For one that was woken and found nothing to take.
    fn woken_in_vain(&self) {}

    /// For one who slept and goes away without it: others may be asleep, and it may have been us who
    /// were woken for it.
    fn pass_on(&self);
}

/// Waits until it is had, or the time is up.
///
/// `check` runs whenever a sleep ends by itself. An error of it ends the wait: no other process may ever
/// make the object available, for instance if its name was removed.
pub(crate) fn wait<W: Waiter>(
    waiter: &mut W,
    deadline: Deadline,
    check: impl Fn() -> io::Result<()>,
) -> io::Result<Option<W::Got>> {
    let (mut slept, mut judge) = (false, false);
    let mut slice = Slice::begin(waiter.pace());
    loop {
        if let Some(got) = waiter.take(slept, judge)? {
            return Ok(Some(got));
        }
        if judge {
            waiter.tend()?;
        }
        slice.follow(waiter.pace());
        let Some(time) = deadline.next(slice.len()) else {
            // The last look is at who is alive too.
            let got = waiter.take(slept, true)?;
            if slept && got.is_none() {
                waiter.pass_on();
            }
            return Ok(got);
        };
        judge = false;
        let Some((place, expected)) = waiter.announce() else { continue };
        slept = true;
        fault::point("wait-before-sleep");
        let woken = wait::wait(place, expected, time)?;
        fault::point("wait-after-sleep");
        // Mostly it is there now, whatever the time.
        if let Some(got) = waiter.take(slept, false)? {
            return Ok(Some(got));
        }
        if woken {
            waiter.woken_in_vain();
        } else if let Err(error) = check() {
            waiter.pass_on();
            return Err(error);
        }
        judge = slice.is_over();
    }
}
