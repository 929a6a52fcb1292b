//! `VirtualAlloc` and its kin: allocates, frees, protects and describes pages.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;
use std::io::BufRead;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::SeekFrom;
use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, ProtFlags};

use crate::error::{
    ACCESS_DENIED, BAD_LENGTH, COMMITMENT_LIMIT, INVALID_ADDRESS, INVALID_PARAMETER,
    NOACCESS as NO_ACCESS_TO_ARGUMENT, NOT_SUPPORTED, Result, answer, done,
};
use crate::memory::address::{self, MapRequest, as_pointer};
use crate::memory::page_protection::{
    NOACCESS, READONLY, READWRITE, WRITECOPY, check_protection, prot, without_modifiers,
};
use crate::memory::protection::{is_written, permits, set_protection};
use crate::memory::region::{END, GRANULARITY, Kind, PAGE, Region, ViewSource, regions};
use crate::pointer::write_unless_null;

/// States and types of memory.
const MEM_COMMIT: u32 = 0x1000;
const MEM_RESERVE: u32 = 0x2000;
const MEM_FREE: u32 = 0x1_0000;
const MEM_PRIVATE: u32 = 0x2_0000;
const MEM_MAPPED: u32 = 0x4_0000;
const MEM_IMAGE: u32 = 0x100_0000;
/// `MEM_TOP_DOWN`, which is a hint.
const MEM_TOP_DOWN: u32 = 0x10_0000;
/// `MEM_RESET`, `MEM_WRITE_WATCH`, `MEM_PHYSICAL`, `MEM_RESET_UNDO` and `MEM_LARGE_PAGES`, which
/// are not supported.
const UNSUPPORTED: u32 = 0x2168_0000;
/// The operations of `VirtualFree`.
const MEM_DECOMMIT: u32 = 0x4000;
const MEM_RELEASE: u32 = 0x8000;

/// `MEMORY_BASIC_INFORMATION`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct MemoryBasicInformation {
    base: *mut c_void,
    allocation_base: *mut c_void,
    allocation_protection: u32,
    partition: u16,
    len: usize,
    state: u32,
    protection: u32,
    kind: u32,
}

const _: () = assert!(size_of::<MemoryBasicInformation>() == 48);

/// A run of pages in the same state.
#[derive(Clone, Copy)]
struct Run {
    pages: usize,
    committed: bool,
    protection: u32,
}

impl Region {
    /// Returns the state of a page, and how many pages from it on share that state.
    fn run(&self, base: usize, page: usize) -> Result<Run> {
        let mut run = Run {
            pages: self.same_protection_from(page),
            committed: self.protection_at(page) != 0,
            protection: self.protection_at(page),
        };
        if let Kind::View(source) = &self.kind {
            if let Some(fd) = &source.sparse {
                let (committed, pages) = committed(fd, source.offset / PAGE as u64 + page as u64);
                run.committed = committed;
                run.pages = run.pages.min(usize::try_from(pages).unwrap_or(usize::MAX));
                run.protection = if committed { run.protection } else { 0 };
            }
            if run.protection == WRITECOPY {
                let (written, pages) = is_written(base / PAGE + page, run.pages)?;
                run.pages = pages;
                run.protection = if written { READWRITE } else { WRITECOPY };
            }
        }
        Ok(run)
    }
}

/// Returns whether a page of a sparse section is committed, and how many pages from it on agree.
fn committed(fd: &OwnedFd, page: u64) -> (bool, u64) {
    let at = page * PAGE as u64;
    let seek = |whence: SeekFrom| rustix::fs::seek(fd, whence);
    match seek(SeekFrom::Data(at)) {
        Ok(data) if data == at => {
            let end = seek(SeekFrom::Hole(at)).unwrap_or(u64::MAX);
            (true, (end / PAGE as u64).saturating_sub(page).max(1))
        }
        Ok(data) => (false, data / PAGE as u64 - page),
        // No data follows: the rest of the file is a hole.
        Err(_) => (false, u64::MAX),
    }
}

