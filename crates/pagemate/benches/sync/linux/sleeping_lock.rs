//! A lock that never spins, to compare with pagemate's mutex.

use std::sync::atomic::Ordering;

use rustix::thread::futex::{self, Flags};

use super::lock::Lock;
use super::posix::Word;

/// A lock of one futex word whose waiters sleep without spinning: the protocol of pagemate's mutex
/// without liveness and without spinning.
pub(crate) struct SleepingLock(Word);

const FREE: u32 = 0;
const OWNED: u32 = 1;
/// Owned, and a waiter may be asleep.
const AWAITED: u32 = 2;

impl SleepingLock {
    pub(crate) fn open(name: &str) -> SleepingLock {
        SleepingLock(Word::open(name))
    }
}

impl Lock for SleepingLock {
    fn lock(&self) {
        let word = self.0.word();
        let (order, failed) = (Ordering::Acquire, Ordering::Relaxed);
        if word.compare_exchange(FREE, OWNED, order, failed).is_ok() {
            return;
        }
        while word.swap(AWAITED, Ordering::Acquire) != FREE {
            // The call returns if the word has changed, and after a wake-up. The loop tests the
            // word.
            _ = futex::wait(word, Flags::empty(), AWAITED, None);
        }
    }

    fn unlock(&self) {
        let word = self.0.word();
        if word.swap(FREE, Ordering::Release) == AWAITED {
            futex::wake(word, Flags::empty(), 1).expect("a word");
        }
    }
}
