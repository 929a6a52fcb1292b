//! Kills processes that use read-write locks, once-cells and condition variables: at every fault point,
//! and at random instructions. Forks processes that hold locks.
//!
//! `cargo test` kills 300 processes at random, `cargo xtask torture` 2,000, and `cargo xtask torture long`
//! 20,000. `cargo xtask faults` builds with `--cfg pagemate_fault` and kills at the points.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "the numbers of a race are its result")]

mod harness;

use std::env;
use std::thread;
use std::time::{Duration, Instant};

use harness::fork::{Forked, alone, fork, hold_on};
use harness::locks::{Pair, add_one};
use pagemate::sync::{SharedCondvar, SharedMutex, SharedOnceCell, SharedRwLock};
use pagemate::{Section, SectionOptions};

#[test]
fn actor() {
    harness::actor();
}

/// A timeout that is longer than any successful wait.
const LONG: Duration = Duration::from_mins(1);

/// The number of processes that a test kills at random.
fn kills() -> u32 {
    match env::var("PAGEMATE_TORTURE").as_deref() {
        Ok("long") => 20_000,
        Ok(_) => 2_000,
        Err(_) => 300,
    }
}

fn pair() -> Pair {
    [0; 2]
}

#[test]
fn processes_that_are_killed_at_random_leave_no_lock_held_and_no_torn_value_unreported() {
    alone(
        "processes_that_are_killed_at_random_leave_no_lock_held_and_no_torn_value_unreported",
        |_| {
            let section = SectionOptions::new().len(4096).create_new("x").unwrap();
            let lock = SharedRwLock::open_or_init(&section, 0, pair).unwrap();
            let storm = || {
                let section = Section::open("x").unwrap();
                let lock = SharedRwLock::<Pair>::open(&section, 0).unwrap();
                for turn in std::process::id().. {
                    if turn % 3 == 0 {
                        assert_ne!(add_one(&lock.write().unwrap()), "torn");
                    } else {
                        let reader = lock.read().unwrap();
                        let [one, other] = reader.get();
                        assert!(one == other || reader.was_abandoned(), "{one} {other}");
                    }
                }
            };
            let mut children: Vec<_> = (0..3).map(|_| fork(storm)).collect();
            let (mut abandoned, mut last) = (0, 0);
            for kill in 0..kills() {
                thread::sleep(Duration::from_micros(u64::from(kill * 7 % 1500)));
                children.remove(0).kill();
                // The lock is free at once, or after a test of liveness.
                let writer = lock.try_write_for(LONG).unwrap().expect("a dead process has it");
                abandoned += u32::from(writer.was_abandoned());
                let [one, other] = writer.get();
                assert!(one == other || writer.was_abandoned(), "{one} {other}");
                assert!(one.max(other) >= last, "a change is lost");
                last = one.max(other);
                writer.set(&[last; 2]);
                drop(writer);
                children.push(fork(storm));
            }
            children.into_iter().for_each(Forked::kill);
            println!("{}{abandoned} of {} left it abandoned", harness::REPLY, kills());
            assert!(last > u64::from(kills()), "the children did no work");
        },
    );
}

#[test]
fn one_value_of_processes_that_are_killed_at_random_stays() {
    alone("one_value_of_processes_that_are_killed_at_random_stays", |_| {
        let len = SharedOnceCell::<Pair>::LEN * 32;
        let section = SectionOptions::new().len(len).create_new("x").unwrap();
        let init = |number: u64| {
            let section = Section::open("x").unwrap();
            for at in 0..32 {
                let offset = at * SharedOnceCell::<Pair>::LEN;
                let cell = SharedOnceCell::<Pair>::open_or_create(&section, offset).unwrap();
                let value = cell.get_or_init_with(|value| {
                    assert_eq!(value.get(), [0; 2]);
                    value.as_array().iter().for_each(|word| word.set(&number));
                    Ok(())
                });
                let [one, other] = value.unwrap().get();
                assert_eq!(one, other);
            }
        };
        for round in 0..u64::from(kills() / 10) {
            section.map().unwrap().write_at(0, &[0; 32 * 80]).unwrap();
            let children = [1, 2].map(|number| {
                fork(move || {
                    init(number);
                    hold_on();
                })
            });
            thread::sleep(Duration::from_micros(round * 37 % 1500));
            children.into_iter().for_each(Forked::kill);
            init(3);
            let cell = SharedOnceCell::<Pair>::open(&section, 0).unwrap();
            assert!(cell.get().is_some() && !cell.set(&[4; 2]).unwrap());
        }
    });
}

