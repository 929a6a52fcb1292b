#![allow(unsafe_code, reason = "a lock in mapped memory")]

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
use crate::sys::sync::{self, Got, Home, Words};

/// Where things stand, from the beginning of the place: first the words of the lock.
const MAGIC_AT: usize = 32;
const FINGERPRINT_AT: usize = 40;
const LEN_AT: usize = 48;
const UNCLEAN_AT: usize = 56;
const VALUE_AT: usize = 64;

const _: () = assert!(size_of::<Words>() <= MAGIC_AT || cfg!(loom));

/// Says that the place is whole.
const MAGIC: u64 = u64::from_ne_bytes(*b"PMGUARD1");

/// A mutex beside the value that it guards, at a place in a section.
///
/// It takes [`LEN`](SharedMutex::LEN) bytes from a multiple of eight on, of which the first 64 are
/// its own; `docs/layout.md` has the map. Whoever comes first makes the value, and if it dies over
/// that the next one does, so that nobody sees half of it. Who opens it with another type is
/// refused.
///
/// The value is copied in and out, since other processes have these bytes mapped too.
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

/// The view that the lock is in.
struct InView(Arc<View>);

impl Home for InView {
    fn object(&self) -> &Object {
        self.0.object()
    }

    fn name(&self) -> Option<&Name> {
        self.0.name()
    }
}

/// What two who share a value have to mean alike.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Layout {
    len: usize,
    fingerprint: u64,
}

impl<T: Shareable> SharedMutex<T> {
    /// How many bytes it takes.
    pub const LEN: usize = VALUE_AT + size_of::<T>();

    const LAYOUT: Layout = Layout { len: size_of::<T>(), fingerprint: T::FINGERPRINT };

    /// The mutex at `offset` bytes from the beginning of `section`. If there is none yet, it is made
    /// there, of bytes that have to be zero, with the value that `init` gives.
    ///
    /// While another process makes it, this one waits.
    ///
    /// # Errors
    ///
    /// - [`OutOfRange`](ErrorKind::OutOfRange): it would reach past the end of the section.
    /// - [`InvalidInput`](ErrorKind::InvalidInput): `offset` is not a multiple of eight.
    /// - [`PermissionDenied`](ErrorKind::PermissionDenied): the section is only to be read.
    /// - [`WrongKind`](ErrorKind::WrongKind): it guards a value of another type.
    /// - [`Corrupted`](ErrorKind::Corrupted): something else stands there.
    /// - [`Unsupported`](ErrorKind::Unsupported), on Windows when it is locked: on Unix, a section over
    ///   a file that has no name; on macOS every section without a name; on Windows, one that has
    ///   come from another logon session and whose name is not a `Global\` one.
    pub fn open_or_init(
        section: &Section,
        offset: u64,
        init: impl FnOnce() -> T,
    ) -> Result<SharedMutex<T>> {
        SharedMutex::find_or_make(section, offset, Self::LAYOUT, |view| {
            view.write(VALUE_AT, &init())
        })
    }

    /// The mutex at `offset` bytes from the beginning of `section`.
    ///
    /// # Errors
    ///
    /// Those of [`open_or_init`](SharedMutex::open_or_init), and
    /// [`NotFound`](ErrorKind::NotFound): nobody has made it yet.
    pub fn open(section: &Section, offset: u64) -> Result<SharedMutex<T>> {
        SharedMutex::find(section, offset, Self::LAYOUT)
    }
}

/// For values whose type this program does not know when it is built, as other languages' are.
impl SharedMutex<[u8]> {
    /// As [`open_or_init`](SharedMutex::open_or_init), for a value of as many bytes as `initial`
    /// has. `fingerprint` stands for its type: for one of Rust's, its
    /// [`FINGERPRINT`](Shareable::FINGERPRINT).
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
    ///
    /// # Errors
    ///
    /// As [`open_or_init`](SharedMutex::open_or_init).
    pub fn open_or_init_bytes(
        section: &Section,
        offset: u64,
        fingerprint: u64,
        initial: &[u8],
    ) -> Result<SharedMutex<[u8]>> {
        let layout = Layout { len: initial.len(), fingerprint };
        SharedMutex::find_or_make(section, offset, layout, |view| view.write_at(VALUE_AT, initial))
    }

    /// As [`open`](SharedMutex::open), for a value of `len` bytes whose type `fingerprint` stands
    /// for.
    ///
    /// # Errors
    ///
    /// As [`open`](SharedMutex::open).
    pub fn open_bytes(
        section: &Section,
        offset: u64,
        fingerprint: u64,
        len: usize,
    ) -> Result<SharedMutex<[u8]>> {
        SharedMutex::find(section, offset, Layout { len, fingerprint })
    }
}

