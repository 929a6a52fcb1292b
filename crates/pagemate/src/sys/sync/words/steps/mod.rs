//! Tests of the single steps of the protocols, in one thread: each step changes the word as its
//! table states, and wakes the threads that it has to wake.

use std::cell::Cell;
use std::time::Duration;

use super::*;
use crate::deadline::Deadline;

mod auto_event;
mod counters;
mod mutex;
#[cfg(target_os = "linux")]
mod wakes;

pub(super) fn value(word: &AtomicU32) -> u32 {
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
    // If the last attempt takes the object, the waiter does not pass its wake-up on.
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
