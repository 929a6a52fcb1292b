//! Views of mappings.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;
use std::sync::Arc;

use pagemate::Protection;
use pagemate::os::unix::SectionExt;
use rustix::io::Errno;
use rustix::mm::{MapFlags, MsyncFlags, ProtFlags};

use crate::error::{
    ACCESS_DENIED, Code, INVALID_ADDRESS, INVALID_HANDLE, INVALID_PARAMETER, MAPPED_ALIGNMENT,
    NOT_ENOUGH_MEMORY, NOT_SUPPORTED, Result, answer, done,
};
use crate::handle::rights::{MAP_READ, MAP_WRITE};
use crate::handle::table::{self as handle, CURRENT_PROCESS, Handle};
use crate::join;
use crate::memory::address::{self as place, What, at};
use crate::memory::mapping::{EXECUTABLE, Mapping, NOACCESS, READONLY, READWRITE, WRITECOPY};
use crate::memory::region::{END, GRANULARITY, Kind, PAGE, Region, Seen, regions};

/// `FILE_MAP_` rights.
const FILE_MAP_COPY: u32 = 0x01;
const FILE_MAP_WRITE: u32 = 0x02;
const FILE_MAP_READ: u32 = 0x04;
const FILE_MAP_EXECUTE: u32 = 0x20;

/// `PAGE_GUARD`, `PAGE_NOCACHE`, `PAGE_WRITECOMBINE`.
const MODIFIERS: u32 = 0x700;

/// `MEM_RESERVE`, which a view may be asked for with.
const MEM_RESERVE: u32 = 0x2000;

/// What a program asks to see.
struct Wanted {
    /// A `PAGE_` protection.
    protection: u32,
    offset: u64,
    /// Zero is all that follows the offset.
    len: usize,
    /// Where, or null.
    base: *mut c_void,
}

/// The protection of a view for `FILE_MAP_` rights. To copy counts only if nothing else is asked.
fn protection_of(access: u32) -> Result<u32> {
    if access & FILE_MAP_EXECUTE != 0 {
        return Err(NOT_SUPPORTED);
    }
    Ok(match access {
        FILE_MAP_COPY => WRITECOPY,
        _ if access & FILE_MAP_WRITE != 0 => READWRITE,
        _ if access & FILE_MAP_READ != 0 => READONLY,
        _ => NOACCESS,
    })
}

/// Refuses protections that are none, or are not to be had here.
pub(crate) fn check_protection(protection: u32) -> Result<()> {
    match protection {
        NOACCESS | READONLY | READWRITE | WRITECOPY => Ok(()),
        _ => Err(refusal(protection)),
    }
}

/// Why: it is executable, or a guard, or has to do with caching; or it is none.
fn refusal(protection: u32) -> Code {
    let base = protection & !MODIFIERS;
    if base & (EXECUTABLE | 0x0F) == base && base.is_power_of_two() {
        NOT_SUPPORTED
    } else {
        INVALID_PARAMETER
    }
}

/// What the processor is to let through.
pub(crate) fn prot(protection: u32) -> ProtFlags {
    match protection {
        READONLY => ProtFlags::READ,
        READWRITE | WRITECOPY => ProtFlags::READ | ProtFlags::WRITE,
        _ => ProtFlags::empty(),
    }
}

fn map(handle: Handle, wanted: &Wanted) -> Result<*mut c_void> {
    if wanted.base.addr() >= END {
        return Err(INVALID_PARAMETER);
    }
    let (mapping, access) = handle::mapping(handle)?;
    let needed = if wanted.protection == READWRITE { MAP_WRITE } else { MAP_READ };
    if access & needed == 0 {
        return Err(ACCESS_DENIED);
    }
    let granularity = GRANULARITY as u64;
    if !wanted.offset.is_multiple_of(granularity) || !wanted.base.addr().is_multiple_of(GRANULARITY)
    {
        return Err(MAPPED_ALIGNMENT);
    }
    let section = mapping.section();
    if wanted.protection == READWRITE && section.protection() == Protection::ReadOnly {
        return Err(INVALID_PARAMETER);
    }
    let left = section.len().saturating_sub(wanted.offset);
    let len = if wanted.len == 0 { left } else { wanted.len as u64 };
    if len == 0 || len > left {
        return Err(ACCESS_DENIED);
    }
    let len = usize::try_from(len.next_multiple_of(PAGE as u64)).map_err(|_| NOT_ENOUGH_MEMORY)?;
    let shared = wanted.protection != WRITECOPY;
    let what = What {
        len,
        prot: prot(wanted.protection),
        flags: if shared { MapFlags::SHARED } else { MapFlags::PRIVATE },
        from: Some((section.memory(), wanted.offset)),
    };
    let seen = seen(&mapping, wanted.offset)?;
    let base = if wanted.base.is_null() {
        place::anywhere(what)?
    } else {
        place::exactly(wanted.base.addr(), what)?;
        wanted.base.addr()
    };
    let mut region = Region::new(len, wanted.protection, Kind::View(seen));
    region.caching = mapping.caching();
    regions().insert(base, region);
    Ok(at(base))
}

fn seen(mapping: &Arc<Mapping>, offset: u64) -> Result<Seen> {
    let file = if mapping.over_file() {
        let stat = rustix::fs::fstat(mapping.section().memory())?;
        Some((stat.st_dev, stat.st_ino))
    } else {
        None
    };
    let sparse = mapping.sparse().cloned();
    Ok(Seen { offset, file, sparse, mapping: Arc::downgrade(mapping) })
}

