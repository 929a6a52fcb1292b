//! Sleeping until a word in shared memory changes, and waking who sleeps there, in whatever process.
//!
//! Every platform provides [`wait`], [`wait_any`] and [`wake`]. To wake somebody is a hint: whoever
//! wakes up looks at the word again. Nobody sleeps without an end, see [`SLICE`].

use std::time::Duration;

#[cfg_attr(loom, path = "loom.rs")]
#[cfg_attr(all(target_os = "linux", not(loom)), path = "futex.rs")]
#[cfg_attr(all(target_vendor = "apple", not(loom)), path = "apple.rs")]
mod means;

pub(crate) use means::{wait, wait_any, wake};

/// Everybody looks up from sleep after this time: a process that was chosen to be woken can be killed
/// before it does anything about it, and the owner of a lock before it wakes anybody.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// How many to wake.
pub(crate) const ALL: u32 = i32::MAX.cast_unsigned();
