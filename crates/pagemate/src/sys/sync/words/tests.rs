//! Every order in which two or three threads can take the steps of the protocols, as long as no more
//! than [`PREEMPTIONS`] of them are interrupted for another: `cargo xtask loom`.
//!
//! Sleepers here do not look up by themselves, so that a wake-up that is lost hangs, which loom
//! tells. What only a death or a signal from outside can bring about is told to `take` by hand.

use loom::thread;

use super::*;
use crate::primitive::Ordering::Relaxed;
use crate::primitive::{AtomicU32, AtomicU64};
use crate::sys::sync::Got;

/// Most mistakes of this kind show with two.
const PREEMPTIONS: usize = 3;

/// The seat of one who is dead.
const DEAD: u32 = 99;

fn model(test: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(PREEMPTIONS);
    builder.check(test);
}

/// A word that all threads of one run have.
fn word(value: u32) -> &'static AtomicU32 {
    Box::leak(Box::new(AtomicU32::new(value)))
}

fn all_of(threads: impl IntoIterator<Item = thread::JoinHandle<()>>) {
    for thread in threads {
        thread.join().unwrap();
    }
}

fn got<W: Waiter>(mut waiter: W) -> W::Got {
    wait(&mut waiter, Deadline::Never, || Ok(())).unwrap().unwrap()
}

/// Only the seat [`DEAD`] is dead, and each is of another process.
struct AllButOne;

impl watch::Seating for AllButOne {
    fn is_alive(&self, seat: u32) -> io::Result<bool> {
        Ok(seat != DEAD)
    }

    fn is_ours(&self, _: u32) -> bool {
        false
    }
}

fn locker(word: &AtomicU32, seat: u32) -> mutex::Locker<'_, AllButOne> {
    watching(word, Box::leak(Box::new(AtomicU64::new(0))), seat)
}

fn watching<'a>(
    word: &'a AtomicU32,
    watchers: &'a AtomicU64,
    seat: u32,
) -> mutex::Locker<'a, AllButOne> {
    mutex::Locker::new(word, watchers, seat, AllButOne)
}

fn lock(word: &AtomicU32, seat: u32) -> Got {
    if mutex::try_fast(word, seat) { Got::Released } else { got(locker(word, seat)) }
}

/// As one who looks who is alive, before it sleeps.
fn lock_judging(word: &AtomicU32, seat: u32) -> Got {
    let at_once = locker(word, seat).take(false, true).unwrap();
    at_once.unwrap_or_else(|| got(locker(word, seat)))
}

/// Not in one step, so that two at once would lose one.
fn add_one(count: &AtomicU32) {
    count.store(count.load(Relaxed) + 1, Relaxed);
}

#[test]
fn a_lock_is_had_by_one_at_a_time_and_no_sleeper_is_forgotten() {
    model(|| {
        let (lock_word, count) = (word(0), word(0));
        let locks = move |seat| {
            assert_eq!(lock(lock_word, seat), Got::Released);
            add_one(count);
            assert!(mutex::unlock(lock_word, seat));
        };
        all_of([1, 2].map(|seat| thread::spawn(move || locks(seat))));
        locks(3);
        assert_eq!((count.load(Relaxed), lock_word.load(Relaxed) & mutex::OWNER), (3, 0));
    });
}

