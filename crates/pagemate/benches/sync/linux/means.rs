//! By what two processes can wake each other: ours, and what the system has.

use std::mem;

use pagemate::sync::{
    Event, EventOptions, Mutex, MutexOptions, Reset, Semaphore, SemaphoreOptions,
};

use super::posix::{Condition, Ends, PosixMutex, PosixSemaphore, Word};

/// Something that one raises and one waits for, who takes it away.
pub(crate) trait Signal {
    fn raise(&self);
    fn wait(&self);
}

impl Signal for Event {
    fn raise(&self) {
        self.set().expect("an event");
    }

    fn wait(&self) {
        Event::wait(self).expect("an event");
    }
}

impl Signal for Semaphore {
    fn raise(&self) {
        self.release(1).expect("room for one");
    }

    fn wait(&self) {
        self.acquire().expect("a semaphore");
    }
}

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

/// How the turn goes from one process to another and back.
pub(crate) trait Means {
    /// What each side does before the first turn.
    fn prepare(&self, _: Side) {}

    /// Has so many turns.
    fn go(&self, side: Side, turns: u32);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    First,
    Second,
}

/// Two signals: one there, one back.
pub(crate) struct Pair<S>(pub(crate) [S; 2]);

impl<S: Signal> Means for Pair<S> {
    fn go(&self, side: Side, turns: u32) {
        let Pair([there, back]) = self;
        for _ in 0..turns {
            if side == Side::First {
                there.raise();
                back.wait();
            } else {
                there.wait();
                back.raise();
            }
        }
    }
}

/// Three locks in a ring, of which each side has one. It takes the next before it gives that one
/// back, and the next is the one that the other has: so each has to sleep until the other frees it,
/// and nobody can be faster to take it.
pub(crate) struct Ring<L>(pub(crate) [L; 3]);

impl Side {
    fn place(self) -> usize {
        match self {
            Side::First => 0,
            Side::Second => 1,
        }
    }
}

impl<L: Lock> Means for Ring<L> {
    fn prepare(&self, side: Side) {
        self.0[side.place()].lock();
    }

    fn go(&self, side: Side, turns: u32) {
        let mut place = side.place();
        for _ in 0..turns {
            let next = (place + 1) % 3;
            self.0[next].lock();
            self.0[place].unlock();
            place = next;
        }
        self.0[place].unlock();
    }
}

/// An event that is to be made or opened.
pub(crate) fn event(name: &str) -> Event {
    EventOptions::new(Reset::Auto).open_or_create(name).expect("an event")
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

/// The means that is called `what`, made or opened under a name.
pub(crate) fn open(what: &str, name: &str) -> Box<dyn Means> {
    match what {
        "event" => pair(name, event),
        "semaphore" => pair(name, semaphore),
        "mutex" => ring(name, mutex),
        "bare futex" => pair(name, Word::open),
        "futex for 50 ms" => pair(name, Word::open_sliced),
        "pthread mutex" => ring(name, |name| PosixMutex::open(name, false)),
        "pthread robust mutex" => ring(name, |name| PosixMutex::open(name, true)),
        "pthread condition" => pair(name, Condition::open),
        "sem_t" => pair(name, PosixSemaphore::open),
        "eventfd" => pair(name, Ends::eventfd),
        "pipe" => pair(name, Ends::pipe),
        _ => unreachable!("{what} is no means"),
    }
}
