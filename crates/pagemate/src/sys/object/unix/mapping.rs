//! A range of an object in this process' address space.
#![allow(unsafe_code, reason = "mapping memory")]

use std::ffi::c_void;
use std::ptr::NonNull;

use rustix::mm::{MapFlags, MsyncFlags, ProtFlags};

use super::super::{Mode, Range};
use super::Object;
use crate::error::{Error, Result};

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
        let (prot, mut flags) = match range.mode {
            Mode::Read => (ProtFlags::READ, MapFlags::SHARED),
            Mode::ReadWrite => (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED),
            Mode::CopyOnWrite => (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE),
        };
        if range.prefault && !range.huge_pages {
            flags |= populate();
        }
        // SAFETY: the kernel chooses a free address, so that nothing mapped is replaced.
        let base = unsafe {
            rustix::mm::mmap(std::ptr::null_mut(), range.len, prot, flags, self.fd(), range.offset)
        };
        let base = base.map_err(|error| {
            Error::os(format!("{} bytes of it cannot be mapped", range.len), error.into())
        })?;
        let base = NonNull::new(base).expect("mmap does not choose address zero");
        let mapping = Mapping { base, len: range.len };
        if range.huge_pages {
            mapping.collapse();
        }
        Ok(mapping)
    }
}

#[cfg(target_os = "linux")]
fn populate() -> MapFlags {
    MapFlags::POPULATE
}

#[cfg(not(target_os = "linux"))]
fn populate() -> MapFlags {
    MapFlags::empty()
}

impl Mapping {
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base.cast()
    }

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

    /// Asks for huge pages now; a wish, so that a refusal leaves the pages small.
    #[cfg(target_os = "linux")]
    fn collapse(&self) {
        // SAFETY: the advice moves the mapping's bytes to other pages and changes none of them.
        _ = unsafe { libc::madvise(self.base.as_ptr(), self.len, libc::MADV_COLLAPSE) };
    }

    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "as on Linux")]
    fn collapse(&self) {}
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this is what mmap gave, and whoever lends the memory out borrows `self`.
        let done = unsafe { rustix::mm::munmap(self.base.as_ptr(), self.len) };
        debug_assert_eq!(done, Ok(()));
    }
}
