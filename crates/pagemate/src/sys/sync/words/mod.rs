//! The protocols of sync objects on systems with futexes. The state of an object is one word in shared
//! memory, of 64 bits for automatic events and of 32 bits for all others.
//!
//! The functions here access that word and the functions of [`crate::sys::wait`] alone, so that
//! loom can check them. A process can be killed between any two steps, and a word may have any value:
//! no step relies on another process, and every sleep is bounded.
//!
//! Before a waiter sleeps it sets [`WAITERS`] in the word, and it sleeps only while the word keeps that
//! value. The thread that makes the object available clears the bit in the same step and wakes one
//! waiter, or all. A waiter that has slept sets the bit again in the step that takes the object,
//! because other waiters may still be asleep. At worst this costs one wake-up that wakes no thread.

pub(crate) mod auto_event;
pub(crate) mod manual_event;
pub(crate) mod mutex;
pub(crate) mod semaphore;
#[cfg(all(test, not(loom)))]
mod steps;
#[cfg(all(test, loom))]
mod tests;
pub(crate) mod watch;

use std::io;

use crate::deadline::Deadline;
use crate::primitive::{AtomicU32, Ordering};
use crate::sys::fault;
use crate::sys::wait::{self, CheckRate, Slice, WaitWord};

/// Set while a waiter may be asleep.
pub(crate) const WAITERS: u32 = 1 << 31;

/// A thread's wait for one object.
pub(crate) trait Waiter {
    /// The result of taking the object.
    type Output;

    /// Returns whether the object could be taken now. With `check_liveness` it also tests whether an
    /// owner is dead.
    fn is_available(&mut self, check_liveness: bool) -> io::Result<bool>;

    /// Takes the object if it is available. `slept` states that this waiter has set a waiters' bit,
    /// which has to stay set for other waiters. With `check_liveness` it also tests whether an owner is
    /// dead.
    fn try_take(&mut self, slept: bool, check_liveness: bool) -> io::Result<Option<Self::Output>>;

    /// Returns how often this waiter has to test whether an owner is dead.
    fn check_rate(&self) -> CheckRate {
        CheckRate::Never
    }

    /// Replaces dead watchers. Called after each slice that ended without the object.
    fn maintain_watch(&self) -> io::Result<()> {
        Ok(())
    }

    /// Registers this waiter before it spins. For an object that counts its waiters, so that each of two
    /// waiters that spin gets its own signal.
    fn register(&self) {}

    /// Marks in the word that this waiter is about to sleep, and returns the bits to sleep on and their
    /// expected value; `None` if the word changed, so that the waiter has to try again.
    fn prepare_sleep(&self) -> Option<(WaitWord<'_>, u32)>;

    /// Reacts to a wake-up after which the object was not available.
    fn on_futile_wake(&self) {}

    /// Wakes another waiter if the object is available. Called when a waiter that has slept gives up,
    /// because the wake-up for that object may have gone to this waiter.
    fn pass_on_wake(&self);
}

/// Waits until the object is taken, or until the deadline.
///
/// `check` runs after each sleep that ended without a wake-up. Its error ends the wait: it means that
/// other processes cannot make the object available any more, because its name was removed.
pub(crate) fn wait<W: Waiter>(
    waiter: &mut W,
    deadline: Deadline,
    check: impl Fn() -> io::Result<()>,
) -> io::Result<Option<W::Output>> {
    let (mut slept, mut check_liveness) = (false, false);
    let mut slice = Slice::begin(waiter.check_rate());
    loop {
        if let Some(taken) = waiter.try_take(slept, check_liveness)? {
            return Ok(Some(taken));
        }
        if check_liveness {
            waiter.maintain_watch()?;
        }
        slice.set_rate(waiter.check_rate());
        let Some(time) = deadline.next(slice.len()) else {
            // The last attempt tests for dead owners in any case: the slice may not be over.
            let taken = waiter.try_take(slept, true)?;
            if slept && taken.is_none() {
                waiter.pass_on_wake();
            }
            return Ok(taken);
        };
        check_liveness = false;
        let Some((word, expected)) = waiter.prepare_sleep() else { continue };
        slept = true;
        fault::point("wait-before-sleep");
        let woken = wait::wait(word, expected, time)?;
        fault::point("wait-after-sleep");
        // Usually the object is available now, so this saves the system calls of a liveness test.
        if let Some(taken) = waiter.try_take(slept, false)? {
            return Ok(Some(taken));
        }
        if woken {
            waiter.on_futile_wake();
        } else if let Err(error) = check() {
            waiter.pass_on_wake();
            return Err(error);
        }
        check_liveness = slice.begin_next_if_over();
    }
}

/// Sets [`WAITERS`] in a word that still has the value `seen`, and returns its new value.
fn mark_waiters(word: &AtomicU32, seen: u32) -> Option<u32> {
    let marked = seen | WAITERS;
    let unchanged = seen == marked
        || word.compare_exchange(seen, marked, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    unchanged.then_some(marked)
}
