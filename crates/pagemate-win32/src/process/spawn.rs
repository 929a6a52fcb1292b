//! The `_spawn…` calls of Microsoft's C library. Their children inherit the inheritable handles.
#![allow(unsafe_code, reason = "exported under the names of Microsoft's C library")]

use std::ffi::{CStr, c_char};
use std::ptr::{null, null_mut};
use std::time::Duration;

use rustix::process::Pid;

use super::{children, launch};
use crate::error::{INVALID_PARAMETER, Result};
use crate::handle::close::CloseHandle;
use crate::handle::entry::{Entry, Object};
use crate::handle::number::CURRENT_PROCESS;
use crate::handle::process_table as handle;
use crate::handle::rights;
use crate::object::process::{Process, exit_code};
use crate::pointer::write_unless_null;

/// `_P_WAIT`, `_P_NOWAIT`, `_P_OVERLAY`.
const WAIT: i32 = 0;
const NOWAIT: i32 = 1;
const OVERLAY: i32 = 2;

fn fail_with(errno: i32) -> isize {
    // SAFETY: `errno` exists for each thread.
    let address = unsafe { libc::__errno_location() };
    // SAFETY: the address of `errno` is valid for writes.
    unsafe { address.write(errno) };
    -1
}

/// Starts `program`, and waits for it in the mode `_P_WAIT`.
///
/// # Safety
///
/// `program` is null or points to a string that ends in a NUL. `arguments` and `environment` are
/// null or point to arrays of such strings that end in a null pointer.
unsafe fn spawn(
    mode: i32,
    program: *const c_char,
    arguments: *const *const c_char,
    environment: *const *const c_char,
    search: bool,
) -> isize {
    if program.is_null() || arguments.is_null() || !(WAIT..=OVERLAY).contains(&mode) {
        return fail_with(libc::EINVAL);
    }
    // SAFETY: `program` is not null, so the caller guarantees that it points to a string that ends
    // in a NUL.
    if unsafe { CStr::from_ptr(program) }.is_empty() {
        return fail_with(libc::EINVAL);
    }
    let environment = if environment.is_null() {
        // SAFETY: no call of the C library permits another thread to change the environment at the
        // same time.
        unsafe { launch::environment() }
    } else {
        environment
    };
    if mode == OVERLAY {
        let exec = if search { libc::execvpe } else { libc::execve };
        // SAFETY: the caller guarantees that `program` ends in a NUL, and that the arrays hold such
        // strings and end in a null pointer.
        unsafe { exec(program, arguments, environment) };
        let error = std::io::Error::last_os_error().raw_os_error();
        return fail_with(error.unwrap_or(libc::EINVAL));
    }
    let start = if search { libc::posix_spawnp } else { libc::posix_spawn };
    let mut id = 0;
    // SAFETY: the caller guarantees that `program` ends in a NUL, and that the arrays hold such
    // strings and end in a null pointer. The call declares the pointers as mutable, but does not
    // write through them.
    let error = unsafe {
        start(&raw mut id, program, null(), null(), arguments.cast(), environment.cast())
    };
    if error != 0 {
        return fail_with(error);
    }
    started(id, mode).unwrap_or_else(|_| fail_with(libc::EAGAIN))
}

/// Returns the handle of a child, or its exit code.
fn started(id: libc::pid_t, mode: i32) -> Result<isize> {
    let child = children::child(Pid::from_raw(id).ok_or(INVALID_PARAMETER)?)?;
    if mode != NOWAIT {
        return wait(&child).map(|code| code.cast_signed() as isize);
    }
    let entry = Entry { object: Object::Process(child), access: rights::PROCESS.all };
    Ok(handle::open(entry, false)?.addr().cast_signed())
}

/// Waits until a child has terminated, and returns its exit code.
fn wait(child: &Process) -> Result<u32> {
    child.wait(Duration::MAX)?;
    exit_code(child)
}

/// Starts the program at a path.
///
/// # Safety
///
/// `program` is null or points to a string that ends in a NUL; `arguments` is null or points to an
/// array of such strings that ends in a null pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spawnv(
    mode: i32,
    program: *const c_char,
    arguments: *const *const c_char,
) -> isize {
    // SAFETY: the caller guarantees that `program` ends in a NUL, and that `arguments` holds such
    // strings and ends in a null pointer.
    unsafe { spawn(mode, program, arguments, null_mut(), false) }
}

/// Starts a program, which is looked up in `PATH`.
///
/// # Safety
///
/// As for [`_spawnv`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spawnvp(
    mode: i32,
    program: *const c_char,
    arguments: *const *const c_char,
) -> isize {
    // SAFETY: the caller guarantees that `program` ends in a NUL, and that `arguments` holds such
    // strings and ends in a null pointer.
    unsafe { spawn(mode, program, arguments, null_mut(), true) }
}

/// Starts the program at a path, with another environment unless `environment` is null.
///
/// # Safety
///
/// As for [`_spawnv`]; `environment` is as `arguments`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _spawnve(
    mode: i32,
    program: *const c_char,
    arguments: *const *const c_char,
    environment: *const *const c_char,
) -> isize {
    // SAFETY: the caller guarantees that `program` ends in a NUL, and that both arrays hold such
    // strings and end in a null pointer.
    unsafe { spawn(mode, program, arguments, environment, false) }
}

/// Waits for a program that was started with `_P_NOWAIT`.
///
/// # Safety
///
/// `status` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _cwait(status: *mut i32, process: isize, _action: i32) -> isize {
    let number = process.cast_unsigned();
    let handle = std::ptr::without_provenance_mut(number);
    let child = handle::process(handle).ok().filter(|_| number != CURRENT_PROCESS);
    let Some((child, _)) = child else { return fail_with(libc::ECHILD) };
    let code = wait(&child);
    CloseHandle(handle);
    let Ok(code) = code else { return fail_with(libc::ECHILD) };
    // SAFETY: the caller guarantees that `status` is null or valid for writes.
    unsafe { write_unless_null(status, code.cast_signed()) };
    process
}

/// Returns the number of this process.
#[unsafe(no_mangle)]
pub extern "C" fn _getpid() -> i32 {
    std::process::id().cast_signed()
}
