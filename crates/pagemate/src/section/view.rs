#![allow(unsafe_code, reason = "the one holder of a base pointer")]

use std::fmt;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32,
    AtomicU64, AtomicUsize, Ordering, fence,
};

use zerocopy::{FromBytes, IntoBytes};

use super::{Held, Section};
use crate::access::{Access, Protection};
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::copy::copy;
use crate::sys::object::{Mapping, Mode, Object, Range, allocation_granularity};

/// How to map a section: set what matters, then [`map`](ViewOptions::map).
#[derive(Clone, Debug)]
#[must_use = "nothing is mapped before map()"]
pub struct ViewOptions<'a> {
    section: &'a Section,
    start: u64,
    end: Option<u64>,
    mode: Option<Mode>,
    prefault: bool,
    huge_pages: bool,
}

impl<'a> ViewOptions<'a> {
    pub(super) fn new(section: &'a Section) -> ViewOptions<'a> {
        ViewOptions { section, start: 0, end: None, mode: None, prefault: false, huge_pages: false }
    }

    /// Only these bytes. Any offset will do; the system's granularity is not the caller's problem.
    pub fn range(&mut self, range: impl RangeBounds<u64>) -> &mut ViewOptions<'a> {
        self.start = match range.start_bound() {
            Bound::Included(&start) => start,
            Bound::Excluded(&before) => before.saturating_add(1),
            Bound::Unbounded => 0,
        };
        self.end = match range.end_bound() {
            Bound::Included(&last) => Some(last.saturating_add(1)),
            Bound::Excluded(&end) => Some(end),
            Bound::Unbounded => None,
        };
        self
    }

    /// Look, or look and change. The default is the handle's own access, as far as the object's
    /// protection allows.
    pub fn access(&mut self, access: Access) -> &mut ViewOptions<'a> {
        self.mode = Some(match access {
            Access::Read => Mode::Read,
            Access::ReadWrite => Mode::ReadWrite,
        });
        self
    }

    /// Writes stay in this view, page by page from the first one (`FILE_MAP_COPY`, `MAP_PRIVATE`).
    /// Whether pages not written yet show others' later writes is left open by the systems.
    pub fn copy_on_write(&mut self) -> &mut ViewOptions<'a> {
        self.mode = Some(Mode::CopyOnWrite);
        self
    }

    /// Brings all pages in now, so that no later touch waits for one. A wish.
    ///
    /// On Linux a view of small pages is whole about a fifth sooner than by touching each of them,
    /// and no touch afterwards waits; of huge pages there is next to nothing to gain.
    /// `cargo bench -p pagemate --bench section -- giant` measures it.
    #[doc(alias("MAP_POPULATE", "MADV_POPULATE_WRITE"))]
    pub fn prefault(&mut self) -> &mut ViewOptions<'a> {
        self.prefault = true;
        self
    }

    /// Gathers the memory into huge pages, where the system can. A wish; on Windows it has no
    /// effect, as large pages are a privilege there.
    ///
    /// For a section that others made of small pages, and that will be used for long: on Linux
    /// every page is copied, which takes up to three times as long as touching them all. Who makes
    /// the section had better say [`SectionOptions::huge_pages`](crate::SectionOptions::huge_pages).
    #[doc(alias = "MADV_COLLAPSE")]
    pub fn huge_pages(&mut self) -> &mut ViewOptions<'a> {
        self.huge_pages = true;
        self
    }

    /// Maps the range.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](ErrorKind::OutOfRange): it ends past the end of the section.
    /// [`InvalidInput`](ErrorKind::InvalidInput): it is empty.
    /// [`PermissionDenied`](ErrorKind::PermissionDenied): the handle or the object's protection does
    /// not allow the access.
    pub fn map(&self) -> Result<View> {
        self.try_map().map_err(|error| error.during("map", &self.section.held))
    }

    fn try_map(&self) -> Result<View> {
        let object = self.section.object();
        let mode = self.mode.unwrap_or(match (object.access(), object.protection()) {
            (Access::ReadWrite, Protection::ReadWrite) => Mode::ReadWrite,
            _ => Mode::Read,
        });
        let denied = |cause| Err(Error::new(ErrorKind::PermissionDenied, cause));
        if mode == Mode::ReadWrite && object.access() == Access::Read {
            return denied("the handle is read-only");
        }
        if mode == Mode::ReadWrite && object.protection() == Protection::ReadOnly {
            return denied("the section's protection is read-only");
        }
        let end = self.end.unwrap_or(object.len());
        if end > object.len() || self.start > object.len() {
            let (start, len) = (self.start, object.len());
            let cause = format!("the range {start}..{end} reaches past its {len} bytes");
            return Err(Error::new(ErrorKind::OutOfRange, cause));
        }
        if self.start >= end {
            let cause = format!("the range {}..{end} is empty", self.start);
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let offset = self.start - self.start % allocation_granularity();
        let too_long = |_| Error::new(ErrorKind::OutOfRange, "it does not fit the address space");
        let skip = usize::try_from(self.start - offset).map_err(too_long)?;
        let range = Range {
            offset,
            len: usize::try_from(end - offset).map_err(too_long)?,
            mode,
            prefault: self.prefault,
            huge_pages: self.huge_pages,
        };
        let mapping = object.map(&range)?;
        Ok(View { mapping, skip, mode, held: Arc::clone(&self.section.held) })
    }
}

