//! Polling. `WaitOnAddress` sleeps until a thread of the *same* process wakes the sleeper, so it does not
//! reach other processes.

use std::sync::atomic::AtomicU32;
use std::thread;
use std::time::Duration;

/// The number of first sleeps that only yield the processor. The shortest timed sleep takes longer
/// than a peer that answers at once.
const YIELDS: u32 = 64;

/// The longest pause between two loads of the word.
const LONGEST_PAUSE: Duration = Duration::from_millis(16);

/// Pauses the thread. The pause grows with the number of earlier sleeps.
pub(super) fn sleep(_: &AtomicU32, _: u32, time: Duration, sleeps: u32) {
    if sleeps < YIELDS {
        return thread::yield_now();
    }
    let pause = Duration::from_millis(u64::from((sleeps - YIELDS) / 16 + 1));
    thread::sleep(time.min(pause).min(LONGEST_PAUSE));
}

pub(super) fn wake(_: &AtomicU32, _: bool) {}
