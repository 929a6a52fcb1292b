//! Waiting for the peer: a short adaptive spin, then sleep.

use std::time::{Duration, Instant};

use super::error::WaitError;
use super::wake_flag::{Sleepers, WakeFlag};
use crate::deadline::Deadline;
use crate::sys::spin::{self, Spin};

/// How an endpoint waits for its peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// It looks for a short time, and sleeps if nothing happened. It sleeps at once if the last looks were in
    /// vain.
    #[default]
    SpinThenSleep,
    /// It looks all the time and never sleeps. This has the lowest latency, and takes a whole
    /// processor.
    Spin,
    /// It sleeps at once.
    Sleep,
}

/// How often a waiter tests whether its peer is alive, and looks at the channel without a wake-up. A
/// peer that was killed before it could wake the waiter delays it for at most this time.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The number of looks between two readings of the clock, for a waiter that only spins. A look takes about
/// 25 ns.
const LOOKS_BETWEEN_CHECKS: u32 = 4096;

/// The progress that a waiter waits for, and the peers that make it.
pub(super) trait Awaited {
    /// Returns whether the waiter can go on.
    fn is_ready(&mut self) -> bool;

    /// Returns an error if all peers have left. It costs no system call.
    fn test_places(&mut self) -> Result<(), WaitError>;

    /// Returns an error if all peers have left or are dead.
    fn test_liveness(&mut self) -> Result<(), WaitError>;
}

/// The state of one endpoint's waits.
#[derive(Debug)]
pub(super) struct Waiter {
    mode: Waiting,
    spin: Spin,
    /// The time of the last test whether the peer is alive.
    tested: Instant,
}

impl Waiter {
    pub(super) fn new(mode: Waiting) -> Waiter {
        Waiter { mode, spin: Spin::new(), tested: Instant::now() }
    }

    /// Waits until `awaited` is ready, or until the deadline. Returns whether it is ready.
    ///
    /// # Errors
    ///
    /// The error of `awaited`, if it is not ready after its peers have left or died.
    pub(super) fn wait(
        &mut self,
        deadline: Deadline,
        flag: &WakeFlag,
        sleepers: &impl Sleepers,
        awaited: &mut impl Awaited,
    ) -> Result<bool, WaitError> {
        loop {
            let places = awaited.test_places();
            // Most waits end here, and reading the clock takes as long as several looks.
            if places.is_ok() && self.spin(|| awaited.is_ready()) {
                return Ok(true);
            }
            if let Err(error) = places.and_then(|()| self.test_if_due(awaited)) {
                // A peer may have acted just before it left.
                return if awaited.is_ready() { Ok(true) } else { Err(error) };
            }
            let Some(time) = deadline.next(CHECK_INTERVAL.saturating_sub(self.tested.elapsed()))
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

    /// Returns an error if all peers have left, or if they are dead and the last test is long ago.
    pub(super) fn test(&mut self, awaited: &mut impl Awaited) -> Result<(), WaitError> {
        awaited.test_places()?;
        self.test_if_due(awaited)
    }

    fn test_if_due(&mut self, awaited: &mut impl Awaited) -> Result<(), WaitError> {
        if self.tested.elapsed() < CHECK_INTERVAL {
            return Ok(());
        }
        self.tested = Instant::now();
        awaited.test_liveness()
    }

    fn spin(&self, mut is_ready: impl FnMut() -> bool) -> bool {
        match self.mode {
            Waiting::SpinThenSleep => self.spin.until(is_ready),
            Waiting::Spin => spin::try_closely(LOOKS_BETWEEN_CHECKS, is_ready),
            Waiting::Sleep => is_ready(),
        }
    }
}
