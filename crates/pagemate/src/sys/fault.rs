//! Named places where a test can make the process die or stop.
#![cfg_attr(all(pagemate_fault, unix), allow(unsafe_code, reason = "raise(3)"))]

/// Passes the place called `name`.
///
/// Built with `--cfg pagemate_fault`, a process whose environment says `PAGEMATE_FAULT=name:kill`
/// (or `:stop`) gets SIGKILL (or SIGSTOP) here. In every other build this is nothing.
#[cfg(all(pagemate_fault, unix))]
pub(crate) fn point(name: &str) {
    let Ok(wanted) = std::env::var("PAGEMATE_FAULT") else { return };
    let signal = match wanted.split_once(':') {
        Some((place, "kill")) if place == name => libc::SIGKILL,
        Some((place, "stop")) if place == name => libc::SIGSTOP,
        _ => return,
    };
    // To this thread, so that it is delivered before the call returns: one to the process may find
    // another thread first, while this one runs on.
    // SAFETY: raise(3) takes a number and touches no memory of ours.
    _ = unsafe { libc::raise(signal) };
}

#[cfg(not(all(pagemate_fault, unix)))]
#[inline(always)]
pub(crate) fn point(_: &str) {}
