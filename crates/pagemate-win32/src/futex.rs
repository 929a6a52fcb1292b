//! Blocks a thread until a word in this process' memory changes, and wakes blocked threads.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec};

/// The count with which [`wake`] wakes all threads.
pub(crate) const ALL_WAITERS: u32 = i32::MAX.cast_unsigned();

/// Blocks while the word has this value. Returns false after a timeout. Spurious wakeups are
/// possible.
pub(crate) fn sleep(word: &AtomicU32, value: u32, time: Option<Duration>) -> bool {
    let time = time.and_then(|time| Timespec::try_from(time).ok());
    futex::wait(word, Flags::PRIVATE, value, time.as_ref()) != Err(Errno::TIMEDOUT)
}

/// Wakes at most `count` threads that are blocked on the word.
pub(crate) fn wake(word: &AtomicU32, count: u32) {
    // `futex::wake` fails only for an invalid address.
    _ = futex::wake(word, Flags::PRIVATE, count);
}
