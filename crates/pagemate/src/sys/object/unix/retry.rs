//! Retries after contention with other processes, limited in time.

use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::sys::object::RETRY_TIMEOUT;

/// Limits the retries of one call. The time limit begins with the first failed attempt.
#[derive(Debug, Default)]
pub(crate) struct RetryLimiter {
    first_failure: Option<Instant>,
    failures: u32,
}

impl RetryLimiter {
    /// The number of retries without a sleep. They take as long as a step of another process takes
    /// if it is not interrupted.
    const RETRIES_WITHOUT_SLEEP: u32 = 8;

    /// The first sleep. Each later one is twice as long, up to `MAX_SLEEP`.
    const MIN_SLEEP: Duration = Duration::from_micros(50);

    const MAX_SLEEP: Duration = Duration::from_millis(10);

    /// Counts a failed attempt and pauses before the next one. Fails with `TimedOut` if the
    /// attempts have failed for longer than [`RETRY_TIMEOUT`].
    ///
    /// A process of another user can hold a lock for any length of time. Without the sleep, the
    /// caller would use a whole processor during all of that time.
    pub(crate) fn back_off(&mut self) -> Result<()> {
        let start = *self.first_failure.get_or_insert_with(Instant::now);
        if start.elapsed() > RETRY_TIMEOUT {
            return Err(busy());
        }
        match self.failures.checked_sub(RetryLimiter::RETRIES_WITHOUT_SLEEP) {
            None => std::thread::yield_now(),
            Some(sleeps) => {
                let sleep = RetryLimiter::MIN_SLEEP * (1 << sleeps.min(8));
                std::thread::sleep(sleep.min(RetryLimiter::MAX_SLEEP));
            }
        }
        self.failures += 1;
        Ok(())
    }
}

/// Returns the error for contention that lasts for too long.
pub(crate) fn busy() -> Error {
    let cause =
        "another process is busy with it and does not finish; end that process, or try again";
    Error::new(ErrorKind::TimedOut, cause)
}
