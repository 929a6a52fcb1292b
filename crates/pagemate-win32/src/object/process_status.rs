//! The result of a process, as the kernel reports it.
#![allow(unsafe_code, reason = "ioctl(2) of a pidfd")]

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{WaitId, WaitIdOptions, WaitIdStatus};

use crate::deadline::left;
use crate::error::Result;

/// The way in which a process ended.
pub(crate) enum Cause {
    Exit(i32),
    Signal(i32),
}

/// Asks whether a child has terminated, without blocking.
pub(crate) fn poll_child(fd: &OwnedFd, how: WaitIdOptions) -> rustix::io::Result<Option<Cause>> {
    let how = how | WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    let status = rustix::process::waitid(WaitId::PidFd(fd.as_fd()), how)?;
    Ok(status.as_ref().map(cause))
}

fn cause(status: &WaitIdStatus) -> Cause {
    match status.terminating_signal() {
        Some(signal) => Cause::Signal(signal),
        None => Cause::Exit(status.exit_status().unwrap_or_default()),
    }
}

/// Returns whether a descriptor refers to a child that is not reaped.
pub(crate) fn is_child(fd: &OwnedFd) -> bool {
    loop {
        match poll_child(fd, WaitIdOptions::NOWAIT) {
            Err(Errno::INTR) => {}
            result => return result.is_ok(),
        }
    }
}

/// The first version of `struct pidfd_info`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}

const _: () = assert!(size_of::<PidfdInfo>() == 64);

/// Returns the result of a process that its parent has reaped. Only Linux 6.15 and later report it.
pub(crate) fn end_from_kernel(fd: &OwnedFd) -> Option<Cause> {
    const EXIT: u64 = 1 << 3;
    const GET_INFO: libc::Ioctl = libc::_IOWR::<PidfdInfo>(0xFF, 11);
    let mut info = PidfdInfo { mask: EXIT, ..PidfdInfo::default() };
    // SAFETY: the kernel writes at most the size that is encoded in the request, which is that of
    // `info`. Another kind of descriptor, or an older kernel, refuses the request.
    let result =
        unsafe { libc::ioctl(std::os::fd::AsRawFd::as_raw_fd(fd), GET_INFO, &raw mut info) };
    if result != 0 || info.mask & EXIT == 0 {
        return None;
    }
    let status = info.exit_code;
    Some(if libc::WIFSIGNALED(status) {
        Cause::Signal(libc::WTERMSIG(status))
    } else {
        Cause::Exit(libc::WEXITSTATUS(status))
    })
}

/// Waits until one of the descriptors is readable. Returns false after a timeout.
pub(crate) fn readable(fds: &[BorrowedFd<'_>], deadline: Option<Instant>) -> Result<bool> {
    let mut polled: Vec<_> = fds.iter().map(|fd| PollFd::new(fd, PollFlags::IN)).collect();
    loop {
        // A time that `Timespec` cannot represent means no limit.
        let timeout = Timespec::try_from(left(deadline)).ok();
        match poll(&mut polled, timeout.as_ref()) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