impl<T: ?Sized> SharedMutex<T> {
    fn find_or_make(
        section: &Section,
        offset: u64,
        layout: Layout,
        init: impl FnOnce(&View) -> Result<()>,
    ) -> Result<SharedMutex<T>> {
        let told = |error: Error| tell("open or make mutex in", section, error);
        let mutex = SharedMutex::at(section, offset, layout).map_err(told)?;
        if !mutex.is_whole(layout).map_err(told)? {
            mutex.make(layout, init).map_err(told)?;
        }
        Ok(mutex)
    }

    fn find(section: &Section, offset: u64, layout: Layout) -> Result<SharedMutex<T>> {
        let told = |error: Error| tell("open mutex in", section, error);
        let mutex = SharedMutex::at(section, offset, layout).map_err(told)?;
        if mutex.is_whole(layout).map_err(told)? {
            return Ok(mutex);
        }
        Err(told(Error::new(ErrorKind::NotFound, "nobody has made it yet")))
    }

    fn at(section: &Section, offset: u64, layout: Layout) -> Result<SharedMutex<T>> {
        if !offset.is_multiple_of(8) {
            let cause = format!("offset {offset} is not a multiple of eight");
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let end = offset.saturating_add(VALUE_AT as u64).saturating_add(layout.len as u64);
        let view = section.view().range(offset..end).access(crate::Access::ReadWrite).map()?;
        let view = Arc::new(view);
        let words = NonNull::new(view.as_ptr()).expect("memory is not at address zero").cast();
        let home = Box::new(InView(Arc::clone(&view)));
        // SAFETY: the view maps these bytes for writing as long as `home` has it, wherever that is
        // moved; a view lends out nothing but atomics and copies.
        let lock = unsafe { sync::Mutex::inside(words, offset, home) }?;
        Ok(SharedMutex { lock, view, value: PhantomData })
    }

    /// Whether it has been made; an error if it is not ours to use.
    fn is_whole(&self, layout: Layout) -> Result<bool> {
        // Acquire: what was made, by the Release in `make`.
        match self.view.load::<AtomicU64>(MAGIC_AT, Ordering::Acquire)? {
            0 => return Ok(false),
            MAGIC => {}
            _ => {
                let cause = "what stands there is no mutex with a value";
                return Err(Error::new(ErrorKind::Corrupted, cause));
            }
        }
        let len: u64 = self.view.read(LEN_AT)?;
        let print: u64 = self.view.read(FINGERPRINT_AT)?;
        if (len, print) == (layout.len as u64, layout.fingerprint) {
            return Ok(true);
        }
        let cause = format!(
            "it guards a value of another type: {len} bytes and layout {print:016x}, this one has {} \
             and {:016x}",
            layout.len, layout.fingerprint
        );
        Err(Error::new(ErrorKind::WrongKind, cause))
    }

    fn make(&self, layout: Layout, init: impl FnOnce(&View) -> Result<()>) -> Result<()> {
        let got = self.lock.lock(Deadline::Never)?.expect("there is no end to the wait");
        // Freed also if `init` panics; what was not made is for the next one to make.
        let _guard = self.guard(Got::Released);
        if self.is_whole(layout)? {
            if got == Got::Abandoned {
                // Somebody died who used it, and it is not us who have to know.
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
        // Release: what was made, for the Acquire in `is_whole`.
        self.view.atomic::<AtomicU64>(MAGIC_AT)?.store(MAGIC, Ordering::Release);
        fault::point("make-after-magic");
        Ok(())
    }

    /// Waits until nobody has it, and takes it.
    ///
    /// # Errors
    ///
    /// As [`Mutex::lock`](super::Mutex::lock).
    pub fn lock(&self) -> Result<SharedGuard<'_, T>> {
        match self.take(Deadline::Never)? {
            Some(guard) => Ok(guard),
            None => unreachable!("there is no end to the wait"),
        }
    }

    /// Takes it if nobody has it; `None` if somebody does.
    ///
    /// # Errors
    ///
    /// As [`lock`](SharedMutex::lock).
    pub fn try_lock(&self) -> Result<Option<SharedGuard<'_, T>>> {
        self.take(Deadline::Now)
    }

    /// Waits for this long at most; `None` if somebody had it all the time.
    ///
    /// # Errors
    ///
    /// As [`lock`](SharedMutex::lock).
    pub fn try_lock_for(&self, time: Duration) -> Result<Option<SharedGuard<'_, T>>> {
        self.take(Deadline::after(time))
    }

