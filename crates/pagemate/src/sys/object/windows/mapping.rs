//! Mappings of objects in this process's address space.
#![allow(unsafe_code, reason = "mapping memory")]

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER};
use windows_sys::Win32::System::Memory::{
    FILE_MAP, FILE_MAP_COPY, FILE_MAP_READ, FILE_MAP_WRITE, FlushViewOfFile, MEM_COMMIT,
    MEM_MAPPED, MEMORY_BASIC_INFORMATION, MEMORY_MAPPED_VIEW_ADDRESS, MapViewOfFile, PAGE_READONLY,
    PAGE_READWRITE, UnmapViewOfFile, VirtualAlloc, VirtualQuery,
};

use super::super::{Mode, Range};
use super::error::is_no_space;
use super::named::code_of;
use super::sizes::{halves, page_size};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::copy::{copy_in, copy_out};

/// Mapped memory, unmapped when dropped.
#[derive(Debug)]
pub(crate) struct Mapping {
    base: NonNull<c_void>,
    len: usize,
    /// The user's file, which a flush has to write to.
    file: Option<Arc<File>>,
}

// SAFETY: a mapping belongs to the process, so any thread may use and unmap it.
unsafe impl Send for Mapping {}
// SAFETY: the methods of `&Mapping` return its address and its length, flush it, query and commit
// its pages and read bytes by racing copies. All of these may run on several threads at once.
unsafe impl Sync for Mapping {}

/// Returns the length of a section, by mapping all of it. A handle without the right to query the
/// section has no other way (`win32_rows.rs`, row 70). For a section over a file the length is
/// rounded up to whole pages.
pub(super) fn measure(section: BorrowedHandle<'_>) -> Result<u64> {
    let all = map(section, FILE_MAP_READ, 0, 0).map_err(map_error)?;
    let mut len = 0;
    // The pages of a section can be committed one by one, so the mapping may consist of several
    // regions.
    for region in all.regions() {
        len += region.RegionSize;
    }
    Ok(len.try_into().expect("an address space has less than 2^64 bytes"))
}

/// Returns whether the section's protection permits writable views. The handle must permit them.
pub(super) fn may_be_written(section: BorrowedHandle<'_>) -> Result<bool> {
    match map(section, FILE_MAP_WRITE, 0, 1) {
        Ok(_) => Ok(true),
        // A handle without the right to write gives ERROR_ACCESS_DENIED instead (`win32_rows.rs`, row 46).
        Err(error) if code_of(&error) == ERROR_INVALID_PARAMETER => Ok(false),
        Err(error) => Err(map_error(error)),
    }
}

/// Maps `len` bytes from `offset` on. If `len` is 0, maps all bytes from there on, and the `len` of
/// the result is 0.
fn map(
    section: BorrowedHandle<'_>,
    access: FILE_MAP,
    offset: u64,
    len: usize,
) -> io::Result<Mapping> {
    let (high, low) = halves(offset);
    // SAFETY: the handle is borrowed and so open. MapViewOfFile takes no address and the kernel
    // chooses a free one, so no mapping is replaced.
    let at = unsafe { MapViewOfFile(section.as_raw_handle(), access, high, low, len) };
    let base = NonNull::new(at.Value).ok_or_else(io::Error::last_os_error)?;
    Ok(Mapping { base, len, file: None })
}

/// Returns the error for a failed mapping.
fn map_error(error: io::Error) -> Error {
    let kind = match code_of(&error) {
        // ERROR_INVALID_PARAMETER means that the section's protection does not permit the view
        // (`win32_rows.rs`, row 46).
        ERROR_ACCESS_DENIED | ERROR_INVALID_PARAMETER => ErrorKind::PermissionDenied,
        _ if is_no_space(&error) => ErrorKind::NoSpace,
        _ => ErrorKind::Os,
    };
    Error::os_as(kind, "it cannot be mapped", error)
}

