//! `VirtualQuery`: describes pages.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;

use crate::error::{
    BAD_LENGTH, INVALID_PARAMETER, NOACCESS as NO_ACCESS_TO_ARGUMENT, Result, answer,
};
use crate::memory::address::as_pointer;
use crate::memory::page_protection::NOACCESS;
use crate::memory::process_maps::{self, Found, MEM_MAPPED, MEM_PRIVATE};
use crate::memory::region::{END, Kind, PAGE, regions};
use crate::pointer::write_unless_null;

/// States of memory.
const MEM_COMMIT: u32 = 0x1000;
const MEM_RESERVE: u32 = 0x2000;
const MEM_FREE: u32 = 0x1_0000;

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
        allocation_protection: region.with_caching(region.protection),
        partition: 0,
        len: run.pages * PAGE,
        state: if run.committed { MEM_COMMIT } else { MEM_RESERVE },
        protection: region.with_caching(run.protection),
        kind,
    })
}

/// Describes memory that this library did not map.
fn query_foreign(start: usize) -> Result<MemoryBasicInformation> {
    Ok(match process_maps::find(start)? {
        Found::Mapping(map) => MemoryBasicInformation {
            base: as_pointer(start),
            allocation_base: as_pointer(map.start),
            allocation_protection: map.protection,
            partition: 0,
            len: map.end - start,
            state: MEM_COMMIT,
            protection: map.protection,
            kind: map.kind,
        },
        Found::FreeUpTo(end) => MemoryBasicInformation {
            base: as_pointer(start),
            allocation_base: std::ptr::null_mut(),
            allocation_protection: 0,
            partition: 0,
            len: end.saturating_sub(start),
            state: MEM_FREE,
            protection: NOACCESS,
            kind: 0,
        },
    })
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
    answer("VirtualQuery", result, 0)
}
