use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::thread;
use std::time::{Duration, Instant};

use super::entry::Entry;
use crate::access::Access;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::primitive::{AtomicU32, Ordering};
use crate::section::Section;
use crate::sys::peers::HandleSeat;
use crate::sys::sync;
use crate::sys::sync::typed::Sleepers;
use crate::sys::sync::typed::rwlock::{Entered, Holders, RwWords};
use crate::typed::{self, Field, HEADER_LEN, Layout, Memory, Plain, Racy, ReadOnly, Unlock};

/// The offset of the words of the lock, relative to the lock.
const WORDS_AT: usize = HEADER_LEN;

/// The offset of the value.
const VALUE_AT: usize = WORDS_AT + size_of::<RwWords>();

/// A read-write lock together with the value that it protects, in a section.
///
/// Several readers hold it at a time, or one writer. It occupies [`LEN`](SharedRwLock::LEN) bytes at an
/// offset that is a multiple of [`ALIGN`](SharedRwLock::ALIGN): a header of 384 bytes, then the value. The
/// first process that calls [`open_or_init`](SharedRwLock::open_or_init) initialises the value, while others
/// wait: see [`SharedMutex`](super::SharedMutex). Opening with another type fails with
/// [`WrongKind`](ErrorKind::WrongKind).
///
/// The guards deref to a cell in the shared memory, which copies the value or, for an array, one element
/// of it: [`Racy`]. So values that are too large for the stack can be used too.
///
/// # Death of a holder
///
/// - If a writer is killed, panics, or its thread ends while it holds the lock, the lock is *abandoned*. The
///   next writer acquires it within 100 ms, and its guard reports it:
///   [`was_abandoned`](SharedWriteGuard::was_abandoned). Until that writer releases the lock, the guards of
///   readers report it too ([`was_abandoned`](SharedReadGuard::was_abandoned)), so a reader never takes a
///   partly changed value for a whole one.
/// - A reader that is killed releases the lock. The next writer detects its death before it sleeps, or
///   within 30 ms if it already waits.
/// - A guard of a reader that was [forgotten](std::mem::forget) holds the lock until its handle is dropped.
///
/// # Order of the holders
///
/// A reader acquires the lock at once if no writer holds it or waits for it. Writers, and readers that have to
/// wait, queue for a mutex, where neither group has priority. A writer that owns the mutex waits only for the
/// readers that hold the lock at that time. Readers that come later wait until the writer has released the
/// lock, so readers cannot starve writers.
///
/// At most 64 readers hold the lock at a time; further readers wait. A thread that already holds the lock as a
/// reader must not acquire it again: it deadlocks if a writer begins to wait in between. A reader also
/// deadlocks if it calls [`write`](SharedRwLock::write).
///
/// # Forks and rights
///
/// A forked child holds none of its parent's locks. To read the value a process needs the right to write
/// to the section, because it stores its seat in the lock. For a value that other users may only
/// read, use a [`SeqLock`](crate::typed::SeqLock).
///
/// # Platforms
///
/// On Windows each process that has read the value owns a kernel mutex, which proves that it is alive, and
/// waiting writers sleep on a kernel semaphore; `docs/layout.md` has their names. The lock cannot be used from another logon
/// session, unless the section has a `Global\` name.
///
/// # Examples
///
/// ```
/// use pagemate::SectionOptions;
/// use pagemate::sync::SharedRwLock;
///
/// # fn main() -> pagemate::Result<()> {
/// # let name = &format!("doc-rwlock-{}", std::process::id());
/// let section = SectionOptions::new().len(4096).open_or_create(name)?;
/// let limits = SharedRwLock::open_or_init(&section, 0, || [10_u32, 20])?;
///
/// let reader = limits.read()?;
/// assert_eq!(reader.get(), [10, 20]);
/// assert!(limits.try_write()?.is_none());
/// drop(reader);
///
/// let writer = limits.write()?;
/// if writer.was_abandoned() {
///     // The last writer died: check the value and repair it.
/// }
/// writer.as_array()[1].set(&30);
/// drop(writer);
/// assert_eq!(limits.read()?.get(), [10, 30]);
/// # Ok(())
/// # }
/// ```
#[doc(alias("pthread_rwlock_t", "SRWLOCK"))]
pub struct SharedRwLock<T> {
    lock: sync::Mutex,
    /// The seat that the readers of this handle store in the lock.
    seat: HandleSeat,
    value: Field<Racy<T>>,
}

impl<T: Plain> SharedRwLock<T> {
    /// The number of bytes that the lock and its value occupy in the section.
    pub const LEN: u64 = (VALUE_AT + size_of::<T>()) as u64;

