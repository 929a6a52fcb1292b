//! Tests of the wake-ups of the protocols, with a second thread that sleeps.

use std::sync::atomic::AtomicI32;
use std::time::Instant;
use std::{fs, thread};

use super::auto_event::{fields, grant};
use super::mutex::{Seats, pair};
use super::*;
use crate::primitive::AtomicU64;
use crate::sys::sync::words::auto_event::{self, AutoObserver, AutoWaiter};
use crate::sys::sync::words::manual_event;
use crate::sys::sync::words::mutex::{self, MutexWaiter};
use crate::sys::sync::words::semaphore::{self, SemaphoreWaiter};
use crate::sys::wait;

/// A time that is longer than any test.
const LONG: Duration = Duration::from_mins(1);

/// Calls `act` once a thread that runs `sleep` is asleep, and returns the results of both.
fn while_asleep<S: Send, T>(sleep: impl FnOnce() -> S + Send, act: impl FnOnce() -> T) -> (S, T) {
    let id = AtomicI32::new(0);
    let is_asleep = || {
        let stat =
            fs::read_to_string(format!("/proc/self/task/{}/stat", id.load(Ordering::Acquire)));
        stat.is_ok_and(|stat| stat.rsplit_once(')').unwrap().1.starts_with(" S"))
    };
    thread::scope(|scope| {
        let sleeper = scope.spawn(|| {
            id.store(rustix::thread::gettid().as_raw_nonzero().get(), Ordering::Release);
            sleep()
        });
        let end = Instant::now() + LONG;
        while !is_asleep() {
            assert!(Instant::now() < end, "the thread does not sleep");
            thread::yield_now();
        }
        let result = act();
        (sleeper.join().unwrap(), result)
    })
}

/// Returns whether `act` wakes a thread that sleeps on `word`.
fn wakes(word: WaitWord<'_>, act: impl FnOnce()) -> bool {
    let expected = word.load();
    let (woken, is_awake) = while_asleep(
        || wait::wait(word, expected, LONG).unwrap(),
        || {
            act();
            // If it still sleeps, this wakes it.
            wait::wake(word, 1) == 0
        },
    );
    assert!(woken);
    is_awake
}

