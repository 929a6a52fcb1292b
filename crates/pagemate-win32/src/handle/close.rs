//! `CloseHandle`.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use crate::error::done;
use crate::handle::number::{Handle, is_pseudo};
use crate::handle::process_table::remove;

/// Closes a handle.
#[unsafe(no_mangle)]
pub extern "C" fn CloseHandle(handle: Handle) -> i32 {
    if is_pseudo(handle) {
        return 1;
    }
    done("CloseHandle", remove(handle).map(drop))
}
