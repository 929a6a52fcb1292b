//! `VirtualAlloc` and `VirtualFree`: reserves, commits and frees pages.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::mm::{Advice, MapFlags, ProtFlags};

use crate::error::{
    ACCESS_DENIED, COMMITMENT_LIMIT, INVALID_ADDRESS, INVALID_PARAMETER, NOT_SUPPORTED, Result,
    answer, done,
};
use crate::memory::address::{self, MapRequest, as_pointer};
use crate::memory::page_protection::{WRITECOPY, check_protection, prot, without_modifiers};
use crate::memory::protection::{permits, set_protection};
use crate::memory::region::{GRANULARITY, Kind, PAGE, Region, ViewSource, check_range, regions};

/// `MEM_COMMIT`, `MEM_RESERVE`.
const MEM_COMMIT: u32 = 0x1000;
const MEM_RESERVE: u32 = 0x2000;
/// `MEM_TOP_DOWN`, which is a hint.
const MEM_TOP_DOWN: u32 = 0x10_0000;
/// `MEM_RESET`, `MEM_WRITE_WATCH`, `MEM_PHYSICAL`, `MEM_RESET_UNDO` and `MEM_LARGE_PAGES`, which
/// are not supported.
const UNSUPPORTED: u32 = 0x2168_0000;
/// The operations of `VirtualFree`.
const MEM_DECOMMIT: u32 = 0x4000;
const MEM_RELEASE: u32 = 0x8000;

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
    let pages = region.pages_of(base, address, len)?;
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
/// Writes them through a temporary mapping, because the protection of the pages in the view may
/// forbid access.
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
    let pages = region.pages_of(base, address, len).map_err(|_| INVALID_PARAMETER)?;
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

/// Reserves private memory, commits it, or commits pages of a view.
#[unsafe(no_mangle)]
pub extern "C" fn VirtualAlloc(
    address: *mut c_void,
    len: usize,
    how: u32,
    protection: u32,
) -> *mut c_void {
    answer(
        "VirtualAlloc",
        allocate(address.addr(), len, how, protection).map(as_pointer),
        std::ptr::null_mut(),
    )
}

/// Decommits or releases private memory. Refuses views.
#[unsafe(no_mangle)]
pub extern "C" fn VirtualFree(address: *mut c_void, len: usize, how: u32) -> i32 {
    done("VirtualFree", free(address.addr(), len, how))
}
