//! A range of an object in this process' address space.
#![allow(unsafe_code, reason = "mapping memory")]

use std::ffi::c_void;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use rustix::mm::{MapFlags, MsyncFlags, ProtFlags};

use crate::error::{Error, Result};
use crate::sys::object::unix::Object;
use crate::sys::object::unix::memory::huge_pages;
use crate::sys::object::{Mode, Range};

/// Mapped memory, unmapped when dropped.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: NonNull<c_void>,
    len: usize,
}

// SAFETY: a mapping belongs to the process, not to a thread.
unsafe impl Send for Mapping {}
// SAFETY: `&Mapping` gives out its address and length, and asks the kernel to flush.
unsafe impl Sync for Mapping {}

impl Object {
    /// Maps `range`, which lies inside the object.
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
            huge_pages::collapse(&mapping);
        }
        if range.prefault {
            huge_pages::populate(&mapping, range.mode);
        }
        Ok(mapping)
    }
}

/// A free address at which huge pages of a file would lie whole, if the range is long enough to
/// have any. Another thread may take it first, which costs no more than that.
fn spot(offset: u64, len: usize) -> Option<*mut c_void> {
    let huge = huge_pages::huge_page().filter(|huge| len >= *huge)?;
    let span = len.checked_add(huge)?;
    let flags = MapFlags::PRIVATE | MapFlags::NORESERVE;
    // SAFETY: the kernel chooses a free address, so that nothing mapped is replaced.
    let base = unsafe {
        rustix::mm::mmap_anonymous(std::ptr::null_mut(), span, ProtFlags::empty(), flags)
    }
    .ok()?;
    // SAFETY: just what was mapped, and nobody has seen its address.
    unsafe { rustix::mm::munmap(base, span) }.ok()?;
    let within = usize::try_from(offset % huge as u64).ok()?;
    Some(base.wrapping_byte_add(within.wrapping_sub(base.addr()) % huge))
}

impl Mapping {
    /// Maps `len` bytes of a file. What is long enough for huge pages stands so that they fit.
    pub(crate) fn new(
        fd: BorrowedFd<'_>,
        offset: u64,
        len: usize,
        prot: ProtFlags,
        flags: MapFlags,
    ) -> rustix::io::Result<Mapping> {
        let wish = spot(offset, len).unwrap_or_default();
        // SAFETY: the kernel chooses a free address, the wished one if that is free, so that
        // nothing mapped is replaced.
        let base = unsafe { rustix::mm::mmap(wish, len, prot, flags, fd, offset) }?;
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

    /// Writes `len` bytes from `offset` back to the file under them, and waits for it.
    pub(crate) fn flush(&self, offset: usize, len: usize) -> Result<()> {
        let page = rustix::param::page_size();
        let start = offset / page * page;
        // SAFETY: `start` is at most `offset`, which the caller checked to lie in this mapping.
        let at = unsafe { self.base.as_ptr().byte_add(start) };
        // SAFETY: msync of mapped pages changes no memory.
        let done = unsafe { rustix::mm::msync(at, len + (offset - start), MsyncFlags::SYNC) };
        done.map_err(|e| Error::os("it cannot be written back", e.into()))
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this is what mmap gave, and whoever lends the memory out borrows `self`.
        let done = unsafe { rustix::mm::munmap(self.base.as_ptr(), self.len) };
        debug_assert_eq!(done, Ok(()));
    }
}
