use std::time::Duration;

use super::{Identity, named};
use crate::access::Sharing;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::object::Existing;
use crate::sys::sync::{self, Spec};

const KIND: &str = "semaphore";

/// The highest count that any semaphore can have.
const MOST: u32 = i32::MAX.cast_unsigned();

/// How to make a semaphore: set what matters, then call one of the verbs.
#[derive(Clone, Debug)]
pub struct SemaphoreOptions {
    sharing: Sharing,
    count: u32,
    max: u32,
}

impl SemaphoreOptions {
    /// A semaphore of this count, which can be no more than `max`, for the owner alone. `max` is at
    /// least one and at most 2,147,483,647.
    pub fn new(count: u32, max: u32) -> SemaphoreOptions {
        SemaphoreOptions { sharing: Sharing::Owner, count, max }
    }

    /// Which other users may use a new semaphore: see
    /// [`MutexOptions::sharing`](super::MutexOptions::sharing).
    pub fn sharing(&mut self, sharing: Sharing) -> &mut SemaphoreOptions {
        self.sharing = sharing;
        self
    }

    /// Makes the semaphore `name`, which must not exist.
    ///
    /// # Errors
    ///
    /// As [`MutexOptions::create_new`](super::MutexOptions::create_new), and
    /// [`InvalidInput`](ErrorKind::InvalidInput) for counts that make no sense.
    #[doc(alias("CreateSemaphore", "sem_open"))]
    pub fn create_new(&self, name: impl AsRef<str>) -> Result<Semaphore> {
        self.create("create", name.as_ref(), Existing::Refuse)
    }

    /// Opens the semaphore `name` if some process holds it, as it is, and makes it otherwise;
    /// [`Semaphore::was_created`] tells which.
    ///
    /// # Errors
    ///
    /// Those of [`Semaphore::open`] and [`create_new`](SemaphoreOptions::create_new), except that
    /// it is missing or exists.
    #[doc(alias("CreateSemaphore", "sem_open"))]
    pub fn open_or_create(&self, name: impl AsRef<str>) -> Result<Semaphore> {
        self.create("open or create", name.as_ref(), Existing::Open)
    }

    fn create(&self, call: &'static str, name: &str, existing: Existing) -> Result<Semaphore> {
        let (object, identity) =
            named(call, KIND, name, |name| sync::Semaphore::create(name, &self.spec()?, existing))?;
        Ok(Semaphore { object, identity })
    }

    /// Makes a semaphore without a name, to be handed on as a descriptor or handle.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput) for counts that make no sense; the system's.
    pub fn create_unnamed(&self) -> Result<Semaphore> {
        let identity = Identity::unnamed(KIND);
        match self.spec().and_then(|spec| sync::Semaphore::unnamed(&spec)) {
            Ok(object) => Ok(Semaphore { object, identity }),
            Err(error) => Err(identity.tell("create", error)),
        }
    }

    fn spec(&self) -> Result<Spec> {
        let (count, max) = (self.count, self.max);
        if max == 0 || max > MOST || count > max {
            let cause = format!(
                "a count of {count} of at most {max} makes no sense: the highest is from 1 to {MOST}"
            );
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        Ok(Spec::Semaphore { sharing: self.sharing, count, max })
    }
}

/// A count that all processes share, and that is never less than zero.
///
/// What a process took and did not give back when it ended is not given back for it: a semaphore
/// does not know who has its parts.
#[derive(Debug)]
#[doc(alias("CreateSemaphore", "sem_t"))]
pub struct Semaphore {
    pub(super) object: sync::Semaphore,
    identity: Identity,
}

impl Semaphore {
    /// Opens the semaphore named `name`, with the count that it has.
    ///
    /// # Errors
    ///
    /// As [`Mutex::open`](super::Mutex::open).
    #[doc(alias("OpenSemaphore"))]
    pub fn open(name: impl AsRef<str>) -> Result<Semaphore> {
        let (object, identity) =
            named("open", KIND, name.as_ref(), |name| Ok((sync::Semaphore::open(name)?, false)))?;
        Ok(Semaphore { object, identity })
    }

    /// One that somebody handed us.
    pub(crate) fn handed_on(object: sync::Semaphore) -> Semaphore {
        let identity = Identity { created: false, ..Identity::unnamed(KIND) };
        Semaphore { object, identity }
    }

    pub(crate) fn object(&self) -> &sync::Semaphore {
        &self.object
    }

    /// The name it was made or opened by.
    pub fn name(&self) -> Option<&Name> {
        self.identity.name.as_ref()
    }

    /// Whether this handle made the object, and did not find it.
    pub fn was_created(&self) -> bool {
        self.identity.created
    }

    /// Waits until the count is more than zero, and takes one off.
    ///
    /// # Errors
    ///
    /// The system's refusal to let us wait.
    #[doc(alias("WaitForSingleObject", "sem_wait"))]
    pub fn acquire(&self) -> Result<()> {
        self.take(Deadline::Never).map(drop)
    }

    /// Takes one off if the count is more than zero; false if it is not.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Semaphore::acquire).
    pub fn try_acquire(&self) -> Result<bool> {
        self.take(Deadline::Now)
    }

    /// Waits for this long at most; false if there was nothing to take all the time.
    ///
    /// # Errors
    ///
    /// As [`acquire`](Semaphore::acquire).
    pub fn try_acquire_for(&self, time: Duration) -> Result<bool> {
        self.take(Deadline::after(time))
    }

    fn take(&self, deadline: Deadline) -> Result<bool> {
        self.object.acquire(deadline).map_err(|error| self.identity.tell("acquire", error))
    }

    /// Adds `by` to the count, and tells what it was before.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](ErrorKind::OutOfRange), and no change, if it would be more than the highest.
    /// [`InvalidInput`](ErrorKind::InvalidInput): nothing is to be added.
    #[doc(alias("ReleaseSemaphore", "sem_post"))]
    pub fn release(&self, by: u32) -> Result<u32> {
        let released = if by == 0 {
            Err(Error::new(ErrorKind::InvalidInput, "nothing is to be added"))
        } else {
            self.object.release(by).and_then(|before| {
                let cause = "it would be more than the highest count";
                before.ok_or_else(|| Error::new(ErrorKind::OutOfRange, cause))
            })
        };
        released.map_err(|error| self.identity.tell("release", error))
    }
}
