//! Tests of seats: the locks that show other processes that an owner is alive.
#![cfg(target_os = "linux")]

mod harness;

use std::mem::forget;
use std::os::fd::AsFd as _;
use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use harness::fork::{
    Gate, NOBODY, adopt, adopted, alone, alone_as_root, become_user, fork, fork_unnoticed,
    fork_without_handlers, hold_on, jail,
};
use pagemate::sync::{Mutex, MutexOptions, SharedMutex};
use pagemate::{ErrorKind, SectionOptions};

/// A timeout that is longer than any call that does not hang.
const LONG: Duration = Duration::from_secs(30);

/// Returns the number of locks that this process has on the file of `fd`, by any descriptor.
fn locks_on(fd: std::os::fd::BorrowedFd<'_>) -> usize {
    let stat = rustix::fs::fstat(fd).unwrap();
    let file = format!(":{} ", stat.st_ino);
    let infos = fs::read_dir("/proc/self/fdinfo").unwrap();
    infos
        .filter_map(|info| fs::read_to_string(info.unwrap().path()).ok())
        .map(|info| {
            info.lines().filter(|line| line.starts_with("lock:") && line.contains(&file)).count()
        })
        .sum()
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// The mutexes that the workers of a server share.
struct Shared {
    named: Mutex,
    unnamed: Mutex,
    begun: Mutex,
    counter: SharedMutex<u64>,
}

impl Shared {
    fn new() -> Shared {
        let section = SectionOptions::new().len(4096).create_new("s").unwrap();
        let begun = MutexOptions::new().create_new("y").unwrap();
        drop(begun.lock().unwrap());
        Shared {
            named: MutexOptions::new().create_new("x").unwrap(),
            unnamed: MutexOptions::new().create_unnamed().unwrap(),
            begun,
            counter: SharedMutex::open_or_init(&section, 8, || 0_u64).unwrap(),
        }
    }

    /// Acquires all mutexes, and returns for each whether it was abandoned.
    #[track_caller]
    fn take(&self) -> Vec<bool> {
        let told = |mutex: &Mutex| {
            let guard = mutex.try_lock_for(LONG).unwrap().expect("it is free in time");
            let told = guard.was_abandoned();
            forget(guard);
            told
        };
        let mut all: Vec<bool> = [&self.named, &self.unnamed, &self.begun].map(told).into();
        let mut guard = self.counter.try_lock_for(LONG).unwrap().expect("it is free in time");
        guard.update(|count| *count += 1);
        all.push(guard.was_abandoned());
        forget(guard);
        all
    }

    /// Releases all mutexes. This thread owns them.
    fn free(&self) {
        for mutex in [&self.named, &self.unnamed, &self.begun] {
            mutex.unlock_forgotten().unwrap();
        }
        drop(self.counter.forgotten().unwrap());
    }
}

/// Starts a worker that calls `prepare`, uses all mutexes and dies while it owns them. Asserts that
/// its parent detects the death.
#[track_caller]
fn worker_locks_and_its_death_is_noticed(shared: &Shared, prepare: impl FnOnce()) {
    let ready = Gate::new();
    let worker = fork(|| {
        prepare();
        assert_eq!(shared.take(), [false; 4]);
        shared.free();
        assert_eq!(shared.take(), [false; 4]);
        ready.open();
        hold_on();
    });
    ready.wait();
    assert!(shared.named.try_lock().unwrap().is_none());
    worker.kill();
    assert_eq!(shared.take(), [true; 4]);
    shared.free();
}

#[test]
fn workers_that_gave_up_their_rights_lock_what_their_master_made() {
    alone_as_root("workers_that_gave_up_their_rights_lock_what_their_master_made", |_| {
        let shared = Shared::new();
        worker_locks_and_its_death_is_noticed(&shared, || become_user(NOBODY, NOBODY));
        let jailed = || {
            jail(Path::new("/dev"));
            become_user(NOBODY, NOBODY);
        };
        worker_locks_and_its_death_is_noticed(&shared, jailed);
        // A worker detects the death of another worker, and of the server that started it.
        let ready = Gate::new();
        let owner = fork(|| {
            become_user(NOBODY, NOBODY);
            shared.take();
            ready.open();
            hold_on();
        });
        ready.wait();
        let heir = fork(|| {
            jailed();
            assert_eq!(shared.take(), [true; 4]);
        });
        owner.kill();
        heir.join();
        assert_eq!(shared.take(), [true; 4]);
        shared.free();
    });
}

#[test]
fn jailed_master_and_its_workers_need_no_proc_for_named_objects() {
    alone_as_root("jailed_master_and_its_workers_need_no_proc_for_named_objects", |_| {
        let shared = Shared::new();
        fork(|| {
            jail(Path::new("/dev"));
            let ready = Gate::new();
            let worker = fork(|| {
                become_user(NOBODY, NOBODY);
                forget((shared.named.lock().unwrap(), shared.counter.lock().unwrap()));
                let error = shared.unnamed.lock().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Unsupported);
                assert!(error.to_string().contains("need /proc"), "{error}");
                ready.open();
                hold_on();
            });
            ready.wait();
            worker.kill();
            let guard = shared.named.try_lock_for(LONG).unwrap().expect("its owner is dead");
            assert!(guard.was_abandoned());
        })
        .join();
    });
}