#[test]
fn a_lock_that_is_given_back_twice_wakes_two() {
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

/// Runs two who lock what a dead one had, and counts who is told.
fn told_of_a_death(left: u32, dies: impl Fn(&AtomicU32)) -> u32 {
    let (lock_word, count, told) = (word(left), word(0), word(0));
    let threads = [2, 3].map(|seat| {
        thread::spawn(move || {
            if lock_judging(lock_word, seat) == Got::Abandoned {
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
fn one_alone_is_told_that_the_owner_is_dead() {
    model(|| assert_eq!(told_of_a_death(DEAD, |_| {}), 1));
    model(|| assert_eq!(told_of_a_death(DEAD | WAITERS, |_| {}), 1));
}

#[test]
fn one_alone_is_told_that_the_owner_gave_it_up() {
    model(|| assert_eq!(told_of_a_death(1, |word| assert!(mutex::abandon(word, 1))), 1));
}

/// The last watcher that goes away is followed by another waiter, which has slept for a slice.
#[test]
fn a_lock_that_is_waited_for_has_a_watcher() {
    model(|| {
        let (lock_word, watchers) = (word(1), Box::leak(Box::new(AtomicU64::new(0))));
        let first = watching(lock_word, watchers, 2);
        first.tend().unwrap();
        assert_eq!(first.pace(), Pace::Often);
        let second = watching(lock_word, watchers, 3);
        second.tend().unwrap();
        let third = watching(lock_word, watchers, 4);
        third.tend().unwrap();
        assert_eq!(third.pace(), Pace::Seldom);
        let waits = thread::spawn(move || {
            assert_eq!(got(third), Got::Released);
            mutex::unlock(lock_word, 4);
        });
        wait::until_asleep(lock_word.into(), 1);
        let leave = [first, second].map(|watcher| thread::spawn(move || drop(watcher)));
        all_of(leave);
        // Woken for the watch, it found the lock taken and sleeps again.
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
            let watcher = watching(lock_word, watchers, seat);
            thread::spawn(move || watcher.tend().unwrap())
        });
        all_of(threads);
        let left = watching(lock_word, watchers, 5);
        left.tend().unwrap();
        assert_eq!(left.pace(), Pace::Often);
    });
}

/// An automatic event that all threads of one run have.
fn event(signaled: bool) -> &'static AtomicU64 {
    Box::leak(Box::new(AtomicU64::new(auto::State::new(signaled).word())))
}

fn is_signaled(event: &AtomicU64) -> bool {
    auto::State::of(event.load(Relaxed)).is_signaled()
}

#[test]
fn an_automatic_event_lets_one_go_for_each_signal() {
    model(|| {
        let (event, count) = (event(false), word(0));
        let threads = [(); 2].map(|()| {
            thread::spawn(move || {
                got(auto::Sleeper::new(event));
                add_one(count);
                auto::set(event);
            })
        });
        auto::set(event);
        all_of(threads);
        assert_eq!((count.load(Relaxed), is_signaled(event)), (2, true));
    });
}

/// A thread that sleeps for an automatic event and goes, and that sleeps already.
fn asleep<const N: usize>(event: &'static AtomicU64) -> [thread::JoinHandle<()>; N] {
    let threads = [(); N].map(|()| thread::spawn(move || got(auto::Sleeper::new(event))));
    wait::until_asleep(Place::Low(event), N);
    threads
}

#[test]
fn two_signals_let_two_sleepers_go_and_a_third_signal_stays() {
    model(|| {
        let event = event(false);
        let threads = asleep::<2>(event);
        for _ in 0..3 {
            auto::set(event);
        }
        all_of(threads);
        assert!(is_signaled(event));
        assert!(!auto::State::of(event.load(Relaxed)).has_waiters());
    });
}

#[test]
fn a_signal_goes_to_a_sleeper_though_it_is_reset_at_once_and_a_pulse_leaves_none() {
    for pulse in [false, true] {
        model(move || {
            let event = event(false);
            let threads = asleep::<1>(event);
            if pulse {
                auto::pulse(event);
            } else {
                auto::set(event);
                auto::clear(event);
            }
            all_of(threads);
            auto::pulse(event);
            assert!(!is_signaled(event));
        });
    }
}

#[test]
fn who_signals_and_then_waits_does_not_take_what_a_sleeper_was_given() {
    model(|| {
        let event = event(false);
        let threads = asleep::<1>(event);
        auto::set(event);
        let mut own = auto::Sleeper::new(event);
        assert!(own.take(false, false).unwrap().is_none());
        // Though it goes to sleep as well.
        own.announce();
        assert!(own.take(true, false).unwrap().is_none());
        drop(own);
        all_of(threads);
        assert!(!is_signaled(event));
    });
}

/// Sleepers that were killed stay registered. Of two signals one stays, and nobody who is alive is
/// forgotten.
#[test]
fn killed_sleepers_take_no_signal_and_leave_one_at_most() {
    model(|| {
        let event = event(false);
        for _ in 0..3 {
            let killed = auto::Sleeper::new(event);
            assert!(killed.announce().is_some());
            std::mem::forget(killed);
        }
        let sleeper = thread::spawn(move || got(auto::Sleeper::new(event)));
        auto::set(event);
        auto::set(event);
        sleeper.join().unwrap();
        _ = auto::Sleeper::new(event).take(false, false).unwrap();
        assert!(auto::Sleeper::new(event).take(false, false).unwrap().is_none());
        auto::set(event);
        assert!(auto::Sleeper::new(event).take(false, false).unwrap().is_some());
    });
}

/// The signal wakes one that began to wait after it, in place of the dead one that it was for.
#[test]
fn a_signal_for_a_killed_sleeper_is_not_lost_to_the_next() {
    model(|| {
        let event = event(false);
        let killed = auto::Sleeper::new(event);
        assert!(killed.announce().is_some());
        std::mem::forget(killed);
        let sleeper = thread::spawn(move || got(auto::Sleeper::new(event)));
        auto::set(event);
        sleeper.join().unwrap();
        assert!(!is_signaled(event));
    });
}

/// One that sleeps for two events and takes the first leaves the signal of the second to others.
#[test]
fn a_sleeper_that_goes_away_leaves_its_signal_to_the_next() {
    model(|| {
        let event = event(false);
        let leaves = auto::Sleeper::new(event);
        assert!(leaves.announce().is_some());
        let stays = thread::spawn(move || got(auto::Sleeper::new(event)));
        let leaver = thread::spawn(move || drop(leaves));
        auto::set(event);
        all_of([stays, leaver]);
        assert!(!is_signaled(event));
        assert!(!auto::State::of(event.load(Relaxed)).has_waiters());
    });
}

#[test]
fn an_automatic_event_outlives_one_who_only_looks() {
    model(|| {
        let event = event(false);
        let sleeper = thread::spawn(move || got(auto::Sleeper::new(event)));
        let looker = thread::spawn(move || {
            if auto::Sleeper::new(event).take(false, false).unwrap().is_some() {
                auto::set(event);
            }
        });
        auto::set(event);
        all_of([sleeper, looker]);
        assert!(!is_signaled(event));
    });
}

#[test]
fn who_takes_nothing_yet_is_woken_by_an_automatic_event() {
    model(|| {
        let event = event(false);
        let threads = [(); 2].map(|()| {
            thread::spawn(move || {
                got(auto::Looker::new(event));
                auto::set(event);
            })
        });
        auto::set(event);
        all_of(threads);
        assert!(is_signaled(event));
    });
}

#[test]
fn a_manual_event_lets_go_all_who_wait_also_when_it_is_reset_at_once() {
    for pulse in [false, true] {
        model(move || {
            let (event, written) = (word(0), word(0));
            let threads = [(); 2].map(|()| {
                let watcher = event::Watcher::new(event);
                thread::spawn(move || {
                    got(watcher);
                    assert_eq!(written.load(Relaxed), 1);
                })
            });
            written.store(1, Relaxed);
            if pulse {
                event::pulse(event);
            } else {
                event::set(event);
                event::clear(event);
            }
            all_of(threads);
            assert_eq!(event.load(Relaxed) & event::SIGNALED, 0);
        });
    }
}

#[test]
fn a_semaphore_wakes_as_many_as_it_has_parts_for() {
    for parts in [&[1, 1][..], &[2]] {
        model(move || {
            let (semaphore, taken) = (word(0), word(0));
            let threads = [(); 2].map(|()| {
                thread::spawn(move || {
                    got(semaphore::Taker { word: semaphore });
                    taken.fetch_add(1, Relaxed);
                })
            });
            for by in parts {
                assert!(semaphore::release(semaphore, *by, 2).is_some());
            }
            all_of(threads);
            assert_eq!((semaphore::count(semaphore.load(Relaxed)), taken.load(Relaxed)), (0, 2));
        });
    }
}

#[test]
fn a_semaphore_of_one_is_a_lock() {
    model(|| {
        let (semaphore, count) = (word(1), word(0));
        let locks = move || {
            got(semaphore::Taker { word: semaphore });
            add_one(count);
            assert_eq!(semaphore::release(semaphore, 1, 1), Some(0));
        };
        all_of([(); 2].map(|()| thread::spawn(locks)));
        locks();
        assert_eq!((count.load(Relaxed), semaphore::count(semaphore.load(Relaxed))), (3, 1));
    });
}
