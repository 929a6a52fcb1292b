//! Waits for any or for all of several objects.

use std::os::windows::io::BorrowedHandle;

use super::super::{Acquired, Source, Waitable, not_for_all};
use super::semaphore::Semaphore;
use super::wait::{self, WaitFor};
use crate::deadline::{Deadline, LIVENESS_INTERVAL};
use crate::error::{Error, Result};

/// The semaphore that a thread sleeps on. `None` if the word of the source has changed meanwhile.
pub(crate) type SleepOn<'a> = Semaphore;

impl<'a> Waitable<'a> {
    /// Returns the handle to wait for, or an error if the calling thread owns the mutex. `None` for a
    /// source.
    fn wait_handle(self) -> Result<Option<BorrowedHandle<'a>>> {
        Ok(Some(match self {
            Waitable::Mutex(mutex) => mutex.wait_handle()?,
            Waitable::Event(event) => event.handle(),
            Waitable::Semaphore(semaphore) => semaphore.handle(),
            Waitable::Source(_) => return Ok(None),
        }))
    }

    fn source(self) -> Option<&'a dyn Source> {
        match self {
            Waitable::Source(source) => Some(source),
            _ => None,
        }
    }

    /// Records that the calling thread acquired the object, and returns how.
    fn record_acquired(self, how: Acquired) -> Acquired {
        match self {
            Waitable::Mutex(mutex) => mutex.record_acquired(how),
            Waitable::Event(_) | Waitable::Semaphore(_) | Waitable::Source(_) => Acquired::Released,
        }
    }
}

/// Waits until one of the objects is acquired, the first available one of the list. Returns its index,
/// and how it was acquired.
pub(crate) fn wait_any(
    list: &[Waitable<'_>],
    deadline: Deadline,
) -> Result<Option<(usize, Acquired)>> {
    let acquired = if list.iter().any(|one| one.source().is_some()) {
        any_with_sources(list, deadline)?
    } else {
        let handles =
            list.iter().map(|one| one.wait_handle()).collect::<Result<Option<Vec<_>>>>()?;
        wait::several(&handles.unwrap_or_default(), WaitFor::Any, deadline)?
    };
    Ok(acquired.map(|(index, how)| (index, list[index].record_acquired(how))))
}

/// Waits like [`wait_any`] for a list with sources. A thread sleeps on the semaphores of sources together
/// with the sync objects.
fn any_with_sources(
    list: &[Waitable<'_>],
    deadline: Deadline,
) -> Result<Option<(usize, Acquired)>> {
    let cannot_wait = |error| Error::os("it cannot be waited for", error);
    loop {
        if let Some(found) = try_any(list, true)? {
            return Ok(Some(found));
        }
        let Some(time) = deadline.next(LIVENESS_INTERVAL) else { return Ok(None) };
        let sources = || list.iter().filter_map(|one| one.source());
        let semaphores = sources().map(|source| source.begin_sleep().map_err(cannot_wait));
        let semaphores = semaphores.collect::<Result<Vec<Semaphore>>>();
        let slept = semaphores.and_then(|semaphores| {
            // A source that became ready before it found the semaphore does not release it.
            if sources().any(|source| source.is_ready(false)) {
                return Ok(None);
            }
            let mut semaphores = semaphores.iter();
            let mut handles = Vec::with_capacity(list.len());
            for one in list {
                let semaphore = || semaphores.next().expect("one for each source").handle();
                handles.push(one.wait_handle()?.unwrap_or_else(semaphore));
            }
            wait::several(&handles, WaitFor::Any, Deadline::after(time))
        });
        sources().for_each(Source::end_sleep);
        // A semaphore only reports that its source may be ready.
        if let Some((index, how)) = slept?
            && list[index].source().is_none()
        {
            sources().for_each(Source::pass_on_wake);
            return Ok(Some((index, how)));
        }
    }
}

/// Acquires the first object of the list that is available.
fn try_any(list: &[Waitable<'_>], check_liveness: bool) -> Result<Option<(usize, Acquired)>> {
    for (index, one) in list.iter().enumerate() {
        let acquired = if let Some(handle) = one.wait_handle()? {
            wait::one(handle, Deadline::Now)?
        } else {
            let is_ready = one.source().is_some_and(|source| source.is_ready(check_liveness));
            is_ready.then_some(Acquired::Released)
        };
        if let Some(acquired) = acquired {
            return Ok(Some((index, acquired)));
        }
    }
    Ok(None)
}

/// Waits until all of the objects are acquired, and acquires none before. Returns how each of them was
/// acquired.
///
/// The kernel reports that one of the mutexes was abandoned, but not which one. Each mutex of the
/// list is then reported as abandoned. A needless check of consistent data only costs time, and a
/// missing check of inconsistent data is an error.
pub(crate) fn wait_all(list: &[Waitable<'_>], deadline: Deadline) -> Result<Option<Vec<Acquired>>> {
    let handles = list.iter().map(|one| one.wait_handle()).collect::<Result<Option<Vec<_>>>>()?;
    let acquired = wait::several(&handles.ok_or_else(not_for_all)?, WaitFor::All, deadline)?;
    Ok(acquired.map(|(_, how)| list.iter().map(|one| one.record_acquired(how)).collect()))
}
