use std::fmt;
use std::marker::PhantomData;
use std::thread;
use std::time::{Duration, Instant};

use super::entry::Entry;
use crate::access::Access;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::primitive::Ordering;
use crate::section::Section;
use crate::shareable::zeroed_box;
use crate::sys::sync::{self, Acquired};
use crate::typed::{self, HEADER_LEN, Layout, Memory, Plain, Racy, ReadOnly};

/// The offset of the value, relative to the mutex.
const VALUE_AT: usize = HEADER_LEN;

/// A mutex together with the value that it protects, in a section.
///
/// It occupies [`LEN`](SharedMutex::LEN) bytes at an offset that is a multiple of 8: a header of 64
/// bytes, then the value. A section can contain many of them. The guard copies the value out and
/// in, because other processes have the same bytes mapped.
///
/// The first process that calls [`open_or_init`](SharedMutex::open_or_init) initialises the value, while
/// others wait. If that process dies before it has finished, the next one initialises the value: no
/// process sees a partial value. Opening with another type fails with
/// [`WrongKind`](ErrorKind::WrongKind).
///
/// If its owner dies, the mutex is abandoned like a [`Mutex`](super::Mutex), and the value may be
/// inconsistent.
///
/// # Platforms
///
/// On Windows the lock is a kernel mutex that words in the section identify. It cannot be used from
/// another logon session, unless the section has a `Global\` name.
///
/// # Examples
///
/// ```
/// use pagemate::SectionOptions;
/// use pagemate::sync::SharedMutex;
///
/// # fn main() -> pagemate::Result<()> {
/// # let name = &format!("doc-shared-{}", std::process::id());
/// let section = SectionOptions::new().len(4096).open_or_create(name)?;
/// let counter = SharedMutex::open_or_init(&section, 0, || 0_u64)?;
/// assert_eq!(counter.lock()?.update(|count| *count += 1), 1);
/// # Ok(())
/// # }
/// ```
#[doc(alias("pthread_mutex_t", "PTHREAD_PROCESS_SHARED", "PTHREAD_MUTEX_ROBUST"))]
pub struct SharedMutex<T: ?Sized> {
    lock: sync::Mutex,
    memory: Memory,
    value: PhantomData<fn(*mut T)>,
}

impl<T: Plain> SharedMutex<T> {
    /// The number of bytes that the mutex and its value occupy in the section.
    ///
    /// The next value in the section can begin at the next multiple of its alignment, which is 8 for
    /// mutexes.
    ///
    /// # Examples
    ///
    /// ```
    /// use pagemate::SectionOptions;
    /// use pagemate::sync::SharedMutex;
    ///
    /// const SECOND: u64 = SharedMutex::<[u8; 3]>::LEN.next_multiple_of(8);
    ///
    /// # fn main() -> pagemate::Result<()> {
    /// let len = SECOND + SharedMutex::<u64>::LEN;
    /// let section = SectionOptions::new().len(len).create_unnamed()?;
    /// let color = SharedMutex::open_or_init(&section, 0, || [0_u8; 3])?;
    /// let count = SharedMutex::open_or_init(&section, SECOND, || 0_u64)?;
    /// # color.lock()?.set(&[1; 3]);
    /// # assert_eq!(count.lock()?.get(), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub const LEN: u64 = (VALUE_AT + size_of::<T>()) as u64;

    /// Opens the mutex at byte `offset` of `section`. If the bytes there are zero, this call creates the
    /// mutex, with the value that `init` returns.
    ///
    /// This call blocks while another process initialises the mutex.
    ///
    /// # Errors
    ///
    /// - [`OutOfRange`](ErrorKind::OutOfRange): the mutex would reach past the end of the section.
    /// - [`InvalidInput`](ErrorKind::InvalidInput): `offset` is not a multiple of 8.
    /// - [`PermissionDenied`](ErrorKind::PermissionDenied): the section is read-only.
    /// - [`WrongKind`](ErrorKind::WrongKind): the existing mutex protects a value of another type.
    /// - [`Corrupted`](ErrorKind::Corrupted): the bytes are not a mutex.
    /// - [`Unsupported`](ErrorKind::Unsupported): on Unix, the section is over a file and has no name; on
    ///   macOS, the section has no name; on Windows, the section comes from another logon session and
    ///   has no `Global\` name, which the first lock reports.
    pub fn open_or_init(
        section: &Section,
        offset: u64,
        init: impl FnOnce() -> T,
    ) -> Result<SharedMutex<T>> {
        SharedMutex::open_or_init_layout(section, offset, &Layout::guarded::<T>(), |memory| {
            memory.view().write(VALUE_AT, &init())
        })
    }