    fn take(&self, deadline: Deadline) -> Result<Option<SharedGuard<'_, T>>> {
        let got = self.lock.lock(deadline).map_err(|error| self.tell("lock mutex in", error))?;
        let Some(got) = got else { return Ok(None) };
        let mut guard = self.guard(got);
        let unclean = self.view.atomic::<AtomicU32>(UNCLEAN_AT)?;
        if unclean.load(Ordering::Relaxed) != 0 {
            unclean.store(0, Ordering::Relaxed);
            guard.abandoned = true;
        }
        Ok(Some(guard))
    }

    fn guard(&self, got: Got) -> SharedGuard<'_, T> {
        SharedGuard { mutex: self, abandoned: got == Got::Abandoned, stays: PhantomData }
    }

    /// Whether this thread has it, by this handle.
    pub fn is_mine(&self) -> bool {
        self.lock.is_mine()
    }

    /// The guard that this thread gave to [`std::mem::forget`]: for those whose language has no
    /// guards. Whether it was abandoned is not told again.
    ///
    /// # Errors
    ///
    /// [`NotOwner`](ErrorKind::NotOwner): this thread does not have it by this handle.
    pub fn forgotten(&self) -> Result<SharedGuard<'_, T>> {
        if self.is_mine() {
            return Ok(self.guard(Got::Released));
        }
        let error = Error::new(ErrorKind::NotOwner, "this thread does not have it");
        Err(self.tell("use mutex in", error))
    }

    #[cold]
    fn tell(&self, call: &'static str, error: Error) -> Error {
        error.during(call, self.view.section())
    }
}

fn tell(call: &'static str, section: &Section, error: Error) -> Error {
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

/// A [`SharedMutex`] that this thread has, until this is dropped.
#[must_use = "the mutex is free again as soon as this is dropped"]
pub struct SharedGuard<'a, T: ?Sized> {
    mutex: &'a SharedMutex<T>,
    abandoned: bool,
    /// The thread that took it has to free it.
    stays: PhantomData<*const ()>,
}

impl<T: ?Sized> SharedGuard<'_, T> {
    /// Whether the last who had it ended without freeing it, so that the value may be half changed:
    /// see [`MutexGuard::was_abandoned`](super::MutexGuard::was_abandoned).
    #[doc(alias("EOWNERDEAD"))]
    pub fn was_abandoned(&self) -> bool {
        self.abandoned
    }
}

impl<T: Shareable> SharedGuard<'_, T> {
    /// A copy of the value.
    pub fn get(&self) -> T {
        match self.mutex.view.read(VALUE_AT) {
            Ok(value) => value,
            Err(_) => unreachable!("the view was mapped with room for it"),
        }
    }

    /// Replaces the value. Who is killed in the middle of it leaves half of it, and the next is told.
    pub fn set(&mut self, value: &T) {
        match self.mutex.view.write(VALUE_AT, value) {
            Ok(()) => {}
            Err(_) => unreachable!("the view was mapped with room for it, and to be written"),
        }
    }

    /// Changes the value, and gives what it became.
    pub fn update(&mut self, change: impl FnOnce(&mut T)) -> T {
        let mut value = self.get();
        change(&mut value);
        self.set(&value);
        value
    }
}

impl SharedGuard<'_, [u8]> {
    /// Copies bytes out of the value, from `offset` on.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](ErrorKind::OutOfRange): it does not have them all; none was copied.
    pub fn read_at(&self, offset: usize, bytes: &mut [u8]) -> Result<()> {
        let at = self.at("read value in", offset, bytes.len())?;
        self.mutex.view.read_at(at, bytes)
    }

    /// Copies bytes into the value, from `offset` on. Who is killed in the middle of it leaves half
    /// of it, and the next is told.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](ErrorKind::OutOfRange): they do not all fit; none was copied.
    pub fn write_at(&mut self, offset: usize, bytes: &[u8]) -> Result<()> {
        let at = self.at("write value in", offset, bytes.len())?;
        self.mutex.view.write_at(at, bytes)
    }

    /// Where in the view these bytes of the value are.
    fn at(&self, call: &'static str, offset: usize, len: usize) -> Result<usize> {
        let have = self.mutex.view.len() - VALUE_AT;
        if offset.checked_add(len).is_some_and(|end| end <= have) {
            return Ok(VALUE_AT + offset);
        }
        let cause = format!("{len} bytes at offset {offset} reach past its {have} bytes");
        Err(self.mutex.tell(call, Error::new(ErrorKind::OutOfRange, cause)))
    }
}

impl<T: ?Sized> Drop for SharedGuard<'_, T> {
    fn drop(&mut self) {
        // In a forked child it is not ours to free.
        self.mutex.lock.unlock();
    }
}

impl<T: ?Sized> fmt::Debug for SharedGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedGuard").field("abandoned", &self.abandoned).finish_non_exhaustive()
    }
}
