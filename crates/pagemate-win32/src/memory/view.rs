//! Views of mappings: maps, unmaps and flushes them.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;
use std::sync::Arc;

use pagemate::Protection;
use pagemate::os::unix::SectionExt;
use rustix::io::Errno;
use rustix::mm::{MapFlags, MsyncFlags};

use crate::error::{
    ACCESS_DENIED, INVALID_ADDRESS, INVALID_HANDLE, INVALID_PARAMETER, MAPPED_ALIGNMENT,
    NOT_ENOUGH_MEMORY, NOT_SUPPORTED, Result, answer, done,
};
use crate::handle::number::{CURRENT_PROCESS, Handle};
use crate::handle::process_table as handle;
use crate::handle::rights::{MAP_READ, MAP_WRITE};
use crate::memory::address::{self, MapRequest, as_pointer};
use crate::memory::page_protection::{
    NOACCESS, READONLY, READWRITE, WRITECOPY, check_protection, prot, without_modifiers,
};
use crate::memory::region::{END, GRANULARITY, Kind, PAGE, Region, ViewSource, regions};
use crate::object::mapping::Mapping;
use crate::u64_halves::join;

/// `FILE_MAP_` rights.
const FILE_MAP_COPY: u32 = 0x01;
const FILE_MAP_WRITE: u32 = 0x02;
const FILE_MAP_READ: u32 = 0x04;
const FILE_MAP_EXECUTE: u32 = 0x20;

/// `MEM_RESERVE`, which the calls for views accept.
const MEM_RESERVE: u32 = 0x2000;

/// The arguments of a call that maps a view.
#[derive(Clone, Copy)]
struct Wanted {
    /// A `PAGE_` protection.
    protection: u32,
    offset: u64,
    /// The length in bytes; zero for all of the section after the offset.
    len: usize,
    /// The address to map at, or null.
    base: *mut c_void,
}

/// Returns the `PAGE_` protection for `FILE_MAP_` rights. `FILE_MAP_COPY` has an effect only
/// without other rights.
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
    let request = MapRequest {
        len,
        prot: prot(wanted.protection),
        flags: if shared { MapFlags::SHARED } else { MapFlags::PRIVATE },
        source: Some((section.memory(), wanted.offset)),
    };
    let source = view_source(&mapping, wanted.offset)?;
    let base = if wanted.base.is_null() {
        address::map_anywhere(request)?
    } else {
        address::map_at(wanted.base.addr(), request)?;
        wanted.base.addr()
    };
    let mut region = Region::new(len, wanted.protection, Kind::View(source));
    region.caching = mapping.caching();
    regions().insert(base, region);
    Ok(as_pointer(base))
}

fn view_source(mapping: &Arc<Mapping>, offset: u64) -> Result<ViewSource> {
    let file = if mapping.over_file() {
        let stat = rustix::fs::fstat(mapping.section().memory())?;
        Some((stat.st_dev, stat.st_ino))
    } else {
        None
    };
    let sparse = mapping.sparse().cloned();
    Ok(ViewSource { offset, file, sparse, mapping: Arc::downgrade(mapping) })
}

fn unmap(address: *const c_void) -> Result<()> {
    let mut regions = regions();
    let (base, region) = regions.find(address.addr()).ok_or(INVALID_ADDRESS)?;
    if !matches!(region.kind, Kind::View(_)) {
        return Err(INVALID_ADDRESS);
    }
    let len = region.len;
    let removed = regions.remove(base);
    // Unlock the list of regions before the system call. The address range stays mapped until
    // `unmap`, so no other thread can get the same range meanwhile.
    drop(regions);
    // SAFETY: the range was mapped as a region, and the region was just removed.
    unsafe { address::unmap(base, len) };
    drop(removed);
    Ok(())
}

