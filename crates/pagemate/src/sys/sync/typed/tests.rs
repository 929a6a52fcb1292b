//! Model checks of the protocols of typed memory with loom. `cargo xtask loom` runs them.

use loom::thread;

use super::header::{Fields, Header};
use super::rwlock::{Entered, Holders, READERS, RwWords};
use super::{ALL, Sleepers, condvar, once, sequence};
use crate::deadline::Deadline;
use crate::primitive::Ordering::{Acquire, Relaxed, Release};
use crate::primitive::{AtomicU32, AtomicU64};
use crate::sys::wait;

const PREEMPTIONS: usize = 3;

/// The preemption bound of models with more threads or steps.
const FEWER_PREEMPTIONS: usize = 2;

fn model(test: impl Fn() + Send + Sync + 'static) {
    bounded_model(PREEMPTIONS, test);
}

fn bounded_model(preemptions: usize, test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(test);
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

const FIELDS: Fields = Fields { magic: 1, fingerprint: 2, len: 3 };

/// A value of two words with its header, and a lock of the initialisers.
#[derive(Default)]
struct Memory {
    lock: AtomicU32,
    header: Header,
    value: [AtomicU32; 2],
    /// The number of times that the value was initialised.
    inits: AtomicU32,
}

impl Memory {
    /// Takes the lock if it is free.
    fn try_lock(&self) -> bool {
        self.lock.compare_exchange(0, 1, Acquire, Relaxed).is_ok()
    }

    /// Initialises the value. With `dies`, the initialiser is killed at that step, and the kernel
    /// then releases the lock.
    fn init(&self, dies: Option<u32>) {
        let clear = || self.value.iter().for_each(|word| word.store(0, Relaxed));
        let step = |step| if dies == Some(step) { Err(()) } else { Ok(()) };
        let init = || -> Result<(), ()> {
            step(0)?;
            for (at, word) in self.value.iter().enumerate() {
                assert_eq!(word.load(Relaxed), 0, "an initialiser finds zeros");
                word.store(7, Relaxed);
                step(u32::try_from(at).unwrap() + 1)?;
            }
            Ok(())
        };
        if self.header.init(FIELDS, clear, init) == Ok(true) {
            self.inits.store(self.inits.load(Relaxed) + 1, Relaxed);
        }
        self.lock.store(0, Release);
    }

    /// Asserts that the value is complete if the header describes it as initialised.
    fn read(&self) -> bool {
        let fields = self.header.fields();
        assert!(fields.is_none_or(|fields| fields == FIELDS), "{fields:?}");
        if fields.is_some() {
            assert_eq!(self.value.each_ref().map(|word| word.load(Relaxed)), [7, 7]);
        }
        fields.is_some()
    }
}

#[test]
fn one_of_two_initialisers_initialises_and_readers_see_nothing_or_a_whole_value() {
    for dies in [None, Some(0), Some(1), Some(2)] {
        model(move || {
            let memory: &Memory = leak(Memory::default());
            let first = thread::spawn(move || {
                if memory.try_lock() {
                    memory.init(dies);
                }
            });
            let second = thread::spawn(move || {
                if memory.try_lock() {
                    memory.init(None);
                }
            });
            memory.read();
            first.join().unwrap();
            second.join().unwrap();
            // Both initialisers may have found the lock taken, or the first may have died: a third
            // one finishes.
            if memory.try_lock() {
                memory.init(None);
            }
            assert!(memory.read());
            assert_eq!(memory.inits.load(Relaxed), 1);
        });
    }
}

/// A value of two words, which writers change together.
#[derive(Default)]
struct Value {
    sequence: AtomicU64,
    slots: [[AtomicU32; 2]; 2],
}

impl Value {
    fn write(&self, value: u32) {
        sequence::write(&self.sequence, |slot| {
            self.slots[slot].iter().for_each(|word| word.store(value, Relaxed));
        });
    }

    /// Writes one of the two words, like a writer that is killed before the second one.
    fn die(&self, value: u32) {
        let slot = usize::from(self.sequence.load(Relaxed).is_multiple_of(2));
        self.slots[slot][0].store(value, Relaxed);
    }

    fn try_read(&self) -> Option<u32> {
        let copy = |slot: usize| self.slots[slot].each_ref().map(|word| word.load(Relaxed));
        sequence::try_read(&self.sequence, copy).map(|[one, other]| {
            assert_eq!(one, other, "half of a value");
            one
        })
    }
}

#[test]
fn a_value_under_a_sequence_number_is_read_whole_while_it_is_replaced_three_times() {
    model(|| {
        let value: &Value = leak(Value::default());
        let reader = thread::spawn(move || {
            let seen = [value.try_read(), value.try_read()];
            let seen: Vec<u32> = seen.into_iter().flatten().collect();
            assert!(seen.is_sorted(), "values go back: {seen:?}");
        });
        (1..=3).for_each(|number| value.write(number));
        reader.join().unwrap();
        assert_eq!(value.try_read(), Some(3));
    });
}

#[test]
fn a_value_stays_readable_after_its_writer_died_and_the_next_writer_replaces_it() {
    model(|| {
        let value: &Value = leak(Value::default());
        value.write(1);
        let reader = thread::spawn(move || value.try_read());
        value.die(2);
        assert_eq!(value.try_read(), Some(1));
        value.write(3);
        let seen = reader.join().unwrap();
        assert!(matches!(seen, None | Some(1 | 3)), "{seen:?}");
        assert_eq!(value.try_read(), Some(3));
    });
}

/// The seat of a dead process.
const DEAD: u32 = 99;

/// The processes that use a lock: that with the seat [`DEAD`] is dead. Sleeps do not time out, so that a
/// lost wake-up is a deadlock, which loom reports.
struct OneDead;

impl Holders for OneDead {
    fn is_alive(&self, seat: u32) -> crate::Result<bool> {
        Ok(seat != DEAD)
    }
}

impl Sleepers for OneDead {
    fn sleep(
        &self,
        word: &AtomicU32,
        expected: u32,
        time: std::time::Duration,
    ) -> crate::Result<()> {
        wait::wait(word.into(), expected, time).unwrap();
        Ok(())
    }

    fn wake(&self, word: &AtomicU32, count: u32) {
        wait::wake(word.into(), count);
    }
}

/// A read-write lock with the mutex of its keepers, and a value of two words.
#[derive(Default)]
struct Locked {
    keeper: loom::sync::Mutex<()>,
    words: RwWords,
    value: [AtomicU32; 2],
}

impl Locked {
    fn enter(&self, seat: u32) -> Entered {
        if let Some(entered) = self.words.try_enter(seat, &OneDead) {
            return entered;
        }
        let _keeper = self.keeper.lock().unwrap();
        self.words.enter(seat, &OneDead, Deadline::Never).unwrap().unwrap()
    }

    /// Reads the value as a reader. Returns it, and whether the lock was abandoned.
    fn read(&self, seat: u32) -> (u32, bool) {
        let entered = self.enter(seat);
        let [one, other] = self.value.each_ref().map(|word| word.load(Relaxed));
        assert!(one == other || entered.abandoned, "half of a value: {one} {other}");
        self.words.leave(entered, &OneDead);
        (one, entered.abandoned)
    }

    /// Increments the value as a writer, and returns whether the lock was abandoned.
    fn add_one(&self) -> bool {
        let _keeper = self.keeper.lock().unwrap();
        let abandoned = self.words.write(&OneDead, Deadline::Never).unwrap().unwrap();
        let next = self.value[1].load(Relaxed) + 1;
        self.value.iter().for_each(|word| word.store(next, Relaxed));
        self.words.open(false);
        abandoned
    }

    /// Changes half of the value as a writer that is killed. The kernel then frees the mutex.
    fn die_as_writer(&self) {
        let _keeper = self.keeper.lock().unwrap();
        self.words.write(&OneDead, Deadline::Never).unwrap();
        self.value[0].store(7, Relaxed);
    }
}

#[test]
fn readers_never_see_half_of_a_write_and_every_waiter_is_woken() {
    bounded_model(FEWER_PREEMPTIONS, || {
        let locked: &Locked = leak(Locked::default());
        let readers = [1, 2].map(|seat| thread::spawn(move || locked.read(seat)));
        assert!(!locked.add_one());
        for reader in readers {
            let (value, abandoned) = reader.join().unwrap();
            assert!(value <= 1 && !abandoned);
        }
        assert_eq!(locked.read(1), (1, false));
    });
}

#[test]
fn two_writers_and_a_reader_exclude_each_other() {
    bounded_model(FEWER_PREEMPTIONS, || {
        let locked: &Locked = leak(Locked::default());
        let writer = thread::spawn(move || locked.add_one());
        let reader = thread::spawn(move || locked.read(1));
        locked.add_one();
        writer.join().unwrap();
        reader.join().unwrap();
        assert_eq!(locked.read(1), (2, false));
    });
}

#[test]
fn a_reader_without_a_place_waits_for_one_and_dead_readers_make_place() {
    bounded_model(FEWER_PREEMPTIONS, || {
        let locked: &Locked = leak(Locked::default());
        // All places but one belong to a reader that was killed.
        for _ in 1..READERS {
            _ = locked.enter(DEAD);
        }
        let reader = thread::spawn(move || locked.read(1));
        assert_eq!(locked.read(2), (0, false));
        assert_eq!(reader.join().unwrap(), (0, false));
    });
}

#[test]
fn a_writer_does_not_wait_for_a_dead_reader() {
    bounded_model(FEWER_PREEMPTIONS, || {
        let locked: &Locked = leak(Locked::default());
        _ = locked.enter(DEAD);
        let reader = thread::spawn(move || locked.read(1));
        assert!(!locked.add_one());
        reader.join().unwrap();
    });
}

#[test]
fn readers_are_told_of_a_dead_writer_until_the_next_writer_is_told() {
    bounded_model(FEWER_PREEMPTIONS, || {
        let locked: &Locked = leak(Locked::default());
        let reader = thread::spawn(move || locked.read(1));
        let writer = thread::spawn(move || locked.die_as_writer());
        reader.join().unwrap();
        writer.join().unwrap();
        // This reader finds the death; the one after it finds the note.
        let reader = thread::spawn(move || locked.read(1));
        let told = locked.read(2);
        assert!(told.1 && reader.join().unwrap().1);
        assert!(locked.add_one());
        assert!(!locked.add_one());
        assert!(!locked.read(1).1);
    });
}

/// A cell with the lock of its initialisers, and a value of two words.
#[derive(Default)]
struct Once {
    lock: loom::sync::Mutex<()>,
    state: AtomicU32,
    value: [AtomicU32; 2],
}

impl Once {
    /// Initialises the value to `number`, if it is empty, as far as the word `dies`, at which the
    /// initialiser is killed.
    fn init(&self, number: u32, dies: Option<usize>) {
        let _lock = self.lock.lock().unwrap();
        let clear = || self.value.iter().for_each(|word| word.store(0, Relaxed));
        let init = || {
            for (at, word) in self.value.iter().enumerate() {
                if dies == Some(at) {
                    return Err(crate::Error::new(crate::ErrorKind::Os, "killed"));
                }
                assert_eq!(word.load(Relaxed), 0, "an initialiser finds zeros");
                word.store(number, Relaxed);
            }
            Ok(())
        };
        _ = once::init(&self.state, &OneDead, clear, init);
    }

    fn get(&self) -> Option<u32> {
        once::is_set(&self.state).then(|| {
            let [one, other] = self.value.each_ref().map(|word| word.load(Relaxed));
            assert_eq!(one, other, "half of a value");
            one
        })
    }
}

#[test]
fn waiters_of_a_cell_are_woken_and_one_of_two_values_stays() {
    for dies in [None, Some(0), Some(1)] {
        model(move || {
            let once: &Once = leak(Once::default());
            let waiter = thread::spawn(move || {
                assert!(once::wait(&once.state, &OneDead, Deadline::Never).unwrap());
                once.get().unwrap()
            });
            let first = thread::spawn(move || once.init(1, dies));
            once.init(2, None);
            let seen = once.get().unwrap();
            first.join().unwrap();
            assert_eq!(waiter.join().unwrap(), seen);
            assert!(seen == 2 || dies.is_none(), "{seen} is of a dead initialiser");
        });
    }
}

/// A condition variable with its mutex, and a count of items.
#[derive(Default)]
struct Items {
    lock: loom::sync::Mutex<u32>,
    word: AtomicU32,
}

impl Items {
    /// Waits for an item and takes it.
    fn take(&self) {
        let mut items = self.lock.lock().unwrap();
        while *items == 0 {
            let seen = condvar::notifications(&self.word);
            drop(items);
            condvar::sleep(&self.word, seen, &OneDead, Deadline::Never).unwrap();
            items = self.lock.lock().unwrap();
        }
        *items -= 1;
    }

    fn give(&self, count: u32) {
        *self.lock.lock().unwrap() += count;
    }
}

#[test]
fn no_notification_is_lost_between_the_unlock_and_the_sleep() {
    model(|| {
        let items: &Items = leak(Items::default());
        let waiters = [(); 2].map(|()| thread::spawn(move || items.take()));
        for _ in 0..2 {
            items.give(1);
            condvar::notify(&items.word, 1, &OneDead);
        }
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
}

#[test]
fn a_notification_for_all_wakes_all() {
    model(|| {
        let items: &Items = leak(Items::default());
        let waiters = [(); 2].map(|()| thread::spawn(move || items.take()));
        items.give(2);
        condvar::notify(&items.word, ALL, &OneDead);
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
}
