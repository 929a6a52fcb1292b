//! A process of this machine, and its exit code.
#![allow(unsafe_code, reason = "_exit(2)")]

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, WaitIdOptions, pidfd_open, pidfd_send_signal};

use crate::deadline::deadline;
use crate::error::{ACCESS_DENIED, NOT_SUPPORTED, Result};
use crate::object::process_status::{Cause, end_from_kernel, poll_child, readable};

/// `STILL_ACTIVE`.
pub(crate) const STILL_ACTIVE: u32 = 259;

/// The exit code of a process that a signal terminated is this number plus the number of the
/// signal.
const BY_SIGNAL: u32 = 128;

/// The flag in a stored exit code that says that the code is known.
const KNOWN: u64 = 1 << 32;

/// A process of this machine. Its descriptor refers to this process even after another process gets
/// its number.
#[derive(Debug)]
pub(crate) struct Process {
    id: u32,
    /// A pidfd, which is readable once the process has terminated. If a child had terminated before
    /// its pidfd could be opened, this is a readable eventfd instead.
    fd: OwnedFd,
    /// The exit code; with [`KNOWN`] once the process has terminated and the code is known.
    code: AtomicU64,
    /// The exit code that `TerminateProcess` requested, with [`KNOWN`]; zero if it was not called.
    terminated: AtomicU64,
}

/// The result of a process that has terminated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Code(u32),
    /// The exit code is unknown. Only the parent of a process can reap it and so read its exit
    /// code. Here the process is not a child of this one, or another part of the program reaped it.
    /// Kernels before Linux 6.15 do not report the code to others.
    Unknown,
}

impl Process {
    /// Returns the process with a number and its descriptor.
    pub(crate) fn new(id: u32, fd: OwnedFd) -> Process {
        Process { id, fd, code: AtomicU64::new(0), terminated: AtomicU64::new(0) }
    }

    /// Returns this process.
    pub(crate) fn this() -> Result<Process> {
        let id = rustix::process::getpid();
        Ok(Process::new(number(id), pidfd_open(id, PidfdFlags::empty())?))
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Returns the result of the process, or `None` while it runs. Reaps a child that has
    /// terminated.
    pub(crate) fn end(&self) -> Option<End> {
        loop {
            // Acquire: pairs with the Release in `store`, possibly in another thread.
            let code = self.code.load(Ordering::Acquire);
            if code & KNOWN != 0 {
                return Some(End::Code(exit_code_of(code)));
            }
            // Store the code before reaping. Otherwise another thread could find the child reaped,
            // and the code unknown.
            match poll_child(&self.fd, WaitIdOptions::NOWAIT) {
                Ok(None) => return None,
                Ok(Some(cause)) => {
                    self.store(&cause);
                    _ = poll_child(&self.fd, WaitIdOptions::empty());
                }
                Err(Errno::INTR) => {}
                Err(_) => return self.end_of_unwaited(),
            }
        }
    }

    /// Returns the result of a process that this process cannot reap, because it is no child or is
    /// already reaped.
    fn end_of_unwaited(&self) -> Option<End> {
        let now = Some(Instant::now());
        if !readable(&[self.as_fd()], now).unwrap_or(false) {
            return None;
        }
        if let Some(cause) = end_from_kernel(&self.fd) {
            self.store(&cause);
        }
        let code = self.code.load(Ordering::Acquire);
        Some(if code & KNOWN == 0 { End::Unknown } else { End::Code(exit_code_of(code)) })
    }

    /// Stores the exit code.
    fn store(&self, cause: &Cause) {
        let terminated = self.terminated.load(Ordering::Relaxed);
        let code = match *cause {
            Cause::Exit(code) => code.cast_unsigned(),
            Cause::Signal(libc::SIGKILL) if terminated & KNOWN != 0 => exit_code_of(terminated),
            Cause::Signal(signal) => BY_SIGNAL + signal.unsigned_abs(),
        };
        self.code.store(KNOWN | u64::from(code), Ordering::Release);
    }

    /// Waits until the process has terminated. Returns false after a timeout.
    pub(crate) fn wait(&self, time: Duration) -> Result<bool> {
        let ended = readable(&[self.as_fd()], deadline(time))?;
        if ended {
            self.end();
        }
        Ok(ended)
    }

    /// Terminates the process by SIGKILL. Stores `code` as the exit code that this process reports
    /// for it.
    pub(crate) fn terminate(&self, code: u32) -> Result<()> {
        if self.id == std::process::id() {
            // SAFETY: `_exit` accepts any number and does not return.
            unsafe { libc::_exit(code.cast_signed()) }
        }
        if self.end().is_some() {
            return Err(ACCESS_DENIED);
        }
        // The first request determines the code. Record it before the signal is sent, because
        // another thread may see the end at once.
        let wanted = KNOWN | u64::from(code);
        let first = self
            .terminated
            .compare_exchange(0, wanted, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
        let sent = pidfd_send_signal(&self.fd, Signal::KILL);
        if sent.is_err() && first {
            self.terminated.store(0, Ordering::Relaxed);
        }
        // The process has terminated meanwhile, or this user may not send signals to it.
        sent.map_err(|_| ACCESS_DENIED)
    }
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

pub(crate) fn number(id: Pid) -> u32 {
    id.as_raw_pid().unsigned_abs()
}

/// Returns the exit code without the flag [`KNOWN`].
fn exit_code_of(value: u64) -> u32 {
    u32::try_from(value & !KNOWN).unwrap_or(u32::MAX)
}

/// Returns the exit code or `STILL_ACTIVE`, for `GetExitCodeProcess` and for the first thread of a
/// process.
pub(crate) fn exit_code(process: &Process) -> Result<u32> {
    match process.end() {
        None => Ok(STILL_ACTIVE),
        Some(End::Code(code)) => Ok(code),
        Some(End::Unknown) => Err(NOT_SUPPORTED),
    }
}
