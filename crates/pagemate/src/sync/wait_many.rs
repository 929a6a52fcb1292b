use std::time::{Duration, Instant};

use super::{Event, Mutex, MutexGuard, Permit, Semaphore};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::sync;

/// The greatest number of objects in one wait, as on Windows (`MAXIMUM_WAIT_OBJECTS`).
const MAX_OBJECTS: usize = 64;

/// An object that [`wait_any`] and [`wait_all`] can wait for. Create it with `into()` from a reference.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Waitable<'a> {
    /// Wait until no thread holds the mutex; this thread then acquires it.
    Mutex(&'a Mutex),
    /// Wait until the event is signaled; an auto-reset event is then reset.
    Event(&'a Event),
    /// Wait until the count is greater than zero; it is then decremented.
    Semaphore(&'a Semaphore),
    /// Wait until an endpoint of a channel can go on. This is for [`wait_any`] and its variants only.
    Ready(&'a Ready<'a>),
}

/// The state that an endpoint of a channel waits for: a message or room for one. Its methods named `ready`
/// return it, such as [`Receiver::ready`](crate::channel::Receiver::ready).
///
/// A wait for it ends too when the endpoint cannot go on because its peers have ended. It takes no message:
/// drop this value after the wait, and call the endpoint.
#[derive(Debug)]
pub struct Ready<'a>(Box<dyn sync::Source + 'a>);

impl<'a> Ready<'a> {
    pub(crate) fn new(source: impl sync::Source + 'a) -> Ready<'a> {
        Ready(Box::new(source))
    }
}

impl<'a> From<&'a Ready<'_>> for Waitable<'a> {
    fn from(ready: &'a Ready<'_>) -> Waitable<'a> {
        Waitable::Ready(ready)
    }
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

/// One acquired object of a wait for several. Dropping it unlocks a mutex and releases a permit.
#[derive(Debug)]
#[must_use = "dropping it unlocks a mutex and releases a permit"]
#[non_exhaustive]
pub struct Acquired<'a> {
    /// The index of the object in the list, from zero.
    pub index: usize,
    /// The guard of the object, if it is a mutex.
    pub guard: Option<MutexGuard<'a>>,
    /// The permit of the object, if it is a semaphore.
    pub permit: Option<Permit<'a>>,
}

impl<'a> Waitable<'a> {
    fn object(self) -> sync::Waitable<'a> {
        match self {
            Waitable::Mutex(mutex) => sync::Waitable::Mutex(&mutex.object),
            Waitable::Event(event) => sync::Waitable::Event(&event.object),
            Waitable::Semaphore(semaphore) => sync::Waitable::Semaphore(&semaphore.object),
            Waitable::Ready(Ready(source)) => sync::Waitable::Source(source.as_ref()),
        }
    }

    fn into_acquired(self, index: usize, how: sync::Acquired) -> Acquired<'a> {
        let (guard, permit) = match self {
            Waitable::Mutex(mutex) => (Some(mutex.guard(how)), None),
            Waitable::Event(_) | Waitable::Ready(_) => (None, None),
            Waitable::Semaphore(semaphore) => (None, Some(semaphore.permit())),
        };
        Acquired { index, guard, permit }
    }
}

/// Blocks until one object of the list is available, and acquires only that object.
///
/// If several objects are available, this acquires the first one in the list.
///
/// # Errors
///
/// - [`InvalidInput`](ErrorKind::InvalidInput): the list is empty, has more than 64 objects or contains
///   an object twice, or this thread already holds one of the mutexes.
/// - The errors of [`Mutex::lock`], [`Event::wait`] and [`Semaphore::acquire`].
///
/// # Examples
///
/// ```
/// use pagemate::sync::{EventOptions, Reset, SemaphoreOptions, wait_any};
///
/// # fn main() -> pagemate::Result<()> {
/// let quit = EventOptions::new(Reset::Manual).create_unnamed()?;
/// let jobs = SemaphoreOptions::new(1, 10).create_unnamed()?;
/// let acquired = wait_any(&[(&quit).into(), (&jobs).into()])?;
/// assert_eq!(acquired.index, 1);
/// # Ok(())
/// # }
/// ```
#[doc(alias("WaitForMultipleObjects"))]
pub fn wait_any<'a>(list: &[Waitable<'a>]) -> Result<Acquired<'a>> {
    match any(list, Deadline::Never)? {
        Some(acquired) => Ok(acquired),
        None => unreachable!("a wait without a deadline does not time out"),
    }
}

/// Acquires an object like [`wait_any`], without blocking. Returns `None` if none is available.
///
/// # Errors
///
/// The errors of [`wait_any`].
pub fn try_wait_any<'a>(list: &[Waitable<'a>]) -> Result<Option<Acquired<'a>>> {
    any(list, Deadline::Now)
}

