//! Names that another program has removed: each call of a holder reports the removal.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use pagemate::sync::{
    EventOptions, MutexOptions, Reset, SemaphoreOptions, wait_all_for, wait_any_for,
};
use pagemate::{ErrorKind, Result, Section, inventory};

use super::harness::fork::alone;
use super::{create, local, refused};

/// The facts that each message has to contain: the cause, the name and the remedy.
const FACTS: [&str; 3] = ["another program removed", "\"x\"", "create it again"];

/// A timeout that is longer than the test takes unless it hangs.
const LONG: Duration = Duration::from_mins(1);

/// Removes all files of the user's objects, as logind does at the end of the last session.
fn remove_all(place: &Path) {
    for entry in fs::read_dir(local(place)).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
}

#[test]
fn section_without_its_name_is_not_mapped() {
    alone("removed_names::section_without_its_name_is_not_mapped", |place| {
        let held = create("x").unwrap();
        let view = held.map().unwrap();
        held.check_name().unwrap();
        remove_all(place);
        refused(held.check_name(), ErrorKind::Orphaned, &FACTS);
        refused(held.map(), ErrorKind::Orphaned, &FACTS);
        // Mapped memory stays valid.
        view.write(0, &7_u64).unwrap();
        assert_eq!(view.read::<u64>(0).unwrap(), 7);
        // A new object under the name is independent of the orphan.
        refused(Section::open("x"), ErrorKind::NotFound, &["no process holds it"]);
        let other = create("x").unwrap();
        refused(held.map(), ErrorKind::Orphaned, &FACTS);
        assert_eq!(other.map().unwrap().read::<u64>(0).unwrap(), 0);
        drop((view, held));
        other.check_name().unwrap();
        assert_eq!(inventory::list().unwrap().entries.len(), 1);
    });
}

#[test]
fn section_whose_directory_was_removed_is_not_mapped() {
    alone("removed_names::section_whose_directory_was_removed_is_not_mapped", |place| {
        let held = create("x").unwrap();
        fs::remove_dir_all(local(place)).unwrap();
        refused(held.map(), ErrorKind::Orphaned, &FACTS);
        let other = create("x").unwrap();
        refused(held.map(), ErrorKind::Orphaned, &FACTS);
        other.map().unwrap();
    });
}

#[test]
fn second_link_does_not_hide_that_the_name_is_gone() {
    alone("removed_names::second_link_does_not_hide_that_the_name_is_gone", |place| {
        let held = create("x").unwrap();
        let path = local(place).join("x");
        let links = [place.join("one"), place.join("two")];
        for link in &links {
            fs::hard_link(&path, link).unwrap();
        }
        held.map().unwrap();
        fs::remove_file(&path).unwrap();
        refused(held.map(), ErrorKind::Orphaned, &FACTS);
        for link in links {
            fs::remove_file(link).unwrap();
        }
    });
}

#[test]
fn waiters_that_sleep_already_are_told() {
    alone("removed_names::waiters_that_sleep_already_are_told", |place| {
        let event = EventOptions::new(Reset::Manual).create_new("x").unwrap();
        let semaphore = SemaphoreOptions::new(0, 1).create_new("y").unwrap();
        let mutex = MutexOptions::new().create_new("z").unwrap();
        let other = MutexOptions::new().open_or_create("z").unwrap();
        let guard = mutex.lock().unwrap();
        let asleep = |waiting: &dyn Fn() -> bool| {
            let end = Instant::now() + LONG;
            while !waiting() {
                assert!(Instant::now() < end, "no thread waits");
                thread::sleep(Duration::from_millis(1));
            }
        };
        thread::scope(|scope| {
            // Each thread sleeps for longer than the test may take.
            let waits: [thread::ScopedJoinHandle<'_, Result<bool>>; 5] = [
                scope.spawn(|| event.wait_for(LONG)),
                scope.spawn(|| semaphore.try_acquire_for(LONG).map(|permit| permit.is_some())),
                scope.spawn(|| other.try_lock_for(LONG).map(|guard| guard.is_some())),
                scope.spawn(|| {
                    wait_any_for(&[(&event).into(), (&semaphore).into()], LONG)
                        .map(|one| one.is_some())
                }),
                scope.spawn(|| {
                    wait_all_for(&[(&event).into(), (&semaphore).into()], LONG)
                        .map(|all| all.is_some())
                }),
            ];
            let waiting = |name| inventory::find(name).unwrap().waiting.unwrap_or(0);
            asleep(&|| waiting("x") == 3 && waiting("y") == 3 && waiting("z") == 1);
            remove_all(place);
            for wait in waits {
                refused(wait.join().unwrap(), ErrorKind::Orphaned, &["another program removed"]);
            }
        });
        drop(guard);
    });
}

#[test]
fn locks_and_waits_tell_that_the_name_is_gone() {
    alone("removed_names::locks_and_waits_tell_that_the_name_is_gone", |place| {
        const SOON: Duration = Duration::from_millis(1);
        let mutex = MutexOptions::new().create_new("x").unwrap();
        let locked = MutexOptions::new().create_new("y").unwrap();
        let guard = locked.lock().unwrap();
        let other = MutexOptions::new().open_or_create("y").unwrap();
        remove_all(place);
        // Two locks check the name: the first lock of a handle, and a lock that has to wait.
        refused(mutex.lock().map(drop), ErrorKind::Orphaned, &FACTS);
        refused(other.try_lock_for(SOON).map(drop), ErrorKind::Orphaned, &["removed", "\"y\""]);
        refused(locked.check_name(), ErrorKind::Orphaned, &["removed", "\"y\""]);
        drop(guard);

        let event = EventOptions::new(Reset::Auto).create_new("x").unwrap();
        let semaphore = SemaphoreOptions::new(0, 1).create_new("z").unwrap();
        assert!(!event.wait_for(SOON).unwrap());
        remove_all(place);
        refused(event.wait_for(SOON), ErrorKind::Orphaned, &FACTS);
        refused(event.wait(), ErrorKind::Orphaned, &FACTS);
        refused(semaphore.acquire(), ErrorKind::Orphaned, &["removed", "\"z\""]);
        // A wait for a signaled event succeeds, because a process that holds the event has set it.
        event.set().unwrap();
        event.wait().unwrap();
    });
}