fn unmap(address: *const c_void) -> Result<()> {
    let mut regions = regions();
    let (base, region) = regions.find(address.addr()).ok_or(INVALID_ADDRESS)?;
    if !matches!(region.kind, Kind::View(_)) {
        return Err(INVALID_ADDRESS);
    }
    let len = region.len;
    let removed = regions.remove(base);
    // Nothing new can come to stand there before it is unmapped.
    drop(regions);
    // SAFETY: it was mapped as a region, which it is no more.
    unsafe { place::unmap(base, len) };
    drop(removed);
    Ok(())
}

fn flush(address: *const c_void, len: usize) -> Result<()> {
    let (start, len, file) = {
        let mut regions = regions();
        let (base, region) = regions.find(address.addr()).ok_or(INVALID_ADDRESS)?;
        let file = matches!(&region.kind, Kind::View(seen) if seen.file.is_some());
        let start = address.addr() / PAGE * PAGE;
        let left = base + region.len - address.addr();
        if len > left {
            return Err(INVALID_PARAMETER);
        }
        let len = if len == 0 { left } else { len };
        (start, len + (address.addr() - start), file)
    };
    if !file {
        return Ok(());
    }
    // Windows starts to write and does not wait. Linux writes when it sees fit, or waits.
    // SAFETY: msync changes no memory. If the view went meanwhile, it fails or writes something else.
    unsafe { rustix::mm::msync(at(start), len, MsyncFlags::SYNC) }.map_err(|error| match error {
        Errno::NOMEM => INVALID_ADDRESS,
        error => error.into(),
    })
}

/// Maps a view of a mapping.
#[unsafe(no_mangle)]
pub extern "C" fn MapViewOfFile(
    handle: Handle,
    access: u32,
    offset_high: u32,
    offset_low: u32,
    len: usize,
) -> *mut c_void {
    MapViewOfFileEx(handle, access, offset_high, offset_low, len, std::ptr::null_mut())
}

/// Maps a view at an address of the caller's choice.
#[unsafe(no_mangle)]
pub extern "C" fn MapViewOfFileEx(
    handle: Handle,
    access: u32,
    offset_high: u32,
    offset_low: u32,
    len: usize,
    base: *mut c_void,
) -> *mut c_void {
    let offset = join(offset_high, offset_low);
    let mapped = protection_of(access)
        .and_then(|protection| map(handle, &Wanted { protection, offset, len, base }));
    answer(mapped, std::ptr::null_mut())
}

/// Maps a view into this process, by a `PAGE_` protection.
#[unsafe(no_mangle)]
pub extern "C" fn MapViewOfFileNuma2(
    handle: Handle,
    process: Handle,
    offset: u64,
    base: *mut c_void,
    len: usize,
    allocation: u32,
    protection: u32,
    _preferred_node: u32,
) -> *mut c_void {
    let wanted = Wanted { protection, offset, len, base };
    let mapped = map_of(process.addr() == CURRENT_PROCESS, handle, allocation, &wanted);
    answer(mapped, std::ptr::null_mut())
}

/// Maps a view into this process, by a `PAGE_` protection; its extended parameters are refused.
#[unsafe(no_mangle)]
pub extern "C" fn MapViewOfFile3(
    handle: Handle,
    process: Handle,
    base: *mut c_void,
    offset: u64,
    len: usize,
    allocation: u32,
    protection: u32,
    _parameters: *mut c_void,
    parameter_count: u32,
) -> *mut c_void {
    let here = process.is_null() || process.addr() == CURRENT_PROCESS;
    let wanted = Wanted { protection, offset, len, base };
    let mapped = if parameter_count == 0 {
        map_of(here, handle, allocation, &wanted)
    } else {
        Err(NOT_SUPPORTED)
    };
    answer(mapped, std::ptr::null_mut())
}

fn map_of(here: bool, handle: Handle, allocation: u32, wanted: &Wanted) -> Result<*mut c_void> {
    if !here {
        return Err(INVALID_HANDLE);
    }
    check_protection(wanted.protection)?;
    if allocation & !MEM_RESERVE != 0 {
        return Err(NOT_SUPPORTED);
    }
    map(handle, wanted)
}

/// Unmaps the view that an address lies in.
#[unsafe(no_mangle)]
pub extern "C" fn UnmapViewOfFile(address: *const c_void) -> i32 {
    done(unmap(address))
}

/// The same; of the flags none means anything here.
#[unsafe(no_mangle)]
pub extern "C" fn UnmapViewOfFileEx(address: *mut c_void, flags: u32) -> i32 {
    done(if flags == 0 { unmap(address) } else { Err(NOT_SUPPORTED) })
}

/// The same, in this process.
#[unsafe(no_mangle)]
pub extern "C" fn UnmapViewOfFile2(process: Handle, address: *mut c_void, flags: u32) -> i32 {
    if process.addr() != CURRENT_PROCESS {
        return done(Err(INVALID_HANDLE));
    }
    UnmapViewOfFileEx(address, flags)
}

/// Writes what changed in a view back to the file under it.
#[unsafe(no_mangle)]
pub extern "C" fn FlushViewOfFile(address: *const c_void, len: usize) -> i32 {
    done(flush(address, len))
}
