//! Model checks of the protocols with loom: all interleavings of two or three threads with at most
//! [`PREEMPTIONS`] preemptions. `cargo xtask loom` runs them.
//!
//! Slices do not end in these models, so a lost wake-up is a deadlock, which loom reports. To model
//! the end of a slice, a test passes `check_liveness` to `try_take`.

use loom::thread;

use super::*;
use crate::deadline::Deadline;
use crate::primitive::Ordering::Relaxed;
use crate::primitive::{AtomicU32, AtomicU64};
use crate::sys::sync::Acquired;
use crate::sys::wait;

/// The preemption bound. Most concurrency errors show with two.
const PREEMPTIONS: usize = 3;

/// The seat of a dead process.
const DEAD: u32 = 99;

fn model(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.check(test);
}

/// Returns a word that all threads of one run share.
fn word(value: u32) -> &'static AtomicU32 {
    Box::leak(Box::new(AtomicU32::new(value)))
}

fn all_of(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().unwrap();
    }
}

fn wait_for<W: Waiter>(mut waiter: W) -> W::Output {
    wait(&mut waiter, Deadline::Never, || Ok(())).unwrap().unwrap()
}

/// The seat [`DEAD`] is dead. All other seats are alive, and each belongs to a process of its own.
struct OneDead;

impl watch::SeatLiveness for OneDead {
    fn is_alive(&self, seat: u32) -> io::Result<bool> {
        Ok(seat != DEAD)
    }

    fn is_own(&self, _: u32) -> bool {
        false
    }
}

fn waiter(word: &AtomicU32, seat: u32) -> mutex::MutexWaiter<'_, OneDead> {
    waiter_with(word, Box::leak(Box::new(AtomicU64::new(0))), seat)
}

fn waiter_with<'a>(
    word: &'a AtomicU32,
    watchers: &'a AtomicU64,
    seat: u32,
) -> mutex::MutexWaiter<'a, OneDead> {
    mutex::MutexWaiter::new(word, watchers, seat, OneDead)
}

fn lock(word: &AtomicU32, seat: u32) -> Acquired {
    if mutex::try_lock_uncontended(word, seat) {
        Acquired::Released
    } else {
        wait_for(waiter(word, seat))
    }
}

/// Locks with a liveness test before the first sleep.
fn lock_with_liveness_test(word: &AtomicU32, seat: u32) -> Acquired {
    let at_once = waiter(word, seat).try_take(false, true).unwrap();
    at_once.unwrap_or_else(|| wait_for(waiter(word, seat)))
}

/// Increments in two steps, so that a violation of mutual exclusion loses an increment.
fn add_one(count: &AtomicU32) {
    count.store(count.load(Relaxed) + 1, Relaxed);
}

#[test]
fn a_mutex_has_one_owner_at_a_time_and_every_waiter_is_woken() {
    model(|| {
        let (lock_word, count) = (word(0), word(0));
        let lock_once = move |seat| {
            assert_eq!(lock(lock_word, seat), Acquired::Released);
            add_one(count);
            assert!(mutex::unlock(lock_word, seat));
        };
        all_of([1, 2].map(|seat| thread::spawn(move || lock_once(seat))));
        lock_once(3);
        assert_eq!((count.load(Relaxed), lock_word.load(Relaxed) & mutex::OWNER), (3, 0));
    });
}

#[test]
fn two_releases_of_a_mutex_wake_two_waiters() {
    model(|| {
        let (lock_word, count) = (word(1), word(0));
        let threads = [2, 3].map(|seat| {
            thread::spawn(move || {
                lock(lock_word, seat);
                add_one(count);
                mutex::unlock(lock_word, seat);
            })
        });
        mutex::unlock(lock_word, 1);
        all_of(threads);
        assert_eq!(count.load(Relaxed), 2);
    });
}

/// Runs two threads that lock a mutex of a dead owner. Returns the number of threads for which the
/// mutex was abandoned.
fn told_of_the_death(left: u32, dies: impl Fn(&AtomicU32)) -> u32 {
    let (lock_word, count, told) = (word(left), word(0), word(0));
    let threads = [2, 3].map(|seat| {
        thread::spawn(move || {
            if lock_with_liveness_test(lock_word, seat) == Acquired::Abandoned {
                add_one(told);
            }
            add_one(count);
            mutex::unlock(lock_word, seat);
        })
    });
    dies(lock_word);
    all_of(threads);
    assert_eq!(count.load(Relaxed), 2);
    told.load(Relaxed)
}

#[test]
fn one_waiter_is_told_that_the_owner_is_dead() {
    model(|| assert_eq!(told_of_the_death(DEAD, |_| {}), 1));
    model(|| assert_eq!(told_of_the_death(DEAD | WAITERS, |_| {}), 1));
}

#[test]
fn one_waiter_is_told_that_the_owner_abandoned_it() {
    model(|| assert_eq!(told_of_the_death(1, |word| assert!(mutex::abandon(word, 1))), 1));
}

