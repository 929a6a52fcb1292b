//! The low half of a 64-bit result, which `SetFilePointer` and `GetFileSize` return.

use crate::error;

/// The return value of a failed call. A successful call can return it too, if the low half of its
/// result is all ones.
pub(super) const ALL_ONES: u32 = u32::MAX;

/// Clears the last error if a call succeeds with [`ALL_ONES`]. The caller then finds no error, and
/// so knows that the call did not fail.
pub(super) fn clear_error_if_all_ones(low: u32) -> u32 {
    if low == ALL_ONES {
        error::set_last(0);
    }
    low
}
