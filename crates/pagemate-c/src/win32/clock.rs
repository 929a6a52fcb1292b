//! Time, as Windows counts it.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, Timespec, clock_gettime};

use super::error::{NOACCESS, done};

/// Units of `FILETIME`, 100 ns each, in a second, and from 1601 to 1970.
const PER_SECOND: u64 = 10_000_000;
const TO_1970: u64 = 116_444_736_000_000_000;

/// Of `QueryPerformanceCounter`, as many as on Windows.
const FREQUENCY: i64 = 10_000_000;

/// Waits for a time; zero lets another thread run, and all ones wait for ever.
#[unsafe(no_mangle)]
pub extern "C" fn Sleep(milliseconds: u32) {
    match milliseconds {
        0 => std::thread::yield_now(),
        u32::MAX => loop {
            std::thread::park();
        },
        time => std::thread::sleep(Duration::from_millis(time.into())),
    }
}

fn seconds(time: Timespec) -> Duration {
    let whole = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(whole, u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// How many milliseconds the system is up, sleep included.
#[unsafe(no_mangle)]
pub extern "C" fn GetTickCount64() -> u64 {
    let up = seconds(clock_gettime(ClockId::Boottime));
    u64::try_from(up.as_millis()).unwrap_or(u64::MAX)
}

/// The same, which begins anew every 49.7 days.
#[unsafe(no_mangle)]
#[allow(clippy::cast_possible_truncation, reason = "it wraps")]
pub extern "C" fn GetTickCount() -> u32 {
    GetTickCount64() as u32
}

/// Reads the fine clock.
///
/// # Safety
///
/// `count` is null or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn QueryPerformanceCounter(count: *mut i64) -> i32 {
    let now = seconds(clock_gettime(ClockId::Monotonic)).as_nanos() / 100;
    // SAFETY: the caller's promise.
    unsafe { tell(count, i64::try_from(now).unwrap_or(i64::MAX)) }
}

/// Tells how often the fine clock ticks in a second.
///
/// # Safety
///
/// `frequency` is null or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn QueryPerformanceFrequency(frequency: *mut i64) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { tell(frequency, FREQUENCY) }
}

/// # Safety
///
/// `place` is null or can be written to.
unsafe fn tell(place: *mut i64, value: i64) -> i32 {
    // SAFETY: the caller's promise.
    done(unsafe { place.as_mut() }.ok_or(NOACCESS).map(|place| *place = value))
}

/// `FILETIME`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct FileTime {
    low: u32,
    high: u32,
}

/// Tells what time it is.
///
/// # Safety
///
/// `time` is null or can be written to.
#[unsafe(no_mangle)]
#[allow(clippy::cast_possible_truncation, reason = "in two halves")]
pub unsafe extern "C" fn GetSystemTimeAsFileTime(time: *mut FileTime) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = now.as_secs() * PER_SECOND + u64::from(now.subsec_nanos()) / 100 + TO_1970;
    // SAFETY: the caller says that it can be written to, unless it is null.
    if let Some(time) = unsafe { time.as_mut() } {
        *time = FileTime { low: now as u32, high: (now >> 32) as u32 };
    }
}
