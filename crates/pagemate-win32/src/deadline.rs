//! Points in time at which waits time out.

use std::time::{Duration, Instant};

/// Returns the point in time at which a wait of this length times out; `None` if that point is too
/// far away to be represented.
pub(crate) fn deadline(time: Duration) -> Option<Instant> {
    Instant::now().checked_add(time)
}

/// Returns the time until the deadline; without a deadline, the longest duration.
pub(crate) fn left(deadline: Option<Instant>) -> Duration {
    deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()))
}