fn query(address: usize) -> Result<MemoryBasicInformation> {
    if address >= END {
        return Err(INVALID_PARAMETER);
    }
    let start = address / PAGE * PAGE;
    let mut regions = regions();
    let Some((base, region)) = regions.find(address) else {
        drop(regions);
        return query_foreign(start);
    };
    let run = region.run(base, (start - base) / PAGE)?;
    let kind = match region.kind {
        Kind::View(_) => MEM_MAPPED,
        Kind::Private => MEM_PRIVATE,
    };
    Ok(MemoryBasicInformation {
        base: as_pointer(start),
        allocation_base: as_pointer(base),
        allocation_protection: with_caching(region, region.protection),
        partition: 0,
        len: run.pages * PAGE,
        state: if run.committed { MEM_COMMIT } else { MEM_RESERVE },
        protection: with_caching(region, run.protection),
        kind,
    })
}

/// Returns a protection with the region's caching modifier. Pages without access and uncommitted pages do
/// not have it.
fn with_caching(region: &Region, protection: u32) -> u32 {
    if matches!(protection, 0 | NOACCESS) { protection } else { protection | region.caching }
}

/// Describes memory that is not a region of this library, from `/proc/self/maps`.
fn query_foreign(start: usize) -> Result<MemoryBasicInformation> {
    let maps = std::fs::File::open("/proc/self/maps")?;
    let mut end_of_free = END;
    for line in std::io::BufReader::new(maps).lines() {
        let line = line?;
        let Some(map) = Mapped::parse(&line) else { continue };
        if start < map.start {
            end_of_free = map.start;
            break;
        }
        if start < map.end {
            return Ok(MemoryBasicInformation {
                base: as_pointer(start),
                allocation_base: as_pointer(map.start),
                allocation_protection: map.protection,
                partition: 0,
                len: map.end - start,
                state: MEM_COMMIT,
                protection: map.protection,
                kind: map.kind,
            });
        }
    }
    Ok(MemoryBasicInformation {
        base: as_pointer(start),
        allocation_base: std::ptr::null_mut(),
        allocation_protection: 0,
        partition: 0,
        len: end_of_free.saturating_sub(start),
        state: MEM_FREE,
        protection: NOACCESS,
        kind: 0,
    })
}

/// A line of `/proc/self/maps`.
struct Mapped {
    start: usize,
    end: usize,
    protection: u32,
    kind: u32,
}

impl Mapped {
    fn parse(line: &str) -> Option<Mapped> {
        let mut words = line.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let may = words.next()?.as_bytes();
        let path = words.nth(3).unwrap_or_default();
        let executable = may.get(2) == Some(&b'x');
        let protection = match (may.first()?, may.get(1)?) {
            (_, b'w') => READWRITE,
            (b'r', _) => READONLY,
            _ => NOACCESS,
        };
        let file = path.starts_with('/');
        let shared = may.get(3) == Some(&b's');
        Some(Mapped {
            start: usize::from_str_radix(start, 16).ok()?,
            end: usize::from_str_radix(end, 16).ok()?,
            // Each `PAGE_EXECUTE_` constant is the plain protection shifted by four bits.
            protection: if executable && protection != NOACCESS {
                protection << 4
            } else {
                protection
            },
            kind: match (file, shared) {
                (true, false) => MEM_IMAGE,
                (_, true) => MEM_MAPPED,
                _ => MEM_PRIVATE,
            },
        })
    }
}

/// Refuses a range beyond the address space. The last 64 KiB of it are reserved, as on Windows.
fn check_range(address: usize, len: usize) -> Result<()> {
    if address.checked_add(len).is_some_and(|end| end <= END - GRANULARITY) {
        Ok(())
    } else {
        Err(INVALID_PARAMETER)
    }
}

/// Returns the indices of the pages of `region` that a range touches.
fn pages_of(
    base: usize,
    region: &Region,
    address: usize,
    len: usize,
) -> Result<std::ops::Range<usize>> {
    let end = address.checked_add(len).ok_or(INVALID_PARAMETER)?;
    if end > base + region.len {
        return Err(INVALID_ADDRESS);
    }
    Ok((address - base) / PAGE..(end - base).div_ceil(PAGE))
}

