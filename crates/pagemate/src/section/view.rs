#![allow(unsafe_code, reason = "dereferences the base pointer of a mapping")]

use std::fmt;
use std::mem::MaybeUninit;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32,
    AtomicU64, AtomicUsize,
};

use super::{Handle, Section};
use crate::access::{Access, Protection};
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::shareable::Plain;
use crate::sys::copy::{copy_in, copy_out};
use crate::sys::object::{Mapping, Mode, Object, Range, allocation_granularity};

/// Options to map a section. Create them with [`Section::view`].
///
/// The default is a view of the whole section with the access of its handle.
#[derive(Clone, Debug)]
#[must_use = "options map nothing until map() is called"]
pub struct ViewOptions<'a> {
    section: &'a Section,
    start: u64,
    end: Option<u64>,
    access: Option<Access>,
    copy_on_write: bool,
    prefault: bool,
    huge_pages: bool,
}

impl<'a> ViewOptions<'a> {
    pub(super) fn new(section: &'a Section) -> ViewOptions<'a> {
        ViewOptions {
            section,
            start: 0,
            end: None,
            access: None,
            copy_on_write: false,
            prefault: false,
            huge_pages: false,
        }
    }

    /// Sets the range of bytes to map, relative to the beginning of the section. The default is the
    /// whole section.
    ///
    /// Any offset and length is legal: the view starts at the exact byte, although the system maps
    /// whole pages.
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

    /// Sets the access of the view. The default is the access of the handle, limited by the object's
    /// [protection](Section::protection).
    pub fn access(&mut self, access: Access) -> &mut ViewOptions<'a> {
        self.access = Some(access);
        self
    }

    /// Sets whether the view is private: the first write to a page replaces the page by a copy that only
    /// this view sees (`FILE_MAP_COPY`, `MAP_PRIVATE`). The default is `false`.
    ///
    /// A private view can be written to, and needs no more than a handle for reading. It overrides
    /// [`access`](ViewOptions::access).
    ///
    /// It is unspecified whether a page without a write of this view shows later writes of other
    /// views.
    pub fn copy_on_write(&mut self, copy_on_write: bool) -> &mut ViewOptions<'a> {
        self.copy_on_write = copy_on_write;
        self
    }

    /// Sets whether all pages are mapped into the page table at once, so that later accesses cause no
    /// page faults. The default is `false`. It is a hint.
    ///
    /// # Platforms
    ///
    /// On Linux this is about a fifth faster than touching every page, for small pages. It makes
    /// almost no difference for huge pages. The benchmark
    /// `cargo bench -p pagemate --bench section -- "huge sections"` measures both.
    #[doc(alias("MAP_POPULATE", "MADV_POPULATE_WRITE"))]
    pub fn prefault(&mut self, prefault: bool) -> &mut ViewOptions<'a> {
        self.prefault = prefault;
        self
    }

    /// Sets whether the memory is collapsed into huge pages where the system can. The default is `false`.
    /// It is a hint.
    ///
    /// Use this for a section that was created with small pages and that will be used for long. The
    /// creator of a section should use
    /// [`SectionOptions::huge_pages`](crate::SectionOptions::huge_pages) instead.
    ///
    /// # Platforms
    ///
    /// On Linux the kernel copies every page, which takes up to three times as long as touching every
    /// page. On macOS and Windows the hint has no effect.
    #[doc(alias = "MADV_COLLAPSE")]
    pub fn huge_pages(&mut self, huge_pages: bool) -> &mut ViewOptions<'a> {
        self.huge_pages = huge_pages;
        self
    }

    /// Maps the range into this process.
    ///
    /// # Errors
    ///
    /// - [`OutOfRange`](ErrorKind::OutOfRange): the range ends past the end of the section, or does not
    ///   fit into the address space.
    /// - [`InvalidInput`](ErrorKind::InvalidInput): the range is empty.
    /// - [`PermissionDenied`](ErrorKind::PermissionDenied): the handle or the object's protection does
    ///   not allow the access.
    /// - [`NoSpace`](ErrorKind::NoSpace): there is no address space left, or on Windows not enough
    ///   memory for a sparse section.
    pub fn map(&self) -> Result<View> {
        self.try_map().map_err(|error| error.during("map", &self.section.handle))
    }

    fn try_map(&self) -> Result<View> {
        let object = self.section.object();
        let greatest = match (object.access(), object.protection()) {
            (Access::ReadWrite, Protection::ReadWrite) => Access::ReadWrite,
            _ => Access::Read,
        };
        let mode = match self.access.unwrap_or(greatest) {
            _ if self.copy_on_write => Mode::CopyOnWrite,
            Access::Read => Mode::Read,
            Access::ReadWrite => Mode::ReadWrite,
        };
        let denied = |cause| Err(Error::new(ErrorKind::PermissionDenied, cause));
        if mode == Mode::ReadWrite && object.access() == Access::Read {
            return denied("the handle is read-only; open the section for writing");
        }
        if mode == Mode::ReadWrite && object.protection() == Protection::ReadOnly {
            return denied("the section was created read-only");
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
        let too_long =
            |_| Error::new(ErrorKind::OutOfRange, "the range does not fit into the address space");
        let skip = usize::try_from(self.start - offset).map_err(too_long)?;
        let range = Range {
            offset,
            len: usize::try_from(end - offset).map_err(too_long)?,
            mode,
            prefault: self.prefault,
            huge_pages: self.huge_pages,
        };
        let mapping = object.map(&range)?;
        let handle = Arc::clone(&self.section.handle);
        Ok(View { mapping, start: self.start, skip, mode, handle })
    }
}

