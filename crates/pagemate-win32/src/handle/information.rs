//! The flags of a handle: whether it is inheritable, and protected from `CloseHandle`.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use crate::error::{ACCESS_DENIED, NOACCESS, Result, done};
use crate::handle::inherit::make_inheritable::make_inheritable;
use crate::handle::number::{Handle, is_pseudo};
use crate::handle::process_table::with_slot;
use crate::pointer::write_unless_null;

/// A child process inherits the handle (`HANDLE_FLAG_INHERIT`).
const INHERIT: u32 = 1;
/// The handle cannot be closed (`HANDLE_FLAG_PROTECT_FROM_CLOSE`).
const PROTECT_FROM_CLOSE: u32 = 2;

/// Reports whether a handle is inheritable and protected from `CloseHandle`.
///
/// # Safety
///
/// `flags` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetHandleInformation(handle: Handle, flags: *mut u32) -> i32 {
    done(
        "GetHandleInformation",
        information(handle).and_then(|information| {
            // SAFETY: the caller guarantees that `flags` is null or valid for writes.
            if unsafe { write_unless_null(flags, information) } { Ok(()) } else { Err(NOACCESS) }
        }),
    )
}

fn information(handle: Handle) -> Result<u32> {
    if is_pseudo(handle) {
        return Ok(0);
    }
    with_slot(handle, |slot| {
        let inherit = if slot.inherited.is_some() { INHERIT } else { 0 };
        let protected = if slot.protected { PROTECT_FROM_CLOSE } else { 0 };
        Ok(inherit | protected)
    })
}

/// Sets whether a handle is inheritable and protected from `CloseHandle`.
#[unsafe(no_mangle)]
pub extern "C" fn SetHandleInformation(handle: Handle, mask: u32, flags: u32) -> i32 {
    done("SetHandleInformation", set_information(handle, mask, flags))
}

fn set_information(handle: Handle, mask: u32, flags: u32) -> Result<()> {
    if is_pseudo(handle) {
        return Err(ACCESS_DENIED);
    }
    with_slot(handle, |slot| {
        if mask & INHERIT != 0 {
            if flags & INHERIT == 0 {
                slot.inherited = None;
            } else if slot.inherited.is_none() {
                let handle = std::ptr::without_provenance_mut(handle.addr() & !3);
                slot.inherited = Some(make_inheritable(handle, &slot.entry)?);
            }
        }
        if mask & PROTECT_FROM_CLOSE != 0 {
            slot.protected = flags & PROTECT_FROM_CLOSE != 0;
        }
        Ok(())
    })
}
