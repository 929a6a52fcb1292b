//! 64-bit numbers in two halves, as Windows' older calls pass them.

/// Joins the two halves.
pub(crate) fn join(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}
