//! Tests that waiting takes almost no processor time while nothing happens, and that a death is
//! detected soon nevertheless.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "the test reports numbers")]

mod harness;

use std::time::{Duration, Instant};
use std::{fs, thread};

use harness::REPLY;
use harness::fork::{Forked, alone, fork};
use pagemate::sync::{EventOptions, Mutex, MutexOptions, Reset, Waitable, wait_all_for, wait_any};
use pagemate::{ErrorKind, SectionOptions, Shared};
use std::sync::atomic::{AtomicU32, Ordering};

/// A timeout that is longer than any call that does not hang.
const LONG: Duration = Duration::from_secs(30);

#[test]
fn actor() {
    harness::actor();
}

/// Maps memory that forked children share.
fn memory<const N: usize>() -> Shared<[AtomicU32; N]> {
    let section = SectionOptions::new().len(4096).create_unnamed().unwrap();
    Shared::map(&section, 0).unwrap()
}

/// A way to wait for the mutex `m`.
#[derive(Clone, Copy, Debug)]
enum Way {
    Alone,
    OneOfSeveral,
    ForTime,
}

/// Locks and unlocks the mutex, and returns whether it was abandoned.
fn turn(mutex: &Mutex, way: Way) -> bool {
    match way {
        Way::Alone => mutex.lock().unwrap().was_abandoned(),
        Way::ForTime => {
            mutex.try_lock_for(LONG).unwrap().expect("it is free in time").was_abandoned()
        }
        Way::OneOfSeveral => {
            let event = EventOptions::new(Reset::Auto).create_unnamed().unwrap();
            let had = wait_any(&[(&event).into(), mutex.into()]).unwrap();
            had.guard.as_ref().expect("the mutex is had").was_abandoned()
        }
    }
}

/// Returns the number of times that the threads of a process have gone to sleep voluntarily.
fn sleeps(process: &Forked) -> u64 {
    let of_thread = |thread: fs::DirEntry| {
        let status = fs::read_to_string(thread.path().join("status")).unwrap_or_default();
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count.map_or(0, |count| count.trim().parse::<u64>().unwrap())
    };
    let threads = fs::read_dir(format!("/proc/{}/task", process.id())).unwrap();
    threads.map(|thread| of_thread(thread.unwrap())).sum()
}

const PROCESSES: u32 = 3;
const THREADS: u32 = 40;

#[test]
fn many_that_sleep_for_a_mutex_look_up_no_more_often_than_those_for_a_semaphore() {
    alone("many_that_sleep_for_a_mutex_look_up_no_more_often_than_those_for_a_semaphore", |_| {
        for way in [Way::Alone, Way::OneOfSeveral, Way::ForTime] {
            let mutex = MutexOptions::new().create_new("m").unwrap();
            let guard = mutex.lock().unwrap();
            let board = memory();
            let [come, gone] = &*board;
            let sleeper = || {
                let mutex = Mutex::open("m").unwrap();
                thread::scope(|scope| {
                    for _ in 0..THREADS {
                        scope.spawn(|| {
                            come.fetch_add(1, Ordering::Relaxed);
                            turn(&mutex, way);
                            gone.fetch_add(1, Ordering::Relaxed);
                        });
                    }
                });
            };
            let processes: Vec<Forked> = (0..PROCESSES).map(|_| fork(sleeper)).collect();
            until(|| come.load(Ordering::Relaxed) == PROCESSES * THREADS);
            // Wait until the first slice of each waiter, which is short, has ended.
            thread::sleep(Duration::from_millis(300));
            let before: u64 = processes.iter().map(sleeps).sum();
            let start = Instant::now();
            thread::sleep(Duration::from_secs(1));
            let after: u64 = processes.iter().map(sleeps).sum();
            let ms = u64::try_from(start.elapsed().as_millis()).unwrap();
            let of_each = (after - before) * 1_000_000 / ms / u64::from(PROCESSES * THREADS);
            println!("{REPLY}{way:?}: each of many waiters wakes {of_each} times in 1,000 s");
            assert!(of_each < 8_000, "{way:?}: {of_each}");
            drop(guard);
            processes.into_iter().for_each(Forked::join);
            assert_eq!(gone.load(Ordering::Relaxed), PROCESSES * THREADS);
        }
    });
}

#[track_caller]
fn until(mut done: impl FnMut() -> bool) {
    let end = Instant::now() + LONG;
    while !done() {
        assert!(Instant::now() < end, "timed out");
        thread::sleep(Duration::from_millis(1));
    }
}

const LOCKERS: usize = 8;

