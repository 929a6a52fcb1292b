//! Read-write locks in a section: holders, timeouts, types, panics, and large values.

mod harness;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use harness::{Place, unique};
use pagemate::sync::{SharedMutex, SharedRwLock};
use pagemate::{Access, ErrorKind, Section, SectionOptions, Sharing};

#[test]
fn actor() {
    harness::actor();
}

/// Longer than any wait that ends well.
const LONG: Duration = Duration::from_mins(1);

fn section(len: u64) -> Section {
    SectionOptions::new().len(len).create_new(unique("rwlock")).unwrap()
}

/// Opens the lock once more, by a handle of its own.
fn reopened(section: &Section) -> SharedRwLock<u64> {
    SharedRwLock::open(&Section::open(section.name().unwrap()).unwrap(), 0).unwrap()
}

#[test]
fn readers_share_the_lock_and_a_writer_has_it_alone() {
    let section = section(4096);
    let lock = SharedRwLock::open_or_init(&section, 0, || 7_u64).unwrap();
    let other = reopened(&section);
    let readers = (lock.read().unwrap(), lock.try_read().unwrap().unwrap(), other.read().unwrap());
    assert_eq!((readers.0.get(), *readers.1.get_boxed(), readers.2.get()), (7, 7, 7));
    assert!(lock.try_write().unwrap().is_none());
    assert!(other.try_write_for(Duration::from_millis(20)).unwrap().is_none());
    // A writer that gave up leaves the lock to readers.
    let late = other.try_read_until(Instant::now() + LONG).unwrap().unwrap();
    drop((readers, late));
    let writer = other.try_write().unwrap().unwrap();
    writer.set(&8);
    assert_eq!(writer.update(|value| *value += 1), 9);
    thread::scope(|scope| {
        scope.spawn(|| {
            assert!(lock.try_read().unwrap().is_none());
            assert!(lock.try_write().unwrap().is_none());
            assert!(lock.try_read_for(Duration::from_millis(20)).unwrap().is_none());
            assert!(lock.try_write_until(Instant::now()).unwrap().is_none());
        });
    });
    assert!(!writer.was_abandoned());
    drop(writer);
    let reader = lock.read().unwrap();
    assert_eq!((reader.get(), reader.was_abandoned()), (9, false));
}

#[test]
fn a_thread_that_writes_gets_an_error_instead_of_a_deadlock() {
    let lock = SharedRwLock::open_or_init(&section(4096), 0, || 7_u64).unwrap();
    let _writer = lock.write().unwrap();
    for error in [lock.read().map(drop).unwrap_err(), lock.write().map(drop).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("unlock it first"), "{error}");
    }
}

#[test]
fn threads_of_two_handles_lose_no_change_and_read_no_half() {
    let section = section(4096);
    let locks = [
        SharedRwLock::open_or_init(&section, 8, || [0_u64; 8]).unwrap(),
        SharedRwLock::open(&section, 8).unwrap(),
    ];
    let rounds: u64 = if cfg!(windows) { 48 } else { 2000 };
    thread::scope(|scope| {
        for at in 0..4 {
            let lock = &locks[at % 2];
            scope.spawn(move || {
                for round in 0..rounds {
                    if round % 4 == 0 {
                        let writer = lock.write().unwrap();
                        for number in writer.as_array() {
                            number.set(&(number.get() + 1));
                        }
                        assert!(!writer.was_abandoned());
                    } else {
                        let reader = lock.read().unwrap();
                        let value = reader.get();
                        assert!(value.iter().all(|number| *number == value[0]), "{value:?}");
                        assert!(!reader.was_abandoned());
                    }
                }
            });
        }
    });
    // Each of four threads writes in every fourth round.
    assert_eq!(locks[0].read().unwrap().get(), [rounds; 8]);
}

#[test]
fn a_waiting_writer_goes_before_readers_that_come_later() {
    let section = section(4096);
    let lock = SharedRwLock::open_or_init(&section, 0, || 0_u64).unwrap();
    let other = reopened(&section);
    let reader = lock.read().unwrap();
    thread::scope(|scope| {
        let writer = scope.spawn(|| other.write().unwrap().set(&1));
        // The gate closes once the writer waits.
        let end = Instant::now() + LONG;
        while lock.try_read().unwrap().is_some() {
            assert!(Instant::now() < end, "the writer does not close the gate");
            thread::yield_now();
        }
        let late = scope.spawn(|| lock.read().unwrap().get());
        drop(reader);
        writer.join().unwrap();
        assert_eq!(late.join().unwrap(), 1);
    });
}

#[test]
fn the_65th_reader_waits_for_a_place() {
    let section = section(4096);
    let lock = SharedRwLock::open_or_init(&section, 0, || 7_u64).unwrap();
    let other = reopened(&section);
    let mut readers: Vec<_> = (0..64).map(|_| lock.read().unwrap()).collect();
    assert!(lock.try_read().unwrap().is_none());
    assert!(other.try_read_for(Duration::from_millis(20)).unwrap().is_none());
    let start = Barrier::new(2);
    thread::scope(|scope| {
        let late = scope.spawn(|| {
            start.wait();
            other.read().unwrap().get()
        });
        start.wait();
        readers.pop();
        assert_eq!(late.join().unwrap(), 7);
    });
    drop(readers);
    assert!(other.try_write().unwrap().is_some());
}

