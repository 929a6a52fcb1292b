#![allow(unsafe_code, reason = "creates a lock in mapped memory")]

use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use super::Shareable;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::section::{Section, View};
use crate::sys::fault;
use crate::sys::object::Object;
use crate::sys::sync::{self, Acquired, LockMemory, Words};

/// The offsets of the fields, relative to the mutex; the words of the lock are at offset 0. See
/// `docs/layout.md`.
const MAGIC_AT: usize = 32;
const FINGERPRINT_AT: usize = 40;
const LEN_AT: usize = 48;
const UNCLEAN_AT: usize = 56;
const VALUE_AT: usize = 64;

const _: () = assert!(size_of::<Words>() <= MAGIC_AT || cfg!(loom));

/// The magic number of an initialised mutex.
const MAGIC: u64 = u64::from_ne_bytes(*b"PMGUARD1");

/// A mutex together with the value that it protects, in a section.
///
/// It occupies [`LEN`](SharedMutex::LEN) bytes at an offset that is a multiple of 8: 64 bytes of its own,
/// then the value. A section can contain many of them. The guard copies the value out and in, because
/// other processes have the same bytes mapped.
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
    view: Arc<View>,
    value: PhantomData<fn(*mut T)>,
}

/// The view that contains the lock. The lock keeps it mapped.
struct ViewMemory(Arc<View>);

impl LockMemory for ViewMemory {
    fn object(&self) -> &Object {
        self.0.object()
    }

    fn name(&self) -> Option<&Name> {
        self.0.name()
    }
}

/// The layout of a value, on which all processes have to agree.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Layout {
    len: usize,
    fingerprint: u64,
}

impl<T: Shareable> SharedMutex<T> {
    /// The number of bytes that the mutex and its value occupy in the section.
    pub const LEN: usize = VALUE_AT + size_of::<T>();

    const LAYOUT: Layout = Layout { len: size_of::<T>(), fingerprint: T::FINGERPRINT };

    /// Opens the mutex at byte `offset` of `section`, and initialises it with the value of `init` if it
    /// does not exist. The bytes of a mutex that does not exist have to be zero.
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
        SharedMutex::open_or_init_layout(section, offset, Self::LAYOUT, |view| {
            view.write(VALUE_AT, &init())
        })
    }

    /// Opens the mutex at byte `offset` of `section`.
    ///
    /// # Errors
    ///
    /// - [`NotFound`](ErrorKind::NotFound): the mutex has not been initialised.
    /// - The errors of [`open_or_init`](SharedMutex::open_or_init).
    pub fn open(section: &Section, offset: u64) -> Result<SharedMutex<T>> {
        SharedMutex::open_layout(section, offset, Self::LAYOUT)
    }
}

/// Constructors for values whose type is known only at run time, as in bindings for other languages.
impl SharedMutex<[u8]> {
    /// Opens the mutex like [`open_or_init`](SharedMutex::open_or_init), with the bytes `initial` as the
    /// value of a new mutex.
    ///
    /// `fingerprint` identifies the type of the value: for a Rust type, its
    /// [`FINGERPRINT`](Shareable::FINGERPRINT).
    ///
    /// # Errors
    ///
    /// The errors of [`open_or_init`](SharedMutex::open_or_init).
    ///
    /// # Examples
    ///
    /// ```
    /// use pagemate::SectionOptions;
    /// use pagemate::sync::{Shareable, SharedMutex};
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
        let layout = Layout { len: initial.len(), fingerprint };
        SharedMutex::open_or_init_layout(section, offset, layout, |view| {
            view.write_at(VALUE_AT, initial)
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
        SharedMutex::open_layout(section, offset, Layout { len, fingerprint })
    }
}

impl<T: ?Sized> SharedMutex<T> {
    fn open_or_init_layout(
        section: &Section,
        offset: u64,
        layout: Layout,
        init: impl FnOnce(&View) -> Result<()>,
    ) -> Result<SharedMutex<T>> {
        let context = |error: Error| context("open or create mutex in", section, error);
        let mutex = SharedMutex::map_at(section, offset, layout).map_err(context)?;
        if !mutex.is_initialised(layout).map_err(context)? {
            mutex.init(layout, init).map_err(context)?;
        }
        Ok(mutex)
    }

