//! Waiting for descriptors of processes, alone and together with sync objects.
#![allow(unsafe_code, reason = "a thread's signal mask")]

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::thread::{Builder, Scope};
use std::time::{Duration, Instant};

use pagemate::sync::{Event, EventOptions, Reset};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use super::object::Process;
use crate::error::Result;

/// The end of a wait; `None` if it has none.
pub(crate) fn deadline(time: Duration) -> Option<Instant> {
    Instant::now().checked_add(time)
}

/// The time that is left.
pub(crate) fn left(deadline: Option<Instant>) -> Duration {
    deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()))
}

/// Waits until one of the descriptors is readable; false if none is in time.
pub(super) fn readable(fds: &[BorrowedFd<'_>], deadline: Option<Instant>) -> Result<bool> {
    let mut polled: Vec<_> = fds.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    loop {
        // A time that is too long for the call is no limit.
        let timeout = Timespec::try_from(left(deadline)).ok();
        match poll(&mut polled, timeout.as_ref()) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits until one of the processes has ended; false if none has in time.
pub(crate) fn for_any(processes: &[&Arc<Process>], deadline: Option<Instant>) -> Result<bool> {
    let fds: Vec<_> = processes.iter().map(|process| process.as_fd()).collect();
    readable(&fds, deadline)
}

/// Waits until all of the processes have ended; false if they have not in time. A process that has ended
/// stays so, so that one after the other will do.
pub(crate) fn for_all(processes: &[&Arc<Process>], deadline: Option<Instant>) -> Result<bool> {
    for process in processes {
        if !readable(&[process.as_fd()], deadline)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Runs `wait` with an event that is set when one of the processes ends.
///
/// No call sleeps for words in memory and for descriptors at once. So a thread waits for the
/// descriptors, which is there only as long as `wait` runs.
pub(crate) fn with_event<T>(
    processes: &[&Arc<Process>],
    wait: impl FnOnce(&Event) -> Result<T>,
) -> Result<T> {
    let ended = EventOptions::new(Reset::Manual).create_unnamed()?;
    let stop = Stop::new()?;
    let mut fds: Vec<_> = processes.iter().map(|process| process.as_fd()).collect();
    fds.push(stop.0.as_fd());
    std::thread::scope(|scope| {
        // Dropped before the scope waits for the thread, also when `wait` panics.
        let _stops = Stops(&stop);
        start(scope, || {
            // Should it fail, the wait goes on without it. It cannot: the descriptors are open.
            _ = readable(&fds, None);
            _ = ended.set();
        })?;
        wait(&ended)
    })
}

/// Becomes readable when the thread has to end.
struct Stop(OwnedFd);

impl Stop {
    fn new() -> Result<Stop> {
        Ok(Stop(eventfd(0, EventfdFlags::CLOEXEC)?))
    }
}

struct Stops<'a>(&'a Stop);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        // It fails only if the number in it is too large.
        _ = rustix::io::write(&self.0.0, &1u64.to_ne_bytes());
    }
}

/// Starts a thread that takes no signals: those are for the program's own threads.
fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    body: impl FnOnce() + Send + 'scope,
) -> Result<()> {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    let mut before = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: there is room for the set.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    // SAFETY: the set was just filled, and there is room for the one before.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
    let started = Builder::new().name("pagemate-wait".to_owned()).spawn_scoped(scope, body);
    // SAFETY: the call above filled it.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut()) };
    started?;
    Ok(())
}