/// Each item is taken by a live process, although others are killed after they were woken for it.
#[test]
fn items_are_taken_although_waiters_are_killed_at_random() {
    alone("items_are_taken_although_waiters_are_killed_at_random", |_| {
        let section = SectionOptions::new().len(4096).create_new("x").unwrap();
        let mutex = SharedMutex::open_or_init(&section, 0, || 0_u64).unwrap();
        let given = SharedCondvar::open_or_create(&section, 128).unwrap();
        let take = || {
            let section = Section::open("x").unwrap();
            let mutex = SharedMutex::<u64>::open(&section, 0).unwrap();
            let given = SharedCondvar::open(&section, 128).unwrap();
            loop {
                let guard = mutex.lock().unwrap();
                let mut guard = given.wait_while(guard, |items| items.get() == 0).unwrap();
                if guard.get() > 0 {
                    guard.update(|items| *items -= 1);
                }
            }
        };
        let mut children: Vec<_> = (0..2).map(|_| fork(take)).collect();
        for kill in 0..kills() {
            mutex.lock().unwrap().update(|items| *items += 1);
            given.notify_one();
            if kill % 2 == 0 {
                thread::sleep(Duration::from_micros(u64::from(kill * 7 % 300)));
            }
            children.remove(0).kill();
            let end = Instant::now() + LONG;
            while mutex.lock().unwrap().get() > 0 {
                assert!(Instant::now() < end, "a notification is lost");
                thread::yield_now();
            }
            children.push(fork(take));
        }
        children.into_iter().for_each(Forked::kill);
    });
}

#[test]
fn a_forked_child_holds_none_of_its_parents_locks() {
    alone("a_forked_child_holds_none_of_its_parents_locks", |_| {
        let section = SectionOptions::new().len(8192).create_new("x").unwrap();
        let read = SharedRwLock::open_or_init(&section, 0, pair).unwrap();
        let written = SharedRwLock::open_or_init(&section, 4096, pair).unwrap();
        let mut held = Some((read.read().unwrap(), written.write().unwrap()));
        fork(|| {
            // The child drops the guards of its parent, which releases nothing.
            drop(held.take());
            assert!(read.try_write().unwrap().is_none());
            assert!(written.try_read().unwrap().is_none());
            // The child can acquire a lock that its parent shares with readers, by a seat of its own.
            let own = read.try_read().unwrap().unwrap();
            drop(own);
        })
        .join();
        // While the child is alive, its dead parent's locks must not count as held.
        let child = fork(|| {
            drop(read.read().unwrap());
            hold_on();
        });
        assert!(read.try_write().unwrap().is_none());
        drop(held);
        assert!(!read.try_write_for(LONG).unwrap().unwrap().was_abandoned());
        assert!(!written.try_write().unwrap().unwrap().was_abandoned());
        child.kill();
    });
}

