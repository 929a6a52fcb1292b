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

/// A test of the peer that a waiter depends on.
pub(super) trait PeerTest {
    /// Returns an error if the peer has left. It costs no system call.
    fn test_place(&self) -> Result<(), WaitError>;

    /// Returns an error if the peer has left or is dead.
    fn test_liveness(&self) -> Result<(), WaitError>;
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

    /// Waits until `is_ready`, or until the deadline. Returns whether it is ready.
    ///
    /// # Errors
    ///
    /// The error of `peer`, if the channel is not ready after the peer has left or died.
    pub(super) fn wait(
        &mut self,
        deadline: Deadline,
        flag: &WakeFlag,
        sleepers: &impl Sleepers,
        mut is_ready: impl FnMut() -> bool,
        peer: &impl PeerTest,
    ) -> Result<bool, WaitError> {
        loop {
            let place = peer.test_place();
            // Most waits end here, and reading the clock takes as long as several looks.
            if place.is_ok() && self.spin(&mut is_ready) {
                return Ok(true);
            }
            if let Err(error) = place.and_then(|()| self.test_if_due(peer)) {
                // The peer may have acted just before it left.
                return if is_ready() { Ok(true) } else { Err(error) };
            }
            let Some(time) = deadline.next(CHECK_INTERVAL.saturating_sub(self.tested.elapsed()))
            else {
                return Ok(is_ready());
            };
            if self.mode != Waiting::Spin && !time.is_zero() {
                let slept = self.spin.note(|| flag.sleep(sleepers, &mut is_ready, time));
                slept.map_err(|error| WaitError::Os(error.raw_os_error().unwrap_or(0)))?;
                if is_ready() {
                    return Ok(true);
                }
            }
        }
    }

    /// Returns an error if the peer has left, or if it is dead and the last test is long ago.
    pub(super) fn test(&mut self, peer: &impl PeerTest) -> Result<(), WaitError> {
        peer.test_place()?;
        self.test_if_due(peer)
    }

    fn test_if_due(&mut self, peer: &impl PeerTest) -> Result<(), WaitError> {
        if self.tested.elapsed() < CHECK_INTERVAL {
            return Ok(());
        }
        self.tested = Instant::now();
        peer.test_liveness()
    }

    fn spin(&self, mut is_ready: impl FnMut() -> bool) -> bool {
        match self.mode {
            Waiting::SpinThenSleep => self.spin.until(is_ready),
            Waiting::Spin => spin::try_closely(LOOKS_BETWEEN_CHECKS, is_ready),
            Waiting::Sleep => is_ready(),
        }
    }
}
