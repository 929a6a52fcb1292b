//! Timeouts in nanoseconds.

use std::time::Duration;

use pagemate::Name;

use super::status::{Failure, Status};

/// A timeout that never expires.
pub const PAGEMATE_FOREVER: u64 = u64::MAX;

/// One millisecond in nanoseconds, the unit of all timeouts: `50 * PAGEMATE_MILLISECOND`.
#[allow(clippy::unnecessary_cast, reason = "the cast gives the C constant 64 bits in any product")]
pub const PAGEMATE_MILLISECOND: u64 = 1_000_000 as u64;

/// Converts a timeout from C.
pub(super) fn duration(nanoseconds: u64) -> Duration {
    match nanoseconds {
        PAGEMATE_FOREVER => Duration::MAX,
        nanoseconds => Duration::from_nanos(nanoseconds),
    }
}

/// Returns the failure of a wait whose timeout expired.
pub(super) fn timed_out(call: &str, name: Option<&Name>, cause: &str) -> Failure {
    let name = name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
    Failure::new(Status::PAGEMATE_TIMED_OUT, format!("{call}{name}: {cause}"))
}
