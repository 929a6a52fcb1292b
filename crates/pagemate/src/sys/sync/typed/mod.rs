//! The protocols of typed memory: its initialisation, values whose copies a sequence number
//! validates, read-write locks, once-cells, and condition variables.
//!
//! Like the protocols in `words`, they take references to their atomic words, and make system calls only
//! through the traits that callers pass. So loom can check them on words of its own.

pub(crate) mod condvar;
pub(crate) mod header;
pub(crate) mod once;
pub(crate) mod rwlock;
pub(crate) mod sequence;
#[cfg(all(test, loom))]
mod tests;

use std::time::Duration;

use crate::error::Result;
use crate::primitive::AtomicU32;

/// The number of sleepers of a word to wake that means all of them.
pub(crate) const ALL: u32 = i32::MAX.cast_unsigned();

/// The calls by which threads of all processes sleep on words.
pub(crate) trait Sleepers {
    /// Sleeps while the word has the value `expected`, for at most `time`. It may return early.
    fn sleep(&self, word: &AtomicU32, expected: u32, time: Duration) -> Result<()>;

    /// Wakes at most `count` threads that sleep on the word.
    fn wake(&self, word: &AtomicU32, count: u32);
}
