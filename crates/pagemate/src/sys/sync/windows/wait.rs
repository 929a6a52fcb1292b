//! Waiting for the kernel's objects.
#![allow(unsafe_code, reason = "a Win32 call")]

use std::io;
use std::os::windows::io::{BorrowedHandle, RawHandle};
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, WAIT_ABANDONED_0, WAIT_FAILED, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::Win32::System::Threading::{INFINITE, WaitForMultipleObjects};

use super::super::Got;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::object::named::code_of;

/// As long as the kernel can count: the next number is for ever. Who waits for longer, or without
/// an end, does so in parts.
const LONGEST: Duration = Duration::from_millis(INFINITE as u64 - 1);

/// How many of several are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Any,
    All,
}

/// Waits for one object; `None` if it could not be had in time.
pub(super) fn one(handle: BorrowedHandle<'_>, deadline: Deadline) -> Result<Option<Got>> {
    Ok(several(&[handle], Which::Any, deadline)?.map(|(_, got)| got))
}

/// Waits for at most 64 objects; which one was had, if it is not all, and how.
///
/// If it is all, the kernel tells that a lock among them was abandoned, and not which.
pub(super) fn several(
    handles: &[BorrowedHandle<'_>],
    which: Which,
    deadline: Deadline,
) -> Result<Option<(usize, Got)>> {
    let count = u32::try_from(handles.len()).expect("at most 64");
    // A borrowed handle is one as the kernel knows it, and no more.
    let raw: *const RawHandle = handles.as_ptr().cast();
    let all = which == Which::All;
    loop {
        let time = deadline.next(LONGEST);
        let millis = time.map_or(0, rounded_up);
        // SAFETY: there are so many, and they are open for as long as they are borrowed.
        let answer = unsafe { WaitForMultipleObjects(count, raw, all.into(), millis) };
        match answer {
            WAIT_FAILED => return Err(cannot_wait(which, io::Error::last_os_error())),
            WAIT_TIMEOUT if time.is_none() => return Ok(None),
            WAIT_TIMEOUT => continue,
            _ => {}
        }
        let (first, got) = if answer < WAIT_ABANDONED_0 {
            (WAIT_OBJECT_0, Got::Released)
        } else {
            (WAIT_ABANDONED_0, Got::Abandoned)
        };
        return Ok(Some(((answer - first) as usize, got)));
    }
}

/// The milliseconds that the kernel is to count, so that nobody wakes before the time is over, and
/// then again and again.
fn rounded_up(time: Duration) -> u32 {
    let millis = time.min(LONGEST).as_nanos().div_ceil(1_000_000);
    u32::try_from(millis).expect("the longest fits")
}

fn cannot_wait(which: Which, error: io::Error) -> Error {
    if which == Which::All && code_of(&error) == ERROR_INVALID_PARAMETER {
        let cause = "one of them is in the list twice, by two handles";
        return Error::os_as(ErrorKind::InvalidInput, cause, error);
    }
    Error::os("it cannot be waited for", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up_and_the_longest_are_counted_in_parts() {
        assert_eq!(rounded_up(Duration::ZERO), 0);
        assert_eq!(rounded_up(Duration::from_nanos(1)), 1);
        assert_eq!(rounded_up(Duration::from_micros(1_001)), 2);
        assert_eq!(rounded_up(Duration::from_millis(7)), 7);
        // 49 days and 17 hours are where 32 bits end, and the last number is for ever.
        for days in [50, 100, 1 << 20] {
            assert_eq!(rounded_up(Duration::from_hours(24 * days)), INFINITE - 1);
        }
        assert_eq!(rounded_up(Duration::MAX), INFINITE - 1);
    }
}