/// When the last watcher stops waiting, a waiter that has slept for a slice becomes a watcher.
#[test]
fn a_mutex_with_waiters_has_a_watcher() {
    model(|| {
        let (lock_word, watchers) = (word(1), Box::leak(Box::new(AtomicU64::new(0))));
        let first = waiter_with(lock_word, watchers, 2);
        first.maintain_watch().unwrap();
        assert_eq!(first.check_rate(), CheckRate::Frequent);
        let second = waiter_with(lock_word, watchers, 3);
        second.maintain_watch().unwrap();
        let third = waiter_with(lock_word, watchers, 4);
        third.maintain_watch().unwrap();
        assert_eq!(third.check_rate(), CheckRate::Rare);
        let waits = thread::spawn(move || {
            assert_eq!(wait_for(third), Acquired::Released);
            mutex::unlock(lock_word, 4);
        });
        wait::until_asleep(lock_word.into(), 1);
        let leave = [first, second].map(|watcher| thread::spawn(move || drop(watcher)));
        all_of(leave);
        // The waiter was woken to become a watcher, found the mutex owned, and sleeps again.
        wait::until_asleep(lock_word.into(), 1);
        assert_eq!(watchers.load(Relaxed) & u64::from(u32::MAX), 4);
        mutex::unlock(lock_word, 1);
        all_of([waits]);
        assert_eq!(watchers.load(Relaxed), 0);
    });
}

#[test]
fn a_dead_watcher_is_replaced() {
    model(|| {
        let (lock_word, watchers) = (word(1), Box::leak(Box::new(AtomicU64::new(0))));
        watchers.store(u64::from(DEAD) << 32 | u64::from(DEAD), Relaxed);
        let threads = [2, 3].map(|seat| {
            let watcher = waiter_with(lock_word, watchers, seat);
            thread::spawn(move || watcher.maintain_watch().unwrap())
        });
        all_of(threads);
        let left = waiter_with(lock_word, watchers, 5);
        left.maintain_watch().unwrap();
        assert_eq!(left.check_rate(), CheckRate::Frequent);
    });
}

/// Returns an automatic event that all threads of one run share.
fn event(signaled: bool) -> &'static AtomicU64 {
    Box::leak(Box::new(AtomicU64::new(auto_event::State::new(signaled).word())))
}

fn is_signaled(event: &AtomicU64) -> bool {
    auto_event::State::of(event.load(Relaxed)).is_signaled()
}

#[test]
fn each_signal_of_an_automatic_event_releases_one_waiter() {
    model(|| {
        let (event, count) = (event(false), word(0));
        let threads = [(); 2].map(|()| {
            thread::spawn(move || {
                wait_for(auto_event::AutoWaiter::new(event));
                add_one(count);
                auto_event::set(event);
            })
        });
        auto_event::set(event);
        all_of(threads);
        assert_eq!((count.load(Relaxed), is_signaled(event)), (2, true));
    });
}

/// Starts threads that wait for an automatic event, and returns when they sleep.
fn asleep<const N: usize>(event: &'static AtomicU64) -> [thread::JoinHandle<()>; N] {
    let threads =
        [(); N].map(|()| thread::spawn(move || wait_for(auto_event::AutoWaiter::new(event))));
    wait::until_asleep(WaitWord::LowHalf(event), N);
    threads
}

#[test]
fn two_signals_release_two_waiters_and_a_third_signal_stays() {
    model(|| {
        let event = event(false);
        let threads = asleep::<2>(event);
        for _ in 0..3 {
            auto_event::set(event);
        }
        all_of(threads);
        assert!(is_signaled(event));
        assert!(!auto_event::State::of(event.load(Relaxed)).has_waiters());
    });
}

#[test]
fn a_signal_releases_a_waiter_although_it_is_reset_at_once_and_a_pulse_leaves_none() {
    for pulse in [false, true] {
        model(move || {
            let event = event(false);
            let threads = asleep::<1>(event);
            if pulse {
                auto_event::pulse(event);
            } else {
                auto_event::set(event);
                auto_event::clear(event);
            }
            all_of(threads);
            auto_event::pulse(event);
            assert!(!is_signaled(event));
        });
    }
}

#[test]
fn a_thread_that_signals_and_then_waits_does_not_take_the_grant_of_a_waiter() {
    model(|| {
        let event = event(false);
        let threads = asleep::<1>(event);
        auto_event::set(event);
        let mut own = auto_event::AutoWaiter::new(event);
        assert!(own.try_take(false, false).unwrap().is_none());
        // The thread does not take its own signal after it has registered either.
        own.prepare_sleep();
        assert!(own.try_take(true, false).unwrap().is_none());
        drop(own);
        all_of(threads);
        assert!(!is_signaled(event));
    });
}