/// Shared memory that is mapped into this process.
///
/// A view keeps its section open: the name lives until the last `Section` and the last view are gone.
/// Dropping the view unmaps the memory.
///
/// # Memory model
///
/// Another process may write any byte at any time, so safe code never gets a reference to plain bytes:
///
/// - [`read_at`](View::read_at), [`write_at`](View::write_at), [`read`](View::read) and
///   [`write`](View::write) copy. A copy that races with a write in another thread or process may be
///   *torn*: each byte is either the old or the new one, in any combination. The order in which bytes
///   become visible is unspecified. A copy orders nothing.
/// - Atomics order memory, and are not torn. They belong to typed memory: [`Shared`](crate::Shared)
///   lends them, through a view of its own. A release store in one process happens before the acquire
///   load in another process that reads its value, and so orders the copies around it.
///
/// To keep larger values consistent, guard them with a [`Mutex`](crate::sync::Mutex) or a
/// [`SharedMutex`](crate::sync::SharedMutex), or publish them by a
/// [`SeqLock`](crate::typed::SeqLock).
pub struct View {
    /// Declared first, so that the memory is unmapped before the handle is closed.
    mapping: Mapping,
    /// The offset of the view in the section.
    start: u64,
    /// The offset of the view in the mapping, which begins at a page boundary.
    skip: usize,
    mode: Mode,
    handle: Arc<Handle>,
}

impl View {
    /// Returns the mapped object.
    pub(crate) fn object(&self) -> &Object {
        &self.handle.object
    }

    /// Returns the name of the section for error messages.
    pub(crate) fn section(&self) -> &impl fmt::Display {
        &*self.handle
    }

    /// Returns the name of the section.
    pub(crate) fn name(&self) -> Option<&Name> {
        self.handle.name.as_ref()
    }

    /// Returns the offset of the view in the section, in bytes.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// Returns the length of the view in bytes.
    #[allow(clippy::len_without_is_empty, reason = "a view is never empty")]
    #[inline]
    pub fn len(&self) -> usize {
        self.mapping.len() - self.skip
    }

    /// Returns whether the view can be written to. A copy-on-write view can.
    #[inline]
    pub fn is_writable(&self) -> bool {
        self.mode != Mode::Read
    }

    /// Returns the address of the first byte.
    ///
    /// The pointer is valid for [`len`](View::len) bytes as long as the view lives. It may be written
    /// through only if the view [is writable](View::is_writable). Every access is subject to data races
    /// with other processes, which the caller has to rule out.
    #[inline]
    pub fn as_ptr(&self) -> *mut u8 {
        self.mapping.base().as_ptr().wrapping_add(self.skip)
    }

    /// Borrows the bytes in place.
    ///
    /// # Safety
    ///
    /// No thread of any process may write to these bytes as long as the slice lives.
    pub unsafe fn as_slice(&self) -> &[u8] {
        // SAFETY: the mapping is readable for `len` bytes and lives as long as `self`; the caller
        // guarantees that no thread writes to it.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.len()) }
    }

