//! Waits for objects of the kernel.
#![allow(unsafe_code, reason = "a Win32 call")]

use std::io;
use std::os::windows::io::{BorrowedHandle, RawHandle};
use std::time::Duration;

use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, WAIT_ABANDONED_0, WAIT_FAILED, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::Win32::System::Threading::{INFINITE, WaitForMultipleObjects};

use super::super::Acquired;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::object::named::code_of;

/// The longest finite timeout of the kernel, because the next number is `INFINITE`. A longer or
/// infinite wait takes several calls.
const LONGEST: Duration = Duration::from_millis(INFINITE as u64 - 1);

/// Whether a wait for several objects ends when one of them is available or when all are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitFor {
    Any,
    All,
}

/// Waits for one object. Returns `None` if it was not acquired before the deadline.
pub(super) fn one(handle: BorrowedHandle<'_>, deadline: Deadline) -> Result<Option<Acquired>> {
    Ok(several(&[handle], WaitFor::Any, deadline)?.map(|(_, acquired)| acquired))
}

/// Waits for at most 64 objects. Returns how they were acquired and, for [`WaitFor::Any`], the index of
/// the acquired object.
///
/// For [`WaitFor::All`] the kernel reports that one of the mutexes was abandoned, but not which
/// one.
pub(super) fn several(
    handles: &[BorrowedHandle<'_>],
    wait_for: WaitFor,
    deadline: Deadline,
) -> Result<Option<(usize, Acquired)>> {
    let count = u32::try_from(handles.len()).expect("at most 64");
    // `BorrowedHandle` is documented to have the layout of a raw handle.
    let raw: *const RawHandle = handles.as_ptr().cast();
    let all = wait_for == WaitFor::All;
    loop {
        let time = deadline.next(LONGEST);
        let millis = time.map_or(0, rounded_up);
        // SAFETY: `raw` refers to the `count` handles of `handles`, which are open while borrowed.
        let answer = unsafe { WaitForMultipleObjects(count, raw, all.into(), millis) };
        match answer {
            WAIT_FAILED => return Err(cannot_wait(wait_for, io::Error::last_os_error())),
            WAIT_TIMEOUT if time.is_none() => return Ok(None),
            WAIT_TIMEOUT => continue,
            _ => {}
        }
        let (first, acquired) = if answer < WAIT_ABANDONED_0 {
            (WAIT_OBJECT_0, Acquired::Released)
        } else {
            (WAIT_ABANDONED_0, Acquired::Abandoned)
        };
        return Ok(Some(((answer - first) as usize, acquired)));
    }
}

/// Returns the timeout in milliseconds, rounded up. If it were rounded down, the kernel's wait
/// would end before the deadline, and the caller would repeat it with a timeout of zero until the
/// deadline.
fn rounded_up(time: Duration) -> u32 {
    let millis = time.min(LONGEST).as_nanos().div_ceil(1_000_000);
    u32::try_from(millis).expect("the longest fits")
}

fn cannot_wait(wait_for: WaitFor, error: io::Error) -> Error {
    if wait_for == WaitFor::All && code_of(&error) == ERROR_INVALID_PARAMETER {
        let cause = "two of the handles refer to the same object: pass each object once";
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
        // A number of milliseconds exceeds 32 bits after 49 days and 17 hours.
        for days in [50, 100, 1 << 20] {
            assert_eq!(rounded_up(Duration::from_hours(24 * days)), INFINITE - 1);
        }
        assert_eq!(rounded_up(Duration::MAX), INFINITE - 1);
    }
}