impl Mapping {
    /// Maps `range` of a section, which the caller has checked to lie inside it. A flush writes to
    /// `file`.
    pub(super) fn new(
        section: BorrowedHandle<'_>,
        file: Option<Arc<File>>,
        range: &Range,
    ) -> Result<Mapping> {
        if range.mode == Mode::CopyOnWrite {
            // Only committed pages can be copied on write, and a copy-on-write view cannot commit
            // the pages of the section. Therefore commit the pages by a second view, which is
            // read-only.
            let committing = Range { mode: Mode::Read, prefault: false, ..*range };
            drop(Mapping::new(section, None, &committing)?);
        }
        let access = match range.mode {
            Mode::Read => FILE_MAP_READ,
            Mode::ReadWrite => FILE_MAP_READ | FILE_MAP_WRITE,
            Mode::CopyOnWrite => FILE_MAP_COPY,
        };
        let mut mapping = map(section, access, range.offset, range.len).map_err(map_error)?;
        mapping.file = file;
        if range.mode != Mode::CopyOnWrite {
            let writes = range.mode == Mode::ReadWrite;
            mapping.commit(if writes { PAGE_READWRITE } else { PAGE_READONLY })?;
        }
        if range.prefault {
            mapping.prefault();
        }
        Ok(mapping)
    }

    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base.cast()
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Writes the first bytes of a new object, and the first eight of them last. Another process
    /// that has opened the object meanwhile finds zeros there until the content is complete.
    pub(super) fn write_content(&self, content: &[u8]) {
        assert!(content.len() <= self.len, "the mapping was made for the content");
        let (first, rest) = content.split_first_chunk::<8>().expect("a header is longer");
        let base = self.base().as_ptr();
        // SAFETY: the assertion proves that the mapping has the bytes of `content`, and `rest` begins
        // after eight of them.
        let at = unsafe { base.add(8) };
        // SAFETY: `at` is followed by as many writable bytes as `rest` has, see above. Other processes
        // may access them at the same time.
        unsafe { copy_in(rest.as_ptr(), at, rest.len()) };
        // SAFETY: the mapping begins at a page boundary, has at least eight bytes, and is writable.
        let word = unsafe { AtomicU64::from_ptr(base.cast()) };
        // Release: publishes the rest to a process that reads this word with Acquire.
        word.store(u64::from_ne_bytes(*first), Ordering::Release);
    }

    /// Writes `len` bytes from `offset` on back to the mapped file, and waits until they are
    /// written. The caller has checked that the range lies inside the mapping.
    pub(crate) fn flush(&self, offset: usize, len: usize) -> Result<()> {
        let failed = |error| Error::os("it cannot be written back", error);
        // SAFETY: `View::flush`, which calls this, passes an offset inside this mapping.
        let at = unsafe { self.base.as_ptr().byte_add(offset) };
        // SAFETY: FlushViewOfFile changes no byte of memory, and fails for pages that are not
        // mapped.
        if unsafe { FlushViewOfFile(at, len) } == 0 {
            return Err(failed(io::Error::last_os_error()));
        }
        // FlushViewOfFile only starts the writes (`win32_rows.rs`, row 65).
        self.file.as_ref().map_or(Ok(()), |file| file.sync_all().map_err(failed))
    }

    /// Commits every page of the mapping that is only reserved (`win32_rows.rs`, row 69), for all
    /// views of all processes. An access to a page that is not committed would end the process.
    fn commit(&self, protection: u32) -> Result<()> {
        let mut committed = 0;
        for region in self.regions() {
            if region.Type != MEM_MAPPED {
                let cause = "it is the image of a program, which cannot be mapped as memory";
                return Err(Error::new(ErrorKind::WrongKind, cause));
            }
            if region.State == MEM_COMMIT {
                committed += region.RegionSize;
            }
        }
        if committed >= self.len {
            return Ok(());
        }
        // SAFETY: `base` and `len` are those of this mapping, and committing does not change the
        // bytes of pages that are already committed.
        let at = unsafe { VirtualAlloc(self.base.as_ptr(), self.len, MEM_COMMIT, protection) };
        if !at.is_null() {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        let kind = if is_no_space(&error) { ErrorKind::NoSpace } else { ErrorKind::Os };
        let cause = format!("its {} reserved bytes cannot be committed", self.len);
        Err(Error::os_as(kind, cause, error))
    }

    /// Returns the regions of the view: each consists of pages with the same state and protection.
    fn regions(&self) -> impl Iterator<Item = MEMORY_BASIC_INFORMATION> {
        let mut at = self.base.as_ptr();
        std::iter::from_fn(move || {
            let mut region = MEMORY_BASIC_INFORMATION::default();
            // SAFETY: `region` is a local variable and the call gets its length. VirtualQuery
            // accepts any address.
            let written = unsafe { VirtualQuery(at, &raw mut region, size_of_val(&region)) };
            at = at.wrapping_byte_add(region.RegionSize);
            (written != 0 && region.AllocationBase == self.base.as_ptr()).then_some(region)
        })
    }

    /// Makes all pages present. `PrefetchVirtualMemory` would only read pages from disk.
    fn prefault(&self) {
        let step = usize::try_from(page_size()).expect("a page is small");
        for offset in (0..self.len).step_by(step) {
            let from = self.base().as_ptr().wrapping_add(offset);
            let mut byte = 0_u8;
            // SAFETY: `offset < len`, so the byte lies in this mapping, whose pages `commit` has
            // committed. A copy-on-write mapping is committed through the view in `map`. `byte` is
            // a local variable.
            unsafe { copy_out(from, &raw mut byte, 1) };
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let at = MEMORY_MAPPED_VIEW_ADDRESS { Value: self.base.as_ptr() };
        // SAFETY: `base` is the result of MapViewOfFile. References into the mapped memory borrow
        // the `View` that owns this mapping, so none outlives it.
        let done = unsafe { UnmapViewOfFile(at) };
        debug_assert_ne!(done, 0);
    }
}
