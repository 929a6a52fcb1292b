//! Named points at which a test kills or stops the process.
#![cfg_attr(all(pagemate_fault, unix), allow(unsafe_code, reason = "raise(3)"))]

/// Kills or stops the process if a test has selected the point `name`.
///
/// In a build with `--cfg pagemate_fault`, the process sends itself SIGKILL if its environment
/// variable `PAGEMATE_FAULT` is `name:kill`, and SIGSTOP if it is `name:stop`. With `name:stop-once` it stops
/// at the first call only. In every other build the function is empty.
#[cfg(all(pagemate_fault, unix))]
pub(crate) fn point(name: &str) {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
    static STOPPED: AtomicBool = AtomicBool::new(false);

    let Ok(selected) = std::env::var("PAGEMATE_FAULT") else { return };
    let signal = match selected.split_once(':') {
        Some((point, "kill")) if point == name => libc::SIGKILL,
        Some((point, "stop")) if point == name => libc::SIGSTOP,
        Some((point, "stop-once")) if point == name && !STOPPED.swap(true, Relaxed) => {
            libc::SIGSTOP
        }
        _ => return,
    };
    // raise(3) signals this thread, so the signal is delivered before the call returns. A signal to
    // the process could be delivered to another thread while this one runs on.
    // SAFETY: raise(3) takes a signal number and accesses no memory of this program.
    _ = unsafe { libc::raise(signal) };
}

#[cfg(not(all(pagemate_fault, unix)))]
#[inline(always)]
pub(crate) fn point(_: &str) {}
