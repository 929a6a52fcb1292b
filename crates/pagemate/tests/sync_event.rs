//! Tests of the waiters that an automatic event releases, also when some of them are killed.
#![cfg(unix)]

mod harness;

use std::thread;
use std::time::{Duration, Instant};

use harness::{Actor, Place};

/// A timeout that is longer than any call that does not hang.
const LONG: Duration = Duration::from_secs(30);
/// A time in which a thread that is about to sleep falls asleep.
const MOMENT: Duration = Duration::from_millis(20);

#[test]
fn actor() {
    harness::actor();
}

/// An actor that sets the automatic event `x`, and others that wait for it.
struct Waiters {
    place: Place,
    setter: Actor,
    actors: Vec<Actor>,
}

impl Waiters {
    /// Creates the event `x`, and an event `y` that is never set.
    fn new(test: &str) -> Waiters {
        let place = Place::new(test);
        let mut setter = place.actor();
        setter.expect("event x create auto", "created");
        setter.expect("event y create auto", "created");
        Waiters { place, setter, actors: Vec::new() }
    }

    /// Starts one waiter for each of these commands.
    fn start(&mut self, ways: &[&str]) {
        for way in ways {
            let mut actor = self.place.actor();
            actor.expect("event x open", "opened");
            actor.expect("event y open", "opened");
            let waiting = self.waiting();
            actor.tell(way);
            let end = Instant::now() + LONG;
            while self.waiting() == waiting {
                assert!(Instant::now() < end, "the actor does not begin to wait");
                thread::sleep(Duration::from_millis(1));
            }
            self.actors.push(actor);
        }
        thread::sleep(MOMENT);
    }

    fn waiting(&mut self) -> u32 {
        self.setter.ask("waiting x").parse().unwrap()
    }

    /// Sets `x` several times in a row, before a released waiter can run.
    fn set(&mut self, times: usize) {
        let (row, replies) = (vec!["set x"; times].join(" / "), vec!["ok"; times].join(" "));
        self.setter.expect(&format!("row {row}"), &replies);
    }

    /// Waits until this number of waiters has been released, and asserts that no others are.
    #[track_caller]
    fn assert_released(&mut self, many: usize) {
        let end = Instant::now() + LONG;
        let before = self.actors.len();
        while before - self.actors.len() < many {
            assert!(Instant::now() < end, "only {} are released", before - self.actors.len());
            self.remove_released();
        }
        thread::sleep(MOMENT);
        self.remove_released();
        assert_eq!(before - self.actors.len(), many);
    }

    fn remove_released(&mut self) {
        self.actors.retain_mut(|actor| match actor.has_replied(Duration::from_millis(1)) {
            Some(reply) => {
                assert!(reply.starts_with("ok"), "{reply}");
                false
            }
            None => true,
        });
    }
}

const ALONE: &str = "wait x 60000";
const FIRST: &str = "any 60000 x y";
const SECOND: &str = "any 60000 y x";

#[test]
fn each_set_releases_one_waiter_also_two_in_a_row() {
    let mut waiters = Waiters::new("event-rows");
    for ways in [[ALONE, ALONE, ALONE], [ALONE, FIRST, SECOND]] {
        for sets in [2, 1] {
            if sets == 2 {
                waiters.start(&ways);
            }
            waiters.set(sets);
            waiters.assert_released(sets);
        }
        // Each signal released a waiter, so the event is not signaled.
        waiters.setter.expect("wait x 0", "timeout");
    }
}

#[test]
fn one_more_set_than_waiters_stays_and_a_second_one_does_not() {
    let mut waiters = Waiters::new("event-more");
    waiters.start(&[ALONE, FIRST]);
    waiters.set(4);
    waiters.assert_released(2);
    waiters.setter.expect("wait x 0", "ok");
    waiters.setter.expect("wait x 0", "timeout");
}

#[test]
fn a_setter_does_not_take_the_grant_of_a_waiter() {
    let mut waiters = Waiters::new("event-own");
    for way in [ALONE, SECOND] {
        waiters.start(&[way]);
        waiters.setter.expect("row set x / wait x 0", "ok timeout");
        waiters.assert_released(1);
    }
}

#[test]
fn a_set_releases_a_waiter_although_it_is_reset_at_once_and_so_does_a_pulse() {
    let mut waiters = Waiters::new("event-reset");
    waiters.start(&[ALONE, FIRST]);
    waiters.setter.expect("row set x / reset x", "ok ok");
    waiters.assert_released(1);
    waiters.setter.expect("row pulse x / wait x 0", "ok timeout");
    waiters.assert_released(1);
    waiters.setter.expect("row pulse x / wait x 0", "ok timeout");
}

#[test]
fn killed_waiters_take_no_signal_and_hold_none_back() {
    let mut waiters = Waiters::new("event-killed");
    for alive in [0, 2] {
        waiters.start(&[ALONE, FIRST, ALONE, SECOND]);
        for actor in waiters.actors.drain(..) {
            actor.end("kill");
        }
        waiters.start(&[ALONE, FIRST][..alive]);
        waiters.set(alive + 3);
        waiters.assert_released(alive);
        waiters.setter.expect("wait x 0", "ok");
        waiters.setter.expect("wait x 0", "timeout");
    }
}

/// Waiters are killed while signals wake them. At most one of these signals remains.
#[test]
fn waiters_that_are_killed_while_they_wake_leave_at_most_one_signal() {
    let mut waiters = Waiters::new("event-woken");
    for _ in 0..10 {
        waiters.start(&[ALONE, FIRST]);
        for actor in &mut waiters.actors {
            actor.signal(rustix::process::Signal::KILL);
        }
        waiters.set(2);
        for actor in waiters.actors.drain(..) {
            actor.end("kill");
        }
        waiters.setter.ask("wait x 0");
        waiters.setter.expect("wait x 0", "timeout");
        waiters.start(&[ALONE]);
        waiters.setter.expect("set x", "ok");
        waiters.assert_released(1);
        waiters.setter.expect("wait x 0", "timeout");
    }
}
