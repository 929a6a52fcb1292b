use std::fmt;
use std::marker::PhantomData;
use std::thread;
use std::time::{Duration, Instant};

use super::entry::Entry;
use super::{Identity, open_before, with_name};
use crate::access::Sharing;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, ToName};
use crate::sys::object::Existing;
use crate::sys::sync::{self, Acquired, Spec};

const KIND: &str = "mutex";

/// Options to create a mutex.
///
/// Set the options that differ from the defaults, then call [`create_new`](MutexOptions::create_new),
/// [`open_or_create`](MutexOptions::open_or_create) or
/// [`create_unnamed`](MutexOptions::create_unnamed).
#[derive(Clone, Debug, Default)]
pub struct MutexOptions {
    sharing: Sharing,
    locked: bool,
}

impl MutexOptions {
    /// Returns the default options: an unlocked mutex for the owner alone.
    pub fn new() -> MutexOptions {
        MutexOptions::default()
    }

    /// Sets which other users may use a new mutex. They find it only under a `Global\` name.
    ///
    /// The access must be [`ReadWrite`](crate::Access::ReadWrite), because locking writes to the mutex.
    /// A user that may lock the mutex may also hold it for any time.
    pub fn sharing(&mut self, sharing: Sharing) -> &mut MutexOptions {
        self.sharing = sharing;
        self
    }

    /// Sets whether this thread owns a new mutex from the start, before any other thread can lock it.
    /// The default is `false`.
    ///
    /// The new mutex is in the same state as after [`lock`](Mutex::lock) and [`std::mem::forget`]
    /// of the guard: release it with [`unlock_forgotten`](Mutex::unlock_forgotten). The option does
    /// not lock a mutex that exists already.
    ///
    /// # Platforms
    ///
    /// Creation fails with [`Unsupported`](ErrorKind::Unsupported) on macOS.
    pub fn locked(&mut self, locked: bool) -> &mut MutexOptions {
        self.locked = locked;
        self
    }

    /// Creates the mutex `name`.
    ///
    /// # Errors
    ///
    /// - [`InvalidName`](ErrorKind::InvalidName): see [`Name::new`].
    /// - [`AlreadyExists`](ErrorKind::AlreadyExists): some process holds an object of this name, of any
    ///   kind.
    /// - [`InvalidInput`](ErrorKind::InvalidInput): the [sharing](MutexOptions::sharing) is read-only.
    /// - [`PermissionDenied`](ErrorKind::PermissionDenied): this user may not create the name.
    /// - [`NoSpace`](ErrorKind::NoSpace): there is no memory for it.
    #[doc(alias("CreateMutex"))]
    pub fn create_new(&self, name: impl ToName) -> Result<Mutex> {
        self.create("create", name.to_name(), Existing::Refuse)
    }

    /// Opens the mutex `name` if some process holds its name, and creates it otherwise.
    ///
    /// [`Mutex::was_created`] returns whether this call created the mutex.
    ///
    /// # Errors
    ///
    /// The errors of [`Mutex::open`] and [`create_new`](MutexOptions::create_new), except `NotFound`
    /// and `AlreadyExists`.
    #[doc(alias("CreateMutex"))]
    pub fn open_or_create(&self, name: impl ToName) -> Result<Mutex> {
        self.create("open or create", name.to_name(), Existing::Open)
    }

    fn create(&self, call: &'static str, name: Result<Name>, existing: Existing) -> Result<Mutex> {
        let (object, identity) =
            with_name(call, KIND, name, |name| sync::Mutex::create(name, &self.spec(), existing))?;
        Ok(Mutex { object, identity })
    }

    /// Creates a mutex without a name. Pass it to another process as a descriptor or handle: see
    /// [`os`](crate::os).
    ///
    /// # Platforms
    ///
    /// On macOS, and on Linux where `/proc` is not mounted, a mutex needs a name: this fails with
    /// [`Unsupported`](ErrorKind::Unsupported).
    ///
    /// # Errors
    ///
    /// The error of the operating system if it refuses memory or a handle.
    pub fn create_unnamed(&self) -> Result<Mutex> {
        let identity = Identity::unnamed(KIND);
        match sync::Mutex::unnamed(&self.spec()) {
            Ok(object) => Ok(Mutex { object, identity }),
            Err(error) => Err(identity.context("create", error)),
        }
    }

    fn spec(&self) -> Spec {
        Spec::Mutex { sharing: self.sharing, locked: self.locked }
    }
}

