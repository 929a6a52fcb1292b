use std::time::Duration;

use super::{Event, Mutex, MutexGuard, Semaphore};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::sync::{self, Got};

/// As many as can be waited for at once, as on Windows (`MAXIMUM_WAIT_OBJECTS`).
const MOST: usize = 64;

/// One of several to wait for.
#[derive(Clone, Copy, Debug)]
pub enum Waitable<'a> {
    /// Until it is free; then it is locked.
    Mutex(&'a Mutex),
    /// Until it has happened.
    Event(&'a Event),
    /// Until its count is more than zero; then one is taken off.
    Semaphore(&'a Semaphore),
}

impl<'a> From<&'a Mutex> for Waitable<'a> {
    fn from(mutex: &'a Mutex) -> Waitable<'a> {
        Waitable::Mutex(mutex)
    }
}

impl<'a> From<&'a Event> for Waitable<'a> {
    fn from(event: &'a Event) -> Waitable<'a> {
        Waitable::Event(event)
    }
}

impl<'a> From<&'a Semaphore> for Waitable<'a> {
    fn from(semaphore: &'a Semaphore) -> Waitable<'a> {
        Waitable::Semaphore(semaphore)
    }
}

/// What was waited for and is had.
#[derive(Debug)]
#[must_use = "a mutex is free again as soon as this is dropped"]
pub struct Had<'a> {
    /// Which one, counted from zero.
    pub index: usize,
    /// If that one is a mutex.
    pub guard: Option<MutexGuard<'a>>,
}

impl<'a> Waitable<'a> {
    fn object(self) -> sync::Waitable<'a> {
        match self {
            Waitable::Mutex(mutex) => sync::Waitable::Mutex(&mutex.object),
            Waitable::Event(event) => sync::Waitable::Event(&event.object),
            Waitable::Semaphore(semaphore) => sync::Waitable::Semaphore(&semaphore.object),
        }
    }

    fn had(self, index: usize, got: Got) -> Had<'a> {
        let guard = match self {
            Waitable::Mutex(mutex) => Some(mutex.guard(got)),
            Waitable::Event(_) | Waitable::Semaphore(_) => None,
        };
        Had { index, guard }
    }
}

/// Waits until one of them can be had, and takes that one alone: of several, the first in the list.
///
/// # Errors
///
/// [`InvalidInput`](ErrorKind::InvalidInput): there are none, or more than 64, or this thread has
/// one of the mutexes already. Otherwise the system's refusal to let us wait.
///
/// ```
/// use pagemate::sync::{EventOptions, Reset, SemaphoreOptions, wait_any};
///
/// # fn main() -> pagemate::Result<()> {
/// let quit = EventOptions::new(Reset::Manual).create_unnamed()?;
/// let jobs = SemaphoreOptions::new(1, 10).create_unnamed()?;
/// let had = wait_any(&[(&quit).into(), (&jobs).into()])?;
/// assert_eq!(had.index, 1);
/// # Ok(())
/// # }
/// ```
#[doc(alias("WaitForMultipleObjects"))]
pub fn wait_any<'a>(list: &[Waitable<'a>]) -> Result<Had<'a>> {
    match any(list, Deadline::Never)? {
        Some(had) => Ok(had),
        None => unreachable!("there is no end to the wait"),
    }
}

/// As [`wait_any`], for this long at most; `None` if there was nothing to be had all the time.
///
/// # Errors
///
/// As [`wait_any`].
pub fn wait_any_for<'a>(list: &[Waitable<'a>], time: Duration) -> Result<Option<Had<'a>>> {
    any(list, Deadline::after(time))
}

fn any<'a>(list: &[Waitable<'a>], deadline: Deadline) -> Result<Option<Had<'a>>> {
    let call = "wait for any of several";
    let objects = objects(list).map_err(|error| error.during(call, ""))?;
    let had = sync::wait_any(&objects, deadline).map_err(|error| error.during(call, ""))?;
    Ok(had.map(|(index, got)| list[index].had(index, got)))
}

/// Waits until all of them can be had at once, and takes them all. Until then it takes none.
///
/// On Unix some are taken for a moment and given back when the last turns out not to be there:
/// whoever only looks, and does not wait, may not find them in that moment. On Windows the kernel does
/// not say which of several mutexes was abandoned: if one was, it is said of each.
///
/// # Errors
///
/// As [`wait_any`].
#[doc(alias("WaitForMultipleObjects"))]
pub fn wait_all<'a>(list: &[Waitable<'a>]) -> Result<Vec<Had<'a>>> {
    match all(list, Deadline::Never)? {
        Some(had) => Ok(had),
        None => unreachable!("there is no end to the wait"),
    }
}

/// As [`wait_all`], for this long at most; `None` if they were not all there in time.
///
/// # Errors
///
/// As [`wait_any`].
pub fn wait_all_for<'a>(list: &[Waitable<'a>], time: Duration) -> Result<Option<Vec<Had<'a>>>> {
    all(list, Deadline::after(time))
}

fn all<'a>(list: &[Waitable<'a>], deadline: Deadline) -> Result<Option<Vec<Had<'a>>>> {
    let call = "wait for all of several";
    let objects = objects(list).map_err(|error| error.during(call, ""))?;
    let had = sync::wait_all(&objects, deadline).map_err(|error| error.during(call, ""))?;
    let had = had.map(|had| had.into_iter().enumerate());
    Ok(had.map(|had| had.map(|(index, got)| list[index].had(index, got)).collect()))
}

fn objects<'a>(list: &[Waitable<'a>]) -> Result<Vec<sync::Waitable<'a>>> {
    if list.is_empty() || list.len() > MOST {
        let cause = format!("there are {} to wait for, and it has to be 1 to {MOST}", list.len());
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    let twice = |(i, one): (usize, &Waitable<'_>)| {
        list[..i].iter().any(|other| match (one, other) {
            (Waitable::Mutex(a), Waitable::Mutex(b)) => std::ptr::eq(*a, *b),
            (Waitable::Event(a), Waitable::Event(b)) => std::ptr::eq(*a, *b),
            (Waitable::Semaphore(a), Waitable::Semaphore(b)) => std::ptr::eq(*a, *b),
            _ => false,
        })
    };
    if list.iter().enumerate().any(twice) {
        let cause = "one of them is in the list twice";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    Ok(list.iter().map(|one| one.object()).collect())
}