#[test]
fn the_death_of_a_parent_ends_its_locks_although_its_child_lives() {
    alone("the_death_of_a_parent_ends_its_locks_although_its_child_lives", |_| {
        harness::fork::adopt();
        let section = SectionOptions::new().len(8192).create_new("x").unwrap();
        let read = SharedRwLock::open_or_init(&section, 0, pair).unwrap();
        let written = SharedRwLock::open_or_init(&section, 4096, pair).unwrap();
        let memory = SectionOptions::new().len(4096).create_unnamed().unwrap().map().unwrap();
        let parent = fork(|| {
            let _held = (read.read().unwrap(), written.write().unwrap());
            let child = fork(|| hold_on());
            memory.write(0, &child.id()).unwrap();
            hold_on();
        });
        let end = Instant::now() + LONG;
        while memory.read::<u32>(0).unwrap() == 0 {
            assert!(Instant::now() < end);
            thread::sleep(Duration::from_millis(1));
        }
        let child = harness::fork::adopted(memory.read(0).unwrap());
        assert!(read.try_write().unwrap().is_none());
        assert!(written.try_write().unwrap().is_none());
        parent.kill();
        assert!(!read.try_write_for(LONG).unwrap().unwrap().was_abandoned());
        assert!(written.try_write_for(LONG).unwrap().unwrap().was_abandoned());
        child.kill();
    });
}

/// Kills a process at every fault point of the locks.
#[cfg(pagemate_fault)]
mod points {
    use std::collections::BTreeSet;
    use std::time::{Duration, Instant};

    use super::LONG;
    use super::harness::{self, Actor, Place};

    /// A process that is killed at a point, and others that observe it.
    struct Scene {
        point: String,
        keeper: Actor,
        others: [Actor; 2],
        victim: Actor,
        _place: Place,
    }

    impl Scene {
        fn new(point: &str, open: &str) -> Scene {
            let place = Place::new("locks-death");
            let mut keeper = place.actor();
            keeper.expect("create x 4096", "ok");
            keeper.expect(open, "ok");
            let others = [(); 2].map(|()| {
                let mut other = place.actor();
                other.expect("open x", "ok");
                other.expect(open, "ok");
                other
            });
            let victim = place.actor_with(&[("PAGEMATE_FAULT", &format!("{point}:kill"))]);
            let mut scene =
                Scene { point: point.to_owned(), keeper, others, victim, _place: place };
            scene.does("open x");
            scene.does(open);
            scene
        }

        /// Sends the victim a command, and returns whether it replies before it is killed.
        fn does(&mut self, command: &str) -> bool {
            self.victim.tell(command);
            self.victim.reply().is_some()
        }

        /// Calls `done` until it returns true, or until the victim is dead.
        fn until(&mut self, mut done: impl FnMut(&mut Scene) -> bool) {
            let end = Instant::now() + LONG;
            while !self.victim.has_ended() && !done(self) {
                assert!(Instant::now() < end, "{}: timed out", self.point);
            }
        }
    }

    /// The victim reads, and releases the lock while a writer waits.
    fn reader(point: &str) -> bool {
        let mut scene = Scene::new(point, "rw-open x");
        scene.does("rw-read x");
        scene.victim.tell("rw-read-until-busy x");
        scene.until(|scene| scene.keeper.ask("rw-words x") == "gate 0, 1 readers");
        scene.others[0].tell("rw-add x");
        let died = scene.victim.reply().is_none();
        let added = scene.others[0].reply().unwrap();
        assert!(!added.starts_with("abandoned"), "{point}: a reader abandons nothing");
        scene.keeper.expect("rw-try-read x", &added);
        scene.others[1].expect("rw-try-read x", &added);
        died
    }

