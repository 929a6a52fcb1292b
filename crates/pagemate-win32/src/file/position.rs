//! `SetFilePointer`: moves the position of a file.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use crate::error::{INVALID_PARAMETER, NEGATIVE_SEEK, Result, answer, done};
use crate::file::low_half::{ALL_ONES, clear_error_if_all_ones};
use crate::handle::number::Handle;
use crate::handle::process_table as handle;
use crate::pointer::{read_unless_null, write_unless_null};

/// `FILE_BEGIN`, `FILE_CURRENT`, `FILE_END`.
const WHENCE: [i32; 3] = [libc::SEEK_SET, libc::SEEK_CUR, libc::SEEK_END];

/// Moves the file position, and returns the new one. Refuses a position for which `fits` returns
/// false.
fn seek_checked(handle: Handle, by: i64, method: u32, fits: impl Fn(u64) -> bool) -> Result<u64> {
    // Windows checks the arguments before the handle.
    let whence = usize::try_from(method).ok().and_then(|method| WHENCE.get(method));
    let whence = *whence.ok_or(INVALID_PARAMETER)?;
    if whence == libc::SEEK_SET && by < 0 {
        return Err(NEGATIVE_SEEK);
    }
    let (file, _) = handle::file(handle)?;
    let from = match method {
        0 => 0,
        1 => file.seek(0, libc::SEEK_CUR)?,
        _ => file.len()?,
    };
    let target = i64::try_from(from).ok().and_then(|from| from.checked_add(by));
    let target = u64::try_from(target.ok_or(INVALID_PARAMETER)?).map_err(|_| NEGATIVE_SEEK)?;
    if fits(target) { file.seek(by, whence) } else { Err(INVALID_PARAMETER) }
}

/// Moves the file position.
///
/// # Safety
///
/// `now` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SetFilePointerEx(
    handle: Handle,
    by: i64,
    now: *mut i64,
    method: u32,
) -> i32 {
    done(
        "SetFilePointerEx",
        seek_checked(handle, by, method, |_| true).and_then(|at| {
            let at = at.try_into().map_err(|_| INVALID_PARAMETER)?;
            // SAFETY: the caller guarantees that `now` is null or valid for writes.
            unsafe { write_unless_null(now, at) };
            Ok(())
        }),
    )
}

/// Moves the file position by a distance that is passed as two 32-bit halves.
///
/// If `high` is null, `low` is the whole signed distance, and the call fails unless the new
/// position fits into 32 bits.
///
/// # Safety
///
/// `high` is null, or valid for reads and writes.
#[unsafe(no_mangle)]
#[allow(clippy::cast_possible_truncation, reason = "the high half is stored separately")]
pub unsafe extern "C" fn SetFilePointer(
    handle: Handle,
    low: i32,
    high: *mut i32,
    method: u32,
) -> u32 {
    // SAFETY: the caller guarantees that `high` is null or valid for reads.
    let by = match unsafe { read_unless_null(high) } {
        Some(high) => i64::from(high) << 32 | i64::from(low.cast_unsigned()),
        None => low.into(),
    };
    let narrow = high.is_null();
    let at = seek_checked(handle, by, method, |at| !narrow || u32::try_from(at).is_ok());
    let at = at.map(|at| {
        // SAFETY: the caller guarantees that `high` is null or valid for writes.
        unsafe { write_unless_null(high, (at >> 32) as i32) };
        clear_error_if_all_ones(at as u32)
    });
    answer("SetFilePointer", at, ALL_ONES)
}
