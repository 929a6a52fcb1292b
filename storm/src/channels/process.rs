//! Child processes by `fork` without `exec`, so that a round takes little time.
#![allow(unsafe_code, reason = "fork(2), waitid(2), kill(2), prctl(2) and the environment")]

use std::ffi::OsStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use std::{env, mem, process, thread};

/// The exit code of a child that found a fault.
const FAILED: i32 = 101;

/// A child process. Dropping it kills and reaps the process.
#[derive(Debug)]
pub(crate) struct Process {
    pid: libc::pid_t,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Runs,
    Stopped,
    /// It is a zombie, by a signal.
    Killed,
    /// It is a zombie, by an exit with this code.
    Exited(i32),
}

/// Starts a child that runs `body`. The child is killed if its parent ends. This process has one thread.
pub(crate) fn start(body: impl FnOnce()) -> Process {
    let parent = process::id();
    // SAFETY: this process has one thread, so the child finds every lock in a usable state.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", std::io::Error::last_os_error());
    if pid == 0 {
        // SAFETY: this prctl(2) accesses no memory of this program.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        // SAFETY: getppid(2) accesses no memory.
        let parent_now = unsafe { libc::getppid() };
        let succeeded =
            parent_now.cast_unsigned() == parent && catch_unwind(AssertUnwindSafe(body)).is_ok();
        exit(if succeeded { 0 } else { FAILED });
    }
    Process { pid }
}

/// Starts a child that has copies of all descriptors of this process and makes no use of them. It calls
/// `begin`, and ends when `is_over` returns true.
pub(crate) fn start_idle_child(begin: impl Fn(), is_over: impl Fn() -> bool) {
    // SAFETY: this process has one thread, so the child finds every lock in a usable state.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        begin();
        idle(is_over);
    }
}

/// Does nothing until `is_over` returns true. Then ends this process.
pub(crate) fn idle(is_over: impl Fn() -> bool) -> ! {
    while !is_over() {
        thread::sleep(Duration::from_millis(2));
    }
    exit(0);
}

/// Returns whether a process exists. A zombie exists.
pub(crate) fn exists(pid: u32) -> bool {
    // SAFETY: signal 0 is not sent, and kill(2) accesses no memory.
    unsafe { libc::kill(pid.cast_signed(), 0) == 0 }
}

/// Sets a variable of the environment. This process has one thread.
pub(crate) fn set_variable(name: &str, value: impl AsRef<OsStr>) {
    // SAFETY: no other thread reads the environment.
    unsafe { env::set_var(name, value) };
}

/// Waits until all children of this process have ended.
pub(crate) fn reap_all() {
    while reap(0) {}
}

/// Reaps the children of this process that have ended.
pub(crate) fn reap_ended() {
    while reap(libc::WNOHANG) {}
}

fn reap(options: i32) -> bool {
    // SAFETY: waitpid(2) with a null pointer accesses no memory.
    unsafe { libc::waitpid(-1, std::ptr::null_mut(), options) > 0 }
}

/// Ends this process without dropping any value.
pub(crate) fn exit(code: i32) -> ! {
    // SAFETY: _exit(2) does not return.
    unsafe { libc::_exit(code) }
}

/// Makes orphans of children of this process children of this process, so that it can reap them.
pub(crate) fn adopt_orphans() {
    // SAFETY: this prctl(2) accesses no memory of this program.
    let result = unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

impl Process {
    /// Returns the state of the process. A zombie stays a zombie.
    pub(crate) fn state(&self) -> State {
        self.await_state(libc::WEXITED | libc::WSTOPPED | libc::WNOHANG)
    }

    fn await_state(&self, options: i32) -> State {
        // SAFETY: all fields of this C structure may be zero.
        let mut info: libc::siginfo_t = unsafe { mem::zeroed() };
        let id = self.pid.cast_unsigned();
        // SAFETY: waitid(2) writes to the structure, which is a local variable.
        let result =
            unsafe { libc::waitid(libc::P_PID, id, &raw mut info, options | libc::WNOWAIT) };
        assert_eq!(result, 0, "waitid: {}", std::io::Error::last_os_error());
        // SAFETY: waitid(2) filled in the fields of SIGCHLD, or left the zeros.
        let pid = unsafe { info.si_pid() };
        // SAFETY: waitid(2) filled in the fields of SIGCHLD, or left the zeros.
        let status = unsafe { info.si_status() };
        match info.si_code {
            _ if pid == 0 => State::Runs,
            libc::CLD_EXITED => State::Exited(status),
            libc::CLD_STOPPED => State::Stopped,
            _ => State::Killed,
        }
    }

    /// Kills the process, and waits until it is a zombie. The kernel has freed its locks then.
    pub(crate) fn kill(&self) -> State {
        self.signal(libc::SIGKILL);
        self.await_state(libc::WEXITED)
    }

    /// Stops the process, and waits until it is stopped or dead.
    pub(crate) fn stop(&self) {
        self.signal(libc::SIGSTOP);
        self.await_state(libc::WEXITED | libc::WSTOPPED);
    }

    /// Continues the stopped process.
    pub(crate) fn resume(&self) {
        self.signal(libc::SIGCONT);
    }

    fn signal(&self, signal: i32) {
        // SAFETY: the pid belongs to a child that was not reaped, and kill(2) accesses no memory.
        let result = unsafe { libc::kill(self.pid, signal) };
        assert_eq!(result, 0, "kill: {}", std::io::Error::last_os_error());
    }

    /// Waits until the process ends by itself. Returns whether it found no fault.
    pub(crate) fn join(self) -> bool {
        self.await_state(libc::WEXITED) == State::Exited(0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SAFETY: the pid belongs to a child that was not reaped, and kill(2) accesses no memory.
        unsafe { libc::kill(self.pid, libc::SIGKILL) };
        // SAFETY: waitpid(2) with a null pointer accesses no memory.
        unsafe { libc::waitpid(self.pid, std::ptr::null_mut(), 0) };
    }
}
