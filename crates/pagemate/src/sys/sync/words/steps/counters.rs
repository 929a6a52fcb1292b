//! The steps of semaphores and of manual events.

use super::*;
use crate::sys::sync::words::manual_event::{self, ManualWaiter, SIGNALED};
use crate::sys::sync::words::semaphore::{self, SemaphoreWaiter};

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
    // An acquisition keeps the bit `WAITERS` that another waiter has set.
    word.store(2 | WAITERS, Ordering::Relaxed);
    assert_eq!(waiter.try_take(true, false).unwrap(), Some(()));
    assert_eq!(value(&word), 1 | WAITERS);
    assert_eq!(waiter.try_take(false, false).unwrap(), Some(()));
    assert_eq!(value(&word), WAITERS);
    assert_eq!(waiter.try_take(false, false).unwrap(), None);
    // The count never overflows into the bit `WAITERS`, not even with an invalid maximum.
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
    // A pulse releases the waiter once.
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
