//! Waiting for any or for all of several.

use std::os::windows::io::BorrowedHandle;

use super::super::{Got, Waitable};
use super::wait::{self, Which};
use crate::deadline::Deadline;
use crate::error::Result;

impl<'a> Waitable<'a> {
    /// What the kernel waits for.
    fn prepared(self) -> Result<BorrowedHandle<'a>> {
        Ok(match self {
            Waitable::Mutex(mutex) => mutex.prepared()?,
            Waitable::Event(event) => event.handle(),
            Waitable::Semaphore(semaphore) => semaphore.handle(),
        })
    }

    /// We have it from now on.
    fn have(self, got: Got) -> Got {
        match self {
            Waitable::Mutex(mutex) => mutex.have(got),
            Waitable::Event(_) | Waitable::Semaphore(_) => Got::Released,
        }
    }
}

fn several(
    list: &[Waitable<'_>],
    which: Which,
    deadline: Deadline,
) -> Result<Option<(usize, Got)>> {
    let handles = list.iter().map(|one| one.prepared()).collect::<Result<Vec<_>>>()?;
    wait::several(&handles, which, deadline)
}

/// Waits until one of them is had, the first in the list of those that can be; which, and how.
pub(crate) fn wait_any(list: &[Waitable<'_>], deadline: Deadline) -> Result<Option<(usize, Got)>> {
    let had = several(list, Which::Any, deadline)?;
    Ok(had.map(|(index, got)| (index, list[index].have(got))))
}

/// Waits until all of them are had, and takes none before; how each.
///
/// Of locks that were abandoned the kernel tells that there are some. So it is said of each lock in
/// the list: one too many who looks what was left is better than one too few.
pub(crate) fn wait_all(list: &[Waitable<'_>], deadline: Deadline) -> Result<Option<Vec<Got>>> {
    let had = several(list, Which::All, deadline)?;
    Ok(had.map(|(_, got)| list.iter().map(|one| one.have(got)).collect()))
}