/// Killed waiters stay registered. Of two signals for killed waiters, one remains, and every live
/// waiter is woken.
#[test]
fn killed_waiters_take_no_signal_and_leave_at_most_one() {
    model(|| {
        let event = event(false);
        for _ in 0..3 {
            let killed = auto_event::AutoWaiter::new(event);
            assert!(killed.prepare_sleep().is_some());
            std::mem::forget(killed);
        }
        let waiter = thread::spawn(move || wait_for(auto_event::AutoWaiter::new(event)));
        auto_event::set(event);
        auto_event::set(event);
        waiter.join().unwrap();
        _ = auto_event::AutoWaiter::new(event).try_take(false, false).unwrap();
        assert!(auto_event::AutoWaiter::new(event).try_take(false, false).unwrap().is_none());
        auto_event::set(event);
        assert!(auto_event::AutoWaiter::new(event).try_take(false, false).unwrap().is_some());
    });
}

/// A signal that was granted to a killed waiter releases a waiter that registers later.
#[test]
fn a_signal_for_a_killed_waiter_releases_the_next_one() {
    model(|| {
        let event = event(false);
        let killed = auto_event::AutoWaiter::new(event);
        assert!(killed.prepare_sleep().is_some());
        std::mem::forget(killed);
        let waiter = thread::spawn(move || wait_for(auto_event::AutoWaiter::new(event)));
        auto_event::set(event);
        waiter.join().unwrap();
        assert!(!is_signaled(event));
    });
}

/// A waiter of two events takes the first one and leaves the signal of the second one to the next
/// waiter.
#[test]
fn a_leaving_waiter_leaves_its_signal_to_the_next_one() {
    model(|| {
        let event = event(false);
        let leaves = auto_event::AutoWaiter::new(event);
        assert!(leaves.prepare_sleep().is_some());
        let stays = thread::spawn(move || wait_for(auto_event::AutoWaiter::new(event)));
        let leaver = thread::spawn(move || drop(leaves));
        auto_event::set(event);
        all_of([stays, leaver]);
        assert!(!is_signaled(event));
        assert!(!auto_event::State::of(event.load(Relaxed)).has_waiters());
    });
}

#[test]
fn polling_an_automatic_event_loses_no_signal() {
    model(|| {
        let event = event(false);
        let waiter = thread::spawn(move || wait_for(auto_event::AutoWaiter::new(event)));
        let poller = thread::spawn(move || {
            if auto_event::AutoWaiter::new(event).try_take(false, false).unwrap().is_some() {
                auto_event::set(event);
            }
        });
        auto_event::set(event);
        all_of([waiter, poller]);
        assert!(!is_signaled(event));
    });
}

#[test]
fn an_automatic_event_wakes_observers() {
    model(|| {
        let event = event(false);
        let threads = [(); 2].map(|()| {
            thread::spawn(move || {
                wait_for(auto_event::AutoObserver::new(event));
                auto_event::set(event);
            })
        });
        auto_event::set(event);
        all_of(threads);
        assert!(is_signaled(event));
    });
}

#[test]
fn a_manual_event_releases_all_waiters_also_if_it_is_reset_at_once() {
    for pulse in [false, true] {
        model(move || {
            let (event, written) = (word(0), word(0));
            let threads = [(); 2].map(|()| {
                let watcher = manual_event::ManualWaiter::new(event);
                thread::spawn(move || {
                    wait_for(watcher);
                    assert_eq!(written.load(Relaxed), 1);
                })
            });
            written.store(1, Relaxed);
            if pulse {
                manual_event::pulse(event);
            } else {
                manual_event::set(event);
                manual_event::clear(event);
            }
            all_of(threads);
            assert_eq!(event.load(Relaxed) & manual_event::SIGNALED, 0);
        });
    }
}

#[test]
fn a_semaphore_wakes_as_many_waiters_as_it_has_permits() {
    for permits in [&[1, 1][..], &[2]] {
        model(move || {
            let (semaphore, taken) = (word(0), word(0));
            let threads = [(); 2].map(|()| {
                thread::spawn(move || {
                    wait_for(semaphore::SemaphoreWaiter { word: semaphore });
                    taken.fetch_add(1, Relaxed);
                })
            });
            for by in permits {
                assert!(semaphore::release(semaphore, *by, 2).is_some());
            }
            all_of(threads);
            assert_eq!((semaphore::count(semaphore.load(Relaxed)), taken.load(Relaxed)), (0, 2));
        });
    }
}

#[test]
fn a_semaphore_of_one_permit_is_a_mutex() {
    model(|| {
        let (semaphore, count) = (word(1), word(0));
        let lock_once = move || {
            wait_for(semaphore::SemaphoreWaiter { word: semaphore });
            add_one(count);
            assert_eq!(semaphore::release(semaphore, 1, 1), Some(0));
        };
        all_of([(); 2].map(|()| thread::spawn(lock_once)));
        lock_once();
        assert_eq!((count.load(Relaxed), semaphore::count(semaphore.load(Relaxed))), (3, 1));
    });
}
