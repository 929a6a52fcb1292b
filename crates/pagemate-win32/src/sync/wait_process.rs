//! Waits for processes, alone and together with synchronisation objects.
#![allow(unsafe_code, reason = "a thread's signal mask")]

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread::{Builder, Scope};
use std::time::Instant;

use pagemate::sync::{Event, EventOptions, Reset};
use rustix::event::{EventfdFlags, eventfd};

use crate::error::Result;
use crate::object::process::Process;
use crate::object::process_status::readable;

/// Waits until one of the processes has terminated. Returns false after a timeout.
pub(super) fn for_any(processes: &[&Arc<Process>], deadline: Option<Instant>) -> Result<bool> {
    let fds: Vec<_> = processes.iter().map(|process| process.as_fd()).collect();
    readable(&fds, deadline)
}

/// Waits until all of the processes have terminated. Returns false after a timeout.
///
/// Waits for one process after the other, because a terminated process stays terminated.
pub(super) fn for_all(processes: &[&Arc<Process>], deadline: Option<Instant>) -> Result<bool> {
    for process in processes {
        if !readable(&[process.as_fd()], deadline)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Runs `wait` with an event that is set when one of the processes terminates.
///
/// No system call waits for futexes and descriptors together. So a helper thread waits for the
/// descriptors while `wait` runs.
pub(super) fn with_event<T>(
    processes: &[&Arc<Process>],
    wait: impl FnOnce(&Event) -> Result<T>,
) -> Result<T> {
    let ended = EventOptions::new(Reset::Manual).create_unnamed()?;
    let stop = Stop::new()?;
    let mut fds: Vec<_> = processes.iter().map(|process| process.as_fd()).collect();
    fds.push(stop.0.as_fd());
    std::thread::scope(|scope| {
        // The drop makes the helper thread end before the scope waits for it, also if `wait` panics.
        let _stop_on_drop = StopOnDrop(&stop);
        spawn_helper(scope, || {
            // `poll` cannot fail here, because the descriptors are open. If it failed, the event
            // would be set too early.
            _ = readable(&fds, None);
            _ = ended.set();
        })?;
        wait(&ended)
    })
}

/// An eventfd by which the waiting thread tells the helper thread to end.
struct Stop(OwnedFd);

impl Stop {
    fn new() -> Result<Stop> {
        Ok(Stop(eventfd(0, EventfdFlags::CLOEXEC)?))
    }
}

struct StopOnDrop<'a>(&'a Stop);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        // The write fails only if the counter would overflow.
        _ = rustix::io::write(&self.0.0, &1u64.to_ne_bytes());
    }
}

/// Starts a thread that blocks all signals. The signal handlers of the program then run only in
/// threads of the program.
fn spawn_helper<'scope>(
    scope: &'scope Scope<'scope, '_>,
    body: impl FnOnce() + Send + 'scope,
) -> Result<()> {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the local has room for the set.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: `all` was just filled, and `before` has room for a set.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
    let started = Builder::new().name("pagemate-wait".to_owned()).spawn_scoped(scope, body);
    // SAFETY: the call above filled `before`.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut()) };
    started?;
    Ok(())
}
