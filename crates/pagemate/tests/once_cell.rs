//! Once-cells in a section: one initialiser, waits, failures, types, and large values.

mod harness;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use harness::{Place, unique};
use pagemate::sync::{SharedOnceCell, SharedRwLock};
use pagemate::{ErrorKind, Section, SectionOptions};

#[test]
fn actor() {
    harness::actor();
}

/// Longer than any wait that ends well.
const LONG: Duration = Duration::from_mins(1);

fn section(len: u64) -> Section {
    SectionOptions::new().len(len).create_new(unique("once")).unwrap()
}

#[test]
fn the_first_value_stays() {
    let section = section(4096);
    let cell = SharedOnceCell::<u64>::open_or_create(&section, 8).unwrap();
    let other = SharedOnceCell::<u64>::open(&section, 8).unwrap();
    assert!(cell.get().is_none() && other.wait_for(Duration::from_millis(20)).unwrap().is_none());
    assert_eq!(format!("{cell:?}"), "SharedOnceCell(None)");
    assert!(other.set(&1).unwrap());
    assert!(!cell.set(&2).unwrap());
    assert_eq!(cell.get_or_init(|| unreachable!("it has a value")).unwrap().get(), 1);
    assert_eq!(cell.get().unwrap().get(), 1);
    assert_eq!(other.wait().unwrap().get(), 1);
    assert_eq!(other.wait_until(Instant::now()).unwrap().unwrap().get(), 1);
    assert_eq!(format!("{cell:?}"), "SharedOnceCell(Some(1))");
}

#[test]
fn one_of_many_threads_initialises_and_waiters_get_its_value() {
    let section = section(4096);
    let cells = [(); 2].map(|()| SharedOnceCell::<[u64; 4]>::open_or_create(&section, 0).unwrap());
    let inits = AtomicU32::new(0);
    thread::scope(|scope| {
        let waiters = [0, 1].map(|at: usize| {
            let cell = &cells[at];
            scope.spawn(|| cell.wait_for(LONG).unwrap().expect("a value").get())
        });
        let threads = [0, 1, 0, 1].map(|at: usize| {
            let (cell, inits) = (&cells[at], &inits);
            scope.spawn(move || {
                let init = || {
                    thread::yield_now();
                    [u64::from(inits.fetch_add(1, Ordering::Relaxed)) + 7; 4]
                };
                cell.get_or_init(init).unwrap().get()
            })
        });
        for thread in threads.into_iter().chain(waiters) {
            assert_eq!(thread.join().unwrap(), [7; 4]);
        }
    });
    assert_eq!(inits.load(Ordering::Relaxed), 1);
}

#[test]
fn an_initialiser_that_fails_or_panics_leaves_the_cell_to_the_next_one() {
    let cell = SharedOnceCell::<[u32; 2]>::open_or_create(&section(4096), 0).unwrap();
    let failed = cell.get_or_init_with(|value| {
        value.as_array()[1].set(&9);
        Err(Section::open(unique("missing")).unwrap_err())
    });
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::NotFound);
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        cell.get_or_init(|| panic!("a test wants this panic")).map(drop)
    }));
    assert!(panicked.is_err() && cell.get().is_none());
    let value = cell.get_or_init(|| {
        assert_eq!(cell.set(&[1; 2]).unwrap_err().kind(), ErrorKind::InvalidInput);
        [3; 2]
    });
    assert_eq!(value.unwrap().get(), [3; 2]);
}

#[test]
fn the_next_initialiser_begins_with_zeros() {
    let cell = SharedOnceCell::<[u32; 2]>::open_or_create(&section(4096), 0).unwrap();
    let failed = cell.get_or_init_with(|value| {
        value.as_array()[1].set(&9);
        Err(Section::open(unique("missing")).unwrap_err())
    });
    assert!(failed.is_err());
    let value = cell.get_or_init_with(|value| {
        assert_eq!(value.get(), [0; 2]);
        value.as_array()[0].set(&1);
        Ok(())
    });
    assert_eq!(value.unwrap().get(), [1, 0]);
}

#[test]
fn wrong_types_and_places_are_refused() {
    let section = section(8192);
    let missing = SharedOnceCell::<u64>::open(&section, 0).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");
    SharedOnceCell::<u64>::open_or_create(&section, 0).unwrap();
    // The type is checked although there is no value.
    let wrong = SharedOnceCell::<u32>::open_or_create(&section, 0).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::WrongKind, "{wrong}");
    let lock = SharedRwLock::<u64>::open(&section, 0).unwrap_err();
    assert_eq!(lock.kind(), ErrorKind::WrongKind);
    assert!(lock.to_string().contains("once-cell"), "{lock}");
    for (offset, kind) in [(4, ErrorKind::InvalidInput), (8192 - 64, ErrorKind::OutOfRange)] {
        let error = SharedOnceCell::<u64>::open_or_create(&section, offset).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[test]
fn the_death_of_an_initialiser_leaves_the_cell_to_a_waiting_one() {
    let place = Place::new("once");
    let mut actors = [(); 3].map(|()| place.actor());
    actors[0].expect("create x 4096", "ok");
    for (at, actor) in actors.iter_mut().enumerate() {
        if at > 0 {
            actor.expect("open x", "ok");
        }
        actor.expect("once-open x", "ok");
    }
    let [mut keeper, mut next, mut dead] = actors;
    dead.tell("once-hang x 1");
    // It hangs in its function, with half of a value.
    while keeper.ask("read-at x 64") != "1" {}
    keeper.expect("once-get x", "none");
    next.tell("once-init x 2");
    dead.end("kill");
    assert_eq!(next.reply().unwrap(), "2");
    keeper.expect("once-wait x", "2");
}

/// 16 MiB on a stack of 256 KiB.
#[test]
fn large_values_never_pass_the_stack() {
    type Large = [u64; 2 << 20];
    let test = || {
        let section = section(SharedOnceCell::<Large>::LEN);
        let cell = SharedOnceCell::<Large>::open_or_create(&section, 0).unwrap();
        let value = cell.get_or_init_with(|value| {
            value.as_array()[(2 << 20) - 1].set(&2);
            Ok(())
        });
        assert_eq!(value.unwrap().get_boxed()[(2 << 20) - 1], 2);
        assert_eq!(cell.get().unwrap().as_array()[0].get(), 0);
    };
    thread::Builder::new().stack_size(256 << 10).spawn(test).unwrap().join().unwrap();
}
