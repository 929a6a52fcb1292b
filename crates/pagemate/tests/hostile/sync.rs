//! Sync objects whose words are rubbish, that are something else, or for which there is nothing left.

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::mem::forget;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{panic, thread};

use pagemate::sync::{
    Event, EventOptions, Mutex, MutexOptions, Reset, Semaphore, SemaphoreOptions, SharedMutex,
    wait_all_for, wait_any_for,
};
use pagemate::{Access, ErrorKind, Section, SectionOptions, Sharing, inventory};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::harness::Scratch;
use super::harness::fork::{
    Gate, NOBODY, alone, alone_as_root, become_user, fork, fork_unnoticed, hold_on, mount_tmpfs,
};
use super::{changes_nothing, create, local, refused};

/// How long one waits for what is rubbish, and how much longer it may take on a busy machine.
const MOMENT: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(20);

/// Where an object of one page has its trailer, and in that its kind.
const KIND_AT: u64 = 4096 + 12;

fn file(place: &Path, name: &str) -> File {
    OpenOptions::new().read(true).write(true).open(local(place).join(name)).unwrap()
}

/// Demands an end in time, of whatever kind.
#[track_caller]
fn ends<T>(call: &str, body: impl FnOnce() -> pagemate::Result<T>) {
    let start = Instant::now();
    let result = body();
    assert!(start.elapsed() < MOMENT + LONG, "{call}");
    if let Err(error) = result {
        assert!(error.to_string().len() > 10, "{error}");
    }
}

/// Does everything that can be done to them.
fn use_all(mutex: &Mutex, event: &Event, semaphore: &Semaphore) {
    ends("lock", || mutex.try_lock_for(MOMENT).map(drop));
    ends("try", || mutex.try_lock().map(drop));
    ends("wait", || event.wait_timeout(MOMENT));
    ends("acquire", || semaphore.try_acquire_for(MOMENT));
    let list = [mutex.into(), event.into(), semaphore.into()];
    ends("any", || wait_any_for(&list, MOMENT).map(drop));
    ends("all", || wait_all_for(&list, MOMENT).map(drop));
    ends("set", || event.set());
    ends("pulse", || event.pulse());
    ends("reset", || event.reset());
    ends("release", || semaphore.release(1));
    for name in ["m", "e", "s"] {
        ends("find", || inventory::find(name));
    }
    ends("open", || Mutex::open("m").and_then(|mutex| mutex.try_lock_for(MOMENT).map(drop)));
    ends("open", || Event::open("e").and_then(|event| event.wait_timeout(MOMENT)));
    ends("open", || Semaphore::open("s").and_then(|semaphore| semaphore.try_acquire()));
}

#[test]
fn rubbish_in_the_words_hangs_nobody() {
    alone("sync::rubbish_in_the_words_hangs_nobody", |place| {
        let mutex = MutexOptions::new().create_new("m").unwrap();
        let semaphore = SemaphoreOptions::new(0, 9).create_new("s").unwrap();
        for reset in [Reset::Auto, Reset::Manual] {
            let event = EventOptions::new(reset).create_new("e").unwrap();
            let files = ["m", "e", "s"].map(|name| file(place, name));
            for byte in [0xff, 0, 0x80, 0x7f, 1] {
                for file in &files {
                    file.write_all_at(&[byte; 32], 0).unwrap();
                }
                use_all(&mutex, &event, &semaphore);
            }
            // And again at any moment, each word by itself.
            let over = AtomicBool::new(false);
            thread::scope(|scope| {
                scope.spawn(|| {
                    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
                    while !over.load(Ordering::Relaxed) {
                        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        let bytes = u32::try_from(random >> 32).unwrap();
                        let at = (random >> 8) % 8 * 4;
                        let bytes = bytes >> ((random >> 16) % 32);
                        for file in &files {
                            file.write_all_at(&bytes.to_ne_bytes(), at).unwrap();
                        }
                        thread::yield_now();
                    }
                });
                let users = [(); 2].map(|()| {
                    scope.spawn(|| (0..15).for_each(|_| use_all(&mutex, &event, &semaphore)))
                });
                let ended = users.map(|user| user.join().is_ok());
                over.store(true, Ordering::Relaxed);
                assert_eq!(ended, [true; 2]);
            });
        }
        // What is whole again works again.
        file(place, "m").write_all_at(&[0; 32], 0).unwrap();
        assert!(!mutex.try_lock_for(LONG).unwrap().unwrap().was_abandoned());
    });
}

