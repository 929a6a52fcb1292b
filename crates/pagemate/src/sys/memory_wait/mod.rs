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
use crate::sys::spin::Spin;

thread_local! {
    /// Decides whether this thread spins before it sleeps on a word. It belongs to the thread, because a word of a
    /// user has no space for it.
    #[allow(clippy::missing_const_for_thread_local, reason = "the lint only fires on targets with emulated thread-locals")]
    static SPIN: Spin = const { Spin::new() };
}

/// Blocks while `load` returns `value`, or until the deadline. Returns the first other value.
///
/// `word` is the word that `load` loads. It may be mapped for reading.
pub(crate) fn wait_while(
    word: &AtomicU32,
    load: impl Fn() -> u32,
    value: u32,
    deadline: Deadline,
) -> Option<u32> {
    let mut seen = load();
    if seen != value {
        return Some(seen);
    }
    if matches!(deadline, Deadline::Now) {
        return None;
    }
    let mut has_changed = || {
        seen = load();
        seen != value
    };
    SPIN.with(|spin| {
        spin.until(&mut has_changed)
            || spin.note(|| sleep_until(has_changed, word, value, deadline))
    })
    .then_some(seen)
}

/// Sleeps until `has_changed` returns true, or until the deadline. Returns whether it returned true.
fn sleep_until(
    mut has_changed: impl FnMut() -> bool,
    word: &AtomicU32,
    value: u32,
    deadline: Deadline,
) -> bool {
    let mut sleeps = 0;
    while let Some(time) = deadline.next(LONGEST_SLEEP) {
        platform::sleep(word, value, time, sleeps);
        if has_changed() {
            return true;
        }
        sleeps += 1;
    }
    false
}

/// The longest sleep. It must be finite: the process that changed the word can be killed before it
/// wakes the sleepers.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);

/// Wakes one thread that sleeps on the word, of any process, or all of them.
pub(crate) fn wake(word: &AtomicU32, all: bool) {
    platform::wake(word, all);
}