    /// The alignment of an offset at which the lock can lie in a section.
    pub const ALIGN: u64 = if align_of::<T>() > 8 { align_of::<T>() as u64 } else { 8 };

    /// Opens the lock at byte `offset` of `section`. If the bytes there are zero, this call creates the
    /// lock, with the value that `init` returns.
    ///
    /// This call blocks while another process initialises the lock.
    ///
    /// # Errors
    ///
    /// - [`OutOfRange`](ErrorKind::OutOfRange): the lock would reach past the end of the section.
    /// - [`InvalidInput`](ErrorKind::InvalidInput): `offset` is not a multiple of
    ///   [`ALIGN`](SharedRwLock::ALIGN).
    /// - [`PermissionDenied`](ErrorKind::PermissionDenied): the section is read-only.
    /// - [`WrongKind`](ErrorKind::WrongKind): the existing lock protects a value of another type, or the
    ///   bytes are another kind of memory.
    /// - [`Corrupted`](ErrorKind::Corrupted): the bytes are neither zero nor memory of pagemate.
    /// - [`Unsupported`](ErrorKind::Unsupported): on Unix, the section is over a file and has no name; on
    ///   macOS, the section has no name; on Windows, the section comes from another logon session and
    ///   has no `Global\` name.
    pub fn open_or_init(
        section: &Section,
        offset: u64,
        init: impl FnOnce() -> T,
    ) -> Result<SharedRwLock<T>> {
        SharedRwLock::open_or_init_with(section, offset, |value| {
            value.set(&init());
            Ok(())
        })
    }

    /// Opens the lock at byte `offset` of `section`. If the bytes there are zero, this call creates the
    /// lock, and calls `init` with the value, which is zero. This serves values that are too large for the
    /// stack.
    ///
    /// # Errors
    ///
    /// The errors of [`open_or_init`](SharedRwLock::open_or_init), and those of `init`.
    pub fn open_or_init_with(
        section: &Section,
        offset: u64,
        init: impl FnOnce(&Racy<T>) -> Result<()>,
    ) -> Result<SharedRwLock<T>> {
        let open = || {
            let layout = Layout::rw_locked::<T>();
            let (value, lock) = Self::map_at(section, offset)?;
            value.memory().open_or_init(&layout, &lock, || init(value.get()))?;
            Self::of(value, lock)
        };
        open().map_err(|error| typed::context("open or create read-write lock in", section, error))
    }

    /// Opens the lock at byte `offset` of `section`.
    ///
    /// # Errors
    ///
    /// - [`NotFound`](ErrorKind::NotFound): the lock has not been initialised.
    /// - The errors of [`open_or_init`](SharedRwLock::open_or_init).
    pub fn open(section: &Section, offset: u64) -> Result<SharedRwLock<T>> {
        let open = || {
            let (value, lock) = Self::map_at(section, offset)?;
            if value.memory().is_initialised(&Layout::rw_locked::<T>())? {
                return Self::of(value, lock);
            }
            let cause = "the read-write lock has not been initialised; create it with open_or_init";
            Err(Error::new(ErrorKind::NotFound, cause))
        };
        open().map_err(|error| typed::context("open read-write lock in", section, error))
    }

    /// Maps the bytes of the lock, which may not be initialised yet.
    fn map_at(section: &Section, offset: u64) -> Result<(Field<Racy<T>>, sync::Mutex)> {
        let memory = Memory::map(section, offset, Self::LEN, Self::ALIGN, Access::ReadWrite)?;
        let lock = memory.lock(0)?;
        Ok((Field::new(memory, VALUE_AT)?, lock))
    }

    /// Returns the lock in initialised memory.
    fn of(value: Field<Racy<T>>, lock: sync::Mutex) -> Result<SharedRwLock<T>> {
        let seat = HandleSeat::new(value.memory().peers(WORDS_AT, &lock)?);
        Ok(SharedRwLock { lock, seat, value })
    }

