//! A range of an object in this process' address space.
#![allow(unsafe_code, reason = "mapping memory")]

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::ptr::NonNull;
use std::sync::Arc;

use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER};
use windows_sys::Win32::System::Memory::{
    FILE_MAP, FILE_MAP_COPY, FILE_MAP_READ, FILE_MAP_WRITE, FlushViewOfFile, MEM_COMMIT,
    MEM_MAPPED, MEMORY_BASIC_INFORMATION, MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile, PAGE_READONLY,
    PAGE_READWRITE, UnmapViewOfFile, VirtualAlloc, VirtualQuery,
};

use super::super::{Mode, Range};
use super::named::code_of;
use super::{Object, halves, is_no_space, page_size};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::copy::copy;

/// Mapped memory, unmapped when dropped.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: NonNull<c_void>,
    len: usize,
    /// What a flush has to reach.
    file: Option<Arc<File>>,
}

// SAFETY: a mapping belongs to the process, not to a thread.
unsafe impl Send for Mapping {}
// SAFETY: `&Mapping` gives out its address and length, and asks the kernel to flush.
unsafe impl Sync for Mapping {}

impl Object {
    /// Maps `range`, which lies inside the object.
    pub(crate) fn map(&self, range: &Range) -> Result<Mapping> {
        if range.mode == Mode::CopyOnWrite {
            // Copies can be made of committed pages only, and pages can be committed only through
            // a view that does not copy.
            let through = Range { mode: Mode::Read, prefault: false, ..*range };
            drop(self.map(&through)?);
        }
        let access = match range.mode {
            Mode::Read => FILE_MAP_READ,
            Mode::ReadWrite => FILE_MAP_READ | FILE_MAP_WRITE,
            Mode::CopyOnWrite => FILE_MAP_COPY,
        };
        let mut mapping = map(self.handle(), access, range.offset, range.len).map_err(refused)?;
        mapping.file.clone_from(&self.file);
        if range.mode != Mode::CopyOnWrite {
            let writes = range.mode == Mode::ReadWrite;
            mapping.commit(if writes { PAGE_READWRITE } else { PAGE_READONLY })?;
        }
        if range.prefault {
            mapping.touch();
        }
        Ok(mapping)
    }
}

/// How many bytes a section has, by mapping all of it: the only way for handles without the right
/// to ask (row 70). Of a file, whole pages.
pub(super) fn measure(section: BorrowedHandle<'_>) -> Result<u64> {
    let all = map(section, FILE_MAP_READ, 0, 0).map_err(refused)?;
    let mut len = 0;
    // Regions differ where pages were committed one by one.
    for region in all.regions() {
        len += region.RegionSize;
    }
    Ok(len.try_into().expect("an address space has less than 2^64 bytes"))
}

/// Whether the section's protection admits writable views, for a handle that itself does.
pub(super) fn may_be_written(section: BorrowedHandle<'_>) -> Result<bool> {
    match map(section, FILE_MAP_WRITE, 0, 1) {
        Ok(_) => Ok(true),
        // The handle's own access has another code (row 46).
        Err(error) if code_of(&error) == ERROR_INVALID_PARAMETER => Ok(false),
        Err(error) => Err(refused(error)),
    }
}

/// Maps `len` bytes at `offset`, or all from there on if `len` is 0; then its `len` is still 0.
fn map(
    section: BorrowedHandle<'_>,
    access: FILE_MAP,
    offset: u64,
    len: usize,
) -> io::Result<Mapping> {
    let (high, low) = halves(offset);
    // SAFETY: the handle is open, and the kernel chooses a free address, so that nothing mapped is
    // replaced.
    let at = unsafe { MapViewOfFile(section.as_raw_handle(), access, high, low, len) };
    let base = NonNull::new(at.Value).ok_or_else(io::Error::last_os_error)?;
    Ok(Mapping { base, len, file: None })
}

fn refused(error: io::Error) -> Error {
    let kind = match code_of(&error) {
        // The second of these is the section's own protection's refusal (row 46).
        ERROR_ACCESS_DENIED | ERROR_INVALID_PARAMETER => ErrorKind::PermissionDenied,
        _ if is_no_space(&error) => ErrorKind::NoSpace,
        _ => ErrorKind::Os,
    };
    Error::os_as(kind, "it cannot be mapped", error)
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
        let cannot = |error| Error::os("it cannot be written back", error);
        // SAFETY: the caller checked that `offset` lies in this mapping.
        let at = unsafe { self.base.as_ptr().byte_add(offset) };
        // SAFETY: flushing mapped pages changes no memory.
        if unsafe { FlushViewOfFile(at, len) } == 0 {
            return Err(cannot(io::Error::last_os_error()));
        }
        // That only starts the writes (row 65).
        self.file.as_ref().map_or(Ok(()), |file| file.sync_all().map_err(cannot))
    }

    /// Makes sure that every page can be touched: in sections that were only reserved (row 69) the
    /// missing ones are set aside, for all views of all processes.
    fn commit(&self, protection: u32) -> Result<()> {
        let mut committed = 0;
        for region in self.regions() {
            if region.Type != MEM_MAPPED {
                let cause = "it is a program's image, not memory";
                return Err(Error::new(ErrorKind::WrongKind, cause));
            }
            if region.State == MEM_COMMIT {
                committed += region.RegionSize;
            }
        }
        if committed >= self.len {
            return Ok(());
        }
        // SAFETY: the range is this mapping, and committing keeps the bytes of committed pages.
        let at = unsafe { VirtualAlloc(self.base.as_ptr(), self.len, MEM_COMMIT, protection) };
        if !at.is_null() {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        let kind = if is_no_space(&error) { ErrorKind::NoSpace } else { ErrorKind::Os };
        let cause = format!("its {} reserved bytes cannot be set aside", self.len);
        Err(Error::os_as(kind, cause, error))
    }

    /// The stretches of alike pages of the view, up to its end.
    fn regions(&self) -> impl Iterator<Item = MEMORY_BASIC_INFORMATION> {
        let mut at = self.base.as_ptr();
        std::iter::from_fn(move || {
            let mut region = MEMORY_BASIC_INFORMATION::default();
            // SAFETY: the call fills our own structure, whose length it is told, for any address.
            let got = unsafe { VirtualQuery(at, &raw mut region, size_of_val(&region)) };
            at = at.wrapping_byte_add(region.RegionSize);
            (got != 0 && region.AllocationBase == self.base.as_ptr()).then_some(region)
        })
    }

    /// Brings all pages in. `PrefetchVirtualMemory` would read pages from disk only.
    fn touch(&self) {
        let step = usize::try_from(page_size()).expect("a page is small");
        for offset in (0..self.len).step_by(step) {
            let from = self.base().as_ptr().wrapping_add(offset);
            let mut byte = 0_u8;
            // SAFETY: the byte lies in this mapping, whose pages are all there to be read.
            unsafe { copy(from, &raw mut byte, 1) };
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let at = MEMORY_MAPPED_VIEW_ADDRESS { Value: self.base.as_ptr() };
        // SAFETY: this is what MapViewOfFile gave, and whoever lends the memory out borrows `self`.
        let done = unsafe { UnmapViewOfFile(at) };
        debug_assert_ne!(done, 0);
    }
}