#[test]
fn an_owner_whose_mutex_was_overwritten_frees_nothing_of_others() {
    alone("sync::an_owner_whose_mutex_was_overwritten_frees_nothing_of_others", |place| {
        let mutex = MutexOptions::new().create_new("m").unwrap();
        let other = Mutex::open("m").unwrap();
        let guard = mutex.lock().unwrap();
        file(place, "m").write_all_at(&[0; 4], 0).unwrap();
        let theirs = other.try_lock().unwrap().unwrap();
        drop(guard);
        fork(|| assert!(Mutex::open("m").unwrap().try_lock().unwrap().is_none())).join();
        drop(theirs);
        assert!(!mutex.try_lock().unwrap().unwrap().was_abandoned());
    });
}

#[test]
fn a_trailer_that_lies_about_its_kind_is_found_out() {
    alone("sync::a_trailer_that_lies_about_its_kind_is_found_out", |place| {
        let _section = create("x").unwrap();
        let lie = |kind: u8| file(place, "x").write_all_at(&[kind], KIND_AT).unwrap();
        lie(3);
        refused(
            Event::open("x"),
            ErrorKind::Corrupted,
            &["event \"x\"", "reset mode is not one of an event"],
        );
        refused(Mutex::open("x"), ErrorKind::WrongKind, &[]);
        lie(4);
        refused(Semaphore::open("x"), ErrorKind::Corrupted, &["maximum is not one of a semaphore"]);
        refused(Section::open("x"), ErrorKind::WrongKind, &[]);
        lie(77);
        refused(Mutex::open("x"), ErrorKind::Corrupted, &[]);
        // Zeros are a mutex that nobody has.
        lie(2);
        drop(Mutex::open("x").unwrap().try_lock().unwrap().unwrap());
        lie(1);
    });
}

#[test]
fn no_descriptor_left_for_seats_is_an_error_and_no_mutex() {
    alone("sync::no_descriptor_left_for_seats_is_an_error_and_no_mutex", |place| {
        let before = getrlimit(Resource::Nofile);
        // The next that would be opened. The directory has one already.
        drop(MutexOptions::new().create_new("x").unwrap());
        let used: u64 = File::open("/dev/null").unwrap().as_raw_fd().try_into().unwrap();
        let mut locked = MutexOptions::new();
        locked.locked(true);
        for more in 0..2 {
            let few = Rlimit { current: Some(used + more), ..before };
            setrlimit(Resource::Nofile, few).unwrap();
            refused(MutexOptions::new().create_new("y"), ErrorKind::Os, &["create mutex \"y\""]);
            refused(locked.create_new("y"), ErrorKind::Os, &["create mutex \"y\""]);
            refused(MutexOptions::new().create_unnamed(), ErrorKind::Os, &["Too many open files"]);
            refused(locked.create_unnamed(), ErrorKind::Os, &["Too many open files"]);
        }
        setrlimit(Resource::Nofile, before).unwrap();
        changes_nothing(place, || {
            refused(Mutex::open("y"), ErrorKind::NotFound, &[]);
        });
        // A child that has no room for a description of its own finds one later.
        let mutex = MutexOptions::new().create_new("x").unwrap();
        let used = File::open("/dev/null").unwrap().as_raw_fd().try_into().unwrap();
        setrlimit(Resource::Nofile, Rlimit { current: Some(used), ..before }).unwrap();
        fork(|| {
            drop(mutex.lock().unwrap());
            setrlimit(Resource::Nofile, before).unwrap();
            drop(mutex.lock().unwrap());
        })
        .join();
        setrlimit(Resource::Nofile, before).unwrap();
        drop(mutex.lock().unwrap());
    });
}

#[test]
fn no_proc_is_told_by_its_name() {
    alone_as_root("sync::no_proc_is_told_by_its_name", |_| {
        let mutex = MutexOptions::new().create_new("x").unwrap();
        let event = EventOptions::new(Reset::Auto).create_unnamed().unwrap();
        fork(|| {
            mount_tmpfs(Path::new("/proc"), "");
            drop(mutex.lock().unwrap());
            // What has a name is reached by that.
            drop(Mutex::open("x").unwrap().lock().unwrap());
            refused(
                MutexOptions::new().create_unnamed(),
                ErrorKind::Unsupported,
                &["create unnamed mutex", "need /proc"],
            );
            // What has no owners does without.
            event.set().unwrap();
            assert!(event.wait_timeout(MOMENT).unwrap());
        })
        .join();
        drop(mutex.lock().unwrap());
    });
}