/// Blocks like [`wait_any`], for at most `time`. Returns `None` after a timeout.
///
/// # Errors
///
/// The errors of [`wait_any`].
pub fn wait_any_for<'a>(list: &[Waitable<'a>], time: Duration) -> Result<Option<Acquired<'a>>> {
    any(list, Deadline::after(time))
}

/// Blocks like [`wait_any`], at the latest until `end`. Returns `None` after that.
///
/// # Errors
///
/// The errors of [`wait_any`].
pub fn wait_any_until<'a>(list: &[Waitable<'a>], end: Instant) -> Result<Option<Acquired<'a>>> {
    any(list, Deadline::At(end))
}

fn any<'a>(list: &[Waitable<'a>], deadline: Deadline) -> Result<Option<Acquired<'a>>> {
    let call = "wait for any of several";
    let objects = checked_objects(list).map_err(|error| error.during(call, ""))?;
    let acquired = sync::wait_any(&objects, deadline).map_err(|error| error.during(call, ""))?;
    Ok(acquired.map(|(index, acquired)| list[index].into_acquired(index, acquired)))
}

/// Blocks until all objects of the list are available at the same time, and acquires them all.
///
/// While the call blocks, other threads can acquire the objects that are available. On Unix there are
/// exceptions, see below.
///
/// # Platforms
///
/// On Unix the call acquires the objects one after the other, and releases them again if the last one is
/// not available. A concurrent `try_lock`, `try_acquire` or wait with timeout zero may fail in that
/// moment. If each object is released from time to time, but never all of them at once, the call holds
/// some of them for up to 20 ms while it waits for the next.
///
/// On Windows the kernel does not report which of several mutexes was abandoned. If one was, every guard
/// reports it.
///
/// # Errors
///
/// - [`InvalidInput`](ErrorKind::InvalidInput): two handles of the list refer to the same object.
/// - The errors of [`wait_any`].
///
/// # Examples
///
/// ```
/// use pagemate::sync::{MutexOptions, SemaphoreOptions, wait_all};
///
/// # fn main() -> pagemate::Result<()> {
/// let mutex = MutexOptions::new().create_new(format!("doc-all-{}", std::process::id()))?;
/// let jobs = SemaphoreOptions::new(1, 10).create_unnamed()?;
/// let acquired = wait_all(&[(&mutex).into(), (&jobs).into()])?;
/// assert!(acquired[0].guard.is_some());
/// assert!(jobs.try_acquire()?.is_none());
/// # Ok(())
/// # }
/// ```
#[doc(alias("WaitForMultipleObjects"))]
pub fn wait_all<'a>(list: &[Waitable<'a>]) -> Result<Vec<Acquired<'a>>> {
    match all(list, Deadline::Never)? {
        Some(acquired) => Ok(acquired),
        None => unreachable!("a wait without a deadline does not time out"),
    }
}

/// Acquires all objects like [`wait_all`], without blocking. Returns `None` if one is not available, and
/// then holds none of them.
///
/// # Errors
///
/// The errors of [`wait_any`].
pub fn try_wait_all<'a>(list: &[Waitable<'a>]) -> Result<Option<Vec<Acquired<'a>>>> {
    all(list, Deadline::Now)
}

/// Blocks like [`wait_all`], for at most `time`. Returns `None` after a timeout, and then holds none of
/// the objects.
///
/// # Errors
///
/// The errors of [`wait_any`].
pub fn wait_all_for<'a>(
    list: &[Waitable<'a>],
    time: Duration,
) -> Result<Option<Vec<Acquired<'a>>>> {
    all(list, Deadline::after(time))
}

/// Blocks like [`wait_all`], at the latest until `end`. Returns `None` after that, and then holds none of
/// the objects.
///
/// # Errors
///
/// The errors of [`wait_any`].
pub fn wait_all_until<'a>(
    list: &[Waitable<'a>],
    end: Instant,
) -> Result<Option<Vec<Acquired<'a>>>> {
    all(list, Deadline::At(end))
}

fn all<'a>(list: &[Waitable<'a>], deadline: Deadline) -> Result<Option<Vec<Acquired<'a>>>> {
    let call = "wait for all of several";
    let objects = checked_objects(list).map_err(|error| error.during(call, ""))?;
    let acquired = sync::wait_all(&objects, deadline).map_err(|error| error.during(call, ""))?;
    let acquired = acquired.map(|all| all.into_iter().enumerate());
    Ok(acquired.map(|all| {
        all.map(|(index, acquired)| list[index].into_acquired(index, acquired)).collect()
    }))
}

/// Returns the objects of the list. Fails if the list is too long or contains an object twice.
fn checked_objects<'a>(list: &[Waitable<'a>]) -> Result<Vec<sync::Waitable<'a>>> {
    if list.is_empty() || list.len() > MAX_OBJECTS {
        let cause = format!("the list has {} objects; it must have 1 to {MAX_OBJECTS}", list.len());
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
        let cause = "the list contains the same object twice";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    Ok(list.iter().map(|one| one.object()).collect())
}
