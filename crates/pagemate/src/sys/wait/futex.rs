//! Linux: `futex(2)` on shared memory, and `futex_waitv(2)` for several words.

use std::io;
use std::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec};

use super::Place;

/// Sleeps while `place` is `expected`, for `time` at most; whether it was woken.
pub(crate) fn wait(place: Place<'_>, expected: u32, time: Duration) -> io::Result<bool> {
    let time = Timespec::try_from(time).map_err(io::Error::other)?;
    Ok(woken(futex::wait(place.address(), Flags::empty(), expected, Some(&time)))?.is_some())
}

/// Wakes at most `count` of those who sleep on `place`, and tells how many there were.
pub(crate) fn wake(place: Place<'_>, count: u32) -> usize {
    // It fails only for an address that is none.
    futex::wake(place.address(), Flags::empty(), count).unwrap_or(0)
}

fn woken<T>(result: rustix::io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(woken) => Ok(Some(woken)),
        // It has changed, the time is up, or somebody interrupted us: the caller looks again.
        Err(Errno::AGAIN | Errno::TIMEDOUT | Errno::INTR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Sleeps while every place has its expected value, for `time` at most; which of the places it was
/// woken for, one of them if there are several.
pub(crate) fn wait_any(places: &[(Place<'_>, u32)], time: Duration) -> io::Result<Option<usize>> {
    match vector::wait(places, time) {
        Err(Errno::NOSYS | Errno::PERM) => by_turns(places, time),
        result => woken(result),
    }
}

/// For kernels before 5.16, and sandboxes that do not let the call through: sleeps a moment on each.
fn by_turns(places: &[(Place<'_>, u32)], time: Duration) -> io::Result<Option<usize>> {
    const MOMENT: Duration = Duration::from_millis(1);
    let end = std::time::Instant::now() + time;
    loop {
        for (index, (place, expected)) in places.iter().enumerate() {
            if places.iter().any(|(place, expected)| place.load() != *expected) {
                return Ok(None);
            }
            let left = end.saturating_duration_since(std::time::Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            if wait(*place, *expected, left.min(MOMENT))? {
                return Ok(Some(index));
            }
        }
    }
}

#[cfg(not(pagemate_force_turns))]
mod vector {
    use super::{Duration, Place, Timespec};
    use rustix::io::{Errno, Result};
    use rustix::thread::futex::{ClockId, Wait, WaitFlags, WaitPtr, WaitvFlags, waitv};
    use rustix::time::clock_gettime;

    pub(super) fn wait(places: &[(Place<'_>, u32)], time: Duration) -> Result<usize> {
        let waits = places.iter().map(|(place, expected)| {
            let mut wait = Wait::new();
            wait.val = (*expected).into();
            wait.uaddr = WaitPtr::new(place.address().as_ptr().cast());
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
    use super::{Duration, Place};
    use rustix::io::{Errno, Result};

    #[allow(clippy::unnecessary_wraps, reason = "its twin can do it")]
    pub(super) fn wait(_: &[(Place<'_>, u32)], _: Duration) -> Result<usize> {
        Err(Errno::NOSYS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Instant;

    #[test]
    fn sleepers_on_several_words_wake_for_each_of_them_or_when_time_is_up() {
        let words: [AtomicU32; 3] = Default::default();
        let list = || words.iter().map(|word| (word.into(), 0)).collect::<Vec<_>>();
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
                    wake(word.into(), 1);
                    sleeper.join().unwrap();
                });
                word.store(0, Ordering::Relaxed);
            }
        }
    }
}