    /// Opens the mutex at byte `offset` of `section`. If the bytes there are zero, this call creates the
    /// mutex, and calls `init` with the cell of the value, which is zero. This serves values that are too
    /// large for the stack, and functions that can fail.
    ///
    /// # Errors
    ///
    /// The errors of [`open_or_init`](SharedMutex::open_or_init), and those of `init`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pagemate::SectionOptions;
    /// use pagemate::sync::SharedMutex;
    ///
    /// /// 16 MiB.
    /// type Image = [u32; 4 << 20];
    ///
    /// # fn main() -> pagemate::Result<()> {
    /// let section = SectionOptions::new().len(SharedMutex::<Image>::LEN).create_unnamed()?;
    /// let image = SharedMutex::<Image>::open_or_init_with(&section, 0, |image| {
    ///     image.as_array()[7].set(&1);
    ///     Ok(())
    /// })?;
    /// let mut guard = image.lock()?;
    /// guard.as_cell_mut().as_array()[8].set(&2);
    /// assert_eq!((guard.as_cell().as_array()[7].get(), guard.get_boxed()[8]), (1, 2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn open_or_init_with(
        section: &Section,
        offset: u64,
        init: impl FnOnce(&Racy<T>) -> Result<()>,
    ) -> Result<SharedMutex<T>> {
        const { assert!(align_of::<T>() <= 8, "a mutex aligns its value to 8 bytes") };
        SharedMutex::open_or_init_layout(section, offset, &Layout::guarded::<T>(), |memory| {
            init(memory.cell(VALUE_AT))
        })
    }

    /// Opens the mutex at byte `offset` of `section`, and initialises it with zeros if it does not exist.
    /// This serves values that are too large for the stack.
    ///
    /// # Errors
    ///
    /// The errors of [`open_or_init`](SharedMutex::open_or_init).
    pub fn open_or_zeroed(section: &Section, offset: u64) -> Result<SharedMutex<T>> {
        // The closure writes nothing: the bytes of a new mutex are zero, and if an initialiser has
        // died, the next one sets them to zero first.
        SharedMutex::open_or_init_layout(section, offset, &Layout::guarded::<T>(), |_| Ok(()))
    }

    /// Opens the mutex at byte `offset` of `section`.
    ///
    /// # Errors
    ///
    /// - [`NotFound`](ErrorKind::NotFound): the mutex has not been initialised.
    /// - The errors of [`open_or_init`](SharedMutex::open_or_init).
    pub fn open(section: &Section, offset: u64) -> Result<SharedMutex<T>> {
        SharedMutex::open_layout(section, offset, &Layout::guarded::<T>())
    }
}