#[test]
fn a_wake_reports_the_threads_that_it_woke_and_the_woken_know_the_word() {
    let (first, second) = (AtomicU32::new(0), AtomicU32::new(0));
    assert_eq!(wait::wake((&first).into(), 1), 0);
    assert!(wakes((&first).into(), || assert_eq!(wait::wake((&first).into(), 1), 1)));
    let words = [(&first).into(), (&second).into()].map(|word: WaitWord<'_>| (word, 0));
    for (index, word) in [&first, &second].into_iter().enumerate() {
        let sleep = || wait::wait_any(&words, LONG).unwrap();
        let (woken, _) = while_asleep(sleep, || wait::wake(word.into(), 1));
        // Without futex_waitv(2) a thread sleeps on one word after the other, and may find the
        // change without being woken.
        if cfg!(not(pagemate_force_futex_wait)) {
            assert_eq!(woken, Some(index));
        }
    }
    assert!(!wait::wait((&first).into(), 1, LONG).unwrap());
}

#[test]
fn the_halves_of_a_word_are_words_of_their_own() {
    let word = AtomicU64::new(pair(3, 4));
    let (low, high) = (WaitWord::LowHalf(&word), WaitWord::HighHalf(&word));
    assert_eq!((low.load(), high.load()), (3, 4));
    assert_eq!(WaitWord::from(&AtomicU32::new(5)).load(), 5);
    assert!(!wakes(low, || assert_eq!(wait::wake(high, 1), 0)));
    assert!(!wakes(high, || assert_eq!(wait::wake(low, 1), 0)));
}

#[test]
fn a_release_wakes_a_waiter_only_of_a_marked_word() {
    for (mark, is_marked) in [(WAITERS, true), (0, false)] {
        let word = AtomicU32::new(7 | mark);
        assert_eq!(wakes((&word).into(), || assert!(mutex::unlock(&word, 7))), is_marked);
        let word = AtomicU32::new(7 | mark);
        assert_eq!(wakes((&word).into(), || assert!(mutex::abandon(&word, 7))), is_marked);
        let word = AtomicU32::new(mark);
        assert_eq!(wakes((&word).into(), || _ = semaphore::release(&word, 1, 9)), is_marked);
        assert_eq!(value(&word), 1);
        for release in [manual_event::set, manual_event::pulse] {
            let word = AtomicU32::new(mark);
            assert_eq!(wakes((&word).into(), || release(&word)), is_marked);
        }
    }
}

#[test]
fn a_waiter_that_gives_up_wakes_another_one_if_the_object_is_available() {
    for available in [true, false] {
        let (word, watchers, seats) = (AtomicU32::new(7), AtomicU64::new(0), Seats::new([7, 1]));
        word.store(if available { 0 } else { 7 }, Ordering::Relaxed);
        let waiter = MutexWaiter::new(&word, &watchers, 1, &seats);
        assert_eq!(wakes((&word).into(), || waiter.pass_on_wake()), available);
        let word = AtomicU32::new(u32::from(available));
        let waiter = SemaphoreWaiter { word: &word };
        assert_eq!(wakes((&word).into(), || waiter.pass_on_wake()), available);
    }
}

#[test]
fn a_waiter_that_slept_and_leaves_permits_wakes_another_one() {
    for (permits, slept, wakes_another) in
        [(2, true, true), (2, false, false), (1, true, false), (1, false, false)]
    {
        let word = AtomicU32::new(permits);
        let mut waiter = SemaphoreWaiter { word: &word };
        let take = || assert_eq!(waiter.try_take(slept, false).unwrap(), Some(()));
        assert_eq!(wakes((&word).into(), take), wakes_another, "{permits} {slept}");
    }
}

#[test]
fn the_last_watcher_that_leaves_wakes_another_waiter_to_replace_it() {
    for (mark, other, wakes_another) in
        [(WAITERS, 0, true), (0, 0, false), (WAITERS, 2, false), (0, 2, false)]
    {
        let (word, watchers) = (AtomicU32::new(7 | mark), AtomicU64::new(0));
        let seats = Seats::new([1, 2, 7]);
        let waiter = MutexWaiter::new(&word, &watchers, 1, &seats);
        waiter.maintain_watch().unwrap();
        assert_eq!(watchers.load(Ordering::Relaxed), pair(1, 0));
        watchers.store(pair(1, other), Ordering::Relaxed);
        assert_eq!(wakes((&word).into(), || drop(waiter)), wakes_another, "{mark} {other}");
        assert_eq!(watchers.load(Ordering::Relaxed), pair(0, other));
    }
    // A waiter that is not a watcher does not change the watcher places.
    let (word, watchers, seats) = (AtomicU32::new(7 | WAITERS), AtomicU64::new(0), Seats::new([7]));
    let waiter = MutexWaiter::new(&word, &watchers, 1, &seats);
    assert!(!wakes((&word).into(), || drop(waiter)));
}

#[test]
fn a_dead_watcher_is_replaced_by_two_waiters() {
    let (word, watchers) = (AtomicU32::new(7 | WAITERS), AtomicU64::new(pair(8, 9)));
    let seats = Seats::new([1, 2, 7]);
    let [first, second] = [1, 2].map(|seat| MutexWaiter::new(&word, &watchers, seat, &seats));
    assert_eq!(first.check_rate(), CheckRate::Frequent);
    assert!(wakes((&word).into(), || first.maintain_watch().unwrap()));
    assert_eq!(watchers.load(Ordering::Relaxed), pair(1, 0));
    assert_eq!(first.check_rate(), CheckRate::Frequent);
    // A waiter may become a watcher after its first slice. This futile wake-up does not end a
    // slice.
    second.on_futile_wake();
    assert_eq!(watchers.load(Ordering::Relaxed), pair(1, 0));
    watchers.store(pair(1, 3), Ordering::Relaxed);
    seats.alive.borrow_mut().insert(3);
    assert!(!wakes((&word).into(), || second.maintain_watch().unwrap()));
    assert_eq!(second.check_rate(), CheckRate::Rare);
    watchers.store(pair(1, 0), Ordering::Relaxed);
    second.on_futile_wake();
    assert_eq!(watchers.load(Ordering::Relaxed), pair(1, 2));
}

#[test]
fn a_set_wakes_the_waiter_that_gets_the_grant() {
    for release in [auto_event::set, auto_event::pulse] {
        let event = AtomicU64::new(0);
        let waiter = AutoWaiter::new(&event);
        assert!(waiter.prepare_sleep().is_some());
        assert!(wakes(WaitWord::LowHalf(&event), || release(&event)));
        assert_eq!(fields(&event), (0, 1, false, false));
    }
}

#[test]
fn observers_are_woken_by_each_signal() {
    let marked = || {
        let event = AtomicU64::new(0);
        assert!(AutoObserver::new(&event).prepare_sleep().is_some());
        event
    };
    let event = marked();
    assert!(wakes(WaitWord::HighHalf(&event), || auto_event::set(&event)));
    assert!(!wakes(WaitWord::HighHalf(&event), || auto_event::set(&event)));
    // A pulse leaves the event signaled if an observer was asleep.
    let event = marked();
    assert!(wakes(WaitWord::HighHalf(&event), || auto_event::pulse(&event)));
    assert_eq!(fields(&event), (0, 0, true, false));
    // A grant for which no thread sleeps becomes a signal.
    let event = marked();
    let waiter = AutoWaiter::new(&event);
    assert!(waiter.prepare_sleep().is_some());
    assert!(wakes(WaitWord::HighHalf(&event), || auto_event::set(&event)));
    assert_eq!(fields(&event), (0, 0, true, false));
    drop(waiter);
    // A grant becomes the signal if its waiter stops waiting.
    let event = marked();
    let waiter = AutoWaiter::new(&event);
    assert!(waiter.prepare_sleep().is_some());
    grant(&event);
    assert!(wakes(WaitWord::HighHalf(&event), || drop(waiter)));
    assert_eq!(fields(&event), (0, 0, true, false));
}

#[test]
fn a_leaving_waiter_wakes_another_one_for_its_grant() {
    for granted in [true, false] {
        let event = AtomicU64::new(0);
        let [early, late] = [AutoWaiter::new(&event), AutoWaiter::new(&event)];
        assert!(early.prepare_sleep().is_some());
        if granted {
            grant(&event);
        }
        assert!(late.prepare_sleep().is_some());
        assert_eq!(wakes(WaitWord::LowHalf(&event), || drop(early)), granted);
    }
}