    fn open_layout(section: &Section, offset: u64, layout: Layout) -> Result<SharedMutex<T>> {
        let context = |error: Error| context("open mutex in", section, error);
        let mutex = SharedMutex::map_at(section, offset, layout).map_err(context)?;
        if mutex.is_initialised(layout).map_err(context)? {
            return Ok(mutex);
        }
        Err(context(Error::new(
            ErrorKind::NotFound,
            "the mutex has not been initialised; create it with open_or_init",
        )))
    }

    /// Maps the bytes of the mutex, which may not be initialised yet.
    fn map_at(section: &Section, offset: u64, layout: Layout) -> Result<SharedMutex<T>> {
        if !offset.is_multiple_of(8) {
            let cause = format!("offset {offset} is not a multiple of 8");
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let end = offset.saturating_add(VALUE_AT as u64).saturating_add(layout.len as u64);
        let view = section.view().range(offset..end).access(crate::Access::ReadWrite).map()?;
        let view = Arc::new(view);
        let words = NonNull::new(view.as_ptr()).expect("memory is not at address zero").cast();
        let home = Box::new(ViewMemory(Arc::clone(&view)));
        // SAFETY: `home` owns the view, which maps these bytes for writing at a fixed address. A view
        // gives access only through atomics and copies.
        let lock = unsafe { sync::Mutex::embedded(words, offset, home) }?;
        Ok(SharedMutex { lock, view, value: PhantomData })
    }

    /// Returns whether the mutex is initialised; an error if it is not a mutex of this layout.
    fn is_initialised(&self, layout: Layout) -> Result<bool> {
        // Acquire: pairs with the Release in `init`, which publishes the value and the fields.
        match self.view.load::<AtomicU64>(MAGIC_AT, Ordering::Acquire)? {
            0 => return Ok(false),
            MAGIC => {}
            _ => {
                let cause = "the bytes are not a SharedMutex, and are not zero";
                return Err(Error::new(ErrorKind::Corrupted, cause));
            }
        }
        let len: u64 = self.view.read(LEN_AT)?;
        let print: u64 = self.view.read(FINGERPRINT_AT)?;
        if (len, print) == (layout.len as u64, layout.fingerprint) {
            return Ok(true);
        }
        let cause = format!(
            "it protects a value of another type: {len} bytes with layout {print:016x}, where {} bytes \
             with layout {:016x} were expected",
            layout.len, layout.fingerprint
        );
        Err(Error::new(ErrorKind::WrongKind, cause))
    }

    fn init(&self, layout: Layout, init: impl FnOnce(&View) -> Result<()>) -> Result<()> {
        let acquired =
            self.lock.lock(Deadline::Never)?.expect("a wait without a deadline does not time out");
        // The guard unlocks the mutex also if `init` panics. The next process then initialises it.
        let _guard = self.guard(Acquired::Released);
        if self.is_initialised(layout)? {
            if acquired == Acquired::Abandoned {
                // The dead owner was using an initialised value. This call does not return a guard, so
                // leave the report to the next owner.
                self.view.atomic::<AtomicU32>(UNCLEAN_AT)?.store(1, Ordering::Relaxed);
            }
            return Ok(());
        }
        fault::point("make-before-value");
        init(&self.view)?;
        fault::point("make-after-value");
        self.view.write(LEN_AT, &(layout.len as u64))?;
        self.view.write(FINGERPRINT_AT, &layout.fingerprint)?;
        fault::point("make-before-magic");
        // Release: publishes the value and the fields; pairs with the Acquire in `is_initialised`.
        self.view.atomic::<AtomicU64>(MAGIC_AT)?.store(MAGIC, Ordering::Release);
        fault::point("make-after-magic");
        Ok(())
    }

    /// Acquires the mutex, blocking until no thread holds it.
    ///
    /// Check [`was_abandoned`](SharedGuard::was_abandoned) of the guard before using the value.
    ///
    /// # Errors
    ///
    /// The errors of [`Mutex::lock`](super::Mutex::lock).
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

    fn take(&self, deadline: Deadline) -> Result<Option<SharedGuard<'_, T>>> {
        let acquired =
            self.lock.lock(deadline).map_err(|error| self.context("lock mutex in", error))?;
        let Some(acquired) = acquired else { return Ok(None) };
        let mut guard = self.guard(acquired);
        let unclean = self.view.atomic::<AtomicU32>(UNCLEAN_AT)?;
        if unclean.load(Ordering::Relaxed) != 0 {
            unclean.store(0, Ordering::Relaxed);
            guard.abandoned = true;
        }
        Ok(Some(guard))
    }

