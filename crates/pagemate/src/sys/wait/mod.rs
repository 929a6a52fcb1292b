//! Blocks a thread until a word in shared memory changes, and wakes the threads of all processes
//! that sleep on a word.
//!
//! Every platform provides [`wait`], [`wait_any`] and [`wake`]. A wake-up is a hint and may be
//! spurious: the woken thread reads the word again. No thread sleeps for longer than a [`Slice`].
//! Before a waiter sleeps, it spins as long as the [`Spin`](super::spin::Spin) of its object permits.

use std::time::Duration;

#[cfg(all(target_vendor = "apple", not(loom)))]
mod apple;
#[cfg(all(target_os = "linux", not(loom)))]
mod futex;
#[cfg(loom)]
mod loom;
mod word;

#[cfg(all(target_vendor = "apple", not(loom)))]
use self::apple as platform;
#[cfg(all(target_os = "linux", not(loom)))]
use self::futex as platform;
#[cfg(loom)]
use self::loom as platform;

#[cfg(all(test, loom))]
pub(crate) use platform::until_asleep;
pub(crate) use platform::{wait, wait_any, wake};
pub(crate) use word::{WaitWord, high_half, low_half};

/// The slice of a waiter that tests frequently whether the owner of a lock is alive.
const SHORT_SLICE: Duration = Duration::from_millis(30);

/// The slice of every other waiter. It must be finite: the thread that makes an object available
/// can be killed before it wakes a waiter, and the woken waiter can be killed before it takes the
/// object. Both deaths are rare, because only a few instructions lie between the two steps, and the
/// kernel does not report them.
pub(crate) const LONG_SLICE: Duration = Duration::from_millis(500);

/// The frequency at which a waiter tests whether the owner of a lock is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CheckRate {
    /// The object has no owner.
    Never,
    /// After each long slice, because watchers test more often.
    Rare,
    /// After each short slice.
    Frequent,
}

/// The longest time that a waiter sleeps before it reads the word again.
///
/// A slice ends at a fixed time, however many wake-ups there are in it. A waiter that is woken
/// again and again, by signals or for objects that other threads take first, therefore still tests
/// for dead owners.
pub(crate) struct Slice {
    rate: CheckRate,
    began: Option<Began>,
}

impl Slice {
    /// Begins a slice.
    pub(crate) fn begin(rate: CheckRate) -> Slice {
        Slice { rate, began: (rate != CheckRate::Never).then(began) }
    }

    /// Begins another slice if `rate` is not the rate of this one.
    pub(crate) fn set_rate(&mut self, rate: CheckRate) {
        if self.rate != rate {
            *self = Slice::begin(rate);
        }
    }

    /// Returns the length of the slice.
    pub(crate) fn len(&self) -> Duration {
        if self.rate == CheckRate::Frequent { SHORT_SLICE } else { LONG_SLICE }
    }

    /// Returns whether the slice is over, and begins the next one if it is.
    pub(crate) fn begin_next_if_over(&mut self) -> bool {
        let over = self.began.as_ref().is_some_and(|began| is_over(began, self.len()));
        if over {
            *self = Slice::begin(self.rate);
        }
        over
    }
}

cfg_select! {
    // Loom has no clock.
    loom => {
        pub(crate) fn pauses() -> impl Iterator<Item = ()> {
            std::iter::empty()
        }

        type Began = ();

        fn began() {}

        fn is_over(_: &Began, _: Duration) -> bool {
            false
        }
    }
    _ => {
        /// Returns an iterator that pauses in each step, and for longer in later steps. In that
        /// time another thread that is about to sleep falls asleep, or reads the word again. All
        /// steps together take a few milliseconds.
        pub(crate) fn pauses() -> impl Iterator<Item = ()> {
            let yields = (0..8).map(|_| std::thread::yield_now());
            // If the system cannot wait for several words, a waiter polls them once a millisecond.
            let sleeps = (0..4).map(|_| std::thread::sleep(Duration::from_millis(1)));
            yields.chain(sleeps)
        }

        type Began = std::time::Instant;

        fn began() -> Began {
            Began::now()
        }

        fn is_over(began: &Began, len: Duration) -> bool {
            began.elapsed() >= len
        }
    }
}

/// The argument of [`wake`] that wakes all waiters of a word.
pub(crate) const ALL: u32 = i32::MAX.cast_unsigned();
