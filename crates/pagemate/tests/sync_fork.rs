//! Sync objects in forked children, in programs that inherit their descriptors, and in processes
//! that use a mutex directly after the death of its owner.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "signal(2)")]

mod harness;

use std::mem::forget;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};
use std::{env, thread};

use harness::fork::{Gate, adopt, adopted, alone, fork, hold_on};
use pagemate::sync::{
    Event, EventOptions, Mutex, MutexOptions, Reset, Semaphore, SemaphoreOptions, SharedMutex,
};
use pagemate::{ErrorKind, Section, SectionOptions, View};

/// A timeout that is longer than any call that does not hang.
const LONG: Duration = Duration::from_secs(30);
/// A time that is several times as long as the detection of a death takes.
const SOME: Duration = Duration::from_millis(300);

/// Acquires and releases the mutex, and returns whether it was abandoned.
#[track_caller]
fn told(mutex: &Mutex) -> bool {
    mutex.try_lock_for(LONG).unwrap().expect("it is free in time").was_abandoned()
}

#[track_caller]
fn assert_busy(mutex: &Mutex) {
    assert!(mutex.try_lock_for(SOME).unwrap().is_none());
}

/// Maps memory that forked children share.
fn memory() -> View {
    SectionOptions::new().len(4096).create_unnamed().unwrap().map().unwrap()
}

#[test]
fn child_owns_none_of_the_mutexes_of_its_parent() {
    alone("child_owns_none_of_the_mutexes_of_its_parent", |_| {
        for mutex in [
            MutexOptions::new().create_new("x").unwrap(),
            MutexOptions::new().create_unnamed().unwrap(),
            MutexOptions::new().locked(true).create_new("y").unwrap(),
        ] {
            if mutex.is_mine() {
                mutex.unlock_forgotten().unwrap();
            }
            let mut guard = Some(mutex.lock().unwrap());
            fork(|| {
                assert!(!mutex.is_mine());
                assert_eq!(mutex.unlock_forgotten().unwrap_err().kind(), ErrorKind::NotOwner);
                assert_busy(&mutex);
                // The parent owns the mutex, so this releases nothing.
                drop(guard.take());
                assert_busy(&mutex);
            })
            .join();
            assert!(mutex.is_mine());
            fork(|| assert_busy(&mutex)).join();
            drop(guard);
            assert!(!told(&mutex));
        }
    });
}

#[test]
fn child_is_a_user_of_its_own() {
    alone("child_is_a_user_of_its_own", |_| {
        let mutex = MutexOptions::new().create_new("x").unwrap();
        drop(mutex.lock().unwrap());
        let (ready, go) = (Gate::new(), Gate::new());
        let child = || {
            fork(|| {
                let guard = mutex.try_lock_for(LONG).unwrap().unwrap();
                ready.open();
                go.wait();
                drop(guard);
                ready.open();
                hold_on();
            })
        };
        let first = child();
        ready.wait();
        assert_busy(&mutex);
        go.open();
        ready.wait();
        assert!(!told(&mutex));
        let second = child();
        ready.wait();
        first.kill();
        assert_busy(&mutex);
        second.kill();
        assert!(told(&mutex));
        assert!(!told(&mutex));
    });
}

#[test]
fn death_of_a_parent_that_owns_a_mutex_is_detected_although_its_child_lives() {
    alone("death_of_a_parent_that_owns_a_mutex_is_detected_although_its_child_lives", |_| {
        adopt();
        let ids = memory();
        let (ready, go) = (Gate::new(), Gate::new());
        let mutex = MutexOptions::new().create_new("x").unwrap();
        let section = SectionOptions::new().len(4096).create_new("s").unwrap();
        let counter = SharedMutex::open_or_init(&section, 8, || 1_u64).unwrap();
        let parent = fork(|| {
            let mut guard = Some((mutex.lock().unwrap(), counter.lock().unwrap()));
            let child = fork(|| {
                ready.open();
                go.wait();
                drop(guard.take());
                hold_on();
            });
            ids.write(0, &child.id()).unwrap();
            ready.open();
            hold_on();
        });
        ready.wait();
        ready.wait();
        let child = adopted(ids.read(0).unwrap());
        assert_busy(&mutex);
        parent.kill();
        let guard = mutex.try_lock_for(LONG).unwrap().unwrap();
        assert!(guard.was_abandoned());
        let mut count = counter.try_lock_for(LONG).unwrap().unwrap();
        assert!(count.was_abandoned());
        // The child drops the guards of its dead parent. That releases nothing.
        go.open();
        fork(|| assert_busy(&mutex)).join();
        count.set(&2);
        drop((guard, count));
        child.kill();
        assert!(!told(&mutex));
        assert_eq!(counter.lock().unwrap().get(), 2);
    });
}