#[test]
fn other_users_get_what_they_were_given() {
    alone_as_root("sync::other_users_get_what_they_were_given", |place| {
        let name = r"Global\x";
        let mutex = MutexOptions::new().create_new(name).unwrap();
        fork(|| {
            become_user(NOBODY, NOBODY);
            refused(Mutex::open(name), ErrorKind::PermissionDenied, &[]);
        })
        .join();
        drop(mutex);
        let everyone = Sharing::Everyone(Access::ReadWrite);
        let mutex = MutexOptions::new().sharing(everyone).create_new(name).unwrap();
        let ready = Gate::new();
        let other = fork(|| {
            become_user(NOBODY, NOBODY);
            forget(Mutex::open(name).unwrap().lock().unwrap());
            forget(Mutex::open(name).unwrap());
            ready.open();
            hold_on();
        });
        ready.wait();
        // The handle of the forgotten guard is gone, and so it was abandoned.
        assert!(mutex.try_lock().unwrap().unwrap().was_abandoned());
        other.kill();
        let ready = Gate::new();
        let other = fork(|| {
            become_user(NOBODY, NOBODY);
            let mutex = Mutex::open(name).unwrap();
            forget(mutex.lock().unwrap());
            ready.open();
            hold_on();
        });
        ready.wait();
        assert!(mutex.try_lock_for(10 * MOMENT).unwrap().is_none());
        other.kill();
        assert!(mutex.try_lock_for(LONG).unwrap().unwrap().was_abandoned());
        drop(mutex);
        assert!(!place.join("pagemate:x").exists());
        // A child keeps what its parent had.
        let unnamed = MutexOptions::new().create_unnamed().unwrap();
        let named = MutexOptions::new().create_new("x").unwrap();
        fork(|| {
            become_user(NOBODY, NOBODY);
            // A memfd lets in whoever has it; a file that stands in for one lets in its owner.
            if cfg!(not(pagemate_force_tempname)) {
                assert!(!unnamed.lock().unwrap().was_abandoned());
            }
            // What was open before the rights were given up may be used as well.
            assert!(!named.lock().unwrap().was_abandoned());
            refused(Mutex::open(name), ErrorKind::NotFound, &[]);
        })
        .join();
        // A child whose birth no handler saw has to open it by its own rights.
        fork_unnoticed(|| {
            become_user(NOBODY, NOBODY);
            let facts = ["lock mutex \"x\"", "before giving up the right"];
            refused(named.lock(), ErrorKind::PermissionDenied, &facts);
        })
        .join();
    });
}

// ---- a mutex beside its value ----

type Numbers = [u32; 4];

fn init<T: pagemate::sync::Shareable + Debug>(
    section: &Section,
    offset: u64,
    value: T,
) -> pagemate::Result<SharedMutex<T>> {
    SharedMutex::open_or_init(section, offset, || value)
}

#[test]
fn a_shared_mutex_is_refused_where_it_cannot_be() {
    alone("sync::a_shared_mutex_is_refused_where_it_cannot_be", |_| {
        let section = create("x").unwrap();
        let facts = ["open or create mutex in section \"x\""];
        for odd in [1, 4, 7, 4095, u64::MAX] {
            refused(init(&section, odd, 0_u64), ErrorKind::InvalidInput, &facts);
        }
        let len = SharedMutex::<u64>::LEN as u64;
        for far in [4096 - len + 8, 4096, 1 << 40, u64::MAX - 7] {
            refused(init(&section, far, 0_u64), ErrorKind::OutOfRange, &["section \"x\""]);
            refused(SharedMutex::<u64>::open(&section, far), ErrorKind::OutOfRange, &[]);
        }
        refused(
            SharedMutex::<u64>::open(&section, 0),
            ErrorKind::NotFound,
            &["has not been initialised"],
        );
        let reader = SectionOptions::new().access(Access::Read).open("x").unwrap();
        refused(init(&reader, 0, 0_u64), ErrorKind::PermissionDenied, &["section \"x\""]);
        // None of this left anything there.
        let mut bytes = [1; 4096];
        section.map().unwrap().read_at(0, &mut bytes).unwrap();
        assert_eq!(bytes, [0; 4096]);

        let numbers = init::<Numbers>(&section, 8, [1, 2, 3, 4]).unwrap();
        refused(init(&section, 8, 0_u64), ErrorKind::WrongKind, &["another type: 16 bytes"]);
        refused(init(&section, 8, [0_i32; 4]), ErrorKind::WrongKind, &[]);
        assert_eq!(numbers.lock().unwrap().get(), [1, 2, 3, 4]);
        // Two in one section have nothing to do with each other.
        let last = init(&section, 4096 - len, 5_u64).unwrap();
        let _guard = numbers.lock().unwrap();
        assert_eq!(last.try_lock().unwrap().unwrap().get(), 5);
    });
}

