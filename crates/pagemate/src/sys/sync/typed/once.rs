//! A cell that is initialised once.
//!
//! | State | Meaning | Left by |
//! |---|---|---|
//! | [`EMPTY`] | no process has begun; all bytes of the value are zero | `init` |
//! | [`BEGUN`] | the owner of the lock initialises the value, or died or failed while it did so | `init`; the next owner clears the value and begins again |
//! | [`SET`] | the value is initialised | never |
//!
//! A mutex, which is not part of this protocol, admits one initialiser at a time. Readers do not lock it.

use std::time::Duration;

use super::{ALL, Sleepers};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::primitive::{AtomicU32, Ordering};
use crate::sys::fault;

const EMPTY: u32 = 0;
const BEGUN: u32 = 1;
const SET: u32 = 2;

/// The longest sleep of a waiter. It must be finite: the initialiser can be killed before it wakes the
/// waiters.
const SLICE: Duration = Duration::from_millis(100);

/// Returns whether the value is initialised.
#[inline]
pub(crate) fn is_set(state: &AtomicU32) -> bool {
    // Acquire: the value, published by the Release in `init`.
    state.load(Ordering::Acquire) == SET
}

/// Initialises the value by `init`, if it is not initialised. Returns whether this call did so, or the
/// error of `init`. The caller owns the mutex.
///
/// `clear` sets all bytes of the value to zero, which an earlier initialiser may have changed.
pub(crate) fn init(
    state: &AtomicU32,
    sleepers: &impl Sleepers,
    clear: impl FnOnce(),
    init: impl FnOnce() -> Result<()>,
) -> Result<bool> {
    // Relaxed: the mutex orders the initialisers.
    match state.load(Ordering::Relaxed) {
        SET => return Ok(false),
        EMPTY => state.store(BEGUN, Ordering::Relaxed),
        _ => clear(),
    }
    fault::point("once-before-value");
    init()?;
    fault::point("once-after-value");
    // Release: publishes the value to the Acquire in `is_set`.
    state.store(SET, Ordering::Release);
    fault::point("once-before-wake");
    sleepers.wake(state, ALL);
    Ok(true)
}

/// Waits until the value is initialised. Returns false after the deadline.
pub(crate) fn wait(
    state: &AtomicU32,
    sleepers: &impl Sleepers,
    deadline: Deadline,
) -> Result<bool> {
    loop {
        let seen = state.load(Ordering::Relaxed);
        if is_set(state) {
            return Ok(true);
        }
        let Some(time) = deadline.next(SLICE) else { return Ok(false) };
        if seen != SET {
            fault::point("once-before-sleep");
            sleepers.sleep(state, seen, time)?;
        }
    }
}