#[test]
fn child_that_drops_every_handle_leaves_its_parents_lock_and_name() {
    alone("child_that_drops_every_handle_leaves_its_parents_lock_and_name", |_| {
        let mutex = MutexOptions::new().create_new("x").unwrap();
        forget(mutex.lock().unwrap());
        let mut handle = Some(mutex);
        fork(|| {
            let other = Mutex::open("x").unwrap();
            drop(handle.take());
            assert_busy(&other);
        })
        .join();
        fork(|| assert_busy(&Mutex::open("x").unwrap())).join();
        handle.unwrap().unlock_forgotten().unwrap();
        assert!(!told(
            &Mutex::open("x").unwrap_or_else(|_| { MutexOptions::new().create_new("x").unwrap() })
        ));
    });
}

#[test]
fn fork_while_other_threads_lock_and_take_seats() {
    alone("fork_while_other_threads_lock_and_take_seats", |_| {
        let _held = MutexOptions::new().create_new("x").unwrap();
        let start = Barrier::new(3);
        let over = std::sync::atomic::AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    start.wait();
                    while !over.load(std::sync::atomic::Ordering::Relaxed) {
                        // This handle has a seat of its own.
                        assert!(!told(&Mutex::open("x").unwrap()));
                    }
                });
            }
            start.wait();
            for _ in 0..50 {
                fork(|| assert!(!told(&Mutex::open("x").unwrap()))).join();
            }
            over.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    });
}

#[test]
fn child_of_a_thread_ends_with_no_lock_of_the_thread() {
    alone("child_of_a_thread_ends_with_no_lock_of_the_thread", |_| {
        // The mutex is not on this thread's stack, because threads of the child may reuse that
        // stack.
        let mutex = Arc::new(MutexOptions::new().create_new("x").unwrap());
        let same = Arc::clone(&mutex);
        let forks = move || {
            let guard = same.lock().unwrap();
            // A thread of the child that ends must not abandon the parent's mutex either.
            fork(|| {
                let same = Arc::clone(&same);
                thread::spawn(move || assert_busy(&same)).join().unwrap();
            })
            .join();
            assert!(same.is_mine());
            drop(guard);
        };
        thread::spawn(forks).join().unwrap();
        assert!(!told(&mutex));
    });
}

#[test]
fn the_next_process_does_not_take_the_seat_of_a_dead_one() {
    alone("the_next_process_does_not_take_the_seat_of_a_dead_one", |_| {
        let _held = MutexOptions::new().create_new("x").unwrap();
        for round in 0..50 {
            let ready = Gate::new();
            let owner = fork(|| {
                let mutex = Mutex::open("x").unwrap();
                let guard = mutex.try_lock().unwrap().expect("it is free");
                assert_eq!(guard.was_abandoned(), round > 0);
                ready.open();
                hold_on();
            });
            ready.wait();
            owner.kill();
        }
        assert!(told(&Mutex::open("x").unwrap()));
    });
}

#[test]
fn a_process_that_calls_exec_abandons_its_mutexes() {
    alone("a_process_that_calls_exec_abandons_its_mutexes", |_| {
        let mutex = MutexOptions::new().create_new("x").unwrap();
        let ready = Gate::new();
        let child = fork(|| {
            forget(mutex.lock().unwrap());
            ready.open();
            panic!("{}", Command::new("sleep").arg("60").stdout(Stdio::null()).exec());
        });
        ready.wait();
        assert!(told(&mutex));
        child.kill();
        // A program that the owner starts inherits no seat.
        let mut sleeper = Command::new("sleep").arg("60").spawn().unwrap();
        let ready = Gate::new();
        let child = fork(|| {
            forget(mutex.lock().unwrap());
            ready.open();
            hold_on();
        });
        ready.wait();
        child.kill();
        assert!(told(&mutex));
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
    });
}

#[test]
fn every_kind_of_end_abandons() {
    alone("every_kind_of_end_abandons", |_| {
        let mutex = MutexOptions::new().create_new("x").unwrap();
        let section = SectionOptions::new().len(4096).create_new("s").unwrap();
        let counter = SharedMutex::open_or_init(&section, 0, || 1_u64).unwrap();
        let ends: [(&str, fn()); 4] = [
            ("it exits", || {}),
            ("its thread ends", || hold_on()),
            ("it aborts", || std::process::abort()),
            ("it is killed", || hold_on()),
        ];
        for (way, end) in ends {
            let ready = Gate::new();
            let locks = || {
                forget((mutex.lock().unwrap(), counter.lock().unwrap()));
                ready.open();
            };
            let child = fork(|| {
                if way == "its thread ends" {
                    thread::scope(|scope| scope.spawn(locks).join().unwrap());
                } else {
                    locks();
                }
                end();
            });
            ready.wait();
            if way == "it is killed" {
                child.kill();
                assert!(told(&mutex), "{way}");
            } else {
                assert!(told(&mutex), "{way}");
                drop(child);
            }
            assert!(counter.try_lock_for(LONG).unwrap().unwrap().was_abandoned(), "{way}");
            assert!(!counter.lock().unwrap().was_abandoned(), "{way}");
        }
    });
}

extern "C" fn ignore(_: libc::c_int) {}

