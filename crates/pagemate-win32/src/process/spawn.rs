//! Starting programs, as Microsoft's C library does. They have the handles that are inheritable.
#![allow(unsafe_code, reason = "exported under the names of Microsoft's C library")]

use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};
use std::time::Duration;

use rustix::process::Pid;

use super::launch;
use super::object::{Process, exit_code};
use crate::error::{INVALID_PARAMETER, Result};
use crate::handle::rights;
use crate::handle::table::{self as handle, Entry, Object};
use crate::pointer::write_unless_null;

/// `_P_WAIT`, `_P_NOWAIT`, `_P_OVERLAY`.
const WAIT: i32 = 0;
const NOWAIT: i32 = 1;
const OVERLAY: i32 = 2;

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
        // SAFETY: a thread that changes it meanwhile breaks every other call too.
        unsafe { launch::environment() }
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
    started(id, mode).unwrap_or_else(|_| fail(libc::EAGAIN))
}

/// The handle of a child, or its exit code.
fn started(id: libc::pid_t, mode: i32) -> Result<isize> {
    let child = Process::child(Pid::from_raw(id).ok_or(INVALID_PARAMETER)?)?;
    if mode != NOWAIT {
        return wait(&child).map(|code| code.cast_signed() as isize);
    }
    let entry = Entry { object: Object::Process(child), access: rights::PROCESS.all };
    Ok(handle::open(entry, false)?.addr().cast_signed())
}

/// Waits for a child to end, and returns its exit code.
fn wait(child: &Process) -> Result<u32> {
    child.wait(Duration::MAX)?;
    exit_code(child)
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
    let number = process.cast_unsigned();
    let handle = std::ptr::without_provenance_mut(number);
    let child = handle::process(handle).ok().filter(|_| number != handle::CURRENT_PROCESS);
    let Some((child, _)) = child else { return fail(libc::ECHILD) };
    let code = wait(&child);
    handle::CloseHandle(handle);
    let Ok(code) = code else { return fail(libc::ECHILD) };
    // SAFETY: the caller says that it can be written to, unless it is null.
    unsafe { write_unless_null(status, code.cast_signed()) };
    process
}

/// This process' number.
#[unsafe(no_mangle)]
pub extern "C" fn _getpid() -> i32 {
    std::process::id().cast_signed()
}