/// If other processes lock one of two mutexes all the time, a process can still acquire both.
#[test]
fn all_of_several_are_had_though_others_lock_each_all_the_time() {
    alone("all_of_several_are_had_though_others_lock_each_all_the_time", |_| {
        let mutexes = ["m", "n"].map(|name| MutexOptions::new().create_new(name).unwrap());
        let board = memory();
        let ends = memory();
        let ([ends], turns): (&[AtomicU32; 1], &[AtomicU32; LOCKERS]) = (&*ends, &*board);
        let lockers: Vec<Forked> = (0..LOCKERS)
            .map(|number| {
                fork(move || {
                    let mutex = Mutex::open(["m", "n"][number % 2]).unwrap();
                    while ends.load(Ordering::Relaxed) == 0 {
                        let guard = mutex.lock().unwrap();
                        thread::sleep(Duration::from_micros(300));
                        assert!(!guard.was_abandoned());
                        turns[number].fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        until(|| turns.iter().all(|turns| turns.load(Ordering::Relaxed) > 10));
        let (start, list) = (Instant::now(), mutexes.each_ref().map(Waitable::from));
        for _ in 0..10 {
            let had = wait_all_for(&list, LONG).unwrap().expect("both are had in time");
            assert!(had.iter().all(|had| had.guard.is_some()));
        }
        println!("{REPLY}both were had ten times in {:?}", start.elapsed());
        let before = turns.each_ref().map(|turns| turns.load(Ordering::Relaxed));
        // The other processes make progress too.
        until(|| {
            turns.iter().zip(before).all(|(turns, before)| turns.load(Ordering::Relaxed) > before)
        });
        ends.store(1, Ordering::Relaxed);
        lockers.into_iter().for_each(Forked::join);
    });
}

#[test]
fn all_of_several_are_refused_if_two_handles_are_of_one_object() {
    alone("all_of_several_are_refused_if_two_handles_are_of_one_object", |_| {
        let made = MutexOptions::new().create_new("m").unwrap();
        let opened = Mutex::open("m").unwrap();
        let event = EventOptions::new(Reset::Auto).create_unnamed().unwrap();
        let list = [Waitable::from(&made), (&event).into(), (&opened).into()];
        let refused = wait_all_for(&list, LONG).map(drop).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::InvalidInput, "{refused}");
        assert!(made.try_lock().unwrap().is_some());
        // A wait for any of several objects accepts a list that a wait for all of them refuses.
        assert_eq!(wait_any(&list).unwrap().index, 0);
    });
}

/// The owner dies together with a watcher of the mutex.
#[test]
fn a_death_is_told_soon_though_a_watcher_dies_with_the_owner() {
    alone("a_death_is_told_soon_though_a_watcher_dies_with_the_owner", |_| {
        let mutex = MutexOptions::new().create_new("m").unwrap();
        let mut took: Vec<Duration> = Vec::new();
        for round in 0..24 {
            let board = memory();
            let [come, told] = &*board;
            let others = || {
                let way = [Way::Alone, Way::OneOfSeveral, Way::ForTime][round % 3];
                fork(move || {
                    let mutex = Mutex::open("m").unwrap();
                    come.fetch_add(1, Ordering::Relaxed);
                    if turn(&mutex, way) {
                        told.fetch_add(1, Ordering::Relaxed);
                    }
                })
            };
            let owner = || {
                fork(|| {
                    let (mutex, second) = (Mutex::open("m").unwrap(), Mutex::open("m").unwrap());
                    let guard = mutex.lock().unwrap();
                    thread::scope(|scope| {
                        for handle in [&mutex, &second] {
                            scope.spawn(move || turn(handle, Way::Alone));
                        }
                        come.fetch_add(1, Ordering::Relaxed);
                        thread::sleep(LONG);
                    });
                    drop(guard);
                })
            };
            // Threads of the owner's process become the first watchers.
            let owner = owner();
            until(|| come.load(Ordering::Relaxed) == 1);
            thread::sleep(Duration::from_millis(60));
            let others = [others(), others(), others()];
            until(|| come.load(Ordering::Relaxed) == 4);
            thread::sleep(Duration::from_millis(90));
            let start = Instant::now();
            owner.kill();
            until(|| told.load(Ordering::Relaxed) == 1);
            took.push(start.elapsed());
            others.into_iter().for_each(Forked::join);
            assert_eq!(told.load(Ordering::Relaxed), 1);
            assert!(!mutex.try_lock_for(LONG).unwrap().unwrap().was_abandoned());
        }
        took.sort_unstable();
        let (middle, most) = (took[took.len() / 2], took[took.len() - 1]);
        println!("{REPLY}a death was detected after {middle:?} in the middle, {most:?} at most");
        assert!(middle < Duration::from_millis(100), "{took:?}");
    });
}
