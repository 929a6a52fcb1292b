//! Sleeping until a word in shared memory changes, and waking who sleeps there, in whatever process.
//!
//! Every platform provides [`wait`], [`wait_any`] and [`wake`]. To wake somebody is a hint: whoever
//! wakes up looks at the word again. Nobody sleeps without an end, see [`Slice`].

use std::time::Duration;

#[cfg_attr(loom, path = "loom.rs")]
#[cfg_attr(all(target_os = "linux", not(loom)), path = "futex.rs")]
#[cfg_attr(all(target_vendor = "apple", not(loom)), path = "apple.rs")]
mod means;
mod place;

#[cfg(all(test, loom))]
pub(crate) use means::until_asleep;
pub(crate) use means::{wait, wait_any, wake};
pub(crate) use place::{Place, high, low};

/// Who waits for a lock looks up from sleep after this time, to see whether the owner is alive.
const SLICE: Duration = Duration::from_millis(30);

/// Everybody else looks up after this: whoever made something available can be killed before it wakes
/// anybody, and who was chosen to be woken before it does anything about it. Both takes a death within
/// a few instructions, and nobody is told of it.
const LONG_SLICE: Duration = Duration::from_millis(500);

/// How long a sleeper sleeps at a time. One who may have to judge whether somebody is dead is told when
/// that is over, also if it is woken more often: by signals, or for words that others are faster to
/// take.
pub(crate) struct Slice(Option<Began>);

impl Slice {
    pub(crate) fn begin(judges: bool) -> Slice {
        Slice(judges.then(began))
    }

    /// How long it is.
    pub(crate) fn len(&self) -> Duration {
        if self.0.is_some() { SLICE } else { LONG_SLICE }
    }

    /// Whether it is time to judge; then the next one begins.
    pub(crate) fn is_over(&mut self) -> bool {
        let over = self.0.as_ref().is_some_and(is_over);
        if over {
            *self = Slice::begin(true);
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

        fn is_over(_: &Began) -> bool {
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

        fn is_over(began: &Began) -> bool {
            began.elapsed() >= SLICE
        }
    }
}

/// How many to wake.
pub(crate) const ALL: u32 = i32::MAX.cast_unsigned();