/// Shared memory in this process' address space.
///
/// Other processes may write any byte of it at any time, so it is never a slice. Bytes and plain
/// values are copied in and out, each byte as somebody wrote it and in no order; atomics are
/// borrowed in place, and are what orders the rest. All of it takes `&self`.
///
/// A view keeps its section open.
pub struct View {
    /// First: the memory is unmapped before the name goes.
    mapping: Mapping,
    /// Where the range begins in the mapping.
    skip: usize,
    mode: Mode,
    held: Arc<Held>,
}

impl View {
    /// What it is a view of.
    pub(crate) fn object(&self) -> &Object {
        &self.held.object
    }

    /// What errors call that.
    pub(crate) fn section(&self) -> &impl fmt::Display {
        &*self.held
    }

    /// The name of that.
    pub(crate) fn name(&self) -> Option<&Name> {
        self.held.name.as_ref()
    }

    /// Its length in bytes.
    #[allow(clippy::len_without_is_empty, reason = "a view is never empty")]
    #[inline]
    pub fn len(&self) -> usize {
        self.mapping.len() - self.skip
    }

    /// Whether it can be written to.
    #[inline]
    pub fn is_writable(&self) -> bool {
        self.mode != Mode::Read
    }

    /// Where it begins, for those who take the promise of every access on themselves. Valid for
    /// [`len`](View::len) bytes while the view lives; not to be written to unless
    /// [`is_writable`](View::is_writable).
    #[inline]
    pub fn as_ptr(&self) -> *mut u8 {
        self.mapping.base().as_ptr().wrapping_add(self.skip)
    }

    /// Its bytes, in place.
    ///
    /// # Safety
    ///
    /// Until the slice is gone nobody writes to these bytes, neither in this process nor in
    /// another.
    pub unsafe fn as_slice(&self) -> &[u8] {
        // SAFETY: the mapping is readable for `len` bytes and lives as long as `self`; the caller
        // keeps writers away.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.len()) }
    }

