//! Sleeping until a word in shared memory changes, and waking who sleeps there, in whatever process.
//!
//! Every platform provides [`wait`], [`wait_any`] and [`wake`]. To wake somebody is a hint: whoever
//! wakes up looks at the word again. Nobody sleeps without an end, see [`SLICE`] and [`LONG_SLICE`].

use std::time::Duration;

#[cfg_attr(loom, path = "loom.rs")]
#[cfg_attr(all(target_os = "linux", not(loom)), path = "futex.rs")]
#[cfg_attr(all(target_vendor = "apple", not(loom)), path = "apple.rs")]
mod means;

pub(crate) use means::{wait, wait_any, wake};

/// Says when a slice of time is over, also to a sleeper who is woken more often: by signals, or for
/// words that others are faster to take.
pub(crate) struct Slice(#[cfg(not(loom))] std::time::Instant);

#[cfg(not(loom))]
impl Slice {
    pub(crate) fn begin() -> Slice {
        Slice(std::time::Instant::now())
    }

    /// Whether it is over; then the next one begins.
    pub(crate) fn is_over(&mut self) -> bool {
        let over = self.0.elapsed() >= SLICE;
        if over {
            *self = Slice::begin();
        }
        over
    }
}

/// As loom can check it: without time.
#[cfg(loom)]
impl Slice {
    pub(crate) fn begin() -> Slice {
        Slice()
    }

    pub(crate) fn is_over(&mut self) -> bool {
        false
    }
}

/// Who waits for a lock looks up from sleep after this time, to see whether the owner is alive.
pub(crate) const SLICE: Duration = Duration::from_millis(30);

/// Everybody else looks up after this: whoever made something available can be killed before it wakes
/// anybody, and who was chosen to be woken before it does anything about it. Both takes a death within
/// a few instructions, and nobody is told of it.
pub(crate) const LONG_SLICE: Duration = Duration::from_millis(500);

/// How many to wake.
pub(crate) const ALL: u32 = i32::MAX.cast_unsigned();