fn flush(address: *const c_void, len: usize) -> Result<()> {
    let (start, len, file) = {
        let mut regions = regions();
        let (base, region) = regions.find(address.addr()).ok_or(INVALID_ADDRESS)?;
        let file = matches!(&region.kind, Kind::View(source) if source.file.is_some());
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
    // Windows starts the write and returns before it is complete. `msync` on Linux cannot do that:
    // `MS_ASYNC` starts no write, and `MS_SYNC` waits for it. So wait.
    // SAFETY: `msync` changes no memory. If another thread unmapped the view meanwhile, `msync`
    // fails or flushes another mapping.
    unsafe { rustix::mm::msync(as_pointer(start), len, MsyncFlags::SYNC) }.map_err(|error| {
        match error {
            Errno::NOMEM => INVALID_ADDRESS,
            error => error.into(),
        }
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
    let offset = join(offset_high, offset_low);
    let mapped = map_with_access(handle, access, offset, len, std::ptr::null_mut());
    answer("MapViewOfFile", mapped, std::ptr::null_mut())
}

/// Maps a view at an address that the program chooses.
#[unsafe(no_mangle)]
pub extern "C" fn MapViewOfFileEx(
    handle: Handle,
    access: u32,
    offset_high: u32,
    offset_low: u32,
    len: usize,
    base: *mut c_void,
) -> *mut c_void {
    let mapped = map_with_access(handle, access, join(offset_high, offset_low), len, base);
    answer("MapViewOfFileEx", mapped, std::ptr::null_mut())
}

/// Maps a view with the `PAGE_` protection that corresponds to `FILE_MAP_` rights.
fn map_with_access(
    handle: Handle,
    access: u32,
    offset: u64,
    len: usize,
    base: *mut c_void,
) -> Result<*mut c_void> {
    map(handle, &Wanted { protection: protection_of(access)?, offset, len, base })
}

/// Maps a view into this process, with a `PAGE_` protection.
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
    let mapped = map_here(process.addr() == CURRENT_PROCESS, handle, allocation, wanted);
    answer("MapViewOfFileNuma2", mapped, std::ptr::null_mut())
}

/// Maps a view into this process, with a `PAGE_` protection. Refuses extended parameters.
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
        map_here(here, handle, allocation, wanted)
    } else {
        Err(NOT_SUPPORTED)
    };
    answer("MapViewOfFile3", mapped, std::ptr::null_mut())
}

fn map_here(here: bool, handle: Handle, allocation: u32, wanted: Wanted) -> Result<*mut c_void> {
    if !here {
        return Err(INVALID_HANDLE);
    }
    check_protection(wanted.protection)?;
    // The mapping determines the caching modifier of its views, so ignore the modifier that the
    // program passes.
    let wanted = Wanted { protection: without_modifiers(wanted.protection), ..wanted };
    if allocation & !MEM_RESERVE != 0 {
        return Err(NOT_SUPPORTED);
    }
    map(handle, &wanted)
}

/// Unmaps the view that contains an address.
#[unsafe(no_mangle)]
pub extern "C" fn UnmapViewOfFile(address: *const c_void) -> i32 {
    done("UnmapViewOfFile", unmap(address))
}

/// Does the same as [`UnmapViewOfFile`]. Refuses all flags.
#[unsafe(no_mangle)]
pub extern "C" fn UnmapViewOfFileEx(address: *mut c_void, flags: u32) -> i32 {
    done("UnmapViewOfFileEx", unmap_without_flags(address, flags))
}

/// Does the same as [`UnmapViewOfFileEx`]. Refuses other processes.
#[unsafe(no_mangle)]
pub extern "C" fn UnmapViewOfFile2(process: Handle, address: *mut c_void, flags: u32) -> i32 {
    let here = process.addr() == CURRENT_PROCESS;
    let unmapped = if here { unmap_without_flags(address, flags) } else { Err(INVALID_HANDLE) };
    done("UnmapViewOfFile2", unmapped)
}

fn unmap_without_flags(address: *const c_void, flags: u32) -> Result<()> {
    if flags == 0 { unmap(address) } else { Err(NOT_SUPPORTED) }
}

/// Writes the changed pages of a view to its file, and waits until they are written.
#[unsafe(no_mangle)]
pub extern "C" fn FlushViewOfFile(address: *const c_void, len: usize) -> i32 {
    done("FlushViewOfFile", flush(address, len))
}
