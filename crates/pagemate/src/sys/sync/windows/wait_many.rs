//! Waits for any or for all of several objects.

use std::os::windows::io::BorrowedHandle;

use super::super::{Acquired, Waitable};
use super::wait::{self, WaitFor};
use crate::deadline::Deadline;
use crate::error::Result;

impl<'a> Waitable<'a> {
    /// Returns the handle to wait for, or an error if the calling thread owns the mutex.
    fn wait_handle(self) -> Result<BorrowedHandle<'a>> {
        Ok(match self {
            Waitable::Mutex(mutex) => mutex.wait_handle()?,
            Waitable::Event(event) => event.handle(),
            Waitable::Semaphore(semaphore) => semaphore.handle(),
        })
    }

    /// Records that the calling thread acquired the object, and returns how.
    fn record_acquired(self, how: Acquired) -> Acquired {
        match self {
            Waitable::Mutex(mutex) => mutex.record_acquired(how),
            Waitable::Event(_) | Waitable::Semaphore(_) => Acquired::Released,
        }
    }
}

fn several(
    list: &[Waitable<'_>],
    wait_for: WaitFor,
    deadline: Deadline,
) -> Result<Option<(usize, Acquired)>> {
    let handles = list.iter().map(|one| one.wait_handle()).collect::<Result<Vec<_>>>()?;
    wait::several(&handles, wait_for, deadline)
}

/// Waits until one of the objects is acquired, the first available one of the list. Returns its index,
/// and how it was acquired.
pub(crate) fn wait_any(
    list: &[Waitable<'_>],
    deadline: Deadline,
) -> Result<Option<(usize, Acquired)>> {
    let acquired = several(list, WaitFor::Any, deadline)?;
    Ok(acquired.map(|(index, how)| (index, list[index].record_acquired(how))))
}

/// Waits until all of the objects are acquired, and acquires none before. Returns how each of them was
/// acquired.
///
/// The kernel reports that one of the mutexes was abandoned, but not which one. Each mutex of the
/// list is then reported as abandoned. A needless check of consistent data only costs time, and a
/// missing check of inconsistent data is an error.
pub(crate) fn wait_all(list: &[Waitable<'_>], deadline: Deadline) -> Result<Option<Vec<Acquired>>> {
    let acquired = several(list, WaitFor::All, deadline)?;
    Ok(acquired.map(|(_, how)| list.iter().map(|one| one.record_acquired(how)).collect()))
}
