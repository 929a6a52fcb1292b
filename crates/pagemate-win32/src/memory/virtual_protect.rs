//! `VirtualProtect`: changes the protection of pages.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;

use crate::error::{
    INVALID_ADDRESS, INVALID_PARAMETER, NOACCESS as NO_ACCESS_TO_ARGUMENT, Result, done,
};
use crate::memory::page_protection::check_protection;
use crate::memory::protection::set_protection;
use crate::memory::region::{check_range, regions};
use crate::pointer::write_unless_null;

fn protect(address: usize, len: usize, protection: u32) -> Result<u32> {
    check_protection(protection)?;
    check_range(address, len)?;
    if len == 0 {
        return Err(INVALID_PARAMETER);
    }
    let mut regions = regions();
    let (base, region) = regions.find(address).ok_or(INVALID_ADDRESS)?;
    let pages = region.pages_of(base, address, len)?;
    let first = region.run(base, pages.start)?;
    let mut page = pages.start;
    while page < pages.end {
        let run = region.run(base, page)?;
        if !run.committed {
            return Err(INVALID_ADDRESS);
        }
        page += run.pages;
    }
    let first = region.with_caching(first.protection);
    set_protection(base, region, pages, protection)?;
    Ok(first)
}

/// Changes the protection of pages, and reports the previous protection of the first page.
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
        return done("VirtualProtect", Err(NO_ACCESS_TO_ARGUMENT));
    }
    done(
        "VirtualProtect",
        protect(address.addr(), len, protection).map(|was| {
            // SAFETY: the caller guarantees that `old` is null or valid for writes.
            unsafe { write_unless_null(old, was) };
        }),
    )
}