/// Constructors for values whose type is known only at run time, as in bindings for other languages.
impl SharedMutex<[u8]> {
    /// Opens the mutex like [`open_or_init`](SharedMutex::open_or_init), with the bytes `initial` as the
    /// value of a new mutex.
    ///
    /// `fingerprint` identifies the type of the value: for a Rust type, its
    /// [`FINGERPRINT`](crate::Shareable::FINGERPRINT).
    ///
    /// # Errors
    ///
    /// The errors of [`open_or_init`](SharedMutex::open_or_init).
    ///
    /// # Examples
    ///
    /// ```
    /// use pagemate::SectionOptions;
    /// use pagemate::Shareable;
    /// use pagemate::sync::SharedMutex;
    ///
    /// # fn main() -> pagemate::Result<()> {
    /// let section = SectionOptions::new().len(4096).create_unnamed()?;
    /// let bytes = SharedMutex::open_or_init_bytes(&section, 0, u32::FINGERPRINT, &[1; 4])?;
    /// bytes.lock()?.write_at(1, &[2, 3])?;
    /// let number = SharedMutex::<u32>::open(&section, 0)?;
    /// assert_eq!(number.lock()?.get().to_ne_bytes(), [1, 2, 3, 1]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn open_or_init_bytes(
        section: &Section,
        offset: u64,
        fingerprint: u64,
        initial: &[u8],
    ) -> Result<SharedMutex<[u8]>> {
        let layout = Layout::guarded_bytes(initial.len() as u64, fingerprint);
        SharedMutex::open_or_init_layout(section, offset, &layout, |memory| {
            memory.view().write_at(VALUE_AT, initial)
        })
    }

    /// Opens the mutex like [`open`](SharedMutex::open), for a value of `len` bytes of the type that
    /// `fingerprint` identifies.
    ///
    /// # Errors
    ///
    /// The errors of [`open`](SharedMutex::open).
    pub fn open_bytes(
        section: &Section,
        offset: u64,
        fingerprint: u64,
        len: usize,
    ) -> Result<SharedMutex<[u8]>> {
        SharedMutex::open_layout(section, offset, &Layout::guarded_bytes(len as u64, fingerprint))
    }
}

impl<T: ?Sized> SharedMutex<T> {
    fn open_or_init_layout(
        section: &Section,
        offset: u64,
        layout: &Layout,
        init: impl FnOnce(&Memory) -> Result<()>,
    ) -> Result<SharedMutex<T>> {
        let open = || {
            let mutex = SharedMutex::map_at(section, offset, layout)?;
            let memory = &mutex.memory;
            memory.open_or_init(layout, &mutex.lock, || init(memory))?;
            Ok(mutex)
        };
        open().map_err(|error| typed::context("open or create mutex in", section, error))
    }

    fn open_layout(section: &Section, offset: u64, layout: &Layout) -> Result<SharedMutex<T>> {
        let open = || {
            let mutex = SharedMutex::map_at(section, offset, layout)?;
            if mutex.memory.is_initialised(layout)? {
                return Ok(mutex);
            }
            let cause = "the mutex has not been initialised; create it with open_or_init";
            Err(Error::new(ErrorKind::NotFound, cause))
        };
        open().map_err(|error| typed::context("open mutex in", section, error))
    }

    /// Maps the bytes of the mutex, which may not be initialised yet.
    fn map_at(section: &Section, offset: u64, layout: &Layout) -> Result<SharedMutex<T>> {
        let len = (VALUE_AT as u64).saturating_add(layout.len());
        let memory = Memory::map(section, offset, len, 8, Access::ReadWrite)?;
        Ok(SharedMutex { lock: memory.lock(0)?, memory, value: PhantomData })
    }