#[test]
fn a_panic_of_a_writer_abandons_the_lock_and_one_of_a_reader_does_not() {
    let section = section(4096);
    let lock = SharedRwLock::open_or_init(&section, 0, || 7_u64).unwrap();
    let other = reopened(&section);
    let reader = catch_unwind(AssertUnwindSafe(|| {
        let _reader = lock.read().unwrap();
        panic!("a test wants this panic");
    }));
    assert!(reader.is_err());
    assert!(!other.try_write().unwrap().unwrap().was_abandoned());
    let writer = catch_unwind(AssertUnwindSafe(|| {
        let _writer = lock.write().unwrap();
        panic!("a test wants this panic");
    }));
    assert!(writer.is_err());
    assert!(lock.read().unwrap().was_abandoned());
    assert!(other.try_read().unwrap().unwrap().was_abandoned());
    // A writer that gives up leaves the report to the next one.
    let reader = lock.read().unwrap();
    assert!(other.try_write().unwrap().is_none());
    drop(reader);
    let writer = other.write().unwrap();
    assert!(writer.was_abandoned());
    drop(writer);
    assert!(!lock.read().unwrap().was_abandoned());
    assert!(!lock.write().unwrap().was_abandoned());
}

#[test]
fn forgotten_guards_end_with_their_thread_or_their_handle() {
    let section = section(4096);
    let lock = SharedRwLock::open_or_init(&section, 0, || 7_u64).unwrap();
    let other = reopened(&section);
    thread::scope(|scope| {
        scope.spawn(|| std::mem::forget(lock.write().unwrap())).join().unwrap();
    });
    assert!(other.try_read_for(LONG).unwrap().unwrap().was_abandoned());
    assert!(lock.try_write_for(LONG).unwrap().unwrap().was_abandoned());
    std::mem::forget(other.read().unwrap());
    assert!(lock.try_write().unwrap().is_none());
    drop(other);
    assert!(!lock.try_write().unwrap().unwrap().was_abandoned());
}

#[test]
fn wrong_types_places_and_rights_are_refused() {
    let name = unique("rwlock");
    let section = SectionOptions::new().len(8192).create_new(&name).unwrap();
    let missing = SharedRwLock::<u64>::open(&section, 0).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");
    SharedRwLock::open_or_init(&section, 0, || 1_u64).unwrap();
    let wrong = SharedRwLock::open_or_init(&section, 0, || 1_u32).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::WrongKind);
    assert!(wrong.to_string().contains("u32"), "{wrong}");
    let mutex = SharedMutex::<u64>::open(&section, 0).unwrap_err();
    assert_eq!(mutex.kind(), ErrorKind::WrongKind);
    assert!(mutex.to_string().contains("read-write lock"), "{mutex}");
    for (offset, kind) in [(4, ErrorKind::InvalidInput), (8000, ErrorKind::OutOfRange)] {
        let error = SharedRwLock::open_or_init(&section, offset, || 1_u64).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    // A value of this type is aligned to 16 bytes.
    assert_eq!(SharedRwLock::<u128>::ALIGN, 16);
    let error = SharedRwLock::open_or_init(&section, 1024 + 8, || 1_u128).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    SharedRwLock::open_or_init(&section, 1024 + 16, || 1_u128).unwrap();
    let section = SectionOptions::new().access(Access::Read).open(&name).unwrap();
    let error = SharedRwLock::<u64>::open(&section, 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    // Sharing with users that may only read does not let them take part, and does no harm.
    let shared = Sharing::Everyone(Access::Read);
    let section = SectionOptions::new().len(4096).sharing(shared).create_unnamed().unwrap();
    SharedRwLock::open_or_init(&section, 0, || 1_u64).unwrap();
}

/// 16 MiB on a stack of 256 KiB.
#[test]
fn large_values_never_pass_the_stack() {
    type Large = [u64; 2 << 20];
    let test = || {
        let section = section(SharedRwLock::<Large>::LEN);
        let lock = SharedRwLock::<Large>::open_or_init_with(&section, 0, |value| {
            value.as_array()[5].set(&1);
            Ok(())
        });
        let lock = lock.unwrap();
        lock.write().unwrap().as_array()[(2 << 20) - 1].set(&2);
        let reader = lock.read().unwrap();
        let value = reader.get_boxed();
        assert_eq!((value[5], value[6], reader.as_array()[(2 << 20) - 1].get()), (1, 0, 2));
    };
    thread::Builder::new().stack_size(256 << 10).spawn(test).unwrap().join().unwrap();
}

#[test]
fn a_killed_reader_blocks_no_writer_and_a_killed_writer_is_reported() {
    let place = Place::new("rwlock");
    let mut actors = [(); 4].map(|()| place.actor());
    actors[0].expect("create x 4096", "ok");
    for (at, actor) in actors.iter_mut().enumerate() {
        if at > 0 {
            actor.expect("open x", "ok");
        }
        actor.expect("rw-open x", "ok");
    }
    let [mut keeper, mut other, reader, writer] = actors;
    let (mut reader, mut writer) = (reader, writer);
    reader.expect("rw-hold-read x", "0");
    keeper.expect("rw-try-add x", "busy");
    other.expect("rw-try-read x", "0");
    // The writer waits while the reader is killed.
    other.tell("rw-add x");
    while keeper.ask("rw-try-read x") != "busy" {}
    reader.end("kill");
    assert_eq!(other.reply().unwrap(), "1");
    writer.expect("rw-hold-write x", "2");
    keeper.expect("rw-try-read x", "busy");
    other.tell("rw-read x");
    writer.end("kill");
    assert_eq!(other.reply().unwrap(), "abandoned");
    keeper.expect("rw-try-read x", "abandoned");
    keeper.expect("rw-add x", "abandoned 3");
    other.expect("rw-add x", "4");
    keeper.expect("rw-read x", "4");
}
