//! A process, and the calls that take only a handle to one.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, pidfd_open, pidfd_send_signal,
};

use super::{children, wait};
use crate::deadline::deadline;
use crate::error::{
    ACCESS_DENIED, INVALID_PARAMETER, NOACCESS, NOT_SUPPORTED, Result, answer, done,
};
use crate::handle::rights;
use crate::handle::table::{self as handle, Entry, Handle, Object};
use crate::pointer::write_unless_null;

/// `PROCESS_TERMINATE`, `PROCESS_QUERY_INFORMATION`, which implies the next right, and
/// `PROCESS_QUERY_LIMITED_INFORMATION`.
const TERMINATE: u32 = 0x1;
const QUERY: u32 = 0x400;
const QUERY_LIMITED: u32 = 0x1000;

/// `STILL_ACTIVE`.
pub(crate) const STILL_ACTIVE: u32 = 259;

/// The exit code of a process that a signal terminated is this number plus the signal's.
const BY_SIGNAL: u32 = 128;

/// The flag that a stored exit code is valid.
const KNOWN: u64 = 1 << 32;

/// A process of this machine. Its descriptor never refers to another process, even if the number is
/// reused.
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

/// The end of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Code(u32),
    /// The exit code is unknown: the process is not a child of this one, or another part of the
    /// program reaped it, and the kernel does not report the code.
    Unknown,
}

/// The cause of a process' end.
enum Cause {
    Exit(i32),
    Signal(i32),
}

impl Process {
    fn new(id: u32, fd: OwnedFd) -> Process {
        Process { id, fd, code: AtomicU64::new(0), terminated: AtomicU64::new(0) }
    }

    /// Returns this process.
    pub(crate) fn this() -> Result<Process> {
        let id = rustix::process::getpid();
        Ok(Process::new(number(id), pidfd_open(id, PidfdFlags::empty())?))
    }

    /// Returns a child that was just started.
    ///
    /// Only this library may reap it, unless the program reaps every child.
    pub(super) fn child(id: Pid) -> Result<Arc<Process>> {
        let fd = match pidfd_open(id, PidfdFlags::empty()) {
            Ok(fd) if is_child(&fd) => fd,
            // The child has terminated and was reaped, because the program waits for every child or
            // ignores SIGCHLD. Its number may belong to another process now.
            Ok(_) | Err(Errno::SRCH) => eventfd(1, EventfdFlags::CLOEXEC)?,
            Err(error) => {
                // The call fails, so the child must not run. Its number is not reused until it is
                // reaped.
                _ = rustix::process::kill_process(id, Signal::KILL);
                _ = rustix::process::waitid(WaitId::Pid(id), WaitIdOptions::EXITED);
                return Err(error.into());
            }
        };
        let child = Arc::new(Process::new(number(id), fd));
        children::add(Arc::clone(&child));
        Ok(child)
    }

    /// Returns a process whose descriptor was inherited.
    pub(crate) fn inherited(id: u32, fd: OwnedFd) -> Process {
        Process::new(id, fd)
    }

    /// Returns the process with a number.
    fn find(id: u32) -> Result<Arc<Process>> {
        let raw = i32::try_from(id).ok().and_then(Pid::from_raw).ok_or(INVALID_PARAMETER)?;
        children::reap();
        let known = handle::find_process(id).or_else(|| children::find(id));
        match pidfd_open(raw, PidfdFlags::empty()) {
            // A process that runs keeps its number, so that the known process is this one.
            Ok(fd) => {
                let same = known.filter(|known| known.end().is_none());
                Ok(same.unwrap_or_else(|| Arc::new(Process::new(id, fd))))
            }
            // The process has terminated and a handle to it is known, or the number is that of a
            // thread.
            Err(Errno::SRCH | Errno::INVAL) => known.ok_or(INVALID_PARAMETER),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Returns the end of the process, or `None` while it runs. Reaps a child that has terminated.
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

    /// Returns the end of a process that is not a child of this one, or is already reaped.
    fn end_of_unwaited(&self) -> Option<End> {
        let now = Some(Instant::now());
        if !wait::readable(&[self.as_fd()], now).unwrap_or(false) {
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
        let ended = wait::readable(&[self.as_fd()], deadline(time))?;
        if ended {
            self.end();
        }
        Ok(ended)
    }

    /// Terminates the process by SIGKILL, and records its exit code.
    pub(super) fn terminate(&self, code: u32) -> Result<()> {
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
        // The process has terminated meanwhile, or belongs to another user.
        sent.map_err(|_| ACCESS_DENIED)
    }
}

impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn number(id: Pid) -> u32 {
    id.as_raw_pid().unsigned_abs()
}

/// Returns the exit code without the flag [`KNOWN`].
fn exit_code_of(value: u64) -> u32 {
    u32::try_from(value & !KNOWN).unwrap_or(u32::MAX)
}

/// Asks whether a child has terminated, without blocking.
fn poll_child(fd: &OwnedFd, how: WaitIdOptions) -> rustix::io::Result<Option<Cause>> {
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
fn is_child(fd: &OwnedFd) -> bool {
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

/// Returns the end of a reaped process. Only Linux 6.15 and later report it.
fn end_from_kernel(fd: &OwnedFd) -> Option<Cause> {
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

fn open(access: u32, inherit: bool, id: u32) -> Result<Handle> {
    let process = Process::find(id)?;
    let access = rights::PROCESS.intersect(rights::PROCESS.opened(access)?);
    let foreign = || {
        let id = i32::try_from(id).ok().and_then(Pid::from_raw);
        id.is_some_and(|id| rustix::process::test_kill_process(id) == Err(Errno::PERM))
    };
    if access & TERMINATE != 0 && foreign() {
        return Err(ACCESS_DENIED);
    }
    handle::open(Entry { object: Object::Process(process), access }, inherit)
}

/// Returns the process of a handle that has at least one of `rights`.
fn process_with(handle: Handle, rights: u32) -> Result<Arc<Process>> {
    let (process, access) = handle::process(handle)?;
    if access & rights == 0 { Err(ACCESS_DENIED) } else { Ok(process) }
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

/// Opens the process with a number.
#[unsafe(no_mangle)]
pub extern "C" fn OpenProcess(access: u32, inherit: i32, id: u32) -> Handle {
    answer(open(access, inherit != 0, id), std::ptr::null_mut())
}

/// Terminates a process by SIGKILL. Handles of this process report the requested code; other
/// processes see the signal.
#[unsafe(no_mangle)]
pub extern "C" fn TerminateProcess(handle: Handle, code: u32) -> i32 {
    done(process_with(handle, TERMINATE).and_then(|process| process.terminate(code)))
}

/// Reports the exit code of a process, or `STILL_ACTIVE`.
///
/// # Safety
///
/// `exit_code_out` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetExitCodeProcess(handle: Handle, exit_code_out: *mut u32) -> i32 {
    done(process_with(handle, QUERY | QUERY_LIMITED).and_then(|process| {
        let code = exit_code(&process)?;
        // SAFETY: the caller guarantees that `exit_code_out` is null or valid for writes.
        if unsafe { write_unless_null(exit_code_out, code) } { Ok(()) } else { Err(NOACCESS) }
    }))
}

/// Returns the number of a process; zero if the handle is not a process'.
#[unsafe(no_mangle)]
pub extern "C" fn GetProcessId(handle: Handle) -> u32 {
    answer(process_with(handle, QUERY | QUERY_LIMITED).map(|process| process.id()), 0)
}
