//! Waits of an endpoint for its peers: a short adaptive spin, then sleep.

use std::time::{Duration, Instant};

use super::error::WaitError;
use super::wake_flag::{Sleepers, WakeFlag};
use crate::deadline::{Deadline, LIVENESS_INTERVAL};
use crate::sys::spin::{self, Spin};

/// The way in which an endpoint waits for its peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Waiting {
    /// The endpoint polls the channel for a short time, and then sleeps. It sleeps at once if the last polls were
    /// in vain.
    #[default]
    SpinThenSleep,
    /// The endpoint polls all the time and never sleeps. This has the lowest latency, and uses a whole
    /// processor.
    Spin,
    /// The endpoint sleeps at once.
    Sleep,
}

/// The number of polls between two readings of the clock, for a waiter that only spins. A poll takes about
/// 25 ns.
const POLLS_BETWEEN_CHECKS: u32 = 4096;

/// The number of polls of a program between two readings of the clock, while it polls often.
const POLLS_BETWEEN_READINGS: u32 = 15;

/// A program polls often if this many polls, and the one that reads the clock, take less than this time.
const POLLS_ARE_FREQUENT: Duration = Duration::from_millis(1);

/// The progress for which a waiter waits, and the peers that can make this progress.
pub(super) trait Awaited {
    /// Returns whether the waiter can continue.
    fn is_ready(&mut self) -> bool;

    /// Returns an error if all peers have left. Makes no system call.
    fn test_places(&mut self) -> Result<(), WaitError>;

    /// Returns an error if all peers have left or are dead.
    fn test_liveness(&mut self) -> Result<(), WaitError>;
}

/// The state of one endpoint's waits.
#[derive(Debug)]
pub(super) struct Waiter {
    mode: Waiting,
    spin: Spin,
    /// The time of the last liveness test of the peers.
    tested: Instant,
    /// The time of the last poll that read the clock.
    polled: Instant,
    /// The number of polls before the next one that reads the clock.
    polls_left: u32,
}

impl Waiter {
    pub(super) fn new(mode: Waiting) -> Waiter {
        let now = Instant::now();
        Waiter { mode, spin: Spin::new(), tested: now, polled: now, polls_left: 0 }
    }

    /// Waits until `awaited` is ready, or until the deadline. Returns whether it is ready.
    ///
    /// # Errors
    ///
    /// The error of `awaited`, if its peers have left or died and it is not ready.
    pub(super) fn wait(
        &mut self,
        deadline: Deadline,
        flag: &WakeFlag,
        sleepers: &impl Sleepers,
        awaited: &mut impl Awaited,
    ) -> Result<bool, WaitError> {
        loop {
            let places = awaited.test_places();
            // Most waits end here, so do not read the clock before: that takes as long as several polls.
            if places.is_ok() && self.spin(|| awaited.is_ready()) {
                return Ok(true);
            }
            if let Err(error) = places.and_then(|()| self.test_if_due(awaited)) {
                // A peer may have made progress just before it left.
                return if awaited.is_ready() { Ok(true) } else { Err(error) };
            }
            let Some(time) = deadline.next(LIVENESS_INTERVAL.saturating_sub(self.tested.elapsed()))
            else {
                return Ok(awaited.is_ready());
            };
            if self.mode != Waiting::Spin && !time.is_zero() {
                let slept = self.spin.note(|| flag.sleep(sleepers, || awaited.is_ready(), time));
                slept.map_err(|error| WaitError::Os(error.raw_os_error().unwrap_or(0)))?;
                if awaited.is_ready() {
                    return Ok(true);
                }
            }
        }
    }

    /// Returns an error if all peers have left. If the last liveness test is long ago, also tests whether all
    /// peers are dead.
    pub(super) fn test(&mut self, awaited: &mut impl Awaited) -> Result<(), WaitError> {
        awaited.test_places()?;
        self.test_if_due(awaited)
    }

    /// Tests the peers for a call that does not block. A program that polls all the time reads the clock only in
    /// some of its calls, because that takes as long as a poll.
    pub(super) fn poll(&mut self, awaited: &mut impl Awaited) -> Result<(), WaitError> {
        if self.polls_left > 0 {
            self.polls_left -= 1;
            return awaited.test_places();
        }
        let now = Instant::now();
        if now.duration_since(self.polled) < POLLS_ARE_FREQUENT {
            self.polls_left = POLLS_BETWEEN_READINGS;
        }
        self.polled = now;
        self.test(awaited)
    }

    fn test_if_due(&mut self, awaited: &mut impl Awaited) -> Result<(), WaitError> {
        if self.tested.elapsed() < LIVENESS_INTERVAL {
            return Ok(());
        }
        self.tested = Instant::now();
        awaited.test_liveness()
    }

    fn spin(&self, mut is_ready: impl FnMut() -> bool) -> bool {
        match self.mode {
            Waiting::SpinThenSleep => self.spin.until(is_ready),
            Waiting::Spin => spin::try_closely(POLLS_BETWEEN_CHECKS, is_ready),
            Waiting::Sleep => is_ready(),
        }
    }
}
