//! Linux: `futex(2)` on shared memory, and `futex_waitv(2)` for several words.

use std::io;
use std::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec};

use super::WaitWord;

/// Sleeps while `word` has the value `expected`, for at most `time`. Returns whether another thread
/// woke this one.
pub(crate) fn wait(word: WaitWord<'_>, expected: u32, time: Duration) -> io::Result<bool> {
    let time = Timespec::try_from(time).map_err(io::Error::other)?;
    Ok(woken(futex::wait(word.address(), Flags::empty(), expected, Some(&time)))?.is_some())
}

/// Wakes at most `count` threads that sleep on `word`, and returns how many it woke.
pub(crate) fn wake(word: WaitWord<'_>, count: u32) -> usize {
    // The call fails only for an address that is not mapped.
    futex::wake(word.address(), Flags::empty(), count).unwrap_or(0)
}

fn woken<T>(result: rustix::io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(woken) => Ok(Some(woken)),
        // The word changed, the time is up, or a signal interrupted the call. In each case the caller
        // reads the word again.
        Err(Errno::AGAIN | Errno::TIMEDOUT | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Sleeps while every word has its expected value, for at most `time`. Returns the index of a word
/// for which another thread woke this one.
pub(crate) fn wait_any(words: &[(WaitWord<'_>, u32)], time: Duration) -> io::Result<Option<usize>> {
    // Kernels before 5.16 lack the call, and a sandbox may refuse it with any error.
    woken(waitv::wait(words, time)).or_else(|_| poll(words, time))
}

/// Sleeps on one word after the other, for a millisecond each.
fn poll(words: &[(WaitWord<'_>, u32)], time: Duration) -> io::Result<Option<usize>> {
    const INTERVAL: Duration = Duration::from_millis(1);
    let end = std::time::Instant::now() + time;
    loop {
        for (index, (word, expected)) in words.iter().enumerate() {
            if words.iter().any(|(word, expected)| word.load() != *expected) {
                return Ok(None);
            }
            let left = end.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            if wait(*word, *expected, left.min(INTERVAL))? {
                return Ok(Some(index));
            }
        }
    }
}

#[cfg(not(pagemate_force_futex_wait))]
mod waitv {
    use super::{Duration, Timespec, WaitWord};
    use rustix::io::{Errno, Result};
    use rustix::thread::futex::{ClockId, Wait, WaitFlags, WaitPtr, WaitvFlags, waitv};
    use rustix::time::clock_gettime;

    pub(super) fn wait(words: &[(WaitWord<'_>, u32)], time: Duration) -> Result<usize> {
        let waits = words.iter().map(|(word, expected)| {
            let mut wait = Wait::new();
            wait.val = (*expected).into();
            wait.uaddr = WaitPtr::new(word.address().as_ptr().cast());
            wait.flags = WaitFlags::SIZE_U32;
            wait
        });
        let waits: Vec<Wait> = waits.collect();
        // The timeout of this call is an absolute time.
        let now = clock_gettime(rustix::time::ClockId::Monotonic);
        let time = Timespec::try_from(time).map_err(|_| Errno::INVAL)?;
        waitv(&waits, WaitvFlags::empty(), Some(&(now + time)), ClockId::Monotonic)
    }
}

/// Behaves like a kernel without `futex_waitv(2)`.
#[cfg(pagemate_force_futex_wait)]
mod waitv {
    use super::{Duration, WaitWord};
    use rustix::io::{Errno, Result};

    #[allow(clippy::unnecessary_wraps, reason = "the real call can succeed")]
    pub(super) fn wait(_: &[(WaitWord<'_>, u32)], _: Duration) -> Result<usize> {
        Err(Errno::NOSYS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Instant;

    #[test]
    fn threads_that_sleep_on_several_words_wake_for_each_of_them_or_time_out() {
        let words: [AtomicU32; 3] = Default::default();
        let list = || words.iter().map(|word| (word.into(), 0)).collect::<Vec<_>>();
        for wait in [wait_any, poll] {
            let start = Instant::now();
            wait(&list(), Duration::from_millis(5)).unwrap();
            assert!(start.elapsed() >= Duration::from_millis(5));
            for word in &words {
                std::thread::scope(|scope| {
                    let sleeper = scope.spawn(|| {
                        let end = Instant::now() + Duration::from_secs(30);
                        while words.iter().all(|word| word.load(Ordering::Relaxed) == 0) {
                            assert!(Instant::now() < end, "no thread woke this one");
                            wait(&list(), Duration::from_secs(30)).unwrap();
                        }
                    });
                    word.store(1, Ordering::Relaxed);
                    wake(word.into(), 1);
                    sleeper.join().unwrap();
                });
                word.store(0, Ordering::Relaxed);
            }
        }
    }
}
