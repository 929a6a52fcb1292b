//! The steps of the protocols one by one, in one thread: each changes the word as its table says.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::time::Duration;

use super::auto_event::{AutoObserver, AutoWaiter, State};
use super::manual_event::{self, ManualWaiter, SIGNALED};
use super::mutex::{self, ABANDONED, MutexWaiter, OWNER};
use super::semaphore::{self, SemaphoreWaiter};
use super::watch::{SeatLiveness, Watch};
use super::*;
use crate::primitive::AtomicU64;
use crate::sys::sync::Acquired;

/// The seats that are alive, and those of this process.
#[derive(Default)]
struct Seats {
    alive: RefCell<BTreeSet<u32>>,
    own: BTreeSet<u32>,
}

impl Seats {
    fn new<const N: usize>(alive: [u32; N]) -> Seats {
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

fn value(word: &AtomicU32) -> u32 {
    word.load(Ordering::Relaxed)
}

/// A waiter whose object becomes available after some attempts. It counts the calls.
struct Scripted {
    word: AtomicU32,
    /// The number of attempts that fail.
    failures: u32,
    liveness_tests: u32,
    passed_on: Cell<u32>,
}

impl Scripted {
    fn new(failures: u32) -> Scripted {
        let (word, passed_on) = (AtomicU32::new(0), Cell::new(0));
        Scripted { word, failures, liveness_tests: 0, passed_on }
    }
}

impl Waiter for Scripted {
    type Output = ();

    fn is_available(&mut self, _: bool) -> io::Result<bool> {
        Ok(self.failures == 0)
    }

    fn try_take(&mut self, _: bool, check_liveness: bool) -> io::Result<Option<()>> {
        self.liveness_tests += u32::from(check_liveness);
        let left = self.failures.checked_sub(1);
        self.failures = left.unwrap_or(0);
        Ok(left.is_none().then_some(()))
    }

    fn prepare_sleep(&self) -> Option<(WaitWord<'_>, u32)> {
        mark_waiters(&self.word, value(&self.word)).map(|marked| ((&self.word).into(), marked))
    }

    fn pass_on_wake(&self) {
        self.passed_on.set(self.passed_on.get() + 1);
    }
}

#[test]
fn a_wait_without_time_never_marks_the_word_and_passes_no_wake_on() {
    let mut waiter = Scripted::new(9);
    assert_eq!(wait(&mut waiter, Deadline::Now, || Ok(())).unwrap(), None);
    assert_eq!((value(&waiter.word), waiter.passed_on.get()), (0, 0));
    assert_eq!(waiter.liveness_tests, 1);
}

#[test]
fn a_waiter_that_gives_up_after_it_slept_passes_a_wake_on() {
    let mut waiter = Scripted::new(u32::MAX);
    let deadline = Deadline::after(Duration::from_millis(1));
    assert_eq!(wait(&mut waiter, deadline, || Ok(())).unwrap(), None);
    assert_eq!((value(&waiter.word), waiter.passed_on.get()), (WAITERS, 1));
    // The wait may end with the object in the last attempt: then it keeps the wake-up.
    let mut waiter = Scripted::new(3);
    let deadline = Deadline::after(Duration::from_millis(1));
    assert_eq!(wait(&mut waiter, deadline, || Ok(())).unwrap(), Some(()));
    assert_eq!(waiter.passed_on.get(), 0);
}

#[test]
fn a_wait_whose_check_fails_passes_a_wake_on() {
    let mut waiter = Scripted::new(u32::MAX);
    let removed = || Err(io::ErrorKind::NotFound.into());
    let error = wait(&mut waiter, Deadline::after(Duration::from_mins(1)), removed).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::NotFound);
    assert_eq!(waiter.passed_on.get(), 1);
}

#[test]
fn marking_a_word_keeps_its_other_bits_and_fails_if_it_changed() {
    let word = AtomicU32::new(5);
    assert_eq!(mark_waiters(&word, 4), None);
    assert_eq!(mark_waiters(&word, 5), Some(5 | WAITERS));
    assert_eq!(mark_waiters(&word, 5), None);
    assert_eq!(mark_waiters(&word, 5 | WAITERS), Some(5 | WAITERS));
    assert_eq!(value(&word), 5 | WAITERS);
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
    // The bits of the owner are all bits but two.
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

fn pair(first: u32, second: u32) -> u64 {
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
    // It joins once.
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
    // A seat of another mutex of this process counts as its own.
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
    // A watcher does not ask whether it is alive itself.
    let places = AtomicU64::new(pair(3, 0));
    assert!(!Watch::new(&places, 3).clear_dead(&seats).unwrap());
}

#[test]
fn a_semaphore_counts_up_to_its_maximum_and_down_to_zero() {
    let word = AtomicU32::new(0);
    let mut waiter = SemaphoreWaiter { word: &word };
    assert!(!waiter.is_available(false).unwrap());
    assert_eq!(waiter.try_take(false, false).unwrap(), None);
    assert_eq!(waiter.prepare_sleep().unwrap().1, WAITERS);
    assert_eq!(semaphore::release(&word, 2, 3), Some(0));
    assert_eq!(value(&word), 2);
    assert!(waiter.prepare_sleep().is_none());
    assert!(waiter.is_available(false).unwrap());
    assert_eq!(semaphore::release(&word, 2, 3), None);
    assert_eq!(semaphore::release(&word, u32::MAX, 3), None);
    assert_eq!(semaphore::release(&word, 1, 3), Some(2));
    assert_eq!(waiter.try_take(false, false).unwrap(), Some(()));
    assert_eq!(value(&word), 2);
    assert_eq!(waiter.try_take(true, false).unwrap(), Some(()));
    assert_eq!(value(&word), 1 | WAITERS);
    assert_eq!(waiter.try_take(false, false).unwrap(), Some(()));
    assert_eq!(value(&word), WAITERS);
    assert_eq!(waiter.try_take(false, false).unwrap(), None);
    // The count never reaches the waiters' bit, also if an invalid maximum says so.
    word.store(semaphore::MAX_COUNT, Ordering::Relaxed);
    assert_eq!(semaphore::release(&word, 1, u32::MAX), None);
    assert_eq!(semaphore::release(&word, 0, u32::MAX), Some(semaphore::MAX_COUNT));
    assert_eq!(semaphore::count(u32::MAX), semaphore::MAX_COUNT);
    word.store(0, Ordering::Relaxed);
    waiter.pass_on_wake();
    assert_eq!(value(&word), WAITERS);
    word.store(1, Ordering::Relaxed);
    waiter.pass_on_wake();
    assert_eq!(value(&word), 1);
}

#[test]
fn a_manual_event_releases_the_waiters_of_its_turn() {
    let word = AtomicU32::new(0);
    let mut early = ManualWaiter::new(&word);
    assert!(!early.is_available(false).unwrap());
    assert_eq!(early.try_take(false, false).unwrap(), None);
    assert_eq!(early.prepare_sleep().unwrap().1, WAITERS);
    manual_event::pulse(&word);
    assert_eq!(value(&word) & (SIGNALED | WAITERS), 0);
    let mut late = ManualWaiter::new(&word);
    assert!(!late.is_available(false).unwrap());
    assert!(early.is_available(false).unwrap());
    assert!(early.prepare_sleep().is_none());
    assert_eq!(early.try_take(false, false).unwrap(), Some(()));
    // A pulse counts once.
    assert_eq!(early.try_take(false, false).unwrap(), None);
    manual_event::set(&word);
    for waiter in [&mut early, &mut late, &mut ManualWaiter::new(&word)] {
        assert!(waiter.prepare_sleep().is_none());
        for _ in 0..2 {
            assert!(waiter.is_available(false).unwrap());
            assert_eq!(waiter.try_take(false, false).unwrap(), Some(()));
        }
    }
    let turn = value(&word) & !SIGNALED;
    manual_event::clear(&word);
    assert_eq!(value(&word), turn);
    assert_eq!(early.try_take(false, false).unwrap(), None);
    assert_eq!(early.prepare_sleep().unwrap().1, turn | WAITERS);
    manual_event::set(&word);
    manual_event::pulse(&word);
    assert_eq!(value(&word) & SIGNALED, 0);
    // The turns wrap around without touching the other bits.
    word.store(!(SIGNALED | WAITERS), Ordering::Relaxed);
    manual_event::pulse(&word);
    assert_eq!(value(&word), 0);
}

/// The fields of an automatic event's word: its registrations, its grants, and whether it is signaled
/// and has observers.
fn fields(event: &AtomicU64) -> (u64, u64, bool, bool) {
    let word = event.load(Ordering::Relaxed);
    (word >> 32 & 0x7FFF, word >> 47 & 0x7FFF, word >> 63 == 1, word >> 62 & 1 == 1)
}

#[test]
fn an_automatic_event_without_waiters_keeps_one_signal() {
    let event = AtomicU64::new(State::new(true).word());
    assert_eq!(fields(&event), (0, 0, true, false));
    assert!(State::of(event.load(Ordering::Relaxed)).is_signaled());
    assert!(!State::of(event.load(Ordering::Relaxed)).has_waiters());
    auto_event::set(&event);
    auto_event::set(&event);
    assert_eq!(fields(&event), (0, 0, true, false));
    let mut waiter = AutoWaiter::new(&event);
    assert!(waiter.is_available(false).unwrap());
    assert!(waiter.prepare_sleep().is_none());
    assert_eq!(waiter.try_take(false, false).unwrap(), Some(()));
    assert!(!waiter.is_available(false).unwrap());
    assert_eq!(waiter.try_take(false, false).unwrap(), None);
    assert_eq!(fields(&event), (0, 0, false, false));
    auto_event::set(&event);
    auto_event::clear(&event);
    assert_eq!(fields(&event), (0, 0, false, false));
    auto_event::set(&event);
    auto_event::pulse(&event);
    assert_eq!(fields(&event), (0, 0, false, false));
    assert_eq!(State::new(false).word(), 0);
}

#[test]
fn registered_waiters_count_and_leave() {
    let event = AtomicU64::new(0);
    let [mut first, second] = [AutoWaiter::new(&event), AutoWaiter::new(&event)];
    assert!(first.prepare_sleep().is_some());
    assert_eq!(fields(&event), (1, 0, false, false));
    assert!(State::of(event.load(Ordering::Relaxed)).has_waiters());
    // It registers once.
    assert!(first.prepare_sleep().is_some());
    assert_eq!(fields(&event), (1, 0, false, false));
    assert!(second.prepare_sleep().is_some());
    assert_eq!(fields(&event), (2, 0, false, false));
    drop(second);
    assert_eq!(fields(&event), (1, 0, false, false));
    // A signal is taken together with the registration.
    event.fetch_or(State::new(true).word(), Ordering::Relaxed);
    assert_eq!(first.try_take(true, false).unwrap(), Some(()));
    assert_eq!(fields(&event), (0, 0, false, false));
    drop(first);
    assert_eq!(fields(&event), (0, 0, false, false));
}

#[test]
fn a_grant_for_which_no_thread_sleeps_becomes_the_signal_and_cancels_registrations() {
    for pulsed in [false, true] {
        let event = AtomicU64::new(0);
        let [mut first, second] = [AutoWaiter::new(&event), AutoWaiter::new(&event)];
        assert!(first.prepare_sleep().is_some() && second.prepare_sleep().is_some());
        let epoch = |event: &AtomicU64| event.load(Ordering::Relaxed) >> 24 & 0xFF;
        let before = epoch(&event);
        if pulsed {
            auto_event::pulse(&event);
        } else {
            auto_event::set(&event);
        }
        assert_eq!(fields(&event), (0, 0, !pulsed, false));
        assert_eq!(epoch(&event), before + 1);
        // The cancelled waiter registers again, and leaves no registration of others behind.
        assert_eq!(first.try_take(true, false).unwrap(), (!pulsed).then_some(()));
        assert!(first.prepare_sleep().is_some());
        assert_eq!(fields(&event), (1, 0, false, false));
        drop(second);
        assert_eq!(fields(&event), (1, 0, false, false));
        drop(first);
        assert_eq!(fields(&event), (0, 0, false, false));
    }
}

/// A grant that `set` made for a waiter which it woke.
fn grant(event: &AtomicU64) {
    const ONE_WAITER: u64 = 1 << 32;
    const ONE_GRANT: u64 = 1 << 47;
    event.fetch_add(ONE_GRANT - ONE_WAITER + 1, Ordering::Relaxed);
}

#[test]
fn a_grant_is_for_a_waiter_that_registered_before() {
    let event = AtomicU64::new(0);
    let mut early = AutoWaiter::new(&event);
    assert!(early.prepare_sleep().is_some());
    grant(&event);
    assert_eq!(fields(&event), (0, 1, false, false));
    assert!(State::of(event.load(Ordering::Relaxed)).has_waiters());
    let mut late = AutoWaiter::new(&event);
    assert!(!late.is_available(false).unwrap());
    assert!(late.prepare_sleep().is_some());
    assert_eq!(late.try_take(true, false).unwrap(), None);
    assert!(early.is_available(false).unwrap());
    assert!(early.prepare_sleep().is_none());
    assert_eq!(early.try_take(true, false).unwrap(), Some(()));
    assert_eq!(fields(&event), (1, 0, false, false));
    assert_eq!(early.try_take(true, false).unwrap(), None);
}

#[test]
fn a_leaving_waiter_leaves_the_grant_to_others_or_turns_it_into_the_signal() {
    let event = AtomicU64::new(0);
    let [first, mut second] = [AutoWaiter::new(&event), AutoWaiter::new(&event)];
    assert!(first.prepare_sleep().is_some() && second.prepare_sleep().is_some());
    grant(&event);
    drop(first);
    assert_eq!(fields(&event), (0, 1, false, false));
    assert_eq!(second.try_take(true, false).unwrap(), Some(()));
    assert_eq!(fields(&event), (0, 0, false, false));
    let only = AutoWaiter::new(&event);
    assert!(only.prepare_sleep().is_some());
    grant(&event);
    drop(only);
    assert_eq!(fields(&event), (0, 0, true, false));
}

#[test]
fn a_waiter_that_registered_later_may_take_a_grant_that_a_leaving_one_gives_up() {
    let event = AtomicU64::new(0);
    let early = AutoWaiter::new(&event);
    assert!(early.prepare_sleep().is_some());
    grant(&event);
    let mut late = AutoWaiter::new(&event);
    assert!(late.prepare_sleep().is_some());
    drop(early);
    assert_eq!(late.try_take(true, false).unwrap(), Some(()));
    assert!(!fields(&event).2);
}

#[test]
fn a_futile_wake_withdraws_a_grant_of_an_earlier_turn() {
    let event = AtomicU64::new(0);
    let early = AutoWaiter::new(&event);
    assert!(early.prepare_sleep().is_some());
    early.on_futile_wake();
    assert_eq!(fields(&event), (1, 0, false, false));
    grant(&event);
    // The grant is its own: it does not withdraw it.
    early.on_futile_wake();
    assert_eq!(fields(&event), (0, 1, false, false));
    let late = AutoWaiter::new(&event);
    assert!(late.prepare_sleep().is_some());
    late.on_futile_wake();
    assert_eq!(fields(&event), (0, 0, true, false));
}

#[test]
fn full_fields_lose_no_other_field() {
    const FULL: u64 = 0x7FFF;
    // A waiter that finds the field full sleeps without a registration.
    let event = AtomicU64::new(FULL << 32);
    let waiter = AutoWaiter::new(&event);
    assert!(waiter.prepare_sleep().is_some());
    assert_eq!(fields(&event), (FULL, 0, false, false));
    drop(waiter);
    assert_eq!(fields(&event), (FULL, 0, false, false));
    // The count of grants stays full.
    let event = AtomicU64::new(FULL << 47 | 1 << 32);
    auto_event::set(&event);
    assert_eq!(fields(&event), (0, FULL - 1, true, false));
    // The turns and the epochs wrap around.
    let event = AtomicU64::new(0xFFFF_FFFF | 1 << 32);
    auto_event::set(&event);
    assert_eq!(event.load(Ordering::Relaxed), 1 << 63);
}

#[test]
fn observers_mark_the_word_and_take_the_signal_alone() {
    let event = AtomicU64::new(0);
    let mut observer = AutoObserver::new(&event);
    assert!(!observer.is_available(false).unwrap());
    assert_eq!(observer.try_take(false, false).unwrap(), None);
    let (_, expected) = observer.prepare_sleep().unwrap();
    assert_eq!(expected, 1 << 30);
    assert_eq!(fields(&event), (0, 0, false, true));
    assert!(State::of(event.load(Ordering::Relaxed)).has_waiters());
    assert!(observer.prepare_sleep().is_some());
    auto_event::set(&event);
    assert_eq!(fields(&event), (0, 0, true, false));
    assert!(observer.is_available(false).unwrap());
    assert!(observer.prepare_sleep().is_none());
    assert_eq!(observer.try_take(false, false).unwrap(), Some(()));
    assert_eq!(fields(&event), (0, 0, false, false));
    // A pulse for which no observer sleeps signals nothing.
    assert!(observer.prepare_sleep().is_some());
    auto_event::pulse(&event);
    assert_eq!(fields(&event), (0, 0, false, false));
}
