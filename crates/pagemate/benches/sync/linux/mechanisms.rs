//! The mechanisms by which two processes can wake each other: ours, and those of the system.

use pagemate::sync::{Mutex, MutexOptions, Semaphore, SemaphoreOptions};

use super::lock::Lock;
use super::posix::{Condition, Ends, PosixMutex, PosixSemaphore, Word};
use super::turns::{Mechanism, Pair, Side, Signal, event};

/// Three locks in a ring. Each side holds one of them, and acquires the next before it releases its
/// own. The next one is held by the other side, so that each side has to sleep until the other
/// releases it, and cannot acquire it by being faster.
struct Ring<L>([L; 3]);

/// The lock that a side holds at first.
fn place(side: Side) -> usize {
    match side {
        Side::First => 0,
        Side::Second => 1,
    }
}

impl<L: Lock> Mechanism for Ring<L> {
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

fn pair<S: Signal + 'static>(name: &str, open: impl Fn(&str) -> S) -> Box<dyn Mechanism> {
    Box::new(Pair([0, 1].map(|i| open(&format!("{name}-{i}")))))
}

fn ring<L: Lock + 'static>(name: &str, open: impl Fn(&str) -> L) -> Box<dyn Mechanism> {
    Box::new(Ring([0, 1, 2].map(|i| open(&format!("{name}-{i}")))))
}

/// Creates or opens the mechanism `what`, under that name.
pub(crate) fn open(what: &str, _: Side) -> Box<dyn Mechanism> {
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
        _ => unreachable!("{what} is not a mechanism"),
    }
}
