//! The steps of automatic events.

use super::*;
use crate::primitive::AtomicU64;
use crate::sys::sync::words::auto_event::{self, AutoObserver, AutoWaiter, State};

/// The fields of an automatic event's word: its registrations, its grants, and whether it is signaled
/// and has observers.
pub(super) fn fields(event: &AtomicU64) -> (u64, u64, bool, bool) {
    let word = event.load(Ordering::Relaxed);
    (word >> 32 & 0x7FFF, word >> 47 & 0x7FFF, word >> 62 & 1 == 1, word >> 63 == 1)
}

#[test]
fn an_automatic_event_without_waiters_keeps_one_signal() {
    let event = AtomicU64::new(State::new(true).word());
    assert_eq!(fields(&event), (0, 0, true, false));
    assert!(State::of(event.load(Ordering::Relaxed)).is_signaled());
    assert!(!State::of(event.load(Ordering::Relaxed)).has_waiters());
    auto_event::set(&event);
    assert_eq!(fields(&event), (0, 0, true, false));
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
    // A second call does not register the waiter again.
    assert!(first.prepare_sleep().is_some());
    assert_eq!(fields(&event), (1, 0, false, false));
    assert!(second.prepare_sleep().is_some());
    assert_eq!(fields(&event), (2, 0, false, false));
    drop(second);
    assert_eq!(fields(&event), (1, 0, false, false));
    // A waiter that takes the signal also removes its registration.
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
        // The waiter whose registration was cancelled registers again, and does not remove
        // registrations of others.
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
pub(super) fn grant(event: &AtomicU64) {
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
    // The grant is for this waiter, so it does not withdraw the grant.
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
    // The count of grants is full and stays full.
    let event = AtomicU64::new(FULL << 47 | 1 << 32);
    auto_event::set(&event);
    assert_eq!(fields(&event), (0, FULL - 1, true, false));
    // The turn and the epoch wrap around.
    let event = AtomicU64::new(0xFFFF_FFFF | 1 << 32);
    auto_event::set(&event);
    assert_eq!(event.load(Ordering::Relaxed), 1 << 62);
}

#[test]
fn observers_mark_the_word_and_take_the_signal_alone() {
    let event = AtomicU64::new(0);
    let mut observer = AutoObserver::new(&event);
    assert!(!observer.is_available(false).unwrap());
    assert_eq!(observer.try_take(false, false).unwrap(), None);
    let (_, expected) = observer.prepare_sleep().unwrap();
    assert_eq!(expected, 1 << 31);
    assert_eq!(fields(&event), (0, 0, false, true));
    assert!(State::of(event.load(Ordering::Relaxed)).has_waiters());
    assert_eq!(observer.prepare_sleep().unwrap().1, 1 << 31);
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
