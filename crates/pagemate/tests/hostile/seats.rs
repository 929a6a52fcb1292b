//! Users who may only read an object's file, and hold shared locks on it.

use std::fs::{self, File};
use std::path::Path;
use std::thread;
use std::time::Duration;

use pagemate::sync::SharedMutex;
use pagemate::{Access, ErrorKind, Section, SectionOptions, Sharing};

use super::harness::fork::{
    Forked, Gate, NOBODY, Range, alone_as_root, become_user, fork, hold_on, lock, lock_exclusively,
};
use super::refused;

const NAME: &str = r"Global\x";
const LONG: Duration = Duration::from_secs(30);

/// The offset of the first seat's lock.
const SEATS: i64 = 1 << 62;

/// A time that is longer than a waiter takes to detect a death.
const SOME: Duration = Duration::from_millis(300);

/// Returns the number of seat files.
fn seat_files(place: &Path) -> usize {
    let names = fs::read_dir(place).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_str().unwrap().starts_with(".pagemate:seat-")).count()
}

fn counter(section: &Section) -> SharedMutex<u64> {
    SharedMutex::open_or_init(section, 0, || 0_u64).unwrap()
}

fn readable() -> Section {
    SectionOptions::new()
        .len(4096)
        .sharing(Sharing::Everyone(Access::Read))
        .open_or_create(NAME)
        .unwrap()
}

/// Starts a process of a user who may only read the object. The process takes a shared lock on
/// every seat: at once, or as soon as the owner of the seat is dead.
fn squatter(place: &Path, ready: &Gate) -> Forked {
    fork(|| {
        become_user(NOBODY, NOBODY);
        let path = place.join("pagemate:x");
        assert!(File::options().write(true).open(&path).is_err());
        let open = || File::open(&path).unwrap();
        let file = open();
        let mut at = SEATS;
        while let Some(taken) = lock(&file, libc::F_OFD_GETLK, libc::F_RDLCK, Range::from(at)) {
            let free = Range { at, len: taken.at - at };
            if free.len > 0 {
                assert!(lock(&file, libc::F_OFD_SETLK, libc::F_RDLCK, free).is_some());
            }
            let waits = open();
            thread::spawn(move || {
                lock(&waits, libc::F_OFD_SETLKW, libc::F_RDLCK, taken);
                hold_on();
            });
            at = taken.at + taken.len;
        }
        assert!(lock(&file, libc::F_OFD_SETLK, libc::F_RDLCK, Range::from(at)).is_some());
        ready.open();
        hold_on();
    })
}

#[test]
fn reader_cannot_make_a_dead_owner_look_alive() {
    alone_as_root("seats::reader_cannot_make_a_dead_owner_look_alive", |place| {
        let section = readable();
        let mutex = counter(&section);
        let ready = Gate::new();
        let owner = fork(|| {
            let mutex = counter(&readable());
            std::mem::forget(mutex.lock().unwrap());
            ready.open();
            hold_on();
        });
        ready.wait();
        let squatter = squatter(place, &ready);
        ready.wait();
        owner.kill();
        assert!(mutex.try_lock_for(LONG).unwrap().expect("its owner is dead").was_abandoned());
        squatter.kill();
    });
}

#[test]
fn reader_cannot_keep_writers_from_their_seats() {
    alone_as_root("seats::reader_cannot_keep_writers_from_their_seats", |place| {
        let section = readable();
        let mutex = counter(&section);
        let (ready, go) = (Gate::new(), Gate::new());
        let squatter = squatter(place, &ready);
        ready.wait();
        // From now on each process has to take a seat to acquire the mutex.
        drop(mutex.try_lock_for(LONG).unwrap().expect("it is free"));
        let owner = fork(|| {
            let mutex = counter(&readable());
            std::mem::forget(mutex.try_lock_for(LONG).unwrap().expect("it is free"));
            ready.open();
            go.wait();
            drop(mutex.forgotten().unwrap());
            std::mem::forget(mutex.try_lock_for(LONG).unwrap().expect("it is free"));
            ready.open();
            hold_on();
        });
        ready.wait();
        let busy = || assert!(mutex.try_lock_for(SOME).unwrap().is_none());
        busy();
        fork(busy).join();
        // A process can lock the mutex again with its existing seat file.
        go.open();
        ready.wait();
        busy();
        owner.kill();
        let guard = mutex.try_lock_for(LONG).unwrap().expect("its owner is dead");
        assert!(guard.was_abandoned());
        drop(guard);
        assert!(!mutex.lock().unwrap().was_abandoned());
        // A sweep removes the seat files of dead processes.
        drop(mutex);
        assert!(seat_files(place) > 0);
        pagemate::inventory::prune().unwrap();
        assert_eq!(seat_files(place), 0);
        squatter.kill();
    });
}