    /// Acquires the lock as a reader, blocking while a writer has it or waits for it.
    ///
    /// Check [`was_abandoned`](SharedReadGuard::was_abandoned) of the guard before using the value.
    ///
    /// # Errors
    ///
    /// - [`InvalidInput`](ErrorKind::InvalidInput): this thread holds it as a writer, through this handle.
    /// - The other errors of [`Mutex::lock`](super::Mutex::lock).
    #[inline]
    pub fn read(&self) -> Result<SharedReadGuard<'_, T>> {
        match self.enter(Deadline::Never)? {
            Some(guard) => Ok(guard),
            None => unreachable!("a wait without a deadline does not time out"),
        }
    }

    /// Acquires the lock as a reader without blocking. Returns `None` if a live writer has the lock or
    /// waits for it, or if 64 readers have it.
    ///
    /// # Errors
    ///
    /// The errors of [`read`](SharedRwLock::read).
    #[inline]
    pub fn try_read(&self) -> Result<Option<SharedReadGuard<'_, T>>> {
        self.enter(Deadline::Now)
    }

    /// Acquires the lock as a reader, blocking for at most `time`. Returns `None` after a timeout.
    ///
    /// # Errors
    ///
    /// The errors of [`read`](SharedRwLock::read).
    pub fn try_read_for(&self, time: Duration) -> Result<Option<SharedReadGuard<'_, T>>> {
        self.enter(Deadline::after(time))
    }

    /// Acquires the lock as a reader, blocking at the latest until `end`. Returns `None` after that.
    ///
    /// # Errors
    ///
    /// The errors of [`read`](SharedRwLock::read).
    pub fn try_read_until(&self, end: Instant) -> Result<Option<SharedReadGuard<'_, T>>> {
        self.enter(Deadline::At(end))
    }

    /// Acquires the lock as a writer, blocking until no other holder is left.
    ///
    /// Check [`was_abandoned`](SharedWriteGuard::was_abandoned) of the guard before using the value.
    ///
    /// # Errors
    ///
    /// - [`InvalidInput`](ErrorKind::InvalidInput): this thread holds it as a writer, through this handle.
    /// - The other errors of [`Mutex::lock`](super::Mutex::lock).
    pub fn write(&self) -> Result<SharedWriteGuard<'_, T>> {
        match self.take(Deadline::Never)? {
            Some(guard) => Ok(guard),
            None => unreachable!("a wait without a deadline does not time out"),
        }
    }

    /// Acquires the lock as a writer without blocking. Returns `None` if another live thread holds it or is
    /// waiting for it.
    ///
    /// # Errors
    ///
    /// The errors of [`write`](SharedRwLock::write).
    pub fn try_write(&self) -> Result<Option<SharedWriteGuard<'_, T>>> {
        self.take(Deadline::Now)
    }

    /// Acquires the lock as a writer, blocking for at most `time`. Returns `None` after a timeout.
    ///
    /// # Errors
    ///
    /// The errors of [`write`](SharedRwLock::write).
    pub fn try_write_for(&self, time: Duration) -> Result<Option<SharedWriteGuard<'_, T>>> {
        self.take(Deadline::after(time))
    }

    /// Acquires the lock as a writer, blocking at the latest until `end`. Returns `None` after that.
    ///
    /// # Errors
    ///
    /// The errors of [`write`](SharedRwLock::write).
    pub fn try_write_until(&self, end: Instant) -> Result<Option<SharedWriteGuard<'_, T>>> {
        self.take(Deadline::At(end))
    }

    #[inline]
    fn enter(&self, deadline: Deadline) -> Result<Option<SharedReadGuard<'_, T>>> {
        let entered = self.seat.get().and_then(|seat| self.words().try_enter(seat, self));
        let entered = match entered {
            None => self.enter_slowly(deadline).map_err(|error| self.context("read in", error))?,
            entered => entered,
        };
        Ok(entered.map(|entered| SharedReadGuard { lock: self, entered, not_send: PhantomData }))
    }

    /// Acquires the lock for a reader that has found the gate closed or no free place: it becomes the keeper.
    #[cold]
    fn enter_slowly(&self, deadline: Deadline) -> Result<Option<Entered>> {
        let words = self.words();
        let next = || words.seats.fetch_add(1, Ordering::Relaxed);
        let seat = self.seat.take(next, |seat| words.contains(seat))?;
        if let Some(entered) = words.try_enter(seat, self) {
            return Ok(Some(entered));
        }
        if self.lock.lock(deadline)?.is_none() {
            return Ok(None);
        }
        let _unlock = Unlock(&self.lock);
        words.enter(seat, self, deadline)
    }

    fn take(&self, deadline: Deadline) -> Result<Option<SharedWriteGuard<'_, T>>> {
        let taken = self.take_lock(deadline).map_err(|error| self.context("write in", error))?;
        Ok(taken.map(|abandoned| {
            let entry = Entry::new(abandoned, thread::panicking());
            SharedWriteGuard { lock: self, entry, not_send: PhantomData }
        }))
    }

    /// Takes the lock for a writer, and returns whether it was abandoned.
    fn take_lock(&self, deadline: Deadline) -> Result<Option<bool>> {
        if self.lock.lock(deadline)?.is_none() {
            return Ok(None);
        }
        let unlock = Unlock(&self.lock);
        let taken = self.words().write(self, deadline)?;
        if taken.is_some() {
            std::mem::forget(unlock);
        }
        Ok(taken)
    }

    #[inline]
    fn words(&self) -> &RwWords {
        self.value.memory().atomics(WORDS_AT)
    }

    #[cold]
    fn context(&self, call: &'static str, error: Error) -> Error {
        error.during(call, self.value.memory().view().section())
    }
}

