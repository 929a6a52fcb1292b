//! The size of a file: `GetFileSize`, `SetEndOfFile`.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use crate::error::{INVALID_PARAMETER, NOACCESS, Result, answer, done};
use crate::file::low_half::{ALL_ONES, clear_error_if_all_ones};
use crate::file::mapped::set_len;
use crate::handle::number::Handle;
use crate::handle::process_table as handle;
use crate::handle::rights::WRITE_DATA;
use crate::pointer::write_unless_null;

/// Sets the length of the file to its position.
#[unsafe(no_mangle)]
pub extern "C" fn SetEndOfFile(handle: Handle) -> i32 {
    done(
        "SetEndOfFile",
        handle::file_with(handle, WRITE_DATA).and_then(|(file, _)| {
            let at = file.seek(0, libc::SEEK_CUR)?;
            set_len(&file, at)
        }),
    )
}

fn len(handle: Handle) -> Result<u64> {
    handle::file(handle)?.0.len()
}

/// Returns the low half of the file's length in bytes, and writes the high half to `high`.
///
/// # Safety
///
/// `high` is null or valid for writes.
#[unsafe(no_mangle)]
#[allow(clippy::cast_possible_truncation, reason = "the high half is stored separately")]
pub unsafe extern "C" fn GetFileSize(handle: Handle, high: *mut u32) -> u32 {
    let low = len(handle).map(|len| {
        // SAFETY: the caller guarantees that `high` is null or valid for writes.
        unsafe { write_unless_null(high, (len >> 32) as u32) };
        clear_error_if_all_ones(len as u32)
    });
    answer("GetFileSize", low, ALL_ONES)
}

/// Reports the file's length in bytes.
///
/// # Safety
///
/// `buffer` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetFileSizeEx(handle: Handle, buffer: *mut i64) -> i32 {
    done(
        "GetFileSizeEx",
        len(handle).and_then(|len| {
            let len = len.try_into().map_err(|_| INVALID_PARAMETER)?;
            // SAFETY: the caller guarantees that `buffer` is null or valid for writes.
            if unsafe { write_unless_null(buffer, len) } { Ok(()) } else { Err(NOACCESS) }
        }),
    )
}
