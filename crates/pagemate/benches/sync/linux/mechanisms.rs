//! The mechanisms by which two processes can wake each other: pagemate's, and those of the system.

use pagemate::sync::{Mutex, MutexOptions, Semaphore, SemaphoreOptions};
use pagemate::{SectionOptions, View};

use super::lock::Lock;
use super::posix::{Condition, Ends, PosixMutex, PosixSemaphore, Word};
use super::sleeping_lock::SleepingLock;
use super::turns::{Mechanism, Pair, Side, Signal, event};
use super::word::TypedWord;

/// Three locks in a ring. Each side holds one of them, and acquires the next before it releases its
/// own. The other side holds the next one, so each side has to sleep until the other side releases
/// it. No side can acquire a lock twice by being faster.
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

/// A lock that both sides acquire again and again. Each turn is one critical section of this side.
struct Contended<L> {
    lock: L,
    /// The data that the lock protects.
    data: View,
}

/// The numbers that a critical section changes, which fill four cache lines.
const NUMBERS: usize = 32;

impl<L: Lock> Mechanism for Contended<L> {
    fn go(&self, _: Side, turns: u32) {
        for _ in 0..turns {
            self.lock.lock();
            for at in (0..NUMBERS * 8).step_by(8) {
                let number: u64 = self.data.read(at).expect("its bytes");
                self.data.write(at, &(number + 1)).expect("its bytes");
            }
            self.lock.unlock();
        }
    }
}

fn contended<L: Lock + 'static>(name: &str, open: impl Fn(&str) -> L) -> Box<dyn Mechanism> {
    let mut options = SectionOptions::new();
    let section = options.len(4096).open_or_create(format!("{name} data")).expect("a page");
    Box::new(Contended { lock: open(name), data: section.map().expect("a view") })
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
        "contended mutex" => contended(what, mutex),
        "contended sleeping lock" => contended(what, SleepingLock::open),
        "contended pthread mutex" => contended(what, |name| PosixMutex::open(name, false)),
        "contended robust mutex" => contended(what, |name| PosixMutex::open(name, true)),
        "sleeping lock" => ring(what, SleepingLock::open),
        "wait for a word" => pair(what, TypedWord::open),
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