fn protect(address: usize, len: usize, protection: u32) -> Result<u32> {
    check_protection(protection)?;
    check_range(address, len)?;
    if len == 0 {
        return Err(INVALID_PARAMETER);
    }
    let mut regions = regions();
    let (base, region) = regions.find(address).ok_or(INVALID_ADDRESS)?;
    let pages = pages_of(base, region, address, len)?;
    let first = region.run(base, pages.start)?;
    let mut page = pages.start;
    while page < pages.end {
        let run = region.run(base, page)?;
        if !run.committed {
            return Err(INVALID_ADDRESS);
        }
        page += run.pages;
    }
    let first = with_caching(region, first.protection);
    set_protection(base, region, pages, protection)?;
    Ok(first)
}

fn allocate(address: usize, len: usize, how: u32, protection: u32) -> Result<usize> {
    check_protection(protection)?;
    if len == 0 || how & (MEM_COMMIT | MEM_RESERVE) == 0 {
        return Err(INVALID_PARAMETER);
    }
    match how & !(MEM_COMMIT | MEM_RESERVE | MEM_TOP_DOWN) {
        0 => {}
        other if other & !UNSUPPORTED == 0 => return Err(NOT_SUPPORTED),
        _ => return Err(INVALID_PARAMETER),
    }
    // Windows never allocates in the first 64 KiB.
    if address != 0 && address < GRANULARITY {
        return Err(INVALID_PARAMETER);
    }
    check_range(address, len)?;
    if address == 0 || how & MEM_RESERVE != 0 {
        return reserve(address, len, how & MEM_COMMIT != 0, protection);
    }
    let mut regions = regions();
    let (base, region) = regions.find(address).ok_or(INVALID_ADDRESS)?;
    let pages = pages_of(base, region, address, len)?;
    let start = base + pages.start * PAGE;
    match &region.kind {
        Kind::View(source) if source.file.is_some() => return Err(ACCESS_DENIED),
        kind if !permits(kind, region.protection, protection) => return Err(INVALID_PARAMETER),
        Kind::View(ViewSource { sparse: Some(sparse), offset, .. }) => {
            let offset = offset + (pages.start * PAGE) as u64;
            populate(sparse, offset, pages.len() * PAGE)?;
        }
        _ => {}
    }
    set_protection(base, region, pages, protection)?;
    Ok(start)
}

/// Commits pages of a sparse section.
///
/// Populates them through a temporary mapping, because the protection of the view's own pages may
/// forbid reading.
fn populate(sparse: &OwnedFd, offset: u64, len: usize) -> Result<()> {
    let source = Some((sparse.as_fd(), offset));
    let base = address::map_anywhere(MapRequest {
        len,
        prot: ProtFlags::READ,
        flags: MapFlags::SHARED,
        source,
    })?;
    // SAFETY: the pages were just mapped. Populating them for reading does not change their
    // contents.
    let populated =
        unsafe { rustix::mm::madvise(as_pointer(base), len, Advice::LinuxPopulateRead) };
    // SAFETY: the temporary mapping was made above, and no other code knows its address.
    unsafe { address::unmap(base, len) };
    populated.map_err(|error| match error {
        Errno::FAULT | Errno::NOMEM => COMMITMENT_LIMIT,
        error => error.into(),
    })
}

