//! macOS: `os_sync_wait_on_address(3)` for memory that processes share, which came with 14.4; before
//! that, and for several words, looking again every so often.
#![allow(unsafe_code, reason = "os_sync_wait_on_address(3)")]

use std::ffi::c_void;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use super::Place;

/// How long a change may go unseen where nothing tells of it.
const MOMENT: Duration = Duration::from_millis(1);

/// `OS_SYNC_WAIT_ON_ADDRESS_SHARED` and its twin for waking: not of this process alone.
const SHARED: u32 = 1;

/// `OS_CLOCK_MACH_ABSOLUTE_TIME`.
const CLOCK: u32 = 32;

const LEN: usize = size_of::<AtomicU32>();

type Wait = unsafe extern "C" fn(*mut c_void, u64, usize, u32, u32, u64) -> i32;
type Wake = unsafe extern "C" fn(*mut c_void, usize, u32) -> i32;

/// The system's calls, if it has them.
struct Calls {
    wait: Wait,
    wake_one: Wake,
    wake_all: Wake,
}

fn calls() -> Option<&'static Calls> {
    static CALLS: OnceLock<Option<Calls>> = OnceLock::new();
    let find = |name: &std::ffi::CStr| {
        // SAFETY: the name ends in a NUL.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        (!found.is_null()).then_some(found)
    };
    CALLS
        .get_or_init(|| {
            let wait = find(c"os_sync_wait_on_address_with_timeout")?;
            let one = find(c"os_sync_wake_by_address_any")?;
            let all = find(c"os_sync_wake_by_address_all")?;
            Some(Calls {
                // SAFETY: the function of this name has this type.
                wait: unsafe { std::mem::transmute::<*mut c_void, Wait>(wait) },
                // SAFETY: as above.
                wake_one: unsafe { std::mem::transmute::<*mut c_void, Wake>(one) },
                // SAFETY: as above.
                wake_all: unsafe { std::mem::transmute::<*mut c_void, Wake>(all) },
            })
        })
        .as_ref()
}

/// Sleeps while `place` is `expected`, for `time` at most; whether it was woken, as far as the system
/// says.
pub(crate) fn wait(place: Place<'_>, expected: u32, time: Duration) -> io::Result<bool> {
    let Some(calls) = calls() else {
        return Ok(wait_any(&[(place, expected)], time)?.is_some());
    };
    let word = place.address();
    let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1);
    // SAFETY: the word is valid for as long as the call takes, and has this length.
    let result =
        unsafe { (calls.wait)(word.as_ptr().cast(), expected.into(), LEN, SHARED, CLOCK, ns) };
    if result >= 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EINTR | libc::EFAULT | libc::ETIMEDOUT) => Ok(false),
        _ => Err(error),
    }
}

/// Wakes at most `count` of those who sleep on `place`, and tells how many there were, as far as the
/// system says.
pub(crate) fn wake(place: Place<'_>, count: u32) -> usize {
    let Some(calls) = calls() else { return 0 };
    let word = place.address();
    let wake = if count == 1 { calls.wake_one } else { calls.wake_all };
    // SAFETY: the word is valid for as long as the call takes, and has this length.
    usize::from(unsafe { wake(word.as_ptr().cast(), LEN, SHARED) } >= 0)
}

/// Sleeps while every place has its expected value, for `time` at most. It is never woken, and looks
/// again by itself.
#[allow(clippy::unnecessary_wraps, reason = "its twin can fail")]
pub(crate) fn wait_any(places: &[(Place<'_>, u32)], time: Duration) -> io::Result<Option<usize>> {
    let end = Instant::now() + time;
    while places.iter().all(|(place, expected)| place.load() == *expected) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        std::thread::sleep(left.min(MOMENT));
    }
    Ok(None)
}