    fn guard(&self, acquired: Acquired) -> SharedGuard<'_, T> {
        SharedGuard {
            mutex: self,
            abandoned: acquired == Acquired::Abandoned,
            not_send: PhantomData,
        }
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
            return Ok(self.guard(Acquired::Released));
        }
        let error =
            Error::new(ErrorKind::NotOwner, "this thread does not hold it through this handle");
        Err(self.context("use mutex in", error))
    }

    #[cold]
    fn context(&self, call: &'static str, error: Error) -> Error {
        error.during(call, self.view.section())
    }
}

fn context(call: &'static str, section: &Section, error: Error) -> Error {
    let name = section.name().map(ToString::to_string);
    match name {
        Some(name) => error.during(call, format!("section {}", crate::error::Quoted(&name))),
        None => error.during(call, "unnamed section"),
    }
}

impl<T: ?Sized> fmt::Debug for SharedMutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedMutex").field("lock", &self.lock).finish_non_exhaustive()
    }
}

/// The proof that this thread holds a [`SharedMutex`]. Dropping it unlocks the mutex.
#[must_use = "dropping the guard unlocks the mutex"]
pub struct SharedGuard<'a, T: ?Sized> {
    mutex: &'a SharedMutex<T>,
    abandoned: bool,
    /// Makes the guard `!Send`: the thread that locked the mutex has to unlock it.
    not_send: PhantomData<*const ()>,
}

impl<T: ?Sized> SharedGuard<'_, T> {
    /// Returns whether the previous owner ended while it held the mutex, so that the value may be
    /// inconsistent: see [`MutexGuard::was_abandoned`](super::MutexGuard::was_abandoned).
    #[doc(alias("EOWNERDEAD"))]
    pub fn was_abandoned(&self) -> bool {
        self.abandoned
    }
}

impl<T: Shareable> SharedGuard<'_, T> {
    /// Returns a copy of the value.
    pub fn get(&self) -> T {
        match self.mutex.view.read(VALUE_AT) {
            Ok(value) => value,
            Err(_) => unreachable!("the view was mapped with room for it"),
        }
    }

    /// Replaces the value. If the process is killed meanwhile, the value is partly replaced, and the next
    /// owner learns that the mutex was abandoned.
    pub fn set(&mut self, value: &T) {
        match self.mutex.view.write(VALUE_AT, value) {
            Ok(()) => {}
            Err(_) => unreachable!("the view was mapped with room for it, and to be written"),
        }
    }

    /// Calls `change` with a copy of the value, stores the result and returns it.
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
        self.mutex.view.read_at(at, bytes)
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
        self.mutex.view.write_at(at, bytes)
    }

    /// Returns the offset in the view of `len` bytes of the value at `offset`.
    fn view_offset(&self, call: &'static str, offset: usize, len: usize) -> Result<usize> {
        let have = self.mutex.view.len() - VALUE_AT;
        if offset.checked_add(len).is_some_and(|end| end <= have) {
            return Ok(VALUE_AT + offset);
        }
        let cause = format!("{len} bytes at offset {offset} reach past its {have} bytes");
        Err(self.mutex.context(call, Error::new(ErrorKind::OutOfRange, cause)))
    }
}

impl<T: ?Sized> Drop for SharedGuard<'_, T> {
    fn drop(&mut self) {
        // A forked child finds a copy of this guard but does not own the mutex: there `unlock` does
        // nothing.
        self.mutex.lock.unlock();
    }
}

impl<T: ?Sized> fmt::Debug for SharedGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedGuard").field("abandoned", &self.abandoned).finish_non_exhaustive()
    }
}
