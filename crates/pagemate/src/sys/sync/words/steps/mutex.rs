//! The steps of mutexes and of their watchers.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::*;
use crate::primitive::AtomicU64;
use crate::sys::sync::Acquired;
use crate::sys::sync::words::mutex::{self, ABANDONED, MutexWaiter, OWNER};
use crate::sys::sync::words::watch::{SeatLiveness, Watch};

/// The seats that are alive, and those of this process.
#[derive(Default)]
pub(super) struct Seats {
    pub(super) alive: RefCell<BTreeSet<u32>>,
    own: BTreeSet<u32>,
}

impl Seats {
    pub(super) fn new<const N: usize>(alive: [u32; N]) -> Seats {
        Seats { alive: RefCell::new(alive.into()), own: BTreeSet::new() }
    }
}

impl SeatLiveness for &Seats {
    fn is_alive(&self, seat: u32) -> io::Result<bool> {
        Ok(self.alive.borrow().contains(&seat))
    }

    fn is_own(&self, seat: u32) -> bool {
        self.own.contains(&seat)
    }
}

#[test]
fn a_mutex_goes_from_one_seat_to_the_next() {
    let (word, watchers, seats) = (AtomicU32::new(0), AtomicU64::new(0), Seats::new([1, 2]));
    let mut waiter = MutexWaiter::new(&word, &watchers, 2, &seats);
    assert!(waiter.prepare_sleep().is_none());
    assert!(mutex::try_lock_uncontended(&word, 1));
    assert!(!mutex::try_lock_uncontended(&word, 2));
    assert!(!mutex::unlock(&word, 2) && !mutex::abandon(&word, 2));
    for check_liveness in [false, true] {
        assert!(!waiter.is_available(check_liveness).unwrap());
        assert_eq!(waiter.try_take(false, check_liveness).unwrap(), None);
    }
    assert_eq!(waiter.prepare_sleep().unwrap().1, 1 | WAITERS);
    assert!(mutex::unlock(&word, 1));
    assert_eq!(value(&word), 0);
    assert!(waiter.is_available(false).unwrap());
    assert_eq!(waiter.try_take(true, false).unwrap(), Some(Acquired::Released));
    assert_eq!(value(&word), 2 | WAITERS);
    // A waiter that has slept keeps the bit `WAITERS` that another waiter has set.
    word.store(WAITERS, Ordering::Relaxed);
    assert_eq!(waiter.try_take(true, false).unwrap(), Some(Acquired::Released));
    assert_eq!(value(&word), 2 | WAITERS);
    assert!(mutex::abandon(&word, 2));
    assert_eq!(value(&word), ABANDONED);
    assert!(!mutex::try_lock_uncontended(&word, 1));
    assert!(waiter.is_available(false).unwrap());
    assert_eq!(waiter.try_take(false, false).unwrap(), Some(Acquired::Abandoned));
    assert_eq!(value(&word), 2);
}

#[test]
fn a_dead_owner_is_replaced_by_a_waiter_that_tests_for_it() {
    for marked in [0, WAITERS] {
        let (word, watchers) = (AtomicU32::new(7 | marked), AtomicU64::new(0));
        let seats = Seats::new([2]);
        let mut waiter = MutexWaiter::new(&word, &watchers, 2, &seats);
        assert!(!waiter.is_available(false).unwrap());
        assert!(waiter.is_available(true).unwrap());
        assert_eq!(waiter.try_take(false, false).unwrap(), None);
        assert_eq!(waiter.try_take(false, true).unwrap(), Some(Acquired::Abandoned));
        assert_eq!(value(&word), 2 | marked);
    }
    // Two bits of the word do not belong to the seat.
    assert_eq!(OWNER, u32::MAX >> 2);
}

#[test]
fn a_waiter_of_a_mutex_passes_a_wake_on_without_touching_a_free_one() {
    let (word, watchers, seats) = (AtomicU32::new(0), AtomicU64::new(0), Seats::new([1, 2]));
    let waiter = MutexWaiter::new(&word, &watchers, 2, &seats);
    waiter.pass_on_wake();
    assert_eq!(value(&word), 0);
    word.store(1, Ordering::Relaxed);
    waiter.pass_on_wake();
    assert_eq!(value(&word), 1 | WAITERS);
}

pub(super) fn pair(first: u32, second: u32) -> u64 {
    u64::from(second) << 32 | u64::from(first)
}

#[test]
fn two_watchers_of_different_processes_join_after_a_slice() {
    let places = AtomicU64::new(0);
    let now = || places.load(Ordering::Relaxed);
    let seats = &Seats { own: [5].into(), ..Seats::new([1, 2, 3, 5]) };
    let [first, second, third] = [1, 2, 3].map(|seat| Watch::new(&places, seat));
    assert!(first.is_frequent());
    first.try_join(&seats);
    assert_eq!(now(), 0);
    assert!(!first.clear_dead(&seats).unwrap());
    assert!(!first.is_frequent());
    first.try_join(&seats);
    assert!(first.is_frequent());
    assert_eq!(now(), pair(1, 0));
    // A second call does not take the other place too.
    first.try_join(&seats);
    assert_eq!(now(), pair(1, 0));
    // Another waiter with the same seat is a thread of the same process.
    let sibling = Watch::new(&places, 1);
    assert!(!sibling.clear_dead(&seats).unwrap());
    sibling.try_join(&seats);
    assert_eq!(now(), pair(1, 0));
    assert!(!sibling.is_frequent());
    assert!(!second.clear_dead(&seats).unwrap());
    second.try_join(&seats);
    assert_eq!(now(), pair(1, 2));
    assert!(!third.clear_dead(&seats).unwrap());
    third.try_join(&seats);
    assert_eq!(now(), pair(1, 2));
    assert!(!third.is_frequent());
    assert!(!third.leave() && !first.leave());
    assert_eq!(now(), pair(0, 2));
    assert!(!first.leave());
    third.try_join(&seats);
    assert_eq!(now(), pair(3, 2));
    assert!(!second.leave());
    assert!(third.leave());
    assert_eq!(now(), 0);
    // A seat of this process in another mutex also counts as its own.
    places.store(pair(0, 5), Ordering::Relaxed);
    third.try_join(&seats);
    assert_eq!(now(), pair(0, 5));
}

#[test]
fn dead_watchers_are_cleared_and_live_ones_stay() {
    let seats = &Seats::new([1, 2]);
    for (before, after) in [
        (pair(9, 2), pair(0, 2)),
        (pair(2, 9), pair(2, 0)),
        (pair(8, 9), 0),
        (pair(1, 2), pair(1, 2)),
        (pair(2, 0), pair(2, 0)),
    ] {
        let places = AtomicU64::new(before);
        let watch = Watch::new(&places, 1);
        assert_eq!(watch.clear_dead(&seats).unwrap(), before != after);
        assert_eq!(places.load(Ordering::Relaxed), after);
    }
    // A watcher does not test its own seat.
    let places = AtomicU64::new(pair(3, 0));
    assert!(!Watch::new(&places, 3).clear_dead(&seats).unwrap());
}
