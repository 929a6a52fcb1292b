//! Linux: `futex(2)` on shared memory, and `futex_waitv(2)` for several words.

use std::io;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec};

/// Sleeps while `word` is `expected`, for `time` at most.
pub(crate) fn wait(word: &AtomicU32, expected: u32, time: Duration) -> io::Result<()> {
    let time = Timespec::try_from(time).map_err(io::Error::other)?;
    answer(futex::wait(word, Flags::empty(), expected, Some(&time)).err())
}

/// Wakes at most `count` of those who sleep on `word`, and tells how many there were.
pub(crate) fn wake(word: &AtomicU32, count: u32) -> usize {
    // It fails only for an address that is none.
    futex::wake(word, Flags::empty(), count).unwrap_or(0)
}

fn answer(error: Option<Errno>) -> io::Result<()> {
    match error {
        // It has changed, the time is up, or somebody interrupted us: the caller looks again.
        None | Some(Errno::AGAIN | Errno::TIMEDOUT | Errno::INTR) => Ok(()),
        Some(error) => Err(error.into()),
    }
}

/// Sleeps while every word has its expected value, for `time` at most.
pub(crate) fn wait_any(words: &[(&AtomicU32, u32)], time: Duration) -> io::Result<()> {
    match vector::wait(words, time) {
        Err(Errno::NOSYS | Errno::PERM) => by_turns(words, time),
        result => answer(result.err()),
    }
}

/// For kernels before 5.16, and sandboxes that do not let the call through: sleeps a moment on each.
fn by_turns(words: &[(&AtomicU32, u32)], time: Duration) -> io::Result<()> {
    use std::sync::atomic::Ordering;
    const MOMENT: Duration = Duration::from_millis(1);
    let end = std::time::Instant::now() + time;
    loop {
        for (word, expected) in words {
            if words.iter().any(|(word, expected)| word.load(Ordering::Relaxed) != *expected) {
                return Ok(());
            }
            let left = end.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            wait(word, *expected, left.min(MOMENT))?;
        }
    }
}

#[cfg(not(pagemate_force_turns))]
mod vector {
    use super::{AtomicU32, Duration, Timespec};
    use rustix::io::{Errno, Result};
    use rustix::thread::futex::{ClockId, Wait, WaitFlags, WaitPtr, WaitvFlags, waitv};
    use rustix::time::clock_gettime;

    pub(super) fn wait(words: &[(&AtomicU32, u32)], time: Duration) -> Result<usize> {
        let waits = words.iter().map(|(word, expected)| {
            let mut wait = Wait::new();
            wait.val = (*expected).into();
            wait.uaddr = WaitPtr::new(word.as_ptr().cast());
            wait.flags = WaitFlags::SIZE_U32;
            wait
        });
        let waits: Vec<Wait> = waits.collect();
        // This call counts from the clock's beginning.
        let now = clock_gettime(rustix::time::ClockId::Monotonic);
        let time = Timespec::try_from(time).map_err(|_| Errno::INVAL)?;
        waitv(&waits, WaitvFlags::empty(), Some(&(now + time)), ClockId::Monotonic)
    }
}

/// A kernel without the call.
#[cfg(pagemate_force_turns)]
mod vector {
    use super::{AtomicU32, Duration};
    use rustix::io::{Errno, Result};

    #[allow(clippy::unnecessary_wraps, reason = "its twin can do it")]
    pub(super) fn wait(_: &[(&AtomicU32, u32)], _: Duration) -> Result<usize> {
        Err(Errno::NOSYS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;
    use std::time::Instant;

    #[test]
    fn sleepers_on_several_words_wake_for_each_of_them_or_when_time_is_up() {
        let words: [AtomicU32; 3] = Default::default();
        let list = || words.iter().map(|word| (word, 0)).collect::<Vec<_>>();
        for wait in [wait_any, by_turns] {
            let start = Instant::now();
            wait(&list(), Duration::from_millis(5)).unwrap();
            assert!(start.elapsed() >= Duration::from_millis(5));
            for word in &words {
                std::thread::scope(|scope| {
                    let sleeper = scope.spawn(|| {
                        let end = Instant::now() + Duration::from_secs(30);
                        while words.iter().all(|word| word.load(Ordering::Relaxed) == 0) {
                            assert!(Instant::now() < end, "nobody woke us");
                            wait(&list(), Duration::from_secs(30)).unwrap();
                        }
                    });
                    word.store(1, Ordering::Relaxed);
                    wake(word, 1);
                    sleeper.join().unwrap();
                });
                word.store(0, Ordering::Relaxed);
            }
        }
    }
}
