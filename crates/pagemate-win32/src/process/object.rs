//! A process, and the calls that need nothing but a handle to one.
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
use crate::error::{
    ACCESS_DENIED, INVALID_PARAMETER, NOACCESS, NOT_SUPPORTED, Result, answer, done,
};
use crate::handle::rights;
use crate::handle::table::{self as handle, Entry, Handle, Object};
use crate::pointer::write_unless_null;

/// `PROCESS_TERMINATE`, `PROCESS_QUERY_INFORMATION`, which includes the next, and
/// `PROCESS_QUERY_LIMITED_INFORMATION`.
const TERMINATE: u32 = 0x1;
const QUERY: u32 = 0x400;
const QUERY_LIMITED: u32 = 0x1000;

/// `STILL_ACTIVE`.
pub(crate) const RUNNING: u32 = 259;

/// The exit code of a process that a signal ended is this and the number of the signal.
const BY_SIGNAL: u32 = 128;

/// Says of a number below that it is there.
const KNOWN: u64 = 1 << 32;

/// A process of this machine, by a descriptor that never comes to refer to another one.
#[derive(Debug)]
pub(crate) struct Process {
    id: u32,
    /// A pidfd, which is readable once the process has ended. For a child that had ended before its
    /// pidfd could be opened, an eventfd that is readable.
    fd: OwnedFd,
    /// The exit code, with [`KNOWN`] once the process has ended and the code is known.
    code: AtomicU64,
    /// The exit code that `TerminateProcess` asked for, with [`KNOWN`] if that was called.
    terminated: AtomicU64,
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Code(u32),
    /// It is no child of this process, or another part of the program reaped it, and the kernel does not
    /// tell.
    Unknown,
}

/// Why a process ended.
enum Cause {
    Exit(i32),
    Signal(i32),
}

impl Process {
    fn new(id: u32, fd: OwnedFd) -> Process {
        Process { id, fd, code: AtomicU64::new(0), terminated: AtomicU64::new(0) }
    }

    /// This process.
    pub(crate) fn this() -> Result<Process> {
        let id = rustix::process::getpid();
        Ok(Process::new(number(id), pidfd_open(id, PidfdFlags::empty())?))
    }

    /// A child that was just started, and that only this library may reap, unless the program reaps every
    /// child.
    pub(super) fn child(id: Pid) -> Result<Arc<Process>> {
        let fd = match pidfd_open(id, PidfdFlags::empty()) {
            Ok(fd) if is_child(&fd) => fd,
            // The program reaped it, or ignores SIGCHLD, which lets the kernel reap. The number may be
            // another process' by now.
            Ok(_) | Err(Errno::SRCH) => eventfd(1, EventfdFlags::CLOEXEC)?,
            Err(error) => {
                // Nobody is told of it, so it must not run. Until it is reaped the number is its own.
                _ = rustix::process::kill_process(id, Signal::KILL);
                _ = rustix::process::waitid(WaitId::Pid(id), WaitIdOptions::EXITED);
                return Err(error.into());
            }
        };
        let child = Arc::new(Process::new(number(id), fd));
        children::add(Arc::clone(&child));
        Ok(child)
    }

    /// A process whose descriptor was inherited.
    pub(crate) fn inherited(id: u32, fd: OwnedFd) -> Process {
        Process::new(id, fd)
    }

