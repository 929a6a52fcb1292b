//! The protocol by which a sleeping endpoint is woken without a cost for the side that is awake.
//!
//! | Word | Meaning | Left by |
//! |---|---|---|
//! | 0 | no endpoint sleeps | `sleep` |
//! | [`ASLEEP`] | an endpoint sleeps, or is about to, or was killed while it slept | `notify`, which clears the bit and wakes it; the sleeper itself |
//! | [`FENCE`] | an endpoint cannot use the barrier of [`barrier`]: both sides run full barriers | never |
//!
//! The side that makes progress stores it, runs a light barrier and loads the word. The sleeper sets
//! [`ASLEEP`], runs the heavy barrier and looks for progress again. So one of the two sees the store of
//! the other. A note that a killed sleeper left costs one wake-up that wakes no thread.

use std::io;
use std::time::Duration;

use crate::primitive::{AtomicU32, Ordering, fence};
use crate::sys::{barrier, fault};

/// Set while an endpoint sleeps.
const ASLEEP: u32 = 1;

/// Set as soon as one endpoint cannot use the light barrier.
const FENCE: u32 = 2;

/// The calls by which threads sleep on a flag.
pub(super) trait Sleepers {
    /// Sleeps while the flag has the value `expected`, for at most `time`. It may return early.
    fn wait(&self, flag: &AtomicU32, expected: u32, time: Duration) -> io::Result<()>;

    /// Wakes a thread that sleeps on the flag.
    fn wake(&self, flag: &AtomicU32);
}

/// The word that one endpoint sleeps on, and that its peer loads after each step.
#[derive(Debug, Default)]
#[repr(transparent)]
pub(super) struct WakeFlag(AtomicU32);

/// Returns whether an endpoint sleeps on a flag with this value.
pub(super) fn is_asleep(word: u32) -> bool {
    word & ASLEEP != 0
}

impl WakeFlag {
    /// Makes both sides run full barriers from now on.
    pub(super) fn require_fence(&self) {
        self.0.fetch_or(FENCE, Ordering::SeqCst);
    }

    /// Leaves the state in which a sleeper was killed.
    #[cfg(all(test, loom))]
    pub(super) fn set_state_of_killed_sleeper(&self) {
        self.0.store(ASLEEP, Ordering::Relaxed);
    }

    /// Wakes the endpoint if it sleeps. The caller has just stored its progress.
    #[inline]
    pub(super) fn notify(&self, sleepers: &impl Sleepers) {
        barrier::light();
        if self.0.load(Ordering::Relaxed) != 0 {
            self.notify_sleeper(sleepers);
        }
    }

    #[cold]
    #[inline(never)]
    fn notify_sleeper(&self, sleepers: &impl Sleepers) {
        fence(Ordering::SeqCst);
        if self.0.load(Ordering::Relaxed) & ASLEEP == 0 {
            return;
        }
        // Clear the bit first: a sleeper that has not compared the word yet then does not sleep.
        self.0.fetch_and(!ASLEEP, Ordering::Relaxed);
        fault::point("channel-before-wake");
        sleepers.wake(&self.0);
    }

    /// Sleeps until the peer notifies, for at most `time`, unless `is_ready` finds progress.
    pub(super) fn sleep(
        &self,
        sleepers: &impl Sleepers,
        mut is_ready: impl FnMut() -> bool,
        time: Duration,
    ) -> io::Result<()> {
        let word = self.0.fetch_or(ASLEEP, Ordering::Relaxed) | ASLEEP;
        if word & FENCE != 0 {
            fence(Ordering::SeqCst);
        } else if !barrier::heavy() {
            self.require_fence();
            fence(Ordering::SeqCst);
        }
        let mut result = Ok(());
        if !is_ready() {
            fault::point("channel-before-sleep");
            result = sleepers.wait(&self.0, word, time);
        }
        self.0.fetch_and(!ASLEEP, Ordering::Relaxed);
        result
    }
}
