use std::time::{Duration, Instant};

/// The interval at which a wait for other processes tests whether they are alive, and tests for their progress without
/// a wake-up. If a process is killed, the processes that wait for it are delayed by at most this time.
pub(crate) const LIVENESS_INTERVAL: Duration = Duration::from_millis(100);

/// The end of a wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deadline {
    /// The wait has no time limit.
    Never,
    /// The call does not wait.
    Now,
    /// The wait ends at this instant.
    At(Instant),
}

impl Deadline {
    /// Returns the deadline `time` from now, or `Never` if it is beyond the range of the clock.
    pub(crate) fn after(time: Duration) -> Deadline {
        if time.is_zero() {
            return Deadline::Now;
        }
        Instant::now().checked_add(time).map_or(Deadline::Never, Deadline::At)
    }

    /// Returns the time until the deadline: `None` without a limit, zero after the deadline.
    pub(crate) fn left(self) -> Option<Duration> {
        match self {
            Deadline::Never => None,
            Deadline::Now => Some(Duration::ZERO),
            Deadline::At(end) => Some(end.saturating_duration_since(Instant::now())),
        }
    }

    /// Returns whether the wait is over.
    pub(crate) fn has_passed(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }

    /// Returns the time to sleep next: the time until the deadline, but at most `slice`. Returns
    /// `None` after the deadline.
    pub(crate) fn next(self, slice: Duration) -> Option<Duration> {
        match self.left() {
            None => Some(slice),
            Some(Duration::ZERO) => None,
            Some(left) => Some(left.min(slice)),
        }
    }
}
