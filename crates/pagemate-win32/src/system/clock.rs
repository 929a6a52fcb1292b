//! Time and dates in Windows' units.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::error::{INVALID_PARAMETER, NOACCESS, Result, done};
use crate::pointer::{read_unless_null, write_unless_null};
use crate::u64_halves::join;

/// The number of units of `FILETIME`, which are 100 ns long, in a second; and from 1601 to 1970.
const PER_SECOND: u64 = 10_000_000;
const TO_1970: u64 = 116_444_736_000_000_000;
const PER_SECOND_SIGNED: i64 = PER_SECOND.cast_signed();

/// The ticks of `QueryPerformanceCounter` in a second, as on Windows.
const FREQUENCY: i64 = 10_000_000;

/// Sleeps for a time. For zero it yields the processor to another thread. For `INFINITE` it never
/// returns.
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

/// Returns the milliseconds since the system started, including suspended time.
#[unsafe(no_mangle)]
pub extern "C" fn GetTickCount64() -> u64 {
    let up = seconds(clock_gettime(ClockId::Boottime));
    u64::try_from(up.as_millis()).unwrap_or(u64::MAX)
}

/// Does the same as [`GetTickCount64`], modulo 2³²: it wraps after 49.7 days.
#[unsafe(no_mangle)]
#[allow(clippy::cast_possible_truncation, reason = "the result is defined modulo 2^32")]
pub extern "C" fn GetTickCount() -> u32 {
    GetTickCount64() as u32
}

/// Reads the performance counter.
///
/// # Safety
///
/// `count` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn QueryPerformanceCounter(count: *mut i64) -> i32 {
    let now = seconds(clock_gettime(ClockId::Monotonic)).as_nanos() / 100;
    // SAFETY: the caller guarantees that `count` is null or valid for writes.
    done_unless_null("QueryPerformanceCounter", unsafe {
        write_unless_null(count, i64::try_from(now).unwrap_or(i64::MAX))
    })
}

/// Reports the ticks of the performance counter in a second.
///
/// # Safety
///
/// `frequency` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn QueryPerformanceFrequency(frequency: *mut i64) -> i32 {
    // SAFETY: the caller guarantees that `frequency` is null or valid for writes.
    done_unless_null("QueryPerformanceFrequency", unsafe {
        write_unless_null(frequency, FREQUENCY)
    })
}

fn done_unless_null(call: &'static str, written: bool) -> i32 {
    done(call, if written { Ok(()) } else { Err(NOACCESS) })
}

/// `FILETIME`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct FileTime {
    low: u32,
    high: u32,
}

/// Reports the current time.
///
/// # Safety
///
/// `time` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetSystemTimeAsFileTime(time: *mut FileTime) {
    // SAFETY: the caller guarantees that `time` is null or valid for writes.
    unsafe { write_unless_null(time, FileTime::of(now())) };
}

/// Returns the current time in units of `FILETIME`.
fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_secs() * PER_SECOND + u64::from(now.subsec_nanos()) / 100 + TO_1970
}

impl FileTime {
    #[allow(clippy::cast_possible_truncation, reason = "the high half is stored separately")]
    fn of(time: u64) -> FileTime {
        FileTime { low: time as u32, high: (time >> 32) as u32 }
    }
}

/// `SYSTEMTIME`.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Calendar {
    year: u16,
    month: u16,
    weekday: u16,
    day: u16,
    hour: u16,
    minute: u16,
    second: u16,
    milliseconds: u16,
}

/// A C library function that splits a time into calendar fields.
type SplitTime = unsafe extern "C" fn(*const libc::time_t, *mut libc::tm) -> *mut libc::tm;

impl Calendar {
    /// Converts a time in units of `FILETIME` to calendar fields.
    fn of(time: u64, split: SplitTime) -> Result<Calendar> {
        let parts = i64::try_from(time).map_err(|_| INVALID_PARAMETER)? - TO_1970.cast_signed();
        let (second, rest) =
            (parts.div_euclid(PER_SECOND_SIGNED), parts.rem_euclid(PER_SECOND_SIGNED));
        // SAFETY: `tm` is a plain C struct, for which all zeros are valid.
        let mut fields: libc::tm = unsafe { std::mem::zeroed() };
        // SAFETY: both pointers are to locals, and the function writes only to the second.
        if unsafe { split(&raw const second, &raw mut fields) }.is_null() {
            return Err(INVALID_PARAMETER);
        }
        let small = |number: i64| u16::try_from(number).map_err(|_| INVALID_PARAMETER);
        Ok(Calendar {
            year: small(i64::from(fields.tm_year) + 1900)?,
            month: small(i64::from(fields.tm_mon) + 1)?,
            weekday: small(fields.tm_wday.into())?,
            day: small(fields.tm_mday.into())?,
            hour: small(fields.tm_hour.into())?,
            minute: small(fields.tm_min.into())?,
            // `SYSTEMTIME` has no leap second.
            second: small(i64::from(fields.tm_sec).min(59))?,
            milliseconds: small(rest / 10_000)?,
        })
    }

