//! Terminates processes, and reports their exit codes.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::sync::Arc;

use crate::error::{NOACCESS, Result, answer, done};
use crate::handle::number::Handle;
use crate::handle::process_table as handle;
use crate::handle::rights::{QUERY_INFORMATION, QUERY_LIMITED, TERMINATE};
use crate::object::process::{Process, exit_code};
use crate::pointer::write_unless_null;

/// Returns the process of a handle that has at least one of `rights`.
fn process_with(handle: Handle, rights: u32) -> Result<Arc<Process>> {
    Ok(handle::with_right(handle::process(handle)?, rights)?.0)
}

/// Terminates a process by SIGKILL. This process then reports `code` as its exit code. Other
/// processes see that a signal terminated it.
#[unsafe(no_mangle)]
pub extern "C" fn TerminateProcess(handle: Handle, code: u32) -> i32 {
    done(
        "TerminateProcess",
        process_with(handle, TERMINATE).and_then(|process| process.terminate(code)),
    )
}

/// Reports the exit code of a process, or `STILL_ACTIVE`.
///
/// # Safety
///
/// `exit_code_out` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetExitCodeProcess(handle: Handle, exit_code_out: *mut u32) -> i32 {
    done(
        "GetExitCodeProcess",
        process_with(handle, QUERY_INFORMATION | QUERY_LIMITED).and_then(|process| {
            let code = exit_code(&process)?;
            // SAFETY: the caller guarantees that `exit_code_out` is null or valid for writes.
            if unsafe { write_unless_null(exit_code_out, code) } { Ok(()) } else { Err(NOACCESS) }
        }),
    )
}

/// Returns the number of a process; zero if the handle is not a process'.
#[unsafe(no_mangle)]
pub extern "C" fn GetProcessId(handle: Handle) -> u32 {
    answer(
        "GetProcessId",
        process_with(handle, QUERY_INFORMATION | QUERY_LIMITED).map(|process| process.id()),
        0,
    )
}
