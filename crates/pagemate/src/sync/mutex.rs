use std::marker::PhantomData;
use std::time::Duration;

use super::{Identity, named};
use crate::access::Sharing;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::object::Existing;
use crate::sys::sync::{self, Got, Spec};

const KIND: &str = "mutex";

/// How to make a mutex: set what matters, then call one of the verbs.
#[derive(Clone, Debug, Default)]
pub struct MutexOptions {
    sharing: Sharing,
    locked: bool,
}

impl MutexOptions {
    /// A mutex for the owner alone.
    pub fn new() -> MutexOptions {
        MutexOptions::default()
    }

    /// Which other users may use a new mutex. They also have to meet under a `Global\` name.
    ///
    /// To use is to change: it can be shared for reading and writing, or not at all. Who may use
    /// it may also have it for as long as they like.
    pub fn sharing(&mut self, sharing: Sharing) -> &mut MutexOptions {
        self.sharing = sharing;
        self
    }

    /// Locks a new mutex before anybody else can. It is as if this thread had locked it and
    /// forgotten the guard: [`unlock_forgotten`](Mutex::unlock_forgotten) frees it. One that exists
    /// already stays as it is. Unsupported on macOS.
    pub fn locked(&mut self, locked: bool) -> &mut MutexOptions {
        self.locked = locked;
        self
    }

    /// Makes the mutex `name`, which must not exist.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`](ErrorKind::AlreadyExists): a process holds an object of this name, of
    /// whatever kind. [`InvalidInput`](ErrorKind::InvalidInput): it is to be shared for reading.
    #[doc(alias("CreateMutex"))]
    pub fn create_new(&self, name: impl AsRef<str>) -> Result<Mutex> {
        self.create("create", name.as_ref(), Existing::Refuse)
    }

    /// Opens the mutex `name` if some process holds its name, and makes it otherwise;
    /// [`Mutex::was_created`] tells which.
    ///
    /// # Errors
    ///
    /// Those of [`Mutex::open`] and [`create_new`](MutexOptions::create_new), except that it is
    /// missing or exists.
    #[doc(alias("CreateMutex"))]
    pub fn open_or_create(&self, name: impl AsRef<str>) -> Result<Mutex> {
        self.create("open or create", name.as_ref(), Existing::Open)
    }

    fn create(&self, call: &'static str, name: &str, existing: Existing) -> Result<Mutex> {
        let (object, identity) =
            named(call, KIND, name, |name| sync::Mutex::create(name, &self.spec(), existing))?;
        Ok(Mutex { object, identity })
    }

    /// Makes a mutex without a name, to be handed on as a descriptor or handle.
    ///
    /// # Errors
    ///
    /// The system's. [`Unsupported`](ErrorKind::Unsupported) on macOS, when it is locked.
    pub fn create_unnamed(&self) -> Result<Mutex> {
        let identity = Identity::unnamed(KIND);
        match sync::Mutex::unnamed(&self.spec()) {
            Ok(object) => Ok(Mutex { object, identity }),
            Err(error) => Err(identity.tell("create", error)),
        }
    }

    fn spec(&self) -> Spec {
        Spec::Mutex { sharing: self.sharing, locked: self.locked }
    }
}

/// A lock that one thread of all processes has at a time.
///
/// The threads of a process may share a handle. A thread that has the mutex by this handle cannot
/// take it again by the same one: that is refused. By another one it would wait for itself, or on
/// Windows be refused too.
///
/// Dropping the handle lets go of the name. If its guard was forgotten, the mutex is abandoned then,
/// as it is at the end of the thread or the process; on Windows not before that end.
#[derive(Debug)]
#[doc(alias("pthread_mutex_t", "CreateMutex"))]
pub struct Mutex {
    pub(super) object: sync::Mutex,
    identity: Identity,
}