    /// Acquires the mutex, blocking until no thread holds it.
    ///
    /// Check [`was_abandoned`](SharedGuard::was_abandoned) of the guard before using the value.
    ///
    /// # Errors
    ///
    /// The errors of [`Mutex::lock`](super::Mutex::lock).
    #[inline]
    pub fn lock(&self) -> Result<SharedGuard<'_, T>> {
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
    /// The errors of [`lock`](SharedMutex::lock).
    #[inline]
    pub fn try_lock(&self) -> Result<Option<SharedGuard<'_, T>>> {
        self.take(Deadline::Now)
    }

    /// Acquires the mutex, blocking for at most `time`. Returns `None` after a timeout.
    ///
    /// # Errors
    ///
    /// The errors of [`lock`](SharedMutex::lock).
    pub fn try_lock_for(&self, time: Duration) -> Result<Option<SharedGuard<'_, T>>> {
        self.take(Deadline::after(time))
    }

    /// Acquires the mutex, blocking at the latest until `end`. Returns `None` after that.
    ///
    /// # Errors
    ///
    /// The errors of [`lock`](SharedMutex::lock).
    pub fn try_lock_until(&self, end: Instant) -> Result<Option<SharedGuard<'_, T>>> {
        self.take(Deadline::At(end))
    }

    #[inline]
    fn take(&self, deadline: Deadline) -> Result<Option<SharedGuard<'_, T>>> {
        // Get the header before the acquisition: a panic in `header` would leave the mutex locked.
        let report = &self.memory.header().state;
        let acquired = match self.lock.lock(deadline) {
            Ok(Some(acquired)) => acquired,
            Ok(None) => return Ok(None),
            Err(error) => return Err(self.context("lock mutex in", error)),
        };
        let mut abandoned = acquired == Acquired::Abandoned;
        if report.load(Ordering::Relaxed) != 0 {
            report.store(0, Ordering::Relaxed);
            abandoned = true;
        }
        Ok(Some(self.guard(abandoned)))
    }

    #[inline]
    fn guard(&self, abandoned: bool) -> SharedGuard<'_, T> {
        let entry = Entry::new(abandoned, thread::panicking());
        SharedGuard { mutex: self, entry, not_send: PhantomData }
    }

    /// Returns whether this thread holds the mutex through this handle.
    pub fn is_mine(&self) -> bool {
        self.lock.is_mine()
    }

    /// Returns the guard that this thread gave to [`std::mem::forget`]. This serves bindings for
    /// languages without guards.
    ///
    /// The guard does not report an abandonment a second time.
    ///
    /// # Errors
    ///
    /// [`NotOwner`](ErrorKind::NotOwner): this thread does not hold the mutex through this handle.
    pub fn forgotten(&self) -> Result<SharedGuard<'_, T>> {
        if self.is_mine() {
            return Ok(self.guard(false));
        }
        let error =
            Error::new(ErrorKind::NotOwner, "this thread does not hold it through this handle");
        Err(self.context("use mutex in", error))
    }

    #[cold]
    fn context(&self, call: &'static str, error: Error) -> Error {
        error.during(call, self.memory.view().section())
    }
}

impl<T: ?Sized> fmt::Debug for SharedMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMutex").field("lock", &self.lock).finish_non_exhaustive()
    }
}

/// The proof that this thread holds a [`SharedMutex`]. Dropping it unlocks the mutex.
///
/// If a panic drops the guard, the mutex is *abandoned*: the next owner acquires it, and its guard
/// [reports](SharedGuard::was_abandoned) that the value may be inconsistent.
#[must_use = "dropping the guard unlocks the mutex"]
pub struct SharedGuard<'a, T: ?Sized> {
    mutex: &'a SharedMutex<T>,
    entry: Entry,
    /// Makes the guard `!Send`: the thread that locked the mutex has to unlock it.
    not_send: PhantomData<*const ()>,
}

impl<'a, T: ?Sized> SharedGuard<'a, T> {
    /// Returns the mutex that this guard unlocks.
    pub(super) fn mutex(&self) -> &'a SharedMutex<T> {
        self.mutex
    }

    /// Returns whether the previous owner ended or panicked while it held the mutex, so that the value may be
    /// inconsistent: see [`MutexGuard::was_abandoned`](super::MutexGuard::was_abandoned).
    #[doc(alias("EOWNERDEAD"))]
    pub fn was_abandoned(&self) -> bool {
        self.entry.is_abandoned()
    }
}