/// A lock that at most one thread of all processes holds at a time.
///
/// [`lock`](Mutex::lock) returns a [`MutexGuard`], which unlocks the mutex when it is dropped. If a
/// thread or a process ends while it holds the mutex, or a panic drops the guard, the mutex is
/// *abandoned*: the next owner acquires it, and its guard [reports](MutexGuard::was_abandoned)
/// that. Waiters acquire an abandoned mutex within 100 ms of the death.
///
/// Threads may share a handle. A thread that holds the mutex through a handle gets an error if it locks
/// that handle again: the mutex is not recursive.
///
/// Writes before an unlock happen before the return of the next lock.
///
/// Dropping the handle releases the name. If the guard was [forgotten](std::mem::forget), dropping the
/// handle also abandons the mutex.
///
/// # Platforms
///
/// If a thread holds the mutex through one handle and locks it through another one, it deadlocks on Unix
/// and gets an error on Windows.
///
/// On Windows a mutex with a forgotten guard stays locked after its handle is dropped, and is abandoned
/// when the thread ends.
///
/// # Examples
///
/// ```
/// use pagemate::sync::{Mutex, MutexOptions};
///
/// # fn main() -> pagemate::Result<()> {
/// # let name = &format!("doc-mutex-{}", std::process::id());
/// let mutex = MutexOptions::new().create_new(name)?;
/// let other_handle = Mutex::open(name)?;
/// let guard = mutex.lock()?;
/// std::thread::scope(|scope| {
///     // Another thread, or process, cannot acquire it.
///     scope.spawn(|| assert!(other_handle.try_lock().unwrap().is_none()));
/// });
/// drop(guard);
/// assert!(other_handle.try_lock()?.is_some());
/// # Ok(())
/// # }
/// ```
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
    /// - [`InvalidName`](ErrorKind::InvalidName): see [`Name::new`].
    /// - [`NotFound`](ErrorKind::NotFound): no process holds an object of this name.
    /// - [`PermissionDenied`](ErrorKind::PermissionDenied): the object does not grant this user access.
    /// - [`WrongKind`](ErrorKind::WrongKind): the name belongs to an object of another kind.
    /// - [`WrongVersion`](ErrorKind::WrongVersion): an incompatible release created it.
    /// - [`Corrupted`](ErrorKind::Corrupted): the stored bytes are not a valid object.
    /// - [`TimedOut`](ErrorKind::TimedOut): another process kept the name busy for two seconds.
    #[doc(alias("OpenMutex"))]
    pub fn open(name: impl ToName) -> Result<Mutex> {
        Mutex::open_before(name.to_name(), Deadline::Now)
    }

    /// Opens the mutex named `name`, blocking for at most `time` until some process creates it: see
    /// [`Section::open_within`](crate::Section::open_within).
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Mutex::open).
    pub fn open_within(name: impl ToName, time: Duration) -> Result<Mutex> {
        Mutex::open_before(name.to_name(), Deadline::after(time))
    }

    fn open_before(name: Result<Name>, deadline: Deadline) -> Result<Mutex> {
        let (object, identity) = open_before(KIND, name, deadline, sync::Mutex::open)?;
        Ok(Mutex { object, identity })
    }

    /// Wraps a mutex that another process sent to this one.
    pub(crate) fn from_received(object: sync::Mutex) -> Mutex {
        let identity = Identity { created: false, ..Identity::unnamed(KIND) };
        Mutex { object, identity }
    }

    pub(crate) fn object(&self) -> &sync::Mutex {
        &self.object
    }

    /// Checks that the mutex still has its name. The first lock by a handle, and every lock that has
    /// to wait, checks that too.
    ///
    /// # Errors
    ///
    /// [`Orphaned`](crate::ErrorKind::Orphaned): another program removed the name, so that other
    /// processes do not find this mutex. On Windows no program can do that.
    pub fn check_name(&self) -> Result<()> {
        self.object.check_name().map_err(|error| self.identity.context("check name of", error))
    }

    /// Returns the name that this mutex was created or opened with.
    pub fn name(&self) -> Option<&Name> {
        self.identity.name.as_ref()
    }

    /// Returns whether this handle created the mutex; `false` if it opened an existing mutex.
    pub fn was_created(&self) -> bool {
        self.identity.created
    }

    /// Acquires the mutex, blocking until no thread holds it.
    ///
    /// Check [`was_abandoned`](MutexGuard::was_abandoned) of the guard before using the protected data.
    ///
    /// # Errors
    ///
    /// - [`InvalidInput`](ErrorKind::InvalidInput): this thread holds it already, through this handle.
    /// - [`PermissionDenied`](ErrorKind::PermissionDenied), [`Unsupported`](ErrorKind::Unsupported): this
    ///   process is a child of `_Fork` or `clone`, and cannot open the mutex by its own rights.
    /// - Another error of the operating system, for example if no file descriptor is left.
    #[doc(alias("WaitForSingleObject", "pthread_mutex_lock"))]
    #[inline]
    pub fn lock(&self) -> Result<MutexGuard<'_>> {
        match self.take(Deadline::Never)? {
            Some(guard) => Ok(guard),
            None => unreachable!("a wait without a deadline does not time out"),
        }
    }

    /// Acquires the mutex if no thread holds it, without blocking. Returns `None` if a live thread holds
    /// it.
    ///
    /// # Errors
    ///
    /// The errors of [`lock`](Mutex::lock).
    #[inline]
    pub fn try_lock(&self) -> Result<Option<MutexGuard<'_>>> {
        self.take(Deadline::Now)
    }

    /// Acquires the mutex, blocking for at most `time`. Returns `None` after a timeout.
    ///
    /// # Errors
    ///
    /// The errors of [`lock`](Mutex::lock).
    pub fn try_lock_for(&self, time: Duration) -> Result<Option<MutexGuard<'_>>> {
        self.take(Deadline::after(time))
    }

    /// Acquires the mutex, blocking at the latest until `end`. Returns `None` after that.
    ///
    /// # Errors
    ///
    /// The errors of [`lock`](Mutex::lock).
    pub fn try_lock_until(&self, end: Instant) -> Result<Option<MutexGuard<'_>>> {
        self.take(Deadline::At(end))
    }

    #[inline]
    fn take(&self, deadline: Deadline) -> Result<Option<MutexGuard<'_>>> {
        match self.object.lock(deadline) {
            Ok(acquired) => Ok(acquired.map(|acquired| self.guard(acquired))),
            Err(error) => Err(self.identity.context("lock", error)),
        }
    }

    #[inline]
    pub(super) fn guard(&self, acquired: Acquired) -> MutexGuard<'_> {
        MutexGuard {
            mutex: self,
            entry: Entry::new(acquired == Acquired::Abandoned, thread::panicking()),
            not_send: PhantomData,
        }
    }

    /// Returns whether this thread holds the mutex through this handle.
    pub fn is_mine(&self) -> bool {
        self.object.is_mine()
    }

    /// Unlocks a mutex whose guard was given to [`std::mem::forget`]. This serves bindings for
    /// languages without guards.
    ///
    /// # Errors
    ///
    /// [`NotOwner`](ErrorKind::NotOwner): this thread does not hold the mutex through this handle.
    #[doc(alias("ReleaseMutex"))]
    pub fn unlock_forgotten(&self) -> Result<()> {
        if self.object.unlock() {
            return Ok(());
        }
        let error =
            Error::new(ErrorKind::NotOwner, "this thread does not hold it through this handle");
        Err(self.identity.context("unlock", error))
    }
}

