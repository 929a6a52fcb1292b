//! The child processes that this library must reap.
//!
//! A terminated child stays a zombie until its parent waits for it. A program that only closes the
//! handle of a child never waits. So each start of a program reaps the children that have
//! terminated, which bounds the number of zombies by the number of children that existed at the
//! same time.

use std::sync::Arc;

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, pidfd_open, waitid,
};

use crate::error::Result;
use crate::locks::{Protected, Rank};
use crate::object::process::{Process, number};
use crate::object::process_status::is_child;

static CHILDREN: Protected<Vec<Arc<Process>>> = Protected::new(Rank::Children, Vec::new());

/// Returns a child that this library has just started.
///
/// The child cannot have been reaped before, unless the program waits for every child or ignores
/// SIGCHLD.
pub(super) fn child(id: Pid) -> Result<Arc<Process>> {
    let fd = match pidfd_open(id, PidfdFlags::empty()) {
        Ok(fd) if is_child(&fd) => fd,
        // The child has terminated and is already reaped, because the program waits for every child
        // or ignores SIGCHLD. Another process may have its number now, so replace the pidfd by an
        // event that says that the process has terminated.
        Ok(_) | Err(Errno::SRCH) => eventfd(1, EventfdFlags::CLOEXEC)?,
        Err(error) => {
            // This call reports a failure, so terminate the child. No other process can have its
            // number, because the child is not reaped yet.
            _ = kill_process(id, Signal::KILL);
            _ = waitid(WaitId::Pid(id), WaitIdOptions::EXITED);
            return Err(error.into());
        }
    };
    let child = Arc::new(Process::new(number(id), fd));
    add(Arc::clone(&child));
    Ok(child)
}

/// Adds a started child, and reaps terminated children.
fn add(child: Arc<Process>) {
    let mut children = CHILDREN.lock();
    children.retain(|child| child.end().is_none());
    children.push(child);
}

/// Reaps terminated children.
pub(super) fn reap() {
    CHILDREN.lock().retain(|child| child.end().is_none());
}

/// Returns the child with this number.
pub(super) fn find(id: u32) -> Option<Arc<Process>> {
    CHILDREN.lock().iter().find(|child| child.id() == id).cloned()
}