impl Mutex {
    /// Opens the mutex named `name`.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound): no process holds it.
    /// [`PermissionDenied`](ErrorKind::PermissionDenied): it is another user's.
    /// [`WrongKind`](ErrorKind::WrongKind): the name belongs to something else.
    #[doc(alias("OpenMutex"))]
    pub fn open(name: impl AsRef<str>) -> Result<Mutex> {
        let (object, identity) =
            named("open", KIND, name.as_ref(), |name| Ok((sync::Mutex::open(name)?, false)))?;
        Ok(Mutex { object, identity })
    }

    /// One that somebody handed us.
    pub(crate) fn handed_on(object: sync::Mutex) -> Mutex {
        let identity = Identity { created: false, ..Identity::unnamed(KIND) };
        Mutex { object, identity }
    }

    pub(crate) fn object(&self) -> &sync::Mutex {
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

    /// Waits until nobody has it, and takes it.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](ErrorKind::InvalidInput): this thread has it already, by this handle.
    /// [`Unsupported`](ErrorKind::Unsupported): on Linux there is no `/proc`, on macOS it has no
    /// name. Otherwise the system's refusal, of a descriptor for example.
    #[doc(alias("WaitForSingleObject", "pthread_mutex_lock"))]
    #[inline]
    pub fn lock(&self) -> Result<MutexGuard<'_>> {
        match self.take(Deadline::Never)? {
            Some(guard) => Ok(guard),
            None => unreachable!("there is no end to the wait"),
        }
    }

    /// Takes it if nobody has it; `None` if somebody does.
    ///
    /// # Errors
    ///
    /// As [`lock`](Mutex::lock).
    #[inline]
    pub fn try_lock(&self) -> Result<Option<MutexGuard<'_>>> {
        self.take(Deadline::Now)
    }

    /// Waits for this long at most; `None` if somebody had it all the time.
    ///
    /// # Errors
    ///
    /// As [`lock`](Mutex::lock).
    pub fn try_lock_for(&self, time: Duration) -> Result<Option<MutexGuard<'_>>> {
        self.take(Deadline::after(time))
    }

    #[inline]
    fn take(&self, deadline: Deadline) -> Result<Option<MutexGuard<'_>>> {
        match self.object.lock(deadline) {
            Ok(got) => Ok(got.map(|got| self.guard(got))),
            Err(error) => Err(self.identity.tell("lock", error)),
        }
    }

    #[inline]
    pub(super) fn guard(&self, got: Got) -> MutexGuard<'_> {
        MutexGuard { mutex: self, abandoned: got == Got::Abandoned, stays: PhantomData }
    }

    /// Whether this thread has it, by this handle.
    pub fn is_mine(&self) -> bool {
        self.object.is_mine()
    }

    /// Frees a mutex whose guard was given to [`std::mem::forget`]: for those whose language has no
    /// guards.
    ///
    /// # Errors
    ///
    /// [`NotOwner`](ErrorKind::NotOwner): this thread does not have it by this handle.
    #[doc(alias("ReleaseMutex"))]
    pub fn unlock_forgotten(&self) -> Result<()> {
        if self.object.unlock() {
            return Ok(());
        }
        let error = Error::new(ErrorKind::NotOwner, "this thread does not have it");
        Err(self.identity.tell("unlock", error))
    }
}

/// A mutex that this thread has, until this is dropped.
#[derive(Debug)]
#[must_use = "the mutex is free again as soon as this is dropped"]
pub struct MutexGuard<'a> {
    mutex: &'a Mutex,
    abandoned: bool,
    /// The thread that took it has to free it.
    stays: PhantomData<*const ()>,
}

impl MutexGuard<'_> {
    /// Whether the last who had it ended, as a thread or a process, without freeing it. What it
    /// guards is as that one left it, half changed perhaps. Once this guard is dropped nobody is
    /// told any more.
    #[doc(alias("WAIT_ABANDONED", "EOWNERDEAD"))]
    pub fn was_abandoned(&self) -> bool {
        self.abandoned
    }
}

impl Drop for MutexGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // In a forked child it is not ours to free.
        self.mutex.object.unlock();
    }
}