    /// Copies `bytes.len()` bytes from `offset` on out of the view.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](ErrorKind::OutOfRange): they do not all lie in the view; none was copied.
    #[inline]
    pub fn read_at(&self, offset: usize, bytes: &mut [u8]) -> Result<()> {
        let from = self.at("read view of", offset, bytes.len())?;
        // SAFETY: `at` checked that the mapping has these bytes, and `bytes` is our caller's own.
        unsafe { copy(from, bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }

    /// Copies `bytes` into the view from `offset` on.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](ErrorKind::OutOfRange): they do not all fit; none was copied.
    /// [`PermissionDenied`](ErrorKind::PermissionDenied): the view is read-only.
    #[inline]
    pub fn write_at(&self, offset: usize, bytes: &[u8]) -> Result<()> {
        let to = self.at("write view of", offset, bytes.len())?;
        self.writable("write view of")?;
        // SAFETY: `at` checked that the mapping has these bytes, and `writable` that it takes them.
        unsafe { copy(bytes.as_ptr(), to, bytes.len()) };
        Ok(())
    }

    /// Reads a plain value by copy. `offset` need not be aligned.
    ///
    /// A type of your own says by `zerocopy`'s derives that any bytes make one, and, to be written,
    /// that it has no padding.
    ///
    /// ```
    /// use zerocopy::{FromBytes, Immutable, IntoBytes};
    ///
    /// #[derive(FromBytes, IntoBytes, Immutable, PartialEq, Debug)]
    /// #[repr(C)]
    /// struct Pose {
    ///     position: [f32; 3],
    ///     frame: u32,
    /// }
    ///
    /// # fn main() -> pagemate::Result<()> {
    /// # let section = pagemate::SectionOptions::new().len(4096).create_unnamed()?;
    /// let view = section.map()?;
    /// view.write(64, &Pose { position: [1.0, 2.0, 3.0], frame: 7 })?;
    /// assert_eq!(view.read::<Pose>(64)?.frame, 7);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`read_at`](View::read_at).
    pub fn read<T: FromBytes>(&self, offset: usize) -> Result<T> {
        let from = self.at("read view of", offset, size_of::<T>())?;
        let mut value = T::new_zeroed();
        // SAFETY: `at` checked that the mapping has these bytes, `value` is our own, and
        // `FromBytes` says that any bytes make a `T`.
        unsafe { copy(from, (&raw mut value).cast(), size_of::<T>()) };
        Ok(value)
    }

    /// Writes a plain value by copy. `offset` need not be aligned.
    ///
    /// # Errors
    ///
    /// As [`write_at`](View::write_at).
    pub fn write<T: IntoBytes + zerocopy::Immutable>(
        &self,
        offset: usize,
        value: &T,
    ) -> Result<()> {
        self.write_at(offset, value.as_bytes())
    }

    /// Borrows an atomic in place. `offset` must be aligned for it.
    ///
    /// Use one size of atomic for one place. What two accesses of different sizes to the same bytes
    /// do at the same time, Rust does not define; on the systems pagemate runs on each is one
    /// instruction, and every byte is one that somebody wrote.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// # fn main() -> pagemate::Result<()> {
    /// # let section = pagemate::SectionOptions::new().len(4096).create_unnamed()?;
    /// let view = section.map()?;
    /// view.atomic::<AtomicU64>(0)?.fetch_add(1, Ordering::AcqRel);
    /// assert_eq!(view.load::<AtomicU64>(0, Ordering::Acquire)?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](ErrorKind::OutOfRange), [`InvalidInput`](ErrorKind::InvalidInput) if `offset`
    /// is not aligned, [`PermissionDenied`](ErrorKind::PermissionDenied) if the view is read-only:
    /// see [`load`](View::load).
    pub fn atomic<A: Atomic>(&self, offset: usize) -> Result<&A> {
        let at = self.aligned::<A>("borrow atomic in view of", offset)?;
        self.writable("borrow atomic in view of")?;
        // SAFETY: aligned, inside a writable mapping that lives as long as `self`, and of a type
        // that takes any bytes and may change at any time.
        Ok(unsafe { &*at })
    }

    /// Loads an atomic, from a read-only view too.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](ErrorKind::OutOfRange), or [`InvalidInput`](ErrorKind::InvalidInput) if
    /// `offset` is not aligned.
    ///
    /// # Panics
    ///
    /// As the atomic's own `load`, for an `order` that is none of a load.
    pub fn load<A: Atomic>(&self, offset: usize, order: Ordering) -> Result<A::Value> {
        let at = self.aligned::<A>("load atomic from view of", offset)?;
        // SAFETY: aligned, inside a mapping that lives as long as `self`, and of a type that takes any
        // bytes and may change at any time. Where the mapping is read-only, only relaxed loads of it
        // follow, which for what one register holds do not write (see `std::sync::atomic`).
        let atomic = unsafe { &*at };
        Ok(match order {
            _ if self.is_writable() => atomic.load_value(order),
            Ordering::Acquire => {
                let value = atomic.load_value(Ordering::Relaxed);
                fence(Ordering::Acquire);
                value
            }
            Ordering::SeqCst => {
                fence(Ordering::SeqCst);
                let value = atomic.load_value(Ordering::Relaxed);
                fence(Ordering::SeqCst);
                value
            }
            // Relaxed, or none of a load, which panics.
            _ => atomic.load_value(order),
        })
    }

    /// Writes what changed back to the file under the section, and waits until it is there. Views
    /// of the same section need no flush to see each other's bytes.
    ///
    /// On Windows it waits only if this very handle made the section over its
    /// [`file`](super::SectionOptions::file); of one that was opened, it starts the writing.
    ///
    /// # Errors
    ///
    /// The file system's refusal.
    #[doc(alias("msync", "FlushViewOfFile"))]
    pub fn flush(&self) -> Result<()> {
        self.mapping.flush(self.skip, self.len()).map_err(|e| e.during("flush view of", &self.held))
    }

    /// The address of `len` bytes at `offset`, if the view has them.
    #[inline]
    fn at(&self, call: &'static str, offset: usize, len: usize) -> Result<*mut u8> {
        if offset.checked_add(len).is_some_and(|end| end <= self.len()) {
            return Ok(self.as_ptr().wrapping_add(offset));
        }
        Err(self.out_of_range(call, offset, len))
    }

    #[cold]
    fn out_of_range(&self, call: &'static str, offset: usize, len: usize) -> Error {
        let have = self.len();
        let cause = format!("{len} bytes at offset {offset} reach past its {have} bytes");
        Error::new(ErrorKind::OutOfRange, cause).during(call, &self.held)
    }

    fn aligned<A>(&self, call: &'static str, offset: usize) -> Result<*const A> {
        let at = self.at(call, offset, size_of::<A>())?.cast::<A>().cast_const();
        if at.is_aligned() {
            return Ok(at);
        }
        let cause = format!("offset {offset} is not aligned to {} bytes", align_of::<A>());
        Err(Error::new(ErrorKind::InvalidInput, cause).during(call, &self.held))
    }

    #[inline]
    fn writable(&self, call: &'static str) -> Result<()> {
        if self.is_writable() { Ok(()) } else { Err(self.read_only(call)) }
    }

    #[cold]
    fn read_only(&self, call: &'static str) -> Error {
        Error::new(ErrorKind::PermissionDenied, "the view is read-only").during(call, &self.held)
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View")
            .field("at", &self.as_ptr())
            .field("len", &self.len())
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

mod sealed {
    pub trait Sealed {}
}

/// The atomic integers of the standard library, which a [`View`] lends in place.
pub trait Atomic: sealed::Sealed {
    /// The integer inside.
    type Value;

    #[doc(hidden)]
    fn load_value(&self, order: Ordering) -> Self::Value;
}

macro_rules! atomics {
    ($($atomic:ty: $value:ty),* $(,)?) => {$(
        impl sealed::Sealed for $atomic {}
        impl Atomic for $atomic {
            type Value = $value;

            fn load_value(&self, order: Ordering) -> $value {
                self.load(order)
            }
        }
    )*};
}

atomics! {
    AtomicU8: u8, AtomicU16: u16, AtomicU32: u32, AtomicU64: u64, AtomicUsize: usize,
    AtomicI8: i8, AtomicI16: i16, AtomicI32: i32, AtomicI64: i64, AtomicIsize: isize,
}
