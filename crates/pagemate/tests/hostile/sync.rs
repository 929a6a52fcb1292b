//! Sync objects with invalid words, objects of another kind, and sync objects without descriptors or
//! rights.

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

/// The timeout of a wait for an object with invalid words. On a busy machine the wait may take
/// longer by a certain time.
const MOMENT: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(20);

/// The offset of the kind in the trailer of an object of one page.
const KIND_AT: u64 = 4096 + 12;

fn file(place: &Path, name: &str) -> File {
    OpenOptions::new().read(true).write(true).open(local(place).join(name)).unwrap()
}

/// Asserts that a call returns in time, with or without an error.
#[track_caller]
fn ends<T>(call: &str, body: impl FnOnce() -> pagemate::Result<T>) {
    let start = Instant::now();
    let result = body();
    assert!(start.elapsed() < MOMENT + LONG, "{call}");
    if let Err(error) = result {
        assert!(error.to_string().len() > 10, "{error}");
    }
}

/// Calls every operation of these objects.
fn use_all(mutex: &Mutex, event: &Event, semaphore: &Semaphore) {
    ends("lock", || mutex.try_lock_for(MOMENT).map(drop));
    ends("try", || mutex.try_lock().map(drop));
    ends("wait", || event.wait_for(MOMENT));
    ends("acquire", || semaphore.try_acquire_for(MOMENT).map(drop));
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
    ends("open", || Event::open("e").and_then(|event| event.wait_for(MOMENT)));
    ends("open", || Semaphore::open("s").and_then(|semaphore| semaphore.try_acquire().map(drop)));
}

