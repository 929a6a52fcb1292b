//! The end of a wait.

use std::time::{Duration, Instant};

/// Returns the end of a wait; `None` if it is too far away to be represented.
pub(crate) fn deadline(time: Duration) -> Option<Instant> {
    Instant::now().checked_add(time)
}

/// Returns the remaining time.
pub(crate) fn left(deadline: Option<Instant>) -> Duration {
    deadline.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()))
}
