//! Waiting for the peer: a short adaptive spin, then sleep.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::error::WaitError;
use super::wake_flag::{Sleepers, WakeFlag};
use crate::deadline::Deadline;

/// How an endpoint waits for its peer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Waiting {
    /// It looks for a short time, and sleeps if nothing happened. The time adapts to the last waits.
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

/// The numbers of looks in one spin. A look takes about 25 ns.
const SHORTEST_SPIN: u32 = 32;
const LONGEST_SPIN: u32 = 1200;

/// The number of looks between two readings of the clock, for a waiter that only spins.
const SPIN_BETWEEN_CHECKS: u32 = 4096;

/// A sleep that was shorter than this would have been avoided by the longest spin.
const SHORT_SLEEP: Duration = Duration::from_micros(40);

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
    /// The number of looks in the next spin.
    spin: u32,
    /// The time of the last test whether the peer is alive.
    tested: Instant,
}

impl Waiter {
    pub(super) fn new(mode: Waiting) -> Waiter {
        Waiter { mode, spin: LONGEST_SPIN, tested: Instant::now() }
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
            if let Err(error) = self.test(peer) {
                // The peer may have acted just before it left.
                return if is_ready() { Ok(true) } else { Err(error) };
            }
            let began = Instant::now();
            if self.spin(&mut is_ready) {
                return Ok(true);
            }
            let Some(time) = deadline.next(CHECK_INTERVAL.saturating_sub(self.tested.elapsed()))
            else {
                return Ok(is_ready());
            };
            if self.mode != Waiting::Spin && !time.is_zero() {
                let slept = flag.sleep(sleepers, &mut is_ready, time);
                slept.map_err(|error| WaitError::Os(error.raw_os_error().unwrap_or(0)))?;
                self.adapt(began.elapsed());
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

    fn spin(&mut self, is_ready: &mut impl FnMut() -> bool) -> bool {
        let looks = match self.mode {
            Waiting::SpinThenSleep if has_one_processor() => 0,
            Waiting::SpinThenSleep => self.spin,
            Waiting::Spin => SPIN_BETWEEN_CHECKS,
            Waiting::Sleep => 0,
        };
        for _ in 0..looks {
            if is_ready() {
                return true;
            }
            std::hint::spin_loop();
        }
        is_ready()
    }

    /// Spins longer if a longer spin would have avoided the last sleep, and shorter otherwise.
    fn adapt(&mut self, waited: Duration) {
        let next = if waited < SHORT_SLEEP { self.spin * 2 } else { self.spin / 2 };
        self.spin = next.clamp(SHORTEST_SPIN, LONGEST_SPIN);
    }
}

/// Returns whether a spin only keeps the peer from running.
fn has_one_processor() -> bool {
    static ONE: OnceLock<bool> = OnceLock::new();
    *ONE.get_or_init(|| std::thread::available_parallelism().is_ok_and(|count| count.get() == 1))
}
