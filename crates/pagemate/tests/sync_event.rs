//! Which sleepers an automatic event lets go, also when some of them are killed.
#![cfg(unix)]

mod harness;

use std::thread;
use std::time::{Duration, Instant};

use harness::{Actor, Place};

/// Long enough for everything that does not hang.
const LONG: Duration = Duration::from_secs(30);
/// Long enough for a thread that is about to sleep to do so.
const MOMENT: Duration = Duration::from_millis(20);

#[test]
fn actor() {
    harness::actor();
}

/// An actor that looks on, and others that sleep for the automatic event `x`.
struct Dormitory {
    place: Place,
    onlooker: Actor,
    sleepers: Vec<Actor>,
}

impl Dormitory {
    /// The onlooker has the event `x`, and an event `y` that is never set.
    fn new(test: &str) -> Dormitory {
        let place = Place::new(test);
        let mut onlooker = place.actor();
        onlooker.expect("event x create auto", "created");
        onlooker.expect("event y create auto", "created");
        Dormitory { place, onlooker, sleepers: Vec::new() }
    }

    /// As many more sleepers as there are ways to wait.
    fn sleep(&mut self, ways: &[&str]) {
        for way in ways {
            let mut sleeper = self.place.actor();
            sleeper.expect("event x open", "opened");
            sleeper.expect("event y open", "opened");
            let waiting = self.waiting();
            sleeper.tell(way);
            let end = Instant::now() + LONG;
            while self.waiting() == waiting {
                assert!(Instant::now() < end, "nobody comes to wait");
                thread::sleep(Duration::from_millis(1));
            }
            self.sleepers.push(sleeper);
        }
        thread::sleep(MOMENT);
    }

    fn waiting(&mut self) -> u32 {
        self.onlooker.ask("waiting x").parse().unwrap()
    }

    /// Sets `x` so often in a row, faster than anybody wakes.
    fn set(&mut self, times: usize) {
        let (row, replies) = (vec!["set x"; times].join(" / "), vec!["ok"; times].join(" "));
        self.onlooker.expect(&format!("row {row}"), &replies);
    }

    /// Waits until so many of them got it, and makes sure that no more do.
    #[track_caller]
    fn go(&mut self, many: usize) {
        let end = Instant::now() + LONG;
        let before = self.sleepers.len();
        while before - self.sleepers.len() < many {
            assert!(Instant::now() < end, "only {} go", before - self.sleepers.len());
            self.count_awake();
        }
        thread::sleep(MOMENT);
        self.count_awake();
        assert_eq!(before - self.sleepers.len(), many);
    }

    fn count_awake(&mut self) {
        self.sleepers.retain_mut(|sleeper| match sleeper.has_replied(Duration::from_millis(1)) {
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
fn each_set_lets_one_sleeper_go_also_two_in_a_row() {
    let mut dormitory = Dormitory::new("event-rows");
    for ways in [[ALONE, ALONE, ALONE], [ALONE, FIRST, SECOND]] {
        for sets in [2, 1] {
            if sets == 2 {
                dormitory.sleep(&ways);
            }
            dormitory.set(sets);
            dormitory.go(sets);
        }
        // The sleepers were enough for all: nothing is left.
        dormitory.onlooker.expect("wait x 0", "timeout");
    }
}

#[test]
fn one_set_more_than_there_are_sleepers_stays_and_no_second_one() {
    let mut dormitory = Dormitory::new("event-more");
    dormitory.sleep(&[ALONE, FIRST]);
    dormitory.set(4);
    dormitory.go(2);
    dormitory.onlooker.expect("wait x 0", "ok");
    dormitory.onlooker.expect("wait x 0", "timeout");
}

#[test]
fn a_setter_does_not_take_the_grant_of_a_sleeper() {
    let mut dormitory = Dormitory::new("event-own");
    for way in [ALONE, SECOND] {
        dormitory.sleep(&[way]);
        dormitory.onlooker.expect("row set x / wait x 0", "ok timeout");
        dormitory.go(1);
    }
}

#[test]
fn a_set_lets_a_sleeper_go_though_it_is_reset_at_once_and_so_does_a_pulse() {
    let mut dormitory = Dormitory::new("event-reset");
    dormitory.sleep(&[ALONE, FIRST]);
    dormitory.onlooker.expect("row set x / reset x", "ok ok");
    dormitory.go(1);
    dormitory.onlooker.expect("row pulse x / wait x 0", "ok timeout");
    dormitory.go(1);
    dormitory.onlooker.expect("row pulse x / wait x 0", "ok timeout");
}

#[test]
fn killed_sleepers_take_no_signal_and_keep_none_back() {
    let mut dormitory = Dormitory::new("event-killed");
    for alive in [0, 2] {
        dormitory.sleep(&[ALONE, FIRST, ALONE, SECOND]);
        for sleeper in dormitory.sleepers.drain(..) {
            sleeper.end("kill");
        }
        dormitory.sleep(&[ALONE, FIRST][..alive]);
        dormitory.set(alive + 3);
        dormitory.go(alive);
        dormitory.onlooker.expect("wait x 0", "ok");
        dormitory.onlooker.expect("wait x 0", "timeout");
    }
}

/// Sleepers are killed while they are being woken: at most one of their signals is left.
#[test]
fn sleepers_that_are_killed_while_they_wake_leave_one_signal_at_most() {
    let mut dormitory = Dormitory::new("event-woken");
    for _ in 0..10 {
        dormitory.sleep(&[ALONE, FIRST]);
        for sleeper in &mut dormitory.sleepers {
            sleeper.signal(rustix::process::Signal::KILL);
        }
        dormitory.set(2);
        for sleeper in dormitory.sleepers.drain(..) {
            sleeper.end("kill");
        }
        dormitory.onlooker.ask("wait x 0");
        dormitory.onlooker.expect("wait x 0", "timeout");
        dormitory.sleep(&[ALONE]);
        dormitory.onlooker.expect("set x", "ok");
        dormitory.go(1);
        dormitory.onlooker.expect("wait x 0", "timeout");
    }
}
