//! Mappings of objects in this process's address space.
#![allow(unsafe_code, reason = "mapping memory")]

use std::ffi::c_void;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use rustix::mm::{MapFlags, MsyncFlags, ProtFlags};

use crate::error::{Error, Result};
use crate::sys::object::unix::Object;
use crate::sys::object::unix::memory::pages;
use crate::sys::object::{Mode, Range};

/// Mapped memory, unmapped when dropped.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: NonNull<c_void>,
    len: usize,
}

// SAFETY: a mapping belongs to the process, so any thread may use and unmap it.
unsafe impl Send for Mapping {}
// SAFETY: the methods of `&Mapping` return its address and its length and call msync(2). None of
// them accesses the mapped bytes or changes a field.
unsafe impl Sync for Mapping {}

impl Object {
    /// Maps `range`. The caller has checked that it lies inside the object.
    pub(crate) fn map(&self, range: &Range) -> Result<Mapping> {
        self.check_name()?;
        let (prot, flags) = match range.mode {
            Mode::Read => (ProtFlags::READ, MapFlags::SHARED),
            Mode::ReadWrite => (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED),
            Mode::CopyOnWrite => (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE),
        };
        let mapping =
            Mapping::new(self.memory(), range.offset, range.len, prot, flags).map_err(|error| {
                Error::os(format!("{} bytes of it cannot be mapped", range.len), error.into())
            })?;
        if range.huge_pages {
            pages::collapse(&mapping);
        }
        if range.prefault {
            pages::populate(&mapping, range.mode);
        }
        Ok(mapping)
    }
}

/// Returns a free address at which a mapping of this range of a file contains whole huge pages.
/// `None` if the range is too short for one. The address is a hint: if another thread maps memory
/// there first, the mapping has no huge pages.
fn aligned_hint(offset: u64, len: usize) -> Option<*mut c_void> {
    let huge = pages::huge_page_len().filter(|huge| len >= *huge)?;
    let span = len.checked_add(huge)?;
    let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
    // SAFETY: without MAP_FIXED the kernel chooses a free address, so no mapping is replaced.
    let base = unsafe {
        rustix::mm::mmap_anonymous(std::ptr::null_mut(), span, ProtFlags::empty(), flags)
    }
    .ok()?;
    // SAFETY: `base` and `span` are the mapping above. Its address was not passed on, so no pointer
    // into it exists.
    unsafe { rustix::mm::munmap(base, span) }.ok()?;
    let within = usize::try_from(offset % huge as u64).ok()?;
    Some(base.wrapping_byte_add(within.wrapping_sub(base.addr()) % huge))
}

impl Mapping {
    /// Maps `len` bytes of a file, at an address that fits huge pages if the range is long enough.
    pub(crate) fn new(
        fd: BorrowedFd<'_>,
        offset: u64,
        len: usize,
        prot: ProtFlags,
        flags: MapFlags,
    ) -> rustix::io::Result<Mapping> {
        let hint = aligned_hint(offset, len).unwrap_or_default();
        // SAFETY: without MAP_FIXED the kernel uses the hint only if that address is free, and
        // another free address otherwise. So no mapping is replaced.
        let base = unsafe { rustix::mm::mmap(hint, len, prot, flags, fd, offset) }?;
        Ok(Mapping { base: NonNull::new(base).expect("mmap does not choose address zero"), len })
    }

    #[inline]
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base.cast()
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Writes `len` bytes from `offset` on back to the mapped file, and waits until they are
    /// written. The caller has checked that the range lies inside the mapping.
    pub(crate) fn flush(&self, offset: usize, len: usize) -> Result<()> {
        let page = rustix::param::page_size();
        let start = offset / page * page;
        // SAFETY: `start <= offset`, and `View::flush`, which calls this, passes an offset inside
        // this mapping.
        let at = unsafe { self.base.as_ptr().byte_add(start) };
        // SAFETY: msync(2) changes no byte of memory, and fails for pages that are not mapped.
        let done = unsafe { rustix::mm::msync(at, len + (offset - start), MsyncFlags::SYNC) };
        done.map_err(|e| Error::os("it cannot be written back", e.into()))
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `base` and `len` are those of the mmap call in `new`. References into the mapped
        // memory borrow the `View` that owns this mapping, so none outlives it.
        let done = unsafe { rustix::mm::munmap(self.base.as_ptr(), self.len) };
        debug_assert_eq!(done, Ok(()));
    }
}