    /// Finds a process by its number.
    fn find(id: u32) -> Result<Arc<Process>> {
        let raw = i32::try_from(id).ok().and_then(Pid::from_raw).ok_or(INVALID_PARAMETER)?;
        children::reap();
        let known = handle::find_process(id).or_else(|| children::find(id));
        match pidfd_open(raw, PidfdFlags::empty()) {
            // A process that runs has its number still, so that this is the same.
            Ok(fd) => {
                let same = known.filter(|known| known.end().is_none());
                Ok(same.unwrap_or_else(|| Arc::new(Process::new(id, fd))))
            }
            // It has ended, and there is a handle to it; or the number is a thread's.
            Err(Errno::SRCH | Errno::INVAL) => known.ok_or(INVALID_PARAMETER),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// How it ended; `None` while it runs. A child that has ended is reaped.
    pub(crate) fn end(&self) -> Option<End> {
        loop {
            // Acquire: the end of what the process did, by whichever thread found it.
            let code = self.code.load(Ordering::Acquire);
            if code & KNOWN != 0 {
                return Some(End::Code(low(code)));
            }
            // It stays a zombie until the code is stored, so that no thread finds it reaped before.
            match ask(&self.fd, WaitIdOptions::NOWAIT) {
                Ok(None) => return None,
                Ok(Some(cause)) => {
                    self.store(&cause);
                    _ = ask(&self.fd, WaitIdOptions::empty());
                }
                Err(Errno::INTR) => {}
                Err(_) => return self.end_of_other(),
            }
        }
    }

    /// How it ended, if it is no child of this process, or is reaped.
    fn end_of_other(&self) -> Option<End> {
        let now = Some(Instant::now());
        if !wait::readable(&[self.as_fd()], now).unwrap_or(false) {
            return None;
        }
        if let Some(cause) = told_by_kernel(&self.fd) {
            self.store(&cause);
        }
        let code = self.code.load(Ordering::Acquire);
        Some(if code & KNOWN == 0 { End::Unknown } else { End::Code(low(code)) })
    }

    /// Stores the exit code.
    fn store(&self, cause: &Cause) {
        let terminated = self.terminated.load(Ordering::Relaxed);
        let code = match *cause {
            Cause::Exit(code) => code.cast_unsigned(),
            Cause::Signal(libc::SIGKILL) if terminated & KNOWN != 0 => low(terminated),
            Cause::Signal(signal) => BY_SIGNAL + signal.unsigned_abs(),
        };
        self.code.store(KNOWN | u64::from(code), Ordering::Release);
    }

    /// Waits until it has ended; false if it has not in time.
    pub(crate) fn wait(&self, time: Duration) -> Result<bool> {
        let ended = wait::readable(&[self.as_fd()], wait::deadline(time))?;
        if ended {
            self.end();
        }
        Ok(ended)
    }

    /// Ends it, and has it end with this code.
    pub(super) fn terminate(&self, code: u32) -> Result<()> {
        if self.id == std::process::id() {
            // SAFETY: it takes a number and does not return.
            unsafe { libc::_exit(code.cast_signed()) }
        }
        if self.end().is_some() {
            return Err(ACCESS_DENIED);
        }
        // The first says what it ends with. Before the signal, since another thread may see the end.
        let wanted = KNOWN | u64::from(code);
        let first = self
            .terminated
            .compare_exchange(0, wanted, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
        let sent = pidfd_send_signal(&self.fd, Signal::KILL);
        if sent.is_err() && first {
            self.terminated.store(0, Ordering::Relaxed);
        }
        // It may have ended meanwhile, or be another user's.
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

/// The number that stands beside [`KNOWN`].
fn low(value: u64) -> u32 {
    u32::try_from(value & !KNOWN).unwrap_or(u32::MAX)
}

/// Asks how a child ended, without waiting.
fn ask(fd: &OwnedFd, how: WaitIdOptions) -> rustix::io::Result<Option<Cause>> {
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

/// Whether a descriptor refers to a child that is not reaped.
fn is_child(fd: &OwnedFd) -> bool {
    loop {
        match ask(fd, WaitIdOptions::NOWAIT) {
            Err(Errno::INTR) => {}
            told => return told.is_ok(),
        }
    }
}

/// `struct pidfd_info`, as it was first.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct PidfdInfo {
    mask: u64,
    cgroup: u64,
    ids: [u32; 11],
    exit_code: i32,
}

const _: () = assert!(size_of::<PidfdInfo>() == 64);

/// How a process ended that its parent has reaped: kernels from 6.15 on tell.
fn told_by_kernel(fd: &OwnedFd) -> Option<Cause> {
    const EXIT: u64 = 1 << 3;
    const GET_INFO: libc::Ioctl = libc::_IOWR::<PidfdInfo>(0xFF, 11);
    let mut info = PidfdInfo { mask: EXIT, ..PidfdInfo::default() };
    // SAFETY: the call writes as much as its number says, for which there is room. Another kind of
    // descriptor, or an older kernel, refuses it.
    let told = unsafe { libc::ioctl(std::os::fd::AsRawFd::as_raw_fd(fd), GET_INFO, &raw mut info) };
    if told != 0 || info.mask & EXIT == 0 {
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
    let access = rights::PROCESS.at_most(rights::PROCESS.opened(access)?);
    let foreign = || {
        let id = i32::try_from(id).ok().and_then(Pid::from_raw);
        id.is_some_and(|id| rustix::process::test_kill_process(id) == Err(Errno::PERM))
    };
    if access & TERMINATE != 0 && foreign() {
        return Err(ACCESS_DENIED);
    }
    handle::open(Entry { object: Object::Process(process), access }, inherit)
}

/// The process that a handle stands for, if the handle has one of these rights.
fn with(handle: Handle, rights: u32) -> Result<Arc<Process>> {
    let (process, access) = handle::process(handle)?;
    if access & rights == 0 { Err(ACCESS_DENIED) } else { Ok(process) }
}

/// The result of `GetExitCodeProcess`, and of `GetExitCodeThread` for a first thread.
pub(crate) fn exit_code(process: &Process) -> Result<u32> {
    match process.end() {
        None => Ok(RUNNING),
        Some(End::Code(code)) => Ok(code),
        Some(End::Unknown) => Err(NOT_SUPPORTED),
    }
}

/// Opens the process that has a number.
#[unsafe(no_mangle)]
pub extern "C" fn OpenProcess(access: u32, inherit: i32, id: u32) -> Handle {
    answer(open(access, inherit != 0, id), std::ptr::null_mut())
}

/// Ends a process by SIGKILL. Handles of this process tell the code that was wanted; other processes see
/// the signal.
#[unsafe(no_mangle)]
pub extern "C" fn TerminateProcess(handle: Handle, code: u32) -> i32 {
    done(with(handle, TERMINATE).and_then(|process| process.terminate(code)))
}

/// Tells what a process ended with, or that it still runs.
///
/// # Safety
///
/// `told` is null or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetExitCodeProcess(handle: Handle, told: *mut u32) -> i32 {
    done(with(handle, QUERY | QUERY_LIMITED).and_then(|process| {
        let code = exit_code(&process)?;
        // SAFETY: the caller's promise.
        if unsafe { write_unless_null(told, code) } { Ok(()) } else { Err(NOACCESS) }
    }))
}

/// The number of a process; zero if the handle is none of one.
#[unsafe(no_mangle)]
pub extern "C" fn GetProcessId(handle: Handle) -> u32 {
    answer(with(handle, QUERY | QUERY_LIMITED).map(|process| process.id()), 0)
}