#[test]
fn a_waiter_that_signals_interrupt_all_the_time_detects_a_death() {
    alone("a_waiter_that_signals_interrupt_all_the_time_detects_a_death", |_| {
        let mutex = MutexOptions::new().create_new("x").unwrap();
        let ready = Gate::new();
        let owner = fork(|| {
            forget(mutex.lock().unwrap());
            ready.open();
            hold_on();
        });
        ready.wait();
        let handler: extern "C" fn(libc::c_int) = ignore;
        // SAFETY: the handler takes a number and does nothing.
        unsafe { libc::signal(libc::SIGUSR1, handler as libc::sighandler_t) };
        let parent = rustix::process::getpid();
        let signaller = fork(|| {
            while rustix::process::kill_process(parent, rustix::process::Signal::USR1).is_ok() {
                thread::sleep(Duration::from_millis(5));
            }
        });
        owner.kill();
        let start = Instant::now();
        assert!(told(&mutex));
        // The last attempt before the deadline always tests the owner, so this must be an earlier
        // attempt.
        assert!(start.elapsed() < LONG / 2);
        signaller.kill();
    });
}

// Tests of sync objects that a child receives as a descriptor.

/// The variable that makes this process use the object that is its standard input.
const HEIR: &str = "PAGEMATE_TEST_HEIR";

#[test]
fn heir() {
    let Ok(does) = env::var(HEIR) else { return };
    let fd: OwnedFd = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    match does.as_str() {
        "lock" => {
            let mutex = Mutex::try_from(fd).unwrap();
            assert!(mutex.name().is_none() && !mutex.was_created());
            forget(mutex.try_lock_for(LONG).unwrap().unwrap());
            std::process::abort();
        }
        "set" => {
            let event = Event::try_from(fd).unwrap();
            event.set().unwrap();
            event.wait().unwrap();
            event.set().unwrap();
        }
        "release" => assert_eq!(Semaphore::try_from(fd).unwrap().release(2).unwrap(), 1),
        _ => panic!("{does}"),
    }
}

fn start_heir(does: &str, fd: OwnedFd) -> std::process::Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["heir", "--exact", "--test-threads=1"]).env(HEIR, does).stdin(fd);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn unnamed_objects_are_handed_on_as_descriptors() {
    let mutex = MutexOptions::new().create_unnamed().unwrap();
    let guard = mutex.lock().unwrap();
    let mut child = start_heir("lock", mutex.as_fd().try_clone_to_owned().unwrap());
    // The child usually waits by now. The test is also valid if it does not.
    thread::sleep(SOME);
    drop(guard);
    assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGABRT));
    assert!(told(&mutex));

    let event = EventOptions::new(Reset::Auto).create_unnamed().unwrap();
    let mut child = start_heir("set", event.as_fd().try_clone_to_owned().unwrap());
    assert!(child.wait().unwrap().success());
    assert!(event.try_wait().unwrap());
    assert!(!event.try_wait().unwrap());

    let semaphore = SemaphoreOptions::new(1, 3).create_unnamed().unwrap();
    let mut child = start_heir("release", semaphore.as_fd().try_clone_to_owned().unwrap());
    assert!(child.wait().unwrap().success());
    for _ in 0..3 {
        semaphore.try_acquire().unwrap().unwrap().forget();
    }
    assert!(semaphore.try_acquire().unwrap().is_none());
}

#[test]
fn a_named_object_that_was_handed_on_keeps_its_name() {
    alone("a_named_object_that_was_handed_on_keeps_its_name", |_| {
        let mutex = MutexOptions::new().create_new("x").unwrap();
        let handed_on = Mutex::try_from(mutex.as_fd().try_clone_to_owned().unwrap()).unwrap();
        let guard = mutex.lock().unwrap();
        assert_busy(&handed_on);
        drop(guard);
        let guard = handed_on.lock().unwrap();
        drop(mutex);
        let again = Mutex::open("x").unwrap();
        assert_busy(&again);
        drop(guard);
        // This handle holds the object, but does not know the name and cannot remove it.
        drop(handed_on);
        assert!(!told(&again));
    });
}

/// Another process may send a descriptor of any file.
#[test]
fn descriptors_of_something_else_are_refused() {
    let pipe = std::io::pipe().unwrap().0;
    assert!(Mutex::try_from(OwnedFd::from(pipe)).is_err());
    let zeros = || {
        let section = SectionOptions::new().len(4096).create_unnamed().unwrap();
        section.as_fd().try_clone_to_owned().unwrap()
    };
    assert_eq!(Event::try_from(zeros()).unwrap_err().kind(), ErrorKind::Corrupted);
    assert_eq!(Semaphore::try_from(zeros()).unwrap_err().kind(), ErrorKind::Corrupted);
    let file = harness::Scratch::new(&[0; 31]);
    assert_eq!(
        Mutex::try_from(OwnedFd::from(file.open(true))).unwrap_err().kind(),
        ErrorKind::Corrupted
    );
    let file = harness::Scratch::new(&[0; 4096]);
    let error = Mutex::try_from(OwnedFd::from(file.open(false))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    _ = Section::try_from(OwnedFd::from(file.open(false))).unwrap();
}
