//! Memory that a program gives back by name: what [`FormatMessageA`](super::message::FormatMessageA)
//! makes.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;

use super::error::{INVALID_PARAMETER, NOT_ENOUGH_MEMORY, answer};

/// `LMEM_ZEROINIT`, and what means that memory may move, which it never does.
const ZEROED: u32 = 0x40;
const MOVABLE: u32 = 0x02;

/// Memory that [`LocalFree`] takes back.
#[unsafe(no_mangle)]
pub extern "C" fn LocalAlloc(flags: u32, len: usize) -> *mut c_void {
    let made = match flags & !MOVABLE {
        // SAFETY: any length will do, and the result is looked at.
        0 => Ok(unsafe { libc::malloc(len.max(1)) }),
        // SAFETY: as above.
        ZEROED => Ok(unsafe { libc::calloc(len.max(1), 1) }),
        _ => Err(INVALID_PARAMETER),
    };
    let made = made.and_then(|made| if made.is_null() { Err(NOT_ENOUGH_MEMORY) } else { Ok(made) });
    answer(made, std::ptr::null_mut())
}

/// Gives memory back; null if it did, as always.
///
/// # Safety
///
/// `memory` is null, or from [`LocalAlloc`] and not given back yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LocalFree(memory: *mut c_void) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { libc::free(memory) };
    std::ptr::null_mut()
}
