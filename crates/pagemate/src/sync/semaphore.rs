use std::mem;
use std::time::{Duration, Instant};

use super::{Identity, open_before, with_name};
use crate::access::Sharing;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, ToName};
use crate::sys::object::Existing;
use crate::sys::sync::{self, Spec};

const KIND: &str = "semaphore";

/// The greatest maximum that a semaphore can have.
const MAX_COUNT: u32 = i32::MAX.cast_unsigned();

/// Options to create a semaphore.
///
/// Set the options that differ from the defaults, then call
/// [`create_new`](SemaphoreOptions::create_new), [`open_or_create`](SemaphoreOptions::open_or_create) or
/// [`create_unnamed`](SemaphoreOptions::create_unnamed).
#[derive(Clone, Debug)]
pub struct SemaphoreOptions {
    sharing: Sharing,
    count: u32,
    max: u32,
}

impl SemaphoreOptions {
    /// Returns the options for a semaphore with the initial count `count` and the maximum `max`, for
    /// the owner alone. `max` must be 1 to 2,147,483,647, and `count` at most `max`.
    pub fn new(count: u32, max: u32) -> SemaphoreOptions {
        SemaphoreOptions { sharing: Sharing::Owner, count, max }
    }

    /// Sets which other users may use a new semaphore: see
    /// [`MutexOptions::sharing`](super::MutexOptions::sharing).
    pub fn sharing(&mut self, sharing: Sharing) -> &mut SemaphoreOptions {
        self.sharing = sharing;
        self
    }

    /// Creates the semaphore `name`.
    ///
    /// # Errors
    ///
    /// The errors of [`MutexOptions::create_new`](super::MutexOptions::create_new), and
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the count or the maximum is out of its range.
    #[doc(alias("CreateSemaphore", "sem_open"))]
    pub fn create_new(&self, name: impl ToName) -> Result<Semaphore> {
        self.create("create", name.to_name(), Existing::Refuse)
    }

    /// Opens the semaphore `name` if some process holds it, and creates it otherwise.
    ///
    /// [`Semaphore::was_created`] returns whether this call created the semaphore. An opened
    /// semaphore keeps its count and its maximum.
    ///
    /// # Errors
    ///
    /// The errors of [`Semaphore::open`] and [`create_new`](SemaphoreOptions::create_new), except
    /// `NotFound` and `AlreadyExists`.
    #[doc(alias("CreateSemaphore", "sem_open"))]
    pub fn open_or_create(&self, name: impl ToName) -> Result<Semaphore> {
        self.create("open or create", name.to_name(), Existing::Open)
    }

    fn create(
        &self,
        call: &'static str,
        name: Result<Name>,
        existing: Existing,
    ) -> Result<Semaphore> {
        let (object, identity) = with_name(call, KIND, name, |name| {
            sync::Semaphore::create(name, &self.spec()?, existing)
        })?;
        Ok(Semaphore { object, identity })
    }

    /// Creates a semaphore without a name. Pass it to another process as a descriptor or handle: see
    /// [`os`](crate::os).
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) if the count or the maximum is out of its range; or the
    /// error of the operating system.
    pub fn create_unnamed(&self) -> Result<Semaphore> {
        let identity = Identity::unnamed(KIND);
        match self.spec().and_then(|spec| sync::Semaphore::unnamed(&spec)) {
            Ok(object) => Ok(Semaphore { object, identity }),
            Err(error) => Err(identity.context("create", error)),
        }
    }

    fn spec(&self) -> Result<Spec> {
        let (count, max) = (self.count, self.max);
        if max == 0 || max > MAX_COUNT || count > max {
            let cause = format!(
                "the count is {count} and the maximum is {max}; the maximum must be 1 to {MAX_COUNT}, \
                 and the count at most the maximum"
            );
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        Ok(Spec::Semaphore { sharing: self.sharing, count, max })
    }
}

/// A count of permits that all processes share.
///
/// [`acquire`](Semaphore::acquire) takes one permit and blocks while there is none. Dropping the
/// [`Permit`] releases it.
///
/// A semaphore can also count events that one process produces and another one consumes. The producer
/// then adds permits by [`release`](Semaphore::release), up to a maximum that is fixed at creation, and
/// the consumer [forgets](Permit::forget) each permit.
///
/// A semaphore keeps no record of its holders. If a process is killed before it releases its permits,
/// these permits are lost. Use a [`Mutex`](super::Mutex) if the death of a holder must not
/// block others.
///
/// # Examples
///
/// ```
/// use pagemate::sync::SemaphoreOptions;
///
/// # fn main() -> pagemate::Result<()> {
/// let connections = SemaphoreOptions::new(2, 2).create_unnamed()?;
/// let first = connections.acquire()?;
/// let second = connections.acquire()?;
/// assert!(connections.try_acquire()?.is_none());
/// drop(first);
/// assert!(connections.try_acquire()?.is_some());
///
/// let jobs = SemaphoreOptions::new(0, 10).create_unnamed()?;
/// jobs.release(2)?;
/// jobs.acquire()?.forget();
/// assert_eq!(jobs.release(1)?, 1);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[doc(alias("CreateSemaphore", "sem_t"))]
pub struct Semaphore {
    pub(super) object: sync::Semaphore,
    identity: Identity,
}

impl Semaphore {
    /// Opens the semaphore named `name`.
    ///
    /// # Errors
    ///
    /// The errors of [`Mutex::open`](super::Mutex::open).
    #[doc(alias("OpenSemaphore"))]
    pub fn open(name: impl ToName) -> Result<Semaphore> {
        Semaphore::open_before(name.to_name(), Deadline::Now)
    }