    /// Converts calendar fields to units of `FILETIME`. Ignores the weekday.
    fn time(&self) -> Result<u64> {
        let fits = (1601..=30827).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=self.days()).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second < 60
            && self.milliseconds < 1000;
        if !fits {
            return Err(INVALID_PARAMETER);
        }
        // SAFETY: `tm` is a plain C struct, for which all zeros are valid.
        let mut fields: libc::tm = unsafe { std::mem::zeroed() };
        fields.tm_year = i32::from(self.year) - 1900;
        fields.tm_mon = i32::from(self.month) - 1;
        fields.tm_mday = self.day.into();
        fields.tm_hour = self.hour.into();
        fields.tm_min = self.minute.into();
        fields.tm_sec = self.second.into();
        // SAFETY: the pointer is to a local.
        let second = unsafe { libc::timegm(&raw mut fields) };
        let parts = second * PER_SECOND_SIGNED + i64::from(self.milliseconds) * 10_000;
        u64::try_from(parts + TO_1970.cast_signed()).map_err(|_| INVALID_PARAMETER)
    }

    /// Returns the number of days in the month.
    fn days(&self) -> u16 {
        let leaps = self.year.is_multiple_of(4)
            && (!self.year.is_multiple_of(100) || self.year.is_multiple_of(400));
        match self.month {
            2 => 28 + u16::from(leaps),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        }
    }
}

/// Reports the current date and time in UTC.
///
/// # Safety
///
/// `time` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetSystemTime(time: *mut Calendar) {
    // SAFETY: the caller guarantees that `time` is null or valid for writes.
    unsafe { write_unless_null(time, Calendar::of(now(), libc::gmtime_r).unwrap_or_default()) };
}

/// Reports the current date and time in the time zone of the C library.
///
/// # Safety
///
/// `time` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetLocalTime(time: *mut Calendar) {
    // SAFETY: the caller guarantees that `time` is null or valid for writes.
    unsafe { write_unless_null(time, Calendar::of(now(), libc::localtime_r).unwrap_or_default()) };
}

/// Converts a `FILETIME` to calendar fields.
///
/// # Safety
///
/// `time` is null, or valid for reads and initialized; `calendar` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FileTimeToSystemTime(
    time: *const FileTime,
    calendar: *mut Calendar,
) -> i32 {
    // SAFETY: the caller guarantees that `time` is null, or valid for reads and initialized.
    let parts =
        unsafe { read_unless_null(time) }.filter(|_| !calendar.is_null()).ok_or(INVALID_PARAMETER);
    let parts = parts.and_then(|time| Calendar::of(join(time.high, time.low), libc::gmtime_r));
    done(
        "FileTimeToSystemTime",
        parts.map(|parts| {
            // SAFETY: the caller guarantees that `calendar` is null or valid for writes.
            unsafe { write_unless_null(calendar, parts) };
        }),
    )
}

/// Converts calendar fields to a `FILETIME`. Ignores the weekday.
///
/// # Safety
///
/// `calendar` is null, or valid for reads and initialized; `time` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SystemTimeToFileTime(
    calendar: *const Calendar,
    time: *mut FileTime,
) -> i32 {
    // SAFETY: the caller guarantees that `calendar` is null, or valid for reads and initialized.
    let parts =
        unsafe { read_unless_null(calendar) }.filter(|_| !time.is_null()).ok_or(INVALID_PARAMETER);
    done(
        "SystemTimeToFileTime",
        parts.and_then(|parts| parts.time()).map(|whole| {
            // SAFETY: the caller guarantees that `time` is null or valid for writes.
            unsafe { write_unless_null(time, FileTime::of(whole)) };
        }),
    )
}
