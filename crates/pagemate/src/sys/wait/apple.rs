//! macOS: `os_sync_wait_on_address(3)` for shared memory, which exists since macOS 14.4. On older
//! systems waiters poll, and so do waits for several words.
#![allow(unsafe_code, reason = "os_sync_wait_on_address(3)")]

use std::ffi::c_void;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, Instant};

use super::WaitWord;

/// The interval between two loads if the system cannot wake the waiter.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// `OS_SYNC_WAIT_ON_ADDRESS_SHARED` and `OS_SYNC_WAKE_BY_ADDRESS_SHARED`: the word is shared by
/// processes.
const SHARED: u32 = 1;

/// `OS_CLOCK_MACH_ABSOLUTE_TIME`.
const CLOCK: u32 = 32;

const LEN: usize = size_of::<AtomicU32>();

type Wait = unsafe extern "C" fn(*mut c_void, u64, usize, u32, u32, u64) -> i32;
type Wake = unsafe extern "C" fn(*mut c_void, usize, u32) -> i32;

/// The system's calls, looked up at run time because older systems lack them.
struct Calls {
    wait: Wait,
    wake_one: Wake,
    wake_all: Wake,
}

fn calls() -> Option<&'static Calls> {
    static CALLS: OnceLock<Option<Calls>> = OnceLock::new();
    let find = |name: &std::ffi::CStr| {
        // SAFETY: a `CStr` ends in a NUL and lives longer than the call.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        (!found.is_null()).then_some(found)
    };
    CALLS
        .get_or_init(|| {
            let wait = find(c"os_sync_wait_on_address_with_timeout")?;
            let one = find(c"os_sync_wake_by_address_any")?;
            let all = find(c"os_sync_wake_by_address_all")?;
            Some(Calls {
                // SAFETY: <os/os_sync_wait_on_address.h> declares the function of this name with the
                // parameters and the result of `Wait`.
                wait: unsafe { std::mem::transmute::<*mut c_void, Wait>(wait) },
                // SAFETY: the header declares it with the parameters and the result of `Wake`.
                wake_one: unsafe { std::mem::transmute::<*mut c_void, Wake>(one) },
                // SAFETY: the header declares it with the parameters and the result of `Wake`.
                wake_all: unsafe { std::mem::transmute::<*mut c_void, Wake>(all) },
            })
        })
        .as_ref()
}

/// Sleeps while `word` has the value `expected`, for at most `time`. Returns whether the system reports
/// a wake-up.
pub(crate) fn wait(word: WaitWord<'_>, expected: u32, time: Duration) -> io::Result<bool> {
    let Some(calls) = calls() else {
        return Ok(wait_any(&[(word, expected)], time)?.is_some());
    };
    let address = word.address();
    let ns = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(1);
    // SAFETY: `address` refers to `LEN` bytes that `word` borrows for longer than the call.
    let result =
        unsafe { (calls.wait)(address.as_ptr().cast(), expected.into(), LEN, SHARED, CLOCK, ns) };
    if result >= 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EINTR | libc::EFAULT | libc::ETIMEDOUT) => Ok(false),
        _ => Err(error),
    }
}

/// Wakes one thread that sleeps on `word` if `count` is 1, otherwise all of them. Returns 1 if the
/// system reports that it woke a thread, otherwise 0.
pub(crate) fn wake(word: WaitWord<'_>, count: u32) -> usize {
    let Some(calls) = calls() else { return 0 };
    let address = word.address();
    let wake = if count == 1 { calls.wake_one } else { calls.wake_all };
    // SAFETY: `address` refers to `LEN` bytes that `word` borrows for longer than the call.
    usize::from(unsafe { wake(address.as_ptr().cast(), LEN, SHARED) } >= 0)
}

/// Polls while every word has its expected value, for at most `time`. No thread can wake this one,
/// so the result is always `None`.
#[allow(clippy::unnecessary_wraps, reason = "the version for Linux can fail")]
pub(crate) fn wait_any(words: &[(WaitWord<'_>, u32)], time: Duration) -> io::Result<Option<usize>> {
    let end = Instant::now() + time;
    while words.iter().all(|(word, expected)| word.load() == *expected) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        std::thread::sleep(left.min(POLL_INTERVAL));
    }
    Ok(None)
}