    /// Opens the semaphore named `name`, blocking for at most `time` until some process creates it: see
    /// [`Section::open_within`](crate::Section::open_within).
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Semaphore::open).
    pub fn open_within(name: impl ToName, time: Duration) -> Result<Semaphore> {
        Semaphore::open_before(name.to_name(), Deadline::after(time))
    }

    fn open_before(name: Result<Name>, deadline: Deadline) -> Result<Semaphore> {
        let (object, identity) = open_before(KIND, name, deadline, sync::Semaphore::open)?;
        Ok(Semaphore { object, identity })
    }

    /// Wraps a semaphore that another process sent to this one.
    pub(crate) fn from_received(object: sync::Semaphore) -> Semaphore {
        let identity = Identity { created: false, ..Identity::unnamed(KIND) };
        Semaphore { object, identity }
    }

    pub(crate) fn object(&self) -> &sync::Semaphore {
        &self.object
    }

    /// Checks that the semaphore still has its name. A wait that has to sleep checks that too.
    ///
    /// # Errors
    ///
    /// [`Orphaned`](crate::ErrorKind::Orphaned): another program removed the name, so that other
    /// processes do not find this semaphore. On Windows no program can do that.
    pub fn check_name(&self) -> Result<()> {
        self.object.check_name().map_err(|error| self.identity.context("check name of", error))
    }

    /// Returns the name that this semaphore was created or opened with.
    pub fn name(&self) -> Option<&Name> {
        self.identity.name.as_ref()
    }

    /// Returns whether this handle created the semaphore; `false` if it opened an existing semaphore.
    pub fn was_created(&self) -> bool {
        self.identity.created
    }

    /// Blocks until the count is greater than zero, and decrements it.
    ///
    /// # Errors
    ///
    /// The error of the operating system if it refuses the wait.
    #[doc(alias("WaitForSingleObject", "sem_wait"))]
    pub fn acquire(&self) -> Result<Permit<'_>> {
        match self.take(Deadline::Never)? {
            Some(permit) => Ok(permit),
            None => unreachable!("a wait without a deadline does not time out"),
        }
    }

    /// Decrements the count if it is greater than zero, without blocking. Returns `None` if it is zero.
    ///
    /// # Errors
    ///
    /// The errors of [`acquire`](Semaphore::acquire).
    pub fn try_acquire(&self) -> Result<Option<Permit<'_>>> {
        self.take(Deadline::Now)
    }

    /// Acquires one permit, blocking for at most `time`. Returns `None` after a timeout.
    ///
    /// # Errors
    ///
    /// The errors of [`acquire`](Semaphore::acquire).
    pub fn try_acquire_for(&self, time: Duration) -> Result<Option<Permit<'_>>> {
        self.take(Deadline::after(time))
    }

    /// Acquires one permit, blocking at the latest until `end`. Returns `None` after that.
    ///
    /// # Errors
    ///
    /// The errors of [`acquire`](Semaphore::acquire).
    pub fn try_acquire_until(&self, end: Instant) -> Result<Option<Permit<'_>>> {
        self.take(Deadline::At(end))
    }

    fn take(&self, deadline: Deadline) -> Result<Option<Permit<'_>>> {
        match self.object.acquire(deadline) {
            Ok(acquired) => Ok(acquired.then(|| self.permit())),
            Err(error) => Err(self.identity.context("acquire", error)),
        }
    }

    /// Returns the permit for one decrement of the count that this process has already made.
    pub(super) fn permit(&self) -> Permit<'_> {
        Permit { semaphore: self, generation: sync::generation() }
    }

    /// Adds `by` permits to the count, and returns the previous count. Any thread may call this.
    ///
    /// # Errors
    ///
    /// - [`OutOfRange`](ErrorKind::OutOfRange): the count would exceed the maximum. It is unchanged.
    /// - [`InvalidInput`](ErrorKind::InvalidInput): `by` is zero.
    /// - [`PermissionDenied`](ErrorKind::PermissionDenied), on Windows: the semaphore's descriptor lets
    ///   this user only wait.
    #[doc(alias("ReleaseSemaphore", "sem_post"))]
    pub fn release(&self, by: u32) -> Result<u32> {
        let released = if by == 0 {
            Err(Error::new(
                ErrorKind::InvalidInput,
                "the number of permits to release must be at least 1",
            ))
        } else {
            self.object.release(by).and_then(|before| {
                let cause = "the count would exceed its maximum";
                before.ok_or_else(|| Error::new(ErrorKind::OutOfRange, cause))
            })
        };
        released.map_err(|error| self.identity.context("release", error))
    }
}

/// One permit of a [`Semaphore`]. Dropping it releases the permit, also during a panic. Any thread may
/// drop it.
///
/// A child made by `fork` owns none of its parent's permits: the copies that it inherits release nothing.
#[derive(Debug)]
#[must_use = "dropping the permit releases it; forget() keeps the count decremented"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    /// The process that acquired the permit.
    generation: u32,
}

impl Permit<'_> {
    /// Keeps the count of the semaphore decremented: the permit was consumed, or other code
    /// [releases](Semaphore::release) it.
    pub fn forget(self) {
        mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.generation == sync::generation() {
            // This fails if another process has released more permits than it had acquired, so that the
            // count is at its maximum.
            _ = self.semaphore.object.release(1);
        }
    }
}
