//! The low half of a 64-bit result, which `SetFilePointer` and `GetFileSize` return.

use crate::error;

/// The result of a failed call. It is also a valid low half.
pub(super) const ALL_ONES: u32 = u32::MAX;

/// Clears the last error if a valid low half equals the result of a failure, so that the caller can
/// distinguish the two.
pub(super) fn clear_error_if_all_ones(low: u32) -> u32 {
    if low == ALL_ONES {
        error::set_last(0);
    }
    low
}