impl<T: Plain> SharedGuard<'_, T> {
    /// Returns a copy of the value. For a value that is too large for the stack, use
    /// [`get_boxed`](SharedGuard::get_boxed), [`read_into`](SharedGuard::read_into) or
    /// [`as_cell`](SharedGuard::as_cell).
    #[inline]
    pub fn get(&self) -> T {
        match self.mutex.memory.view().read(VALUE_AT) {
            Ok(value) => value,
            Err(_) => unreachable!("the view covers the whole value"),
        }
    }

    /// Returns a copy of the value on the heap. This serves values that are too large for the stack.
    pub fn get_boxed(&self) -> Box<T> {
        let mut value = zeroed_box();
        self.read_into(&mut value);
        value
    }

    /// Copies the value into `value`. This serves values that are too large for the stack.
    pub fn read_into(&self, value: &mut T) {
        match self.mutex.memory.view().read_into(VALUE_AT, value) {
            Ok(()) => {}
            Err(_) => unreachable!("the view covers the whole value"),
        }
    }

    /// Replaces the value. If the process is killed meanwhile, the value is partly replaced, and the next
    /// owner learns that the mutex was abandoned.
    #[inline]
    pub fn set(&mut self, value: &T) {
        match self.mutex.memory.view().write(VALUE_AT, value) {
            Ok(()) => {}
            Err(_) => unreachable!("the view covers the whole value and is writable"),
        }
    }

    /// Returns the cell of the value in the shared memory, which copies the value or, for an array, one
    /// element of it. This serves values that are too large for the stack.
    ///
    /// A value that has to be aligned to more than 8 bytes does not compile.
    #[inline]
    pub fn as_cell(&self) -> &ReadOnly<Racy<T>> {
        const { assert!(align_of::<T>() <= 8, "a mutex aligns its value to 8 bytes") };
        self.mutex.memory.cell(VALUE_AT).as_read_only()
    }

    /// Returns the cell of the value like [`as_cell`](SharedGuard::as_cell), for changes in place. If the
    /// process is killed meanwhile, the value is partly changed, and the next owner learns that the mutex
    /// was abandoned.
    #[inline]
    pub fn as_cell_mut(&mut self) -> &Racy<T> {
        const { assert!(align_of::<T>() <= 8, "a mutex aligns its value to 8 bytes") };
        self.mutex.memory.cell(VALUE_AT)
    }

    /// Calls `change` with a copy of the value, stores the result and returns it. For a value that is too
    /// large for the stack, change it in place by [`as_cell_mut`](SharedGuard::as_cell_mut).
    #[inline]
    pub fn update(&mut self, change: impl FnOnce(&mut T)) -> T {
        let mut value = self.get();
        change(&mut value);
        self.set(&value);
        value
    }
}

impl SharedGuard<'_, [u8]> {
    /// Copies `bytes.len()` bytes out of the value, starting at its byte `offset`.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](ErrorKind::OutOfRange): the range reaches past the end of the value. No byte was
    /// copied.
    pub fn read_at(&self, offset: usize, bytes: &mut [u8]) -> Result<()> {
        let at = self.view_offset("read value in", offset, bytes.len())?;
        self.mutex.memory.view().read_at(at, bytes)
    }

    /// Copies `bytes` into the value, starting at its byte `offset`. If the process is killed meanwhile,
    /// the value is partly changed, and the next owner learns that the mutex was abandoned.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](ErrorKind::OutOfRange): the range reaches past the end of the value. No byte was
    /// copied.
    pub fn write_at(&mut self, offset: usize, bytes: &[u8]) -> Result<()> {
        let at = self.view_offset("write value in", offset, bytes.len())?;
        self.mutex.memory.view().write_at(at, bytes)
    }

    /// Returns the offset in the view of `len` bytes of the value at `offset`.
    fn view_offset(&self, call: &'static str, offset: usize, len: usize) -> Result<usize> {
        let have = self.mutex.memory.view().len() - VALUE_AT;
        if offset.checked_add(len).is_some_and(|end| end <= have) {
            return Ok(VALUE_AT + offset);
        }
        let cause = format!("{len} bytes at offset {offset} reach past its {have} bytes");
        Err(self.mutex.context(call, Error::new(ErrorKind::OutOfRange, cause)))
    }
}

impl<T: ?Sized> Drop for SharedGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // A forked child inherits a copy of this guard but does not own the mutex, so both calls
        // have no effect in a child.
        if thread::panicking() && !self.entry.is_panicking() {
            self.mutex.lock.abandon();
        } else {
            self.mutex.lock.unlock();
        }
    }
}

impl<T: ?Sized> fmt::Debug for SharedGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedGuard")
            .field("abandoned", &self.was_abandoned())
            .finish_non_exhaustive()
    }
}
