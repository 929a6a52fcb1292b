//! `OpenProcess`.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::sync::Arc;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::children;
use crate::error::{ACCESS_DENIED, INVALID_PARAMETER, Result, answer};
use crate::handle::entry::{Entry, Object};
use crate::handle::number::Handle;
use crate::handle::process_table as handle;
use crate::handle::rights::{self, TERMINATE};
use crate::object::process::Process;

/// Returns the process with a number.
fn find(id: u32) -> Result<Arc<Process>> {
    let raw = i32::try_from(id).ok().and_then(Pid::from_raw).ok_or(INVALID_PARAMETER)?;
    children::reap();
    let known = handle::find_process(id).or_else(|| children::find(id));
    match pidfd_open(raw, PidfdFlags::empty()) {
        // Two running processes never have the same number. So if the process with the known handle
        // still runs, it is this process.
        Ok(fd) => {
            let same = known.filter(|known| known.end().is_none());
            Ok(same.unwrap_or_else(|| Arc::new(Process::new(id, fd))))
        }
        // No process has this number, or only a thread has it. If a handle to a terminated process
        // with this number is open, that process is the result.
        Err(Errno::SRCH | Errno::INVAL) => known.ok_or(INVALID_PARAMETER),
        Err(error) => Err(error.into()),
    }
}

fn open(access: u32, inherit: bool, id: u32) -> Result<Handle> {
    let process = find(id)?;
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

/// Opens the process with a number.
#[unsafe(no_mangle)]
pub extern "C" fn OpenProcess(access: u32, inherit: i32, id: u32) -> Handle {
    answer("OpenProcess", open(access, inherit != 0, id), std::ptr::null_mut())
}
