//! The protocols of sync objects on systems with futexes. The state of an object is one word in shared
//! memory, of 64 bits for automatic events and of 32 bits for all others.
//!
//! The functions in this folder access only that word, the watchers' word of a mutex, the functions of
//! [`crate::sys::wait`] and the traits that callers pass, so that loom can check them. A process can be killed between any two
//! steps, and another process can write any value to a word. Therefore no step relies on another
//! process to finish, and every sleep is bounded.
//!
//! Before a waiter sleeps, it sets the bit [`WAITERS`] in the word, and it sleeps only if the word
//! still has that value. The thread that makes the object available clears the bit in the same
//! step, and wakes one waiter or all. A waiter that has slept sets the bit again in the step in
//! which it takes the object, because other waiters may still be asleep. If none is, the next
//! release calls `wake` in vain.

pub(crate) mod auto_event;
pub(crate) mod manual_event;
pub(crate) mod mutex;
pub(crate) mod semaphore;
#[cfg(all(test, not(loom)))]
mod steps;
#[cfg(all(test, loom))]
mod tests;
mod wait_loop;
pub(crate) mod watch;

use std::io;

use crate::primitive::{AtomicU32, Ordering};
use crate::sys::wait::{CheckRate, WaitWord};

pub(crate) use self::wait_loop::wait;

/// Set while a waiter may be asleep.
pub(crate) const WAITERS: u32 = 1 << 31;

/// A thread's wait for one object.
pub(crate) trait Waiter {
    /// The result of taking the object.
    type Output;

    /// Returns whether the object could be taken now. With `check_liveness` it also tests whether an
    /// owner is dead.
    fn is_available(&mut self, check_liveness: bool) -> io::Result<bool>;

    /// Takes the object if it is available. `slept` means that this waiter has set the bit
    /// `WAITERS`, which must stay set for other waiters. With `check_liveness` the waiter also
    /// tests whether an owner is dead.
    fn try_take(&mut self, slept: bool, check_liveness: bool) -> io::Result<Option<Self::Output>>;

    /// Returns how often this waiter has to test whether an owner is dead.
    fn check_rate(&self) -> CheckRate {
        CheckRate::Never
    }

    /// Replaces dead watchers. Called after each slice that ended without the object.
    fn maintain_watch(&self) -> io::Result<()> {
        Ok(())
    }

    /// Registers this waiter before it spins, if the object counts its waiters. Two waiters that
    /// spin then each get a signal of their own.
    fn register(&self) {}

    /// Sets the bit `WAITERS`, because this waiter is about to sleep. Returns the bits to sleep on
    /// and their expected value; `None` if the word has changed, so that the waiter has to try
    /// again.
    fn prepare_sleep(&self) -> Option<(WaitWord<'_>, u32)>;

    /// Called after a wake-up if the object was not available.
    fn on_futile_wake(&self) {}

    /// Wakes another waiter if the object is available. Called when a waiter that has slept stops
    /// waiting, because this waiter may have consumed the wake-up for the object.
    fn pass_on_wake(&self);
}

/// Sets [`WAITERS`] in a word that still has the value `seen`, and returns its new value.
fn mark_waiters(word: &AtomicU32, seen: u32) -> Option<u32> {
    let marked = seen | WAITERS;
    let unchanged = seen == marked
        || word.compare_exchange(seen, marked, Ordering::Relaxed, Ordering::Relaxed).is_ok();
    unchanged.then_some(marked)
}
