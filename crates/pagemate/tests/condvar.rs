//! Condition variables in a section: notifications, timeouts, deaths, and wrong places.

mod harness;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;
use std::time::{Duration, Instant};

use harness::{Place, unique};
use pagemate::sync::{SharedCondvar, SharedMutex};
use pagemate::{ErrorKind, Section, SectionOptions};

#[test]
fn actor() {
    harness::actor();
}

/// Longer than any wait that ends well.
const LONG: Duration = Duration::from_mins(1);

/// The offset of the condition variable, behind its mutex.
const AT: u64 = 128;

fn opened() -> (Section, SharedMutex<u32>, SharedCondvar) {
    let section = SectionOptions::new().len(4096).create_new(unique("condvar")).unwrap();
    let mutex = SharedMutex::open_or_init(&section, 0, || 0_u32).unwrap();
    let condvar = SharedCondvar::open_or_create(&section, AT).unwrap();
    (section, mutex, condvar)
}

#[test]
fn threads_pass_items_by_notifications() {
    let (section, mutex, given) = opened();
    // Another handle to the same words, as another process has.
    let other = SharedCondvar::open(&section, AT).unwrap();
    let items: u32 = if cfg!(windows) { 40 } else { 2000 };
    thread::scope(|scope| {
        let takers = [&given, &other].map(|given| {
            let mutex = SharedMutex::<u32>::open(&section, 0).unwrap();
            scope.spawn(move || {
                for _ in 0..items {
                    let guard = mutex.lock().unwrap();
                    let waited = given.wait_while_for(guard, LONG, |items| items.get() == 0);
                    let (mut guard, ended) = waited.unwrap();
                    assert!(ended && !guard.was_abandoned());
                    guard.update(|items| *items -= 1);
                }
            })
        });
        for _ in 0..2 * items {
            mutex.lock().unwrap().update(|items| *items += 1);
            given.notify_one();
        }
        for taker in takers {
            taker.join().unwrap();
        }
    });
    assert_eq!(mutex.lock().unwrap().get(), 0);
}

#[test]
fn a_notification_for_all_wakes_all_waiters() {
    let (_section, mutex, go) = opened();
    thread::scope(|scope| {
        let waiters = [(); 5].map(|()| {
            scope.spawn(|| {
                let mut guard = mutex.lock().unwrap();
                guard.update(|waiting| *waiting += 1);
                let guard = go.wait_while(guard, |waiting| waiting.get() < 10).unwrap();
                assert!(!guard.was_abandoned());
            })
        });
        let end = Instant::now() + LONG;
        while mutex.lock().unwrap().get() < 5 {
            assert!(Instant::now() < end);
            thread::yield_now();
        }
        mutex.lock().unwrap().set(&10);
        go.notify_all();
        for waiter in waiters {
            waiter.join().unwrap();
        }
    });
}

#[test]
fn waits_without_a_notification_time_out_with_the_mutex() {
    let (_section, mutex, never) = opened();
    let short = Duration::from_millis(20);
    let began = Instant::now();
    let (guard, notified) = never.wait_for(mutex.lock().unwrap(), short).unwrap();
    assert!(!notified && mutex.is_mine() && began.elapsed() >= short);
    let (guard, notified) = never.wait_until(guard, Instant::now() + short).unwrap();
    assert!(!notified && mutex.is_mine());
    let (guard, ended) = never.wait_while_until(guard, Instant::now() + short, |_| true).unwrap();
    assert!(!ended && mutex.is_mine());
    // A wait without time does not unlock for long, and a condition that is false does not wait.
    let (guard, ended) = never.wait_while_for(guard, Duration::ZERO, |_| false).unwrap();
    assert!(ended);
    // Wait for longer than a waiter sleeps at a time.
    let (guard, notified) = never.wait_for(guard, Duration::from_millis(250)).unwrap();
    assert!(!notified && !guard.was_abandoned());
    // No thread waits, so these do nothing.
    never.notify_one();
    never.notify_all();
    drop(guard);
    assert_eq!(format!("{never:?}"), "SharedCondvar { .. }");
}

#[test]
fn a_panic_of_the_owner_ends_waits_without_a_notification() {
    let (_section, mutex, never) = opened();
    thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            let mut guard = mutex.lock().unwrap();
            guard.set(&1);
            // The condition stays true.
            let guard = never.wait_while(guard, |_| true).unwrap();
            assert!(guard.was_abandoned() && mutex.is_mine());
        });
        let end = Instant::now() + LONG;
        while mutex.lock().unwrap().get() == 0 {
            assert!(Instant::now() < end);
            thread::yield_now();
        }
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _guard = mutex.lock().unwrap();
            panic!("a test wants this panic");
        }));
        assert!(panicked.is_err());
        waiter.join().unwrap();
    });
    assert!(!mutex.lock().unwrap().was_abandoned());
}

#[test]
fn a_mutex_that_was_abandoned_before_the_wait_does_not_end_it() {
    let (_section, mutex, never) = opened();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _guard = mutex.lock().unwrap();
        panic!("a test wants this panic");
    }));
    assert!(panicked.is_err());
    let guard = mutex.lock().unwrap();
    assert!(guard.was_abandoned());
    let waited = never.wait_while_for(guard, Duration::from_millis(250), |_| true);
    let (guard, ended) = waited.unwrap();
    assert!(!ended && !guard.was_abandoned());
}

#[test]
fn wrong_places_are_refused() {
    let (section, _, _) = opened();
    let missing = SharedCondvar::open(&section, 256).unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");
    let mutex = SharedCondvar::open_or_create(&section, 0).unwrap_err();
    assert_eq!(mutex.kind(), ErrorKind::WrongKind, "{mutex}");
    let condvar = SharedMutex::<u32>::open(&section, AT).unwrap_err();
    assert_eq!(condvar.kind(), ErrorKind::WrongKind);
    assert!(condvar.to_string().contains("condition variable"), "{condvar}");
    for (offset, kind) in [(4, ErrorKind::InvalidInput), (4096 - 32, ErrorKind::OutOfRange)] {
        let error = SharedCondvar::open_or_create(&section, offset).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[test]
fn deaths_of_processes_lose_no_notification_and_are_reported() {
    let place = Place::new("condvar");
    let mut actors = [(); 4].map(|()| place.actor());
    actors[0].expect("create x 4096", "ok");
    for (at, actor) in actors.iter_mut().enumerate() {
        if at > 0 {
            actor.expect("open x", "ok");
        }
        actor.expect("cond-open x", "ok");
    }
    let [mut keeper, mut dead, mut waiter, mut owner] = actors;
    // Whichever of the two is woken, the live one takes the item in the end.
    dead.tell("cond-take x");
    waiter.tell("cond-take x");
    dead.end("kill");
    keeper.expect("cond-give x", "ok");
    // It may have been killed with the mutex.
    while waiter.reply().unwrap() == "abandoned" {
        waiter.tell("cond-take x");
    }
    waiter.tell("cond-take x");
    owner.expect("cond-hold x", "ok");
    owner.end("kill");
    assert_eq!(waiter.reply().unwrap(), "abandoned");
}