#[test]
fn invalid_words_hang_no_call() {
    alone("sync::invalid_words_hang_no_call", |place| {
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
            // Another thread overwrites single words at random moments.
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
        // With valid words the mutex works again.
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
fn a_wrong_kind_in_a_trailer_is_detected() {
    alone("sync::a_wrong_kind_in_a_trailer_is_detected", |place| {
        let _section = create("x").unwrap();
        let write_kind = |kind: u8| file(place, "x").write_all_at(&[kind], KIND_AT).unwrap();
        write_kind(3);
        refused(
            Event::open("x"),
            ErrorKind::Corrupted,
            &["event \"x\"", "reset mode is not one of an event"],
        );
        refused(Mutex::open("x"), ErrorKind::WrongKind, &[]);
        write_kind(4);
        refused(Semaphore::open("x"), ErrorKind::Corrupted, &["maximum is not one of a semaphore"]);
        refused(Section::open("x"), ErrorKind::WrongKind, &[]);
        write_kind(77);
        refused(Mutex::open("x"), ErrorKind::WrongKind, &["kind 77", "newer release"]);
        // Zero bytes are a free mutex.
        write_kind(2);
        drop(Mutex::open("x").unwrap().try_lock().unwrap().unwrap());
        write_kind(1);
    });
}

#[test]
fn no_descriptor_left_for_seats_is_an_error_and_no_mutex() {
    alone("sync::no_descriptor_left_for_seats_is_an_error_and_no_mutex", |place| {
        let before = getrlimit(Resource::Nofile);
        // Find the number of the next descriptor. The directory already has its descriptor.
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
        // The child cannot open its own description during the fork, so it opens the description
        // later.
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
fn a_missing_proc_is_named() {
    alone_as_root("sync::a_missing_proc_is_named", |_| {
        let mutex = MutexOptions::new().create_new("x").unwrap();
        let event = EventOptions::new(Reset::Auto).create_unnamed().unwrap();
        fork(|| {
            mount_tmpfs(Path::new("/proc"), "");
            drop(mutex.lock().unwrap());
            // A named object is opened again by its name, without `/proc`.
            drop(Mutex::open("x").unwrap().lock().unwrap());
            refused(
                MutexOptions::new().create_unnamed(),
                ErrorKind::Unsupported,
                &["create unnamed mutex", "need /proc"],
            );
            // An event has no owners, and therefore no seats.
            event.set().unwrap();
            assert!(event.wait_for(MOMENT).unwrap());
        })
        .join();
        drop(mutex.lock().unwrap());
    });
}

#[test]
fn other_users_have_the_rights_that_were_shared() {
    alone_as_root("sync::other_users_have_the_rights_that_were_shared", |place| {
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
        // Dropping the handle, whose guard was forgotten, has abandoned the mutex.
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
        // A child can use the handles of its parent.
        let unnamed = MutexOptions::new().create_unnamed().unwrap();
        let named = MutexOptions::new().create_new("x").unwrap();
        fork(|| {
            become_user(NOBODY, NOBODY);
            // Any process with a descriptor of a memfd can open it again. The file that replaces
            // the memfd can be opened again only by its owner.
            if cfg!(not(pagemate_force_tempname)) {
                assert!(!unnamed.lock().unwrap().was_abandoned());
            }
            // A process can also use a handle that it opened before it gave up its rights.
            assert!(!named.lock().unwrap().was_abandoned());
            refused(Mutex::open(name), ErrorKind::NotFound, &[]);
        })
        .join();
        // A child of a bare `clone` has to open the file with the rights that it has then.
        fork_unnoticed(|| {
            become_user(NOBODY, NOBODY);
            let facts = ["lock mutex \"x\"", "before giving up the right"];
            refused(named.lock(), ErrorKind::PermissionDenied, &facts);
        })
        .join();
    });
}

// Tests of a mutex that is stored in a section together with its value.

type Numbers = [u32; 4];

fn init<T: pagemate::typed::Plain + Debug>(
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
        let len = SharedMutex::<u64>::LEN;
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
        // None of these calls wrote to the section.
        let mut bytes = [1; 4096];
        section.map().unwrap().read_at(0, &mut bytes).unwrap();
        assert_eq!(bytes, [0; 4096]);

        let numbers = init::<Numbers>(&section, 8, [1, 2, 3, 4]).unwrap();
        refused(init(&section, 8, 0_u64), ErrorKind::WrongKind, &["another type: 16 bytes"]);
        refused(init(&section, 8, [0_i32; 4]), ErrorKind::WrongKind, &[]);
        assert_eq!(numbers.lock().unwrap().get(), [1, 2, 3, 4]);
        // Two mutexes in one section do not affect each other.
        let last = init(&section, 4096 - len, 5_u64).unwrap();
        let _guard = numbers.lock().unwrap();
        assert_eq!(last.try_lock().unwrap().unwrap().get(), 5);
    });
}

#[test]
fn invalid_bytes_of_a_shared_mutex_are_reported() {
    alone("sync::invalid_bytes_of_a_shared_mutex_are_reported", |_| {
        let section = create("x").unwrap();
        let view = section.map().unwrap();
        view.write_at(0, &[0xff; 4096]).unwrap();
        refused(init(&section, 0, 0_u64), ErrorKind::Corrupted, &["neither zero nor a mutex"]);
        refused(
            SharedMutex::<u64>::open(&section, 0),
            ErrorKind::Corrupted,
            &["neither zero nor a mutex"],
        );
        // Invalid words without a header are a mutex whose owner is dead.
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
fn a_value_whose_initialiser_panics_is_initialised_by_the_next_opener() {
    alone("sync::a_value_whose_initialiser_panics_is_initialised_by_the_next_opener", |_| {
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
fn a_death_that_an_opener_detects_is_reported_to_the_first_owner() {
    alone("sync::a_death_that_an_opener_detects_is_reported_to_the_first_owner", |_| {
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
        // This is the state while a process initialises the mutex. That process is killed at the
        // end.
        view.write(MAGIC_AT, &0_u64).unwrap();
        let opener = fork(|| {
            let mutex = init(&section, 0, 8_u64).unwrap();
            let mut guard = mutex.lock().unwrap();
            assert_eq!((guard.get(), guard.was_abandoned()), (7, true));
            guard.set(&9);
        });
        let start = Instant::now();
        while view.read::<u32>(0).unwrap() >> 31 == 0 {
            assert!(start.elapsed() < LONG, "no thread waits for the mutex");
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
        let giant = SectionOptions::new().len(64 << 30).sparse(true).create_unnamed().unwrap();
        assert_eq!(init(&giant, (32 << 30) - 4096, 7_u64).unwrap().lock().unwrap().get(), 7);
        refused(init(&giant, 32 << 30, 0_u64), ErrorKind::OutOfRange, &["too far"]);
    });
}