    /// The victim writes, and has to wait for a reader that is killed.
    fn writer(point: &str) -> bool {
        let mut scene = Scene::new(point, "rw-open x");
        let [reader, mut other] = scene.others;
        let mut reader = reader;
        scene.others = [(); 2].map(|()| scene._place.actor());
        reader.expect("rw-hold-read x", "0");
        scene.victim.tell("rw-add x");
        scene.until(|scene| scene.keeper.ask("rw-words x") == "gate 1, 1 readers");
        other.tell("rw-read x");
        reader.end("kill");
        let died = scene.victim.reply().is_none();
        let torn = died && matches!(point, "write-after-acquire" | "write-before-open");
        let seen = other.reply().unwrap();
        let wrote = !died || matches!(point, "write-before-open" | "write-after-open");
        // The reader may have acquired the lock before the victim.
        let now = if wrote { "1" } else { "0" };
        assert!(if torn { seen == "abandoned" } else { seen == now || seen == "0" }, "{seen}");
        let next = if wrote { 2 } else { 1 };
        let reply = if torn { format!("abandoned {next}") } else { next.to_string() };
        scene.keeper.expect("rw-add x", &reply);
        other.expect("rw-add x", &(next + 1).to_string());
        died
    }

    /// The victim waits for one of 64 places.
    fn late_reader(point: &str) -> bool {
        let mut scene = Scene::new(point, "rw-open x");
        for _ in 0..64 {
            scene.others[0].expect("rw-hold-read x", "0");
        }
        scene.victim.tell("rw-read x");
        scene.until(|scene| scene.keeper.ask("rw-words x") == "gate 1, 64 readers");
        let [full, mut other] = scene.others;
        full.end("kill");
        let died = scene.victim.reply().is_none();
        other.expect("rw-read x", "0");
        scene.keeper.expect("rw-add x", "1");
        died
    }

    /// The victim initialises a once-cell for which others wait.
    fn initialiser(point: &str) -> bool {
        let mut scene = Scene::new(point, "once-open x");
        scene.others[0].tell("once-wait x");
        let died = !scene.does("once-init x 1");
        let set = !died || point == "once-before-wake";
        let value = if set { "1" } else { "2" };
        scene.others[1].expect("once-init x 2", value);
        assert_eq!(scene.others[0].reply().unwrap(), value);
        scene.keeper.expect("once-get x", value);
        died
    }

    /// The victim waits for a once-cell.
    fn waiter(point: &str) -> bool {
        let mut scene = Scene::new(point, "once-open x");
        scene.victim.tell("once-wait x");
        if point == "once-before-sleep" {
            scene.until(|_| false);
        }
        scene.others[0].expect("once-init x 1", "1");
        scene.others[1].expect("once-wait x", "1");
        scene.victim.reply().is_none()
    }

    /// The victim waits for an item, as another process does.
    fn taker(point: &str) -> bool {
        let mut scene = Scene::new(point, "cond-open x");
        scene.victim.tell("cond-take x");
        scene.others[0].tell("cond-take x");
        if matches!(point, "condvar-before-sleep" | "condvar-after-sleep") {
            scene.until(|_| false);
        }
        scene.keeper.expect("cond-give x", "ok");
        // If the victim took it, the other one gets the second item.
        if scene.others[0].has_replied(Duration::from_millis(500)).is_none() {
            scene.keeper.expect("cond-give x", "ok");
            assert_eq!(scene.others[0].reply().unwrap(), "taken", "{point}");
        } else {
            scene.keeper.expect("cond-give x", "ok");
        }
        scene.victim.reply().is_none()
    }

    /// The victim notifies a waiter.
    fn giver(point: &str) -> bool {
        let mut scene = Scene::new(point, "cond-open x");
        scene.others[0].tell("cond-take x");
        let died = !scene.does("cond-give x");
        assert_eq!(scene.others[0].reply().unwrap(), "taken", "{point}");
        died
    }

    #[test]
    fn killed_at_every_point() {
        let points: BTreeSet<String> = harness::fault_points("src/sys/sync/typed")
            .into_iter()
            .filter(|point| {
                ["read-", "write-", "once-", "condvar-"].iter().any(|kind| point.starts_with(kind))
            })
            .collect();
        assert!(points.len() > 14, "{points:?}");
        for point in &points {
            let scenes = [reader, writer, late_reader, initialiser, waiter, taker, giver];
            let reached = scenes.map(|scene| scene(point));
            assert!(reached.contains(&true), "no scene reaches {point}");
        }
    }
}
