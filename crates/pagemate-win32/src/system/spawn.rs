//! Starting programs, as Microsoft's C library does. They have the handles that are inheritable.
#![allow(unsafe_code, reason = "exported under the names of Microsoft's C library")]

use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};

use crate::pointer::tell;

/// `_P_WAIT`, `_P_NOWAIT`, `_P_OVERLAY`.
const WAIT: i32 = 0;
const NOWAIT: i32 = 1;
const OVERLAY: i32 = 2;

/// A process' number is what the system calls it, and more than any handle's.
const PROCESS: isize = 1 << 32;

unsafe extern "C" {
    static environ: *const *const c_char;
}

fn fail(errno: i32) -> isize {
    // SAFETY: each thread has its own.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: it can be written to.
    unsafe { place.write(errno) };
    -1
}

/// Starts `program`, and waits for it or not.
///
/// # Safety
///
/// `program` is null or ends in a NUL; the others are null or end in a null pointer, and what stands
/// before it ends in a NUL.
unsafe fn spawn(
    mode: i32,
    program: *const c_char,
    arguments: *const *const c_char,
    environment: *const *const c_char,
    search: bool,
) -> isize {
    if program.is_null() || arguments.is_null() || !(WAIT..=OVERLAY).contains(&mode) {
        return fail(libc::EINVAL);
    }
    // SAFETY: not null, and the caller says that it ends.
    if unsafe { CStr::from_ptr(program) }.is_empty() {
        return fail(libc::EINVAL);
    }
    let environment = if environment.is_null() {
        // SAFETY: the C library's own. Who changes it meanwhile breaks every other call too.
        unsafe { environ }
    } else {
        environment
    };
    if mode == OVERLAY {
        let exec = if search { libc::execvpe } else { libc::execve };
        // SAFETY: the caller's promise.
        unsafe { exec(program, arguments, environment) };
        let error = std::io::Error::last_os_error().raw_os_error();
        return fail(error.unwrap_or(libc::EINVAL));
    }
    let start = if search { libc::posix_spawnp } else { libc::posix_spawn };
    let mut id = 0;
    // SAFETY: the caller's promise. It takes the pointers for mutable and changes nothing.
    let error = unsafe {
        start(&raw mut id, program, null(), null(), arguments.cast(), environment.cast())
    };
    if error != 0 {
        return fail(error);
    }
    if mode == NOWAIT { PROCESS + id as isize } else { wait(id).unwrap_or(-1) }
}

/// Waits for a child to end; what it ended with, or 128 and the signal that ended it.
fn wait(id: libc::pid_t) -> Option<isize> {
    let mut status = 0;
    loop {
        // SAFETY: there is room for the status.
        let ended = unsafe { libc::waitpid(id, &raw mut status, 0) };
        if ended == id {
            break;
        }
        if std::io::Error::last_os_error().kind() != std::io::ErrorKind::Interrupted {
            return None;
        }
    }
    let code = if libc::WIFEXITED(status) {
        libc::WEXITSTATUS(status)
    } else {
        128 + libc::WTERMSIG(status)
    };
    Some(code as isize)
}

/// Starts the program at a path.
///
/// # Safety
///
/// `program` is null or ends in a NUL; `arguments` is null or ends in a null pointer, and what stands
/// before it ends in a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spawnv(
    mode: i32,
    program: *const c_char,
    arguments: *const *const c_char,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { spawn(mode, program, arguments, null_mut(), false) }
}

/// Starts a program that is looked for where commands are.
///
/// # Safety
///
/// As [`_spawnv`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spawnvp(
    mode: i32,
    program: *const c_char,
    arguments: *const *const c_char,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { spawn(mode, program, arguments, null_mut(), true) }
}

/// Starts the program at a path in an environment of the caller's; without one, in this one.
///
/// # Safety
///
/// As [`_spawnv`], for `environment` too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spawnve(
    mode: i32,
    program: *const c_char,
    arguments: *const *const c_char,
    environment: *const *const c_char,
) -> isize {
    // SAFETY: the caller's promise.
    unsafe { spawn(mode, program, arguments, environment, false) }
}

/// Waits for a program that was started without waiting.
///
/// # Safety
///
/// `status` is null or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _cwait(status: *mut i32, process: isize, _action: i32) -> isize {
    let id = process.checked_sub(PROCESS).and_then(|id| libc::pid_t::try_from(id).ok());
    let Some(id) = id.filter(|id| *id > 0) else { return fail(libc::ECHILD) };
    let Some(code) = wait(id) else { return -1 };
    // SAFETY: the caller says that it can be written to, unless it is null.
    unsafe { tell(status, i32::try_from(code).unwrap_or(-1)) };
    process
}

/// This process' number.
#[unsafe(no_mangle)]
pub extern "C" fn _getpid() -> i32 {
    std::process::id().cast_signed()
}