/// Reserves private memory, and commits it if `commit` is set.
fn reserve(address: usize, len: usize, commit: bool, protection: u32) -> Result<usize> {
    // Windows reserves the first 64 KiB, so that null is never a valid address.
    if without_modifiers(protection) == WRITECOPY || (1..GRANULARITY).contains(&address) {
        return Err(INVALID_PARAMETER);
    }
    let base = address / GRANULARITY * GRANULARITY;
    let end = address.checked_add(len).and_then(|end| end.checked_next_multiple_of(PAGE));
    let len = end.ok_or(INVALID_PARAMETER)? - base;
    let request = MapRequest {
        len,
        prot: if commit { prot(protection) } else { ProtFlags::empty() },
        flags: MapFlags::PRIVATE | MapFlags::NORESERVE,
        source: None,
    };
    let base = if address == 0 {
        address::map_anywhere(request)?
    } else {
        address::map_at(base, request)?;
        base
    };
    let mut region = Region::new(len, protection, Kind::Private);
    if !commit {
        region.protect(0..len / PAGE, 0);
    }
    regions().insert(base, region);
    Ok(base)
}

fn free(address: usize, len: usize, how: u32) -> Result<()> {
    let release = match how {
        MEM_RELEASE if len == 0 => true,
        MEM_DECOMMIT => false,
        _ => return Err(INVALID_PARAMETER),
    };
    check_range(address, len)?;
    let mut regions = regions();
    let (base, region) = regions.find(address).ok_or(INVALID_ADDRESS)?;
    let pages = pages_of(base, region, address, len).map_err(|_| INVALID_PARAMETER)?;
    if matches!(region.kind, Kind::View(_)) {
        return Err(INVALID_PARAMETER);
    }
    // A length of zero means the whole region, from its base.
    if len == 0 && pages.start > 0 {
        return Err(INVALID_ADDRESS);
    }
    if release {
        let len = region.len;
        regions.remove(base);
        drop(regions);
        // SAFETY: the range was mapped as a region, and the region was just removed.
        unsafe { address::unmap(base, len) };
        return Ok(());
    }
    let pages = if len == 0 { 0..region.len / PAGE } else { pages };
    let request = MapRequest {
        len: pages.len() * PAGE,
        prot: ProtFlags::empty(),
        flags: MapFlags::PRIVATE | MapFlags::NORESERVE,
        source: None,
    };
    // SAFETY: the pages lie inside this region, whose lock is held. Decommitting discards their
    // contents.
    unsafe { address::replace(base + pages.start * PAGE, request) }?;
    region.protect(pages, 0);
    Ok(())
}

/// Describes the pages at an address.
///
/// # Safety
///
/// `buffer` is null or valid for writes of `len` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VirtualQuery(
    address: *const c_void,
    buffer: *mut MemoryBasicInformation,
    len: usize,
) -> usize {
    let result = (|| {
        if len < size_of::<MemoryBasicInformation>() {
            return Err(BAD_LENGTH);
        }
        let found = query(address.addr())?;
        // SAFETY: the caller guarantees that `buffer` is null or valid for writes of `len` bytes,
        // which is enough for the structure.
        if unsafe { write_unless_null(buffer, found) } {
            Ok(size_of::<MemoryBasicInformation>())
        } else {
            Err(NO_ACCESS_TO_ARGUMENT)
        }
    })();
    answer(result, 0)
}

/// Changes the protection of pages, and reports the old one of the first page.
///
/// # Safety
///
/// `old` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn VirtualProtect(
    address: *mut c_void,
    len: usize,
    protection: u32,
    old: *mut u32,
) -> i32 {
    if old.is_null() {
        return done(Err(NO_ACCESS_TO_ARGUMENT));
    }
    done(protect(address.addr(), len, protection).map(|was| {
        // SAFETY: the caller guarantees that `old` is null or valid for writes.
        unsafe { write_unless_null(old, was) };
    }))
}

/// Reserves private memory, commits it, or commits pages of a view.
#[unsafe(no_mangle)]
pub extern "C" fn VirtualAlloc(
    address: *mut c_void,
    len: usize,
    how: u32,
    protection: u32,
) -> *mut c_void {
    answer(allocate(address.addr(), len, how, protection).map(as_pointer), std::ptr::null_mut())
}

/// Decommits or releases private memory. Refuses views.
#[unsafe(no_mangle)]
pub extern "C" fn VirtualFree(address: *mut c_void, len: usize, how: u32) -> i32 {
    done(free(address.addr(), len, how))
}
