//! A condition variable: a word that counts notifications.
//!
//! A waiter loads the word while it owns the mutex, unlocks the mutex, and sleeps while the word keeps that
//! value. A thread that notifies increments the word and then wakes one sleeper, or all. So a notification
//! between the unlock and the sleep is not lost: the waiter finds another value.
//!
//! Each notification changes the word for all waiters. If the woken thread is killed, the others find the
//! change at the end of their slices.

use std::time::Duration;

use super::Sleepers;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::primitive::{AtomicU32, Ordering};
use crate::sys::fault;

/// The longest sleep. It must be finite: the notifier can be killed before it wakes a waiter, the woken
/// waiter before it locks the mutex, and the owner of the mutex before it notifies.
const SLICE: Duration = Duration::from_millis(100);

/// How a sleep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slept {
    /// A thread has notified since the waiter loaded the word.
    Notified,
    /// The deadline has passed.
    TimedOut,
    /// The slice is over, or the wake-up was spurious.
    SliceOver,
}

/// Returns the number of notifications. The caller owns the mutex.
pub(crate) fn notifications(word: &AtomicU32) -> u32 {
    word.load(Ordering::Relaxed)
}

/// Sleeps until a thread notifies, for at most one slice. `seen` is the number of notifications before the
/// caller unlocked the mutex.
pub(crate) fn sleep(
    word: &AtomicU32,
    seen: u32,
    sleepers: &impl Sleepers,
    deadline: Deadline,
) -> Result<Slept> {
    // Relaxed: the mutex orders the accesses of the value.
    if word.load(Ordering::Relaxed) != seen {
        return Ok(Slept::Notified);
    }
    let Some(time) = deadline.next(SLICE) else { return Ok(Slept::TimedOut) };
    fault::point("condvar-before-sleep");
    sleepers.sleep(word, seen, time)?;
    fault::point("condvar-after-sleep");
    let notified = word.load(Ordering::Relaxed) != seen;
    Ok(if notified { Slept::Notified } else { Slept::SliceOver })
}

/// Notifies `count` waiters.
pub(crate) fn notify(word: &AtomicU32, count: u32, sleepers: &impl Sleepers) {
    word.fetch_add(1, Ordering::Relaxed);
    fault::point("condvar-before-wake");
    sleepers.wake(word, count);
}
