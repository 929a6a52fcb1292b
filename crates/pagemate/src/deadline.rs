use std::time::{Duration, Instant};

/// Until when somebody waits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deadline {
    /// For as long as it takes.
    Never,
    /// Not at all.
    Now,
    At(Instant),
}

impl Deadline {
    /// From now on. What is too long to count is for ever.
    pub(crate) fn after(time: Duration) -> Deadline {
        if time.is_zero() {
            return Deadline::Now;
        }
        Instant::now().checked_add(time).map_or(Deadline::Never, Deadline::At)
    }

    /// How long there is left: `None` without end, zero when it has passed.
    pub(crate) fn left(self) -> Option<Duration> {
        match self {
            Deadline::Never => None,
            Deadline::Now => Some(Duration::ZERO),
            Deadline::At(end) => Some(end.saturating_duration_since(Instant::now())),
        }
    }

    /// How long to sleep at most, if nobody sleeps for longer than `slice` at a time; `None` if the
    /// time is up.
    pub(crate) fn next(self, slice: Duration) -> Option<Duration> {
        match self.left() {
            None => Some(slice),
            Some(Duration::ZERO) => None,
            Some(left) => Some(left.min(slice)),
        }
    }
}
