//! `open_within`: a process opens a name that another process creates later.

mod harness;

use std::time::Duration;

use harness::{Actor, Place};

#[test]
fn actor() {
    harness::actor();
}

/// The kinds of objects, and the commands that create one of each kind as `x`.
const KINDS: [(&str, &str); 4] = [
    ("section", "create x 4096"),
    ("mutex", "mutex x create"),
    ("event", "event x create auto"),
    ("semaphore", "semaphore x create 1 1"),
];

/// Asserts that the actor still waits for the name.
#[track_caller]
fn assert_waits(actor: &mut Actor) {
    assert_eq!(actor.has_replied(Duration::from_millis(100)), None);
}

/// Returns whether a command that creates an object was successful.
fn has_created(reply: &str) -> bool {
    matches!(reply, "ok" | "created")
}

#[test]
fn every_waiter_opens_an_object_of_every_kind_once_another_process_creates_it() {
    for name in ["x", r"Global\x"] {
        for (kind, create) in KINDS {
            let place = Place::new("within");
            let mut waiters = [place.actor(), place.actor()];
            for waiter in &mut waiters {
                waiter.tell(&format!("within {name} {kind} 30000"));
                assert_waits(waiter);
            }
            let mut creator = place.actor();
            creator.expect("create other 4096", "ok");
            waiters.iter_mut().for_each(assert_waits);
            let reply = creator.ask(&create.replace(" x", &format!(" {name}")));
            assert!(has_created(&reply), "{kind}: {reply}");
            for waiter in &mut waiters {
                assert_eq!(waiter.reply().as_deref(), Some("ok"), "{kind} {name}");
            }
            // The name exists already, so that the call does not wait.
            creator.expect(&format!("within {name} {kind} 0"), "ok");
        }
    }
}

#[test]
fn a_name_that_no_process_creates_in_time_is_not_found() {
    let place = Place::new("never");
    let mut waiter = place.actor();
    for (kind, _) in KINDS {
        for time in [0, 1, 700] {
            waiter.expect(&format!("within x {kind} {time}"), "NotFound");
        }
    }
}

#[test]
fn an_object_of_another_kind_ends_the_wait() {
    let place = Place::new("kind");
    let (mut waiter, mut creator) = (place.actor(), place.actor());
    waiter.tell("within x event 30000");
    assert_waits(&mut waiter);
    creator.expect("mutex x create", "created");
    assert_eq!(waiter.reply().as_deref(), Some("WrongKind"));
}

#[test]
fn a_name_whose_holder_was_killed_is_waited_for() {
    let place = Place::new("dead");
    let (mut waiter, mut dying) = (place.actor(), place.actor());
    dying.expect("create x 4096", "ok");
    dying.end("kill");
    waiter.tell("within x section 30000");
    assert_waits(&mut waiter);
    let mut creator = place.actor();
    creator.expect("create x 4096", "ok");
    creator.expect("write x 42", "ok");
    assert_eq!(waiter.reply().as_deref(), Some("ok"));
    waiter.expect("read x", "42");
}

#[cfg(unix)]
#[test]
fn a_directory_that_is_removed_and_created_again_does_not_hide_the_name() {
    let place = Place::new("directory");
    let (mut waiter, mut creator) = (place.actor(), place.actor());
    for _ in 0..3 {
        waiter.tell("within x section 30000");
        assert_waits(&mut waiter);
        std::fs::rename(place.local(), place.path().join("moved")).unwrap();
        std::fs::remove_dir(place.path().join("moved")).unwrap();
        creator.expect("create x 4096", "ok");
        assert_eq!(waiter.reply().as_deref(), Some("ok"));
        waiter.expect("close x", "ok");
        creator.expect("close x", "ok");
    }
}
