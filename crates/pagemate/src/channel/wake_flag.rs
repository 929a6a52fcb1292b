//! The protocol by which an endpoint wakes its sleeping peer, at the cost of one load while the peer is
//! awake.
//!
//! | Word | Meaning | Left by |
//! |---|---|---|
//! | 0 | no endpoint sleeps | `sleep` |
//! | [`ASLEEP`] | an endpoint sleeps, or is about to, or was killed while it slept | `notify`, which clears the bit and wakes it; the sleeper itself |
//! | [`CROWD`] | several endpoints may sleep on the flag, and all of them are woken together | never |
//! | [`MANY`] | several endpoints may sleep on the flag, and are woken one by one | never |
//! | [`FENCE`] | an endpoint cannot use the barrier of [`barrier`]: both sides run full barriers | never |
//!
//! The side that makes progress stores the progress, runs a light barrier and loads the word. The sleeper
//! sets [`ASLEEP`], runs the heavy barrier and tests for progress again. So one of the two sees the store of
//! the other. If a sleeper is killed, its bit stays, and costs one wake-up that wakes no thread.
//!
//! The bits from 4 on count the wake-ups. In a flag with [`CROWD`] an endpoint may set [`ASLEEP`] again just
//! after a wake-up. Another endpoint that set the bit before the wake-up, and is about to sleep, must not
//! sleep: the count differs from the value that it expects.
//!
//! In a flag with [`MANY`], `notify` clears [`ASLEEP`] and wakes one endpoint although others may sleep. The
//! woken endpoint sets the bit again before it looks for progress. If it takes the progress that it was woken
//! for, and finds more, it notifies the next sleeper. If it is killed before that, the others look again at
//! the end of their slice.

use std::io;
use std::time::Duration;

use crate::primitive::{AtomicU32, Ordering, fence};
use crate::sys::{barrier, fault};

/// Set while an endpoint sleeps.
const ASLEEP: u32 = 1;

/// Set as soon as one endpoint cannot use the light barrier.
const FENCE: u32 = 2;

/// Set in a flag on which several endpoints may sleep that are woken one by one. It is never cleared.
const MANY: u32 = 4;

/// Set in a flag on which several endpoints may sleep that are woken together. It is never cleared.
const CROWD: u32 = 8;

/// The lowest bit of the number of wake-ups.
const WAKE_UP: u32 = 16;

/// The number of sleepers to wake that stands for all sleepers.
pub(super) const ALL: u32 = i32::MAX.cast_unsigned();

/// The calls by which threads sleep on a flag.
pub(super) trait Sleepers {
    /// Sleeps while the flag has the value `expected`, for at most `time`. It may return early.
    fn wait(&self, flag: &AtomicU32, expected: u32, time: Duration) -> io::Result<()>;

    /// Wakes at most `count` threads that sleep on the flag.
    fn wake(&self, flag: &AtomicU32, count: u32);
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

    /// Lets several endpoints sleep on the flag from now on, which [`notify_all`](WakeFlag::notify_all)
    /// wakes together.
    pub(super) fn admit_crowd(&self) {
        if self.0.load(Ordering::Relaxed) & CROWD == 0 {
            self.0.fetch_or(CROWD, Ordering::Relaxed);
        }
    }

    /// Lets several endpoints sleep on the flag from now on, which are woken one by one.
    pub(super) fn admit_many(&self) {
        if self.0.load(Ordering::Relaxed) & MANY == 0 {
            self.0.fetch_or(MANY, Ordering::Relaxed);
        }
    }

    /// Returns whether an endpoint sleeps.
    #[inline]
    pub(super) fn has_sleeper(&self) -> bool {
        is_asleep(self.0.load(Ordering::Relaxed))
    }

    /// Leaves the state in which a sleeper was killed.
    #[cfg(all(test, loom))]
    pub(super) fn set_state_of_killed_sleeper(&self) {
        self.0.fetch_or(ASLEEP, Ordering::Relaxed);
    }

    /// Wakes the endpoint if it sleeps. The caller has just stored its progress.
    #[inline]
    pub(super) fn notify(&self, sleepers: &impl Sleepers) {
        self.notify_many(sleepers, 1);
    }

    /// Wakes all endpoints that sleep. The caller has just stored its progress.
    #[inline]
    pub(super) fn notify_all(&self, sleepers: &impl Sleepers) {
        self.notify_many(sleepers, ALL);
    }

    /// Wakes at most `count` of the endpoints that sleep. The caller has just stored progress for so many.
    #[inline]
    pub(super) fn notify_many(&self, sleepers: &impl Sleepers, count: u32) {
        barrier::light();
        if self.0.load(Ordering::Relaxed) & (ASLEEP | FENCE) != 0 {
            self.notify_sleepers(sleepers, count);
        }
    }

    #[cold]
    #[inline(never)]
    fn notify_sleepers(&self, sleepers: &impl Sleepers, count: u32) {
        fence(Ordering::SeqCst);
        if self.0.load(Ordering::Relaxed) & ASLEEP == 0 {
            return;
        }
        // Change the word before the wake-up: an endpoint that is about to sleep then finds another value and
        // does not sleep.
        let change = |word: u32| Some((word & !ASLEEP).wrapping_add(WAKE_UP));
        _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
        fault::point("channel-before-wake");
        sleepers.wake(&self.0, count);
    }

    /// Sleeps until the peer notifies, for at most `time`, unless `is_ready` finds progress.
    pub(super) fn sleep(
        &self,
        sleepers: &impl Sleepers,
        mut is_ready: impl FnMut() -> bool,
        time: Duration,
    ) -> io::Result<()> {
        let word = self.begin_sleep();
        let mut result = Ok(());
        if !is_ready() {
            fault::point("channel-before-sleep");
            result = sleepers.wait(&self.0, word, time);
        }
        self.end_sleep();
        result
    }

    /// Returns the word that this thread sleeps on, after [`begin_sleep`](WakeFlag::begin_sleep).
    pub(super) fn word(&self) -> &AtomicU32 {
        &self.0
    }

    /// Ends the state that [`begin_sleep`](WakeFlag::begin_sleep) began. The caller tests for progress
    /// afterwards.
    pub(super) fn end_sleep(&self) {
        let word = self.0.load(Ordering::Relaxed);
        if word & MANY != 0 {
            // The side that woke this endpoint cleared the bit, and other endpoints may still sleep. So set
            // the bit again.
            self.begin_sleep();
        } else if word & CROWD == 0 {
            self.0.fetch_and(!ASLEEP, Ordering::Relaxed);
        }
    }

    /// Sets the bit of sleepers, and makes it visible to the other side before this thread looks for
    /// progress. Returns the new word.
    pub(super) fn begin_sleep(&self) -> u32 {
        let word = self.0.fetch_or(ASLEEP, Ordering::Relaxed) | ASLEEP;
        if word & FENCE != 0 {
            fence(Ordering::SeqCst);
        } else if !barrier::heavy() {
            self.require_fence();
            fence(Ordering::SeqCst);
        }
        word
    }
}