    /// Copies `bytes.len()` bytes out of the view, starting at byte `offset`.
    ///
    /// The copy may be torn: see [Memory model](View#memory-model).
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](ErrorKind::OutOfRange): the range reaches past the end of the view. No byte was
    /// copied.
    #[inline]
    pub fn read_at(&self, offset: usize, bytes: &mut [u8]) -> Result<()> {
        let from = self.address_of("read view of", offset, bytes.len())?;
        // SAFETY: `address_of` checked that the mapping has these bytes, and `bytes` is a slice of
        // this length.
        unsafe { copy_out(from, bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }

    /// Copies `bytes` into the view, starting at byte `offset`.
    ///
    /// Other threads and processes may see a part of the copy: see [Memory
    /// model](View#memory-model). If the process is killed during the copy, only a part of the
    /// bytes is written.
    ///
    /// # Errors
    ///
    /// - [`OutOfRange`](ErrorKind::OutOfRange): the range reaches past the end of the view. No byte was
    ///   copied.
    /// - [`PermissionDenied`](ErrorKind::PermissionDenied): the view is read-only.
    #[inline]
    pub fn write_at(&self, offset: usize, bytes: &[u8]) -> Result<()> {
        let to = self.address_of("write view of", offset, bytes.len())?;
        self.check_writable("write view of")?;
        // SAFETY: `address_of` checked that the mapping has these bytes, and `check_writable` that it is
        // writable.
        unsafe { copy_in(bytes.as_ptr(), to, bytes.len()) };
        Ok(())
    }

    /// Copies a value out of the view. `offset` is in bytes and need not be aligned.
    ///
    /// Derive [`Shareable`](crate::Shareable) for a structure of your own. The copy may be torn: see
    /// [Memory model](View#memory-model).
    ///
    /// # Errors
    ///
    /// The errors of [`read_at`](View::read_at).
    ///
    /// # Examples
    ///
    /// ```
    /// use pagemate::Shareable;
    ///
    /// #[derive(Shareable, PartialEq, Debug)]
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
    #[inline]
    pub fn read<T: Plain>(&self, offset: usize) -> Result<T> {
        let from = self.address_of("read view of", offset, size_of::<T>())?;
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: `address_of` checked that the mapping has these bytes, and `value` is a local of this
        // size.
        unsafe { copy_out(from, value.as_mut_ptr().cast(), size_of::<T>()) };
        // SAFETY: `copy` wrote all bytes of `value`, and any bytes are a valid plain value.
        Ok(unsafe { value.assume_init() })
    }

    /// Copies a value out of the view into `value`: see [`read`](View::read). This serves values that are
    /// too large for the stack.
    ///
    /// # Errors
    ///
    /// The errors of [`read_at`](View::read_at).
    pub fn read_into<T: Plain>(&self, offset: usize, value: &mut T) -> Result<()> {
        let from = self.address_of("read view of", offset, size_of::<T>())?;
        // SAFETY: `address_of` checked that the mapping has these bytes, `value` is an exclusive reference
        // to as many, and any bytes are a valid plain value.
        unsafe { copy_out(from, std::ptr::from_mut(value).cast(), size_of::<T>()) };
        Ok(())
    }

    /// Copies a value into the view. `offset` is in bytes and need not be aligned.
    ///
    /// # Errors
    ///
    /// The errors of [`write_at`](View::write_at).
    #[inline]
    pub fn write<T: Plain>(&self, offset: usize, value: &T) -> Result<()> {
        let from = std::ptr::from_ref(value).cast();
        // SAFETY: the slice covers exactly `value`, which is borrowed meanwhile. A plain value has no
        // padding, so all its bytes are initialised, and nothing in it changes by a shared reference.
        let bytes = unsafe { std::slice::from_raw_parts(from, size_of::<T>()) };
        self.write_at(offset, bytes)
    }

    /// Borrows an atomic integer in place. `offset` is in bytes and must be a multiple of its
    /// alignment.
    ///
    /// [`Shared`](crate::Shared) does the same without `unsafe`, for one integer
    /// ([`Shared::map`](crate::Shared::map)) or for a structure of them.
    ///
    /// # Safety
    ///
    /// As long as the reference lives, this process accesses these bytes *through this view* only
    /// by atomics of the type `A` at this offset. Not by an atomic of another size, and not by
    /// [`read_at`](View::read_at), [`write_at`](View::write_at), [`read`](View::read) or
    /// [`write`](View::write), which copy byte by byte: Rust does not define accesses of different
    /// sizes that race. Accesses that cannot race, because synchronisation orders them, are
    /// permitted. So are all accesses of other processes, and those through other views.
    ///
    /// # Errors
    ///
    /// - [`OutOfRange`](ErrorKind::OutOfRange): the integer reaches past the end of the view.
    /// - [`InvalidInput`](ErrorKind::InvalidInput): `offset` is not aligned.
    /// - [`PermissionDenied`](ErrorKind::PermissionDenied): the view is read-only. Use
    ///   [`Shared::map_read_only`](crate::Shared::map_read_only).
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU64, Ordering};
    ///
    /// # fn main() -> pagemate::Result<()> {
    /// # let section = pagemate::SectionOptions::new().len(4096).create_unnamed()?;
    /// let view = section.map()?;
    /// // SAFETY: no other code has this view.
    /// let count = unsafe { view.atomic::<AtomicU64>(0) }?;
    /// assert_eq!(count.fetch_add(1, Ordering::AcqRel), 0);
    /// # Ok(())
    /// # }
    /// ```
    pub unsafe fn atomic<A: Atomic>(&self, offset: usize) -> Result<&A> {
        let at = self.aligned_address::<A>("borrow atomic in view of", offset)?;
        self.check_writable("borrow atomic in view of")?;
        // SAFETY: the address is aligned and inside a writable mapping that lives as long as `self`.
        // Any bytes are a valid atomic integer, and its value may change at any time. The caller rules
        // out racing accesses of other sizes.
        Ok(unsafe { &*at })
    }

    /// Writes the changes of this view to the [`file`](super::SectionOptions::file) under the section,
    /// and waits until they are stored.
    ///
    /// Views of the same section see each other's writes without a flush.
    ///
    /// # Platforms
    ///
    /// On Windows the call waits only if this handle created the section. For an opened section it
    /// only starts the writing.
    ///
    /// # Errors
    ///
    /// The error of the file system.
    #[doc(alias("msync", "FlushViewOfFile"))]
    pub fn flush(&self) -> Result<()> {
        self.mapping
            .flush(self.skip, self.len())
            .map_err(|e| e.during("flush view of", &self.handle))
    }

    /// Returns the address of the byte at `offset`, if `len` bytes from there lie in the view.
    #[inline]
    fn address_of(&self, call: &'static str, offset: usize, len: usize) -> Result<*mut u8> {
        if offset.checked_add(len).is_some_and(|end| end <= self.len()) {
            return Ok(self.as_ptr().wrapping_add(offset));
        }
        Err(self.out_of_range_error(call, offset, len))
    }

    #[cold]
    fn out_of_range_error(&self, call: &'static str, offset: usize, len: usize) -> Error {
        let have = self.len();
        let cause = format!("{len} bytes at offset {offset} reach past its {have} bytes");
        Error::new(ErrorKind::OutOfRange, cause).during(call, &self.handle)
    }

    fn aligned_address<A>(&self, call: &'static str, offset: usize) -> Result<*const A> {
        let at = self.address_of(call, offset, size_of::<A>())?.cast::<A>().cast_const();
        if at.is_aligned() {
            return Ok(at);
        }
        let cause = format!("offset {offset} is not aligned to {} bytes", align_of::<A>());
        Err(Error::new(ErrorKind::InvalidInput, cause).during(call, &self.handle))
    }

    #[inline]
    fn check_writable(&self, call: &'static str) -> Result<()> {
        if self.is_writable() { Ok(()) } else { Err(self.read_only_error(call)) }
    }

    #[cold]
    fn read_only_error(&self, call: &'static str) -> Error {
        Error::new(ErrorKind::PermissionDenied, "the view is read-only").during(call, &self.handle)
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

/// An atomic integer of the standard library. [`View::atomic`] borrows it in place.
///
/// This trait is sealed: no other type can implement it.
pub trait Atomic: sealed::Sealed {}

macro_rules! atomics {
    ($($atomic:ty)*) => {$(
        impl sealed::Sealed for $atomic {}
        impl Atomic for $atomic {}
    )*};
}

atomics! {
    AtomicU8 AtomicU16 AtomicU32 AtomicU64 AtomicUsize
    AtomicI8 AtomicI16 AtomicI32 AtomicI64 AtomicIsize
}
