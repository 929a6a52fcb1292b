//! Blocks a thread while a word of a user's memory has a given value.
//!
//! Every platform provides `sleep` and `wake`. A sleep may end early, so the caller reads the word
//! again.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use self::unix as platform;
#[cfg(windows)]
use self::windows as platform;

use crate::deadline::Deadline;

/// Blocks while `load` returns `value`, or until the deadline. Returns the first other value.
///
/// `word` is the word that `load` loads. It may be mapped for reading.
pub(crate) fn wait_while(
    word: &AtomicU32,
    load: impl Fn() -> u32,
    value: u32,
    deadline: Deadline,
) -> Option<u32> {
    let mut sleeps = 0;
    loop {
        let seen = load();
        if seen != value {
            return Some(seen);
        }
        platform::sleep(word, value, deadline.next(LONGEST_SLEEP)?, sleeps);
        sleeps += 1;
    }
}

/// The longest sleep. It must be finite: the process that changed the word can be killed before it
/// wakes the sleepers.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// Wakes one thread that sleeps on the word, of any process, or all of them.
pub(crate) fn wake(word: &AtomicU32, all: bool) {
    platform::wake(word, all);
}