#[test]
fn rubbish_where_a_shared_mutex_should_be_is_told() {
    alone("sync::rubbish_where_a_shared_mutex_should_be_is_told", |_| {
        let section = create("x").unwrap();
        let view = section.map().unwrap();
        view.write_at(0, &[0xff; 4096]).unwrap();
        refused(init(&section, 0, 0_u64), ErrorKind::Corrupted, &["not a SharedMutex"]);
        refused(
            SharedMutex::<u64>::open(&section, 0),
            ErrorKind::Corrupted,
            &["not a SharedMutex"],
        );
        // Rubbish in the words alone is the lock of somebody who is not there.
        view.write_at(0, &[0; 4096]).unwrap();
        view.write(0, &0x0012_3456_u32).unwrap();
        let mutex = init(&section, 0, 7_u64).unwrap();
        assert_eq!(mutex.lock().unwrap().get(), 7);
        for rubbish in [u32::MAX, 1 << 30, 1 << 31, 0x3fff_ffff] {
            view.write(0, &rubbish).unwrap();
            ends("lock", || mutex.try_lock_for(MOMENT).map(drop));
        }
    });
}

#[test]
fn a_value_whose_making_panics_is_made_by_the_next() {
    alone("sync::a_value_whose_making_panics_is_made_by_the_next", |_| {
        let section = create("x").unwrap();
        let panics =
            || SharedMutex::<u64>::open_or_init(&section, 0, || panic::resume_unwind(Box::new(())));
        assert!(panic::catch_unwind(panic::AssertUnwindSafe(panics)).is_err());
        refused(SharedMutex::<u64>::open(&section, 0), ErrorKind::NotFound, &[]);
        let mutex = init(&section, 0, 7_u64).unwrap();
        let guard = mutex.lock().unwrap();
        assert_eq!((guard.get(), guard.was_abandoned()), (7, false));
    });
}

#[test]
fn a_death_that_was_met_on_opening_is_told_to_the_first_who_locks() {
    alone("sync::a_death_that_was_met_on_opening_is_told_to_the_first_who_locks", |_| {
        const MAGIC_AT: usize = 32;
        let section = create("x").unwrap();
        let view = section.map().unwrap();
        let mutex = init(&section, 0, 7_u64).unwrap();
        let magic: u64 = view.read(MAGIC_AT).unwrap();
        let ready = Gate::new();
        let maker = fork(|| {
            forget(mutex.lock().unwrap());
            ready.open();
            hold_on();
        });
        ready.wait();
        // As if it were still being made, by one who is killed when that is done.
        view.write(MAGIC_AT, &0_u64).unwrap();
        let opener = fork(|| {
            let mutex = init(&section, 0, 8_u64).unwrap();
            let mut guard = mutex.lock().unwrap();
            assert_eq!((guard.get(), guard.was_abandoned()), (7, true));
            guard.set(&9);
        });
        let start = Instant::now();
        while view.read::<u32>(0).unwrap() >> 31 == 0 {
            assert!(start.elapsed() < LONG, "nobody waits for the mutex");
            thread::yield_now();
        }
        view.write(MAGIC_AT, &magic).unwrap();
        maker.kill();
        opener.join();
        let guard = mutex.lock().unwrap();
        assert_eq!((guard.get(), guard.was_abandoned()), (9, false));
    });
}

#[test]
fn a_shared_mutex_over_a_file_needs_a_name() {
    alone("sync::a_shared_mutex_over_a_file_needs_a_name", |_| {
        let data = Scratch::new(&[0; 4096]);
        let file = data.open(true);
        let named = SectionOptions::new().file(&file).len(4096).create_new("x").unwrap();
        let mutex = init(&named, 64, 7_u64).unwrap();
        let theirs = fork(|| {
            let section = Section::open("x").unwrap();
            let mutex = SharedMutex::<u64>::open(&section, 64).unwrap();
            forget(mutex.lock().unwrap());
            forget(mutex);
        });
        theirs.join();
        assert!(mutex.try_lock_for(LONG).unwrap().unwrap().was_abandoned());
        let nameless = SectionOptions::new().file(&file).len(4096).create_unnamed().unwrap();
        refused(init(&nameless, 0, 0_u64), ErrorKind::Unsupported, &["needs a name"]);
        let found = SharedMutex::<u64>::open(&nameless, 64);
        refused(found, ErrorKind::Unsupported, &["needs a name"]);
    });
}

#[test]
fn a_shared_mutex_too_far_out_in_a_giant_is_refused() {
    alone("sync::a_shared_mutex_too_far_out_in_a_giant_is_refused", |_| {
        let giant = SectionOptions::new().len(64 << 30).reserve().create_unnamed().unwrap();
        assert_eq!(init(&giant, (32 << 30) - 4096, 7_u64).unwrap().lock().unwrap().get(), 7);
        refused(init(&giant, 32 << 30, 0_u64), ErrorKind::OutOfRange, &["too far"]);
    });
}