#[test]
fn owner_without_privileges_and_root_get_seats_in_spite_of_a_reader() {
    alone_as_root(
        "seats::owner_without_privileges_and_root_get_seats_in_spite_of_a_reader",
        |place| {
            let (ready, go) = (Gate::new(), Gate::new());
            let owner = fork(|| {
                become_user(54321, 54321);
                let section = readable();
                ready.open();
                go.wait();
                let mutex = counter(&section);
                drop(mutex.try_lock_for(LONG).unwrap().expect("it is free"));
                ready.open();
                hold_on();
            });
            ready.wait();
            let squatter = squatter(place, &ready);
            ready.wait();
            go.open();
            ready.wait();
            let mutex = counter(&readable());
            assert!(!mutex.try_lock_for(LONG).unwrap().expect("it is free").was_abandoned());
            // A handle removes its seat file when it is dropped.
            assert_eq!(seat_files(place), 2);
            drop(mutex);
            assert_eq!(seat_files(place), 1);
            owner.kill();
            squatter.kill();
            pagemate::inventory::prune().unwrap();
            assert_eq!(seat_files(place), 0);
        },
    );
}

#[test]
fn stranger_cannot_bring_the_seat_file_of_a_dead_owner_back() {
    alone_as_root("seats::stranger_cannot_bring_the_seat_file_of_a_dead_owner_back", |place| {
        let section = readable();
        let mutex = counter(&section);
        let (ready, dead, forged) = (Gate::new(), Gate::new(), Gate::new());
        let squatter = squatter(place, &ready);
        ready.wait();
        let owner = fork(|| {
            let mutex = counter(&readable());
            std::mem::forget(mutex.try_lock_for(LONG).unwrap().expect("it is free"));
            ready.open();
            hold_on();
        });
        ready.wait();
        let view = section.map().unwrap();
        let seat_file =
            format!(".pagemate:seat-{:08x}", view.read::<u32>(0).unwrap() & 0x3fff_ffff);
        let seat_file = place.join(seat_file);
        let stranger = fork(|| {
            become_user(NOBODY, NOBODY);
            // This process takes a shared lock on the real seat file, and later an exclusive lock
            // on a forged one.
            let file = File::open(&seat_file).unwrap();
            let byte = Range { at: 0, len: 1 };
            assert!(lock(&file, libc::F_OFD_SETLK, libc::F_RDLCK, byte).is_none());
            forged.open();
            dead.wait();
            assert!(lock(&file, libc::F_OFD_SETLK, libc::F_RDLCK, byte).is_some());
            forged.open();
            dead.wait();
            let file = File::create_new(&seat_file).unwrap();
            assert!(lock_exclusively(&file));
            forged.open();
            hold_on();
        });
        forged.wait();
        owner.kill();
        dead.open();
        forged.wait();
        fs::remove_file(&seat_file).unwrap();
        dead.open();
        forged.wait();
        assert!(mutex.try_lock_for(LONG).unwrap().expect("its owner is dead").was_abandoned());
        stranger.kill();
        squatter.kill();
        drop(mutex);
        fs::remove_file(&seat_file).unwrap();
        assert_eq!(seat_files(place), 0);
    });
}

#[test]
fn opener_sleeps_while_a_stranger_holds_the_lock_of_an_object() {
    alone_as_root("seats::opener_sleeps_while_a_stranger_holds_the_lock_of_an_object", |place| {
        let everyone = Sharing::Everyone(Access::ReadWrite);
        fork(|| {
            let made = SectionOptions::new().len(4096).sharing(everyone).create_new(NAME);
            std::mem::forget(made.unwrap());
        })
        .join();
        let taken = Gate::new();
        let stranger = fork(|| {
            become_user(NOBODY, NOBODY);
            let path = place.join("pagemate:x");
            let file = fs::OpenOptions::new().write(true).open(path).unwrap();
            assert!(lock_exclusively(&file));
            taken.open();
            hold_on();
        });
        taken.wait();
        fork(|| {
            refused(Section::open(NAME), ErrorKind::TimedOut, &["another process is busy"]);
            // The call took two seconds. A busy loop would have used two seconds of processor time.
            let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
            assert!(used.tv_sec == 0 && used.tv_nsec < 400_000_000, "{used:?}");
        })
        .join();
        stranger.kill();
        assert_eq!(pagemate::inventory::prune().unwrap().objects, 1);
    });
}
