//! Sleeping until a word in shared memory changes, and waking the threads of all processes that sleep
//! there.
//!
//! Every platform provides [`wait`], [`wait_any`] and [`wake`]. A wake-up is a hint: the
//! thread that wakes up looks at the word again. Nobody sleeps without an end, see [`Slice`].

use std::time::Duration;

#[cfg(all(target_vendor = "apple", not(loom)))]
mod apple;
#[cfg(all(target_os = "linux", not(loom)))]
mod futex;
#[cfg(loom)]
mod loom;
mod place;

#[cfg(all(target_vendor = "apple", not(loom)))]
use self::apple as platform;
#[cfg(all(target_os = "linux", not(loom)))]
use self::futex as platform;
#[cfg(loom)]
use self::loom as platform;

pub(crate) use place::{Place, high, low};
#[cfg(all(test, loom))]
pub(crate) use platform::until_asleep;
pub(crate) use platform::{wait, wait_any, wake};

/// A waiter that watches over a lock looks up from sleep after this time, to see whether the owner is
/// alive.
const SLICE: Duration = Duration::from_millis(30);

/// Every other waiter looks up after this: the thread that made something available can be killed
/// before it wakes any waiter, and the waiter that was chosen can be killed before it takes anything.
/// Both need a death within a few instructions, of which nobody is told.
pub(crate) const LONG_SLICE: Duration = Duration::from_millis(500);

/// How soon a waiter has to look whether an owner is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pace {
    /// There are no owners.
    Never,
    /// After each long slice, since others look more often.
    Seldom,
    Often,
}

/// How long a sleeper sleeps at a time. One that has to look whether an owner is dead is told when that
/// is over, also if it is woken more often: by signals, or for words that others are faster to take.
pub(crate) struct Slice {
    pace: Pace,
    began: Option<Began>,
}

impl Slice {
    pub(crate) fn begin(pace: Pace) -> Slice {
        Slice { pace, began: (pace != Pace::Never).then(began) }
    }

    /// Begins anew if the waiter has another pace now.
    pub(crate) fn follow(&mut self, pace: Pace) {
        if self.pace != pace {
            *self = Slice::begin(pace);
        }
    }

    /// How long it is.
    pub(crate) fn len(&self) -> Duration {
        if self.pace == Pace::Often { SLICE } else { LONG_SLICE }
    }

    /// Whether it is time to look; then the next one begins.
    pub(crate) fn is_over(&mut self) -> bool {
        let over = self.began.as_ref().is_some_and(|began| is_over(began, self.len()));
        if over {
            *self = Slice::begin(self.pace);
        }
        over
    }
}

cfg_select! {
    // Loom checks it without time.
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
        /// Pauses, short ones first, in which another that was about to sleep does so or looks again.
        /// All together take a few milliseconds.
        pub(crate) fn pauses() -> impl Iterator<Item = ()> {
            let yields = (0..8).map(|_| std::thread::yield_now());
            // Where nothing sleeps on several places at once, it takes one this long to look again.
            let naps = (0..4).map(|_| std::thread::sleep(Duration::from_millis(1)));
            yields.chain(naps)
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

/// How many to wake.
pub(crate) const ALL: u32 = i32::MAX.cast_unsigned();
