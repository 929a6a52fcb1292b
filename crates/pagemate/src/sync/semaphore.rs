use std::time::Duration;

use super::{Identity, open_before, with_name};
use crate::access::Sharing;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
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
    pub fn create_new(&self, name: impl AsRef<str>) -> Result<Semaphore> {
        self.create("create", name.as_ref(), Existing::Refuse)
    }

    /// Opens the semaphore `name` if some process holds it, and creates it otherwise.
    ///
    /// [`Semaphore::was_created`] tells which. An opened semaphore keeps its count and its maximum.
    ///
    /// # Errors
    ///
    /// The errors of [`Semaphore::open`] and [`create_new`](SemaphoreOptions::create_new), except
    /// `NotFound` and `AlreadyExists`.
    #[doc(alias("CreateSemaphore", "sem_open"))]
    pub fn open_or_create(&self, name: impl AsRef<str>) -> Result<Semaphore> {
        self.create("open or create", name.as_ref(), Existing::Open)
    }

    fn create(&self, call: &'static str, name: &str, existing: Existing) -> Result<Semaphore> {
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
/// [`acquire`](Semaphore::acquire) takes one permit and blocks while there is none.
/// [`release`](Semaphore::release) adds permits, up to a maximum that is fixed at creation.
///
/// A semaphore keeps no record of its holders. If a process ends or is killed before it releases its
/// permits, these permits are lost. Use a [`Mutex`](super::Mutex) if the death of a holder must not
/// block others.
///
/// # Examples
///
/// ```
/// use pagemate::sync::SemaphoreOptions;
///
/// # fn main() -> pagemate::Result<()> {
/// let permits = SemaphoreOptions::new(2, 2).create_unnamed()?;
/// permits.acquire()?;
/// assert!(permits.try_acquire()?);
/// assert!(!permits.try_acquire()?);
/// assert_eq!(permits.release(2)?, 0);
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
    pub fn open(name: impl AsRef<str>) -> Result<Semaphore> {
        Semaphore::open_before(name.as_ref(), Deadline::Now)
    }

    /// Opens the semaphore named `name`, blocking for at most `time` until some process creates it: see
    /// [`Section::open_within`](crate::Section::open_within).
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Semaphore::open).
    pub fn open_within(name: impl AsRef<str>, time: Duration) -> Result<Semaphore> {
        Semaphore::open_before(name.as_ref(), Deadline::after(time))
    }

    fn open_before(name: &str, deadline: Deadline) -> Result<Semaphore> {
        let (object, identity) = open_before(KIND, name, deadline, sync::Semaphore::open)?;
        Ok(Semaphore { object, identity })
    }

    /// Wraps a semaphore that another process passed on.
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
    pub fn acquire(&self) -> Result<()> {
        self.take(Deadline::Never).map(drop)
    }

    /// Decrements the count if it is greater than zero, without blocking. Returns `false` if it is zero.
    ///
    /// # Errors
    ///
    /// The errors of [`acquire`](Semaphore::acquire).
    pub fn try_acquire(&self) -> Result<bool> {
        self.take(Deadline::Now)
    }

    /// Acquires one permit, blocking for at most `time`. Returns `false` after a timeout.
    ///
    /// # Errors
    ///
    /// The errors of [`acquire`](Semaphore::acquire).
    pub fn try_acquire_for(&self, time: Duration) -> Result<bool> {
        self.take(Deadline::after(time))
    }

    fn take(&self, deadline: Deadline) -> Result<bool> {
        self.object.acquire(deadline).map_err(|error| self.identity.context("acquire", error))
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
