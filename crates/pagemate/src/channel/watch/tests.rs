//! Model checks of the protocol of the buffers with loom. `cargo xtask loom` runs them.

use std::io;
use std::time::Duration;

use loom::thread;

use super::buffers::{COUNT, Versions, buffer, latest, whole};
use crate::channel::wake_flag::{Sleepers, WakeFlag};
use crate::primitive::{AtomicU32, AtomicU64, Ordering};
use crate::sys::wait;

/// The preemption bound. Most concurrency errors show with two.
const PREEMPTIONS: usize = 3;

fn model(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.check(test);
}

/// Values of two words, which a torn copy would mix.
#[derive(Default)]
struct Memory {
    version: AtomicU64,
    buffers: [[AtomicU32; 2]; COUNT],
}

impl Memory {
    fn new() -> &'static Memory {
        Box::leak(Box::default())
    }

    fn buffer(&self, version: u64) -> &[AtomicU32; 2] {
        &self.buffers[usize::try_from(buffer(version)).unwrap()]
    }

    /// Writes the next version, whose words are its number. Publishes it only if `dies` is false.
    fn write(&self, versions: &mut Versions, dies: bool) {
        let number = versions.begin();
        for word in &self.buffer(number)[usize::from(dies)..] {
            word.store(number.try_into().unwrap(), Ordering::Relaxed);
        }
        if !dies {
            versions.publish(&self.version);
        }
    }

    /// Makes one attempt to read, and returns the version that it read.
    fn read(&self) -> Option<u64> {
        let number = latest(&self.version);
        let copy = self.buffer(number).each_ref().map(|word| word.load(Ordering::Relaxed));
        let is_whole = whole(&self.version, number);
        if is_whole && number > 0 {
            assert_eq!(copy, [u32::try_from(number).unwrap(); 2], "half of version {number}");
        }
        is_whole.then_some(number)
    }
}

#[test]
fn a_reader_copies_whole_versions_that_do_not_go_back() {
    model(|| {
        let memory = Memory::new();
        let reader = thread::spawn(move || {
            let seen: Vec<u64> = [(); 2].into_iter().filter_map(|()| memory.read()).collect();
            assert!(seen.is_sorted(), "versions go back: {seen:?}");
        });
        let mut versions = Versions::resume(&memory.version);
        // The last one overwrites the buffer of the first one.
        (0..=COUNT).for_each(|_| memory.write(&mut versions, false));
        reader.join().unwrap();
        assert_eq!(memory.read(), Some(COUNT as u64 + 1));
    });
}

#[test]
fn a_reader_never_fails_while_fewer_versions_are_written_than_there_are_buffers() {
    model(|| {
        let memory = Memory::new();
        let mut versions = Versions::resume(&memory.version);
        memory.write(&mut versions, false);
        let reader = thread::spawn(move || assert!(memory.read().is_some_and(|number| number > 0)));
        (2..COUNT).for_each(|_| memory.write(&mut versions, false));
        reader.join().unwrap();
    });
}

#[test]
fn a_writer_that_dies_leaves_the_latest_version_and_the_next_writer_continues() {
    model(|| {
        let memory = Memory::new();
        let mut dead = Versions::resume(&memory.version);
        memory.write(&mut dead, false);
        let reader = thread::spawn(move || {
            let seen = memory.read();
            assert!(seen.is_none_or(|number| (1..=3).contains(&number)), "{seen:?}");
        });
        memory.write(&mut dead, true);
        assert_eq!(memory.read(), Some(1));
        let mut versions = Versions::resume(&memory.version);
        (0..2).for_each(|_| memory.write(&mut versions, false));
        assert_eq!(versions.latest(), 3);
        reader.join().unwrap();
        assert_eq!(memory.read(), Some(3));
    });
}

/// A flag on which two readers sleep.
#[derive(Default)]
struct Crowd {
    memory: Memory,
    flag: WakeFlag,
}

struct Futexes;

impl Sleepers for Futexes {
    fn wait(&self, flag: &AtomicU32, expected: u32, time: Duration) -> io::Result<()> {
        wait::wait(flag.into(), expected, time).map(drop)
    }

    fn wake(&self, flag: &AtomicU32, count: u32) {
        wait::wake(flag.into(), count);
    }
}

impl Crowd {
    /// Sleeps until there is a version after `seen`. The sleep has no end, so that a lost wake-up is a
    /// deadlock, which loom reports.
    fn wait_for_change(&self, seen: u64) {
        let is_ready = || latest(&self.memory.version) != seen;
        while !is_ready() {
            self.flag.sleep(&Futexes, is_ready, Duration::MAX).unwrap();
        }
    }
}

#[test]
fn no_wake_up_of_one_of_several_sleepers_is_lost() {
    for needs_fence in [false, true] {
        model(move || {
            let crowd: &Crowd = Box::leak(Box::default());
            crowd.flag.admit_crowd();
            if needs_fence {
                crowd.flag.require_fence();
            }
            crowd.flag.set_state_of_killed_sleeper();
            let readers = [0, 1].map(|seen| thread::spawn(move || crowd.wait_for_change(seen)));
            let mut versions = Versions::resume(&crowd.memory.version);
            for _ in 0..2 {
                crowd.memory.write(&mut versions, false);
                crowd.flag.notify_all(&Futexes);
            }
            readers.into_iter().for_each(|reader| reader.join().unwrap());
        });
    }
}
