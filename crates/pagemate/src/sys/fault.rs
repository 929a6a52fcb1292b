//! Named places where a test can make the process die or stop.

/// Passes the place called `name`.
///
/// Built with `--cfg pagemate_fault`, a process whose environment says `PAGEMATE_FAULT=name:kill`
/// (or `:stop`) gets SIGKILL (or SIGSTOP) here. In every other build this is nothing.
#[cfg(all(pagemate_fault, unix))]
pub(crate) fn point(name: &str) {
    use rustix::process::{Signal, getpid, kill_process};

    let Ok(wanted) = std::env::var("PAGEMATE_FAULT") else { return };
    let signal = match wanted.split_once(':') {
        Some((place, "kill")) if place == name => Signal::KILL,
        Some((place, "stop")) if place == name => Signal::STOP,
        _ => return,
    };
    // A signal to oneself is delivered before the call returns; should it fail, the test that
    // waits for the death says so.
    _ = kill_process(getpid(), signal);
}

#[cfg(not(all(pagemate_fault, unix)))]
#[inline(always)]
pub(crate) fn point(_: &str) {}