/// The proof that this thread holds a [`Mutex`]. Dropping it unlocks the mutex.
///
/// If a panic drops the guard, the protected data may be inconsistent. The mutex is therefore
/// *abandoned*, as if the thread had ended: the next owner acquires it, and its guard
/// [reports](MutexGuard::was_abandoned) that.
///
/// # Platforms
///
/// On Windows only the end of a thread abandons a mutex of the kernel. After a panic the thread therefore
/// holds the mutex until it ends. A thread that catches the panic releases the mutex with
/// [`unlock_forgotten`](Mutex::unlock_forgotten), once it has repaired the data. A
/// [`SharedMutex`](super::SharedMutex) is abandoned at once on every platform.
#[must_use = "dropping the guard unlocks the mutex"]
pub struct MutexGuard<'a> {
    mutex: &'a Mutex,
    entry: Entry,
    /// Makes the guard `!Send`: the thread that locked the mutex has to unlock it.
    not_send: PhantomData<*const ()>,
}

impl MutexGuard<'_> {
    /// Returns whether the previous owner ended, as a thread or as a process, or panicked while it held
    /// the mutex.
    ///
    /// The protected data is as that owner left it, and may be inconsistent: check or repair it. Only
    /// this guard reports the abandonment; the next owner gets `false`.
    #[doc(alias("WAIT_ABANDONED", "EOWNERDEAD"))]
    pub fn was_abandoned(&self) -> bool {
        self.entry.is_abandoned()
    }
}

impl fmt::Debug for MutexGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut guard = f.debug_struct("MutexGuard");
        guard.field("mutex", self.mutex).field("abandoned", &self.was_abandoned());
        guard.finish_non_exhaustive()
    }
}

impl Drop for MutexGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // A forked child inherits a copy of this guard but does not own the mutex, so both calls
        // have no effect in a child.
        if thread::panicking() && !self.entry.is_panicking() {
            self.mutex.object.abandon();
        } else {
            self.mutex.object.unlock();
        }
    }
}
