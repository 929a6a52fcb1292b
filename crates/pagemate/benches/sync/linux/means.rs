//! By what two processes can wake each other: ours, and what the system has.

use std::mem;

use pagemate::sync::{Mutex, MutexOptions, Semaphore, SemaphoreOptions};

use super::posix::{Condition, Ends, PosixMutex, PosixSemaphore, Word};
use super::turns::{Means, Pair, Side, Signal, event};

/// Something that one has at a time.
pub(crate) trait Lock {
    fn lock(&self);
    fn unlock(&self);
}

impl Lock for Mutex {
    fn lock(&self) {
        mem::forget(Mutex::lock(self).expect("a mutex"));
    }

    fn unlock(&self) {
        self.unlock_forgotten().expect("what we have");
    }
}

/// Three locks in a ring, of which each side has one. It takes the next before it gives that one
/// back, and the next is the one that the other has: so each has to sleep until the other frees it,
/// and nobody can be faster to take it.
struct Ring<L>([L; 3]);

/// Where a side begins.
fn place(side: Side) -> usize {
    match side {
        Side::First => 0,
        Side::Second => 1,
    }
}

impl<L: Lock> Means for Ring<L> {
    fn prepare(&self, side: Side) {
        self.0[place(side)].lock();
    }

    fn go(&self, side: Side, turns: u32) {
        let mut place = place(side);
        for _ in 0..turns {
            let next = (place + 1) % 3;
            self.0[next].lock();
            self.0[place].unlock();
            place = next;
        }
        self.0[place].unlock();
    }
}

pub(crate) fn semaphore(name: &str) -> Semaphore {
    SemaphoreOptions::new(0, 1 << 30).open_or_create(name).expect("a semaphore")
}

fn mutex(name: &str) -> Mutex {
    MutexOptions::new().open_or_create(name).expect("a mutex")
}

fn pair<S: Signal + 'static>(name: &str, open: impl Fn(&str) -> S) -> Box<dyn Means> {
    Box::new(Pair([0, 1].map(|i| open(&format!("{name}-{i}")))))
}

fn ring<L: Lock + 'static>(name: &str, open: impl Fn(&str) -> L) -> Box<dyn Means> {
    Box::new(Ring([0, 1, 2].map(|i| open(&format!("{name}-{i}")))))
}

/// The means that is called so, made or opened under that name.
pub(crate) fn open(what: &str, _: Side) -> Box<dyn Means> {
    match what {
        "event" => pair(what, event),
        "semaphore" => pair(what, semaphore),
        "mutex" => ring(what, mutex),
        "bare futex" => pair(what, Word::open),
        "futex with a time-out" => pair(what, Word::open_sliced),
        "pthread mutex" => ring(what, |name| PosixMutex::open(name, false)),
        "pthread robust mutex" => ring(what, |name| PosixMutex::open(name, true)),
        "pthread condition" => pair(what, Condition::open),
        "sem_t" => pair(what, PosixSemaphore::open),
        "eventfd" => pair(what, Ends::eventfd),
        "pipe" => pair(what, Ends::pipe),
        _ => unreachable!("{what} is no means"),
    }
}