impl<T: Plain> Holders for SharedRwLock<T> {
    fn is_alive(&self, seat: u32) -> Result<bool> {
        self.seat.peers().is_alive(seat)
    }
}

impl<T: Plain> Sleepers for SharedRwLock<T> {
    fn sleep(&self, word: &AtomicU32, expected: u32, time: Duration) -> Result<()> {
        self.value.memory().sleep(self.seat.peers(), word, expected, time)
    }

    fn wake(&self, word: &AtomicU32, count: u32) {
        self.value.memory().wake(self.seat.peers(), word, count);
    }
}

impl<T> fmt::Debug for SharedRwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedRwLock").field("lock", &self.lock).finish_non_exhaustive()
    }
}

/// The proof that this thread holds a [`SharedRwLock`] as a reader. Dropping it releases the lock.
///
/// It derefs to the cell of the value, which copies it out.
#[must_use = "dropping the guard releases the lock"]
pub struct SharedReadGuard<'a, T: Plain> {
    lock: &'a SharedRwLock<T>,
    entered: Entered,
    not_send: PhantomData<*const ()>,
}

impl<T: Plain> SharedReadGuard<'_, T> {
    /// Returns whether a writer died or panicked while it held the lock, and no other writer has acquired
    /// the lock since. The value may be inconsistent. The guards of all readers report this.
    #[doc(alias("EOWNERDEAD"))]
    pub fn was_abandoned(&self) -> bool {
        self.entered.abandoned
    }
}

impl<T: Plain> Deref for SharedReadGuard<'_, T> {
    type Target = ReadOnly<Racy<T>>;

    #[inline]
    fn deref(&self) -> &ReadOnly<Racy<T>> {
        self.lock.value.get().as_read_only()
    }
}

impl<T: Plain> Drop for SharedReadGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // A forked child inherits a copy of this guard but does not hold the lock: the place belongs to its parent.
        if self.lock.seat.get() == Some(self.entered.seat()) {
            self.lock.words().leave(self.entered, self.lock);
        }
    }
}

impl<T: Plain> fmt::Debug for SharedReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedReadGuard")
            .field("abandoned", &self.was_abandoned())
            .finish_non_exhaustive()
    }
}

/// The proof that this thread holds a [`SharedRwLock`] as a writer. Dropping it releases the lock.
///
/// It derefs to the cell of the value, which copies it out and in. If a panic drops the guard, the lock
/// is *abandoned*.
#[must_use = "dropping the guard releases the lock"]
pub struct SharedWriteGuard<'a, T: Plain> {
    lock: &'a SharedRwLock<T>,
    entry: Entry,
    /// Makes the guard `!Send`: the thread that acquired the lock has to release it.
    not_send: PhantomData<*const ()>,
}

impl<T: Plain> SharedWriteGuard<'_, T> {
    /// Returns whether the previous writer ended or panicked while it held the lock, so that the value may
    /// be inconsistent. Only this guard reports it: the next writer, and readers after this writer, get
    /// `false`.
    #[doc(alias("EOWNERDEAD"))]
    pub fn was_abandoned(&self) -> bool {
        self.entry.is_abandoned()
    }

    /// Calls `change` with a copy of the value, stores the result and returns it. For a value that is too
    /// large for the stack, change its elements in place.
    pub fn update(&self, change: impl FnOnce(&mut T)) -> T {
        let mut value = self.get();
        change(&mut value);
        self.set(&value);
        value
    }
}

impl<T: Plain> Deref for SharedWriteGuard<'_, T> {
    type Target = Racy<T>;

    #[inline]
    fn deref(&self) -> &Racy<T> {
        self.lock.value.get()
    }
}

impl<T: Plain> Drop for SharedWriteGuard<'_, T> {
    fn drop(&mut self) {
        // A forked child inherits a copy of this guard but does not hold the lock.
        if self.lock.lock.is_mine() {
            let panicked = thread::panicking() && !self.entry.is_panicking();
            self.lock.words().open(panicked);
            self.lock.lock.unlock();
        }
    }
}

impl<T: Plain> fmt::Debug for SharedWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedWriteGuard")
            .field("abandoned", &self.was_abandoned())
            .finish_non_exhaustive()
    }
}