#[test]
fn child_without_fork_handlers_leaves_its_parents_seats_with_its_first_call() {
    alone("child_without_fork_handlers_leaves_its_parents_seats_with_its_first_call", |_| {
        adopt();
        let ids = SectionOptions::new().len(4096).create_unnamed().unwrap().map().unwrap();
        for is_bare in [true, false] {
            let shared = Shared::new();
            let (ready, go) = (Gate::new(), Gate::new());
            let parent = fork(|| {
                shared.take();
                let body = || {
                    // The child owns none of them, although the memory that it inherited says that
                    // it does.
                    assert!(!shared.named.is_mine());
                    assert!(shared.named.unlock_forgotten().is_err());
                    ready.open();
                    go.wait();
                    assert_eq!(shared.take(), [false; 4]);
                    shared.free();
                    hold_on();
                };
                let child =
                    if is_bare { fork_unnoticed(body) } else { fork_without_handlers(body) };
                ids.write(0, &child.id()).unwrap();
                ready.open();
                hold_on();
            });
            ready.wait();
            ready.wait();
            let child = adopted(ids.read(0).unwrap());
            assert!(shared.named.try_lock().unwrap().is_none());
            parent.kill();
            assert_eq!(shared.take(), [true; 4]);
            shared.free();
            go.open();
            assert_eq!(shared.take(), [false; 4]);
            child.kill();
            shared.free();
        }
    });
}

#[test]
fn fork_during_the_first_call_of_another_thread() {
    alone("fork_during_the_first_call_of_another_thread", |_| {
        for _ in 0..200 {
            fork(|| {
                // The parent never calls pagemate, so the call of each child is the first one in
                // its process.
                let start = std::sync::Barrier::new(2);
                thread::scope(|scope| {
                    scope.spawn(|| {
                        start.wait();
                        drop(MutexOptions::new().create_unnamed().unwrap());
                    });
                    start.wait();
                    for round in 0..5 {
                        fork(|| drop(MutexOptions::new().create_unnamed().unwrap().lock())).join();
                        (0..round * 50).for_each(|_| std::hint::spin_loop());
                    }
                });
            })
            .join();
        }
    });
}

#[test]
fn handles_of_a_process_share_the_descriptor_of_their_seats() {
    alone("handles_of_a_process_share_the_descriptor_of_their_seats", |_| {
        let first = MutexOptions::new().create_new("x").unwrap();
        drop(first.lock().unwrap());
        let before = descriptors();
        let handles: Vec<Mutex> = (0..50).map(|_| Mutex::open("x").unwrap()).collect();
        for handle in &handles {
            drop(handle.lock().unwrap());
        }
        assert_eq!(descriptors(), before + 50);
        drop(first);
        // The seats of the other handles are unaffected.
        forget(handles[7].lock().unwrap());
        fork(|| assert!(Mutex::open("x").unwrap().try_lock().unwrap().is_none())).join();
        handles[7].unlock_forgotten().unwrap();
        drop(handles);
        assert_eq!(descriptors(), before - 2);
    });
}

#[test]
fn two_handles_of_a_process_never_share_a_seat() {
    alone("two_handles_of_a_process_never_share_a_seat", |_| {
        let section = SectionOptions::new().len(4096).create_new("x").unwrap();
        let one = SharedMutex::open_or_init(&section, 0, || 0_u64).unwrap();
        let guard = one.lock().unwrap();
        // Reset the counter from which seat numbers are taken.
        let view = section.map().unwrap();
        view.write(4, &0_u32).unwrap();
        let other = SharedMutex::<u64>::open(&section, 0).unwrap();
        assert!(other.try_lock_for(Duration::from_millis(100)).unwrap().is_none());
        drop(guard);
        let _guard = other.lock().unwrap();
        // This releases the seat of `one` and no other seat.
        drop(one);
        fork(|| {
            let third = SharedMutex::<u64>::open(&section, 0).unwrap();
            assert!(third.try_lock_for(Duration::from_millis(300)).unwrap().is_none());
        })
        .join();
    });
}

#[test]
fn shared_mutex_leaves_its_seat_when_it_is_dropped() {
    alone("shared_mutex_leaves_its_seat_when_it_is_dropped", |_| {
        let section = SectionOptions::new().len(4096).create_new("x").unwrap();
        for offset in (0..1000).step_by(200) {
            let mutex = SharedMutex::open_or_init(&section, offset, || 1_u64).unwrap();
            drop(mutex.lock().unwrap());
        }
        assert_eq!(locks_on(section.as_fd()), 1, "the lock of the section itself");
        let before = descriptors();
        for _ in 0..100 {
            let mutex = SharedMutex::<u64>::open(&section, 200).unwrap();
            drop(mutex.lock().unwrap());
        }
        assert_eq!((locks_on(section.as_fd()), descriptors()), (1, before));
        // Dropping the mutex abandons it first, because its guard was forgotten.
        let mutex = SharedMutex::<u64>::open(&section, 200).unwrap();
        std::mem::forget(mutex.lock().unwrap());
        drop(mutex);
        assert_eq!(locks_on(section.as_fd()), 1);
        let mutex = SharedMutex::<u64>::open(&section, 200).unwrap();
        assert!(mutex.try_lock().unwrap().expect("it was abandoned").was_abandoned());
    });
}
