//! Processes that lock and wait as fast as they can, while some of them are killed at any
//! instruction.
//!
//! `cargo test` kills a few hundred owners, `cargo xtask torture` 2,000, and `cargo xtask torture
//! long` 20,000.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "the test reports numbers")]

mod harness;

use std::hint::spin_loop;
use std::time::{Duration, Instant};
use std::{env, process, thread};

use harness::REPLY;
use harness::fork::{Forked, alone, fork};
use pagemate::sync::{
    EventOptions, Mutex, MutexOptions, Reset, Semaphore, SemaphoreOptions, SharedMutex, wait_all,
    wait_any,
};
use pagemate::typed::InPlace;
use pagemate::{Section, SectionOptions, Shareable, Shared, View};
use rustix::time::{ClockId, clock_gettime};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

#[test]
fn actor() {
    harness::actor();
}

// Tests of mutual exclusion without kills.

const COUNTERS: u64 = 4;
const TURNS: u64 = 3_000;

/// Maps memory that forked children share.
fn memory(len: u64) -> View {
    SectionOptions::new().len(len).create_unnamed().unwrap().map().unwrap()
}

/// Returns memory without a name that has this type.
fn typed<T: InPlace>() -> Shared<T> {
    let section = SectionOptions::new().len(Shared::<T>::LEN).create_unnamed().unwrap();
    Shared::map(&section, 0).unwrap()
}

/// Runs `body` in several processes, each with handles of its own. `body` calls its argument under
/// a lock, and the argument increments a shared counter non-atomically. At the end the counter must
/// contain all increments.
fn count_with(body: impl Fn(&mut dyn FnMut())) {
    let memory = memory(4096);
    let children: Vec<Forked> = (0..COUNTERS)
        .map(|_| {
            fork(|| {
                let mut turns = 0;
                body(&mut || {
                    let count: u64 = memory.read(0).unwrap();
                    if turns % 64 == 0 {
                        thread::yield_now();
                    }
                    turns += 1;
                    memory.write(0, &(count + 1)).unwrap();
                });
                assert_eq!(turns, TURNS);
            })
        })
        .collect();
    children.into_iter().for_each(Forked::join);
    assert_eq!(memory.read::<u64>(0).unwrap(), COUNTERS * TURNS);
}

#[test]
fn processes_count_under_a_mutex() {
    alone("processes_count_under_a_mutex", |_| {
        let _held = MutexOptions::new().create_new("m").unwrap();
        count_with(|add_one| {
            let mutex = Mutex::open("m").unwrap();
            for _ in 0..TURNS {
                let guard = mutex.lock().unwrap();
                assert!(!guard.was_abandoned());
                add_one();
            }
        });
    });
}

#[test]
fn processes_count_under_a_semaphore() {
    alone("processes_count_under_a_semaphore", |_| {
        let _held = SemaphoreOptions::new(1, 1).create_new("s").unwrap();
        count_with(|add_one| {
            let semaphore = Semaphore::open("s").unwrap();
            for _ in 0..TURNS {
                let permit = semaphore.acquire().unwrap();
                add_one();
                drop(permit);
            }
        });
    });
}

#[test]
fn processes_count_under_an_automatic_event() {
    alone("processes_count_under_an_automatic_event", |_| {
        let event = EventOptions::new(Reset::Auto).signaled(true).create_unnamed().unwrap();
        count_with(|add_one| {
            for _ in 0..TURNS {
                event.wait().unwrap();
                add_one();
                event.set().unwrap();
            }
        });
    });
}

#[test]
fn processes_count_under_one_of_several() {
    alone("processes_count_under_one_of_several", |_| {
        let _held = MutexOptions::new().create_new("m").unwrap();
        count_with(|add_one| {
            let mutex = Mutex::open("m").unwrap();
            let never = EventOptions::new(Reset::Auto).create_unnamed().unwrap();
            for _ in 0..TURNS {
                let had = wait_any(&[(&never).into(), (&mutex).into()]).unwrap();
                assert_eq!(had.index, 1);
                add_one();
            }
        });
    });
}

#[test]
fn processes_count_under_all_of_several() {
    alone("processes_count_under_all_of_several", |_| {
        let _held = MutexOptions::new().create_new("m").unwrap();
        let _held = SemaphoreOptions::new(1, 1).create_new("s").unwrap();
        count_with(|add_one| {
            let (mutex, semaphore) = (Mutex::open("m").unwrap(), Semaphore::open("s").unwrap());
            for turn in 0..TURNS {
                let (mutex, semaphore) = ((&mutex).into(), (&semaphore).into());
                let list = if turn % 2 == 0 { [mutex, semaphore] } else { [semaphore, mutex] };
                let had = wait_all(&list).unwrap();
                add_one();
                // This unlocks the mutex, and returns the permit to the semaphore.
                drop(had);
            }
        });
    });
}

#[test]
fn processes_count_in_a_shared_mutex() {
    alone("processes_count_in_a_shared_mutex", |_| {
        const AT: u64 = 4096 - SharedMutex::<u64>::LEN;
        let section = SectionOptions::new().len(4096).create_new("x").unwrap();
        count_with(|add_one| {
            let section = Section::open("x").unwrap();
            let counter = SharedMutex::open_or_init(&section, AT, || 100_u64).unwrap();
            for _ in 0..TURNS {
                let mut guard = counter.lock().unwrap();
                assert!(!guard.was_abandoned());
                guard.update(|count| *count += 1);
                add_one();
            }
        });
        let counter = SharedMutex::<u64>::open(&section, AT).unwrap();
        assert_eq!(counter.lock().unwrap().get(), 100 + COUNTERS * TURNS);
    });
}

// Tests of mutual exclusion with kills.

/// The number of mutexes for which processes compete at the same time.
const ARENAS: u64 = 8;
const WAITERS: usize = 3;

/// The pid of the process in the critical section, or zero.
const OWNER_PID: usize = 0;
/// The number of reported abandonments.
const REPORTS: usize = 1;
/// The number of violations: two processes in the critical section, or an abandonment that was not
/// reported.
const VIOLATIONS: usize = 2;
/// The time of the last kill, in microseconds of a clock that all processes share.
const KILLED_AT: usize = 3;
/// The time from the kill to the report, or zero before the report.
const REPORT_TIME: usize = 4;

/// The longest time until a death must be reported, even on a busy machine.
const BOUND: Duration = Duration::from_secs(10);

/// The generator `SplitMix64`. Its seed differs from run to run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    let (seconds, ns) = (now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs());
    seconds * 1_000_000 + ns / 1_000
}

/// A mutex, and the state that checks its mutual exclusion.
struct Arena {
    name: String,
    board: Shared<[AtomicU64; 5]>,
}

/// The times from a kill to its report.
#[derive(Shareable)]
#[repr(C)]
struct Samples {
    count: AtomicU32,
    times: [AtomicU32; 20_000],
}

impl Arena {
    fn word(&self, what: usize) -> &AtomicU64 {
        &self.board[what]
    }

    /// Runs the critical section for this many microseconds.
    fn critical_section(&self, abandoned: bool, time: u64) {
        let own = u64::from(process::id());
        if abandoned {
            self.word(REPORTS).fetch_add(1, Relaxed);
            self.word(REPORT_TIME).store(now() - self.word(KILLED_AT).load(Relaxed), Relaxed);
        } else if self.word(OWNER_PID).load(Relaxed) != 0 {
            self.word(VIOLATIONS).fetch_add(1, Relaxed);
        }
        self.word(OWNER_PID).store(own, Relaxed);
        let end = Instant::now() + Duration::from_micros(time);
        while Instant::now() < end {
            spin_loop();
        }
        if self.word(OWNER_PID).swap(0, Relaxed) != own {
            self.word(VIOLATIONS).fetch_add(1, Relaxed);
        }
    }

    /// Forks a process that will be killed. It holds the mutex most of the time.
    fn victim(&self) -> Forked {
        fork(|| {
            let mutex = Mutex::open(&self.name).unwrap();
            let mut random = Random(now());
            loop {
                let guard = mutex.lock().unwrap();
                self.critical_section(guard.was_abandoned(), random.below(300));
            }
        })
    }

    /// Forks a waiter; `way` selects how it waits.
    fn waiter(&self, way: usize) -> Forked {
        fork(|| {
            let mutex = Mutex::open(&self.name).unwrap();
            let event = EventOptions::new(Reset::Manual).create_unnamed().unwrap();
            loop {
                let guard = match way {
                    0 => mutex.lock().unwrap(),
                    1 => mutex.try_lock_for(BOUND).unwrap().expect("a mutex that becomes free"),
                    _ => {
                        let had = wait_any(&[(&event).into(), (&mutex).into()]).unwrap();
                        had.guard.expect("a guard of the mutex")
                    }
                };
                self.critical_section(guard.was_abandoned(), 10);
                drop(guard);
                thread::sleep(Duration::from_millis(1));
            }
        })
    }

    /// Kills owners, and sometimes a waiter, and records the time from each death to its report.
    fn rounds(&self, rounds: u64, samples: &Samples) {
        let mutex = MutexOptions::new().create_new(&self.name).unwrap();
        let mut waiters: Vec<Forked> = (0..WAITERS).map(|way| self.waiter(way)).collect();
        let mut random = Random(now());
        for _ in 0..rounds {
            let before = self.word(REPORTS).load(Relaxed);
            let mut kills = 1;
            let victim = self.victim();
            thread::sleep(Duration::from_micros(500 + random.below(4_000)));
            self.word(KILLED_AT).store(now(), Relaxed);
            victim.kill();
            if random.below(8) == 0 {
                let way = usize::try_from(random.below(WAITERS as u64)).unwrap();
                let waiter = std::mem::replace(&mut waiters[way], self.waiter(way));
                waiter.kill();
                kills += 1;
            }
            let guard = mutex.try_lock_for(BOUND).unwrap().expect("a mutex that becomes free");
            self.critical_section(guard.was_abandoned(), 10);
            drop(guard);
            let told = self.word(REPORTS).load(Relaxed) - before;
            assert!(told <= kills, "{told} reports of {kills} deaths");
            if told == 1 && kills == 1 {
                let number = samples.count.fetch_add(1, Relaxed);
                let took = u32::try_from(self.word(REPORT_TIME).load(Relaxed)).unwrap();
                samples.times[usize::try_from(number).unwrap()].store(took, Relaxed);
            }
        }
        // Dropping a waiter kills it, which abandons the mutex once more.
        drop(waiters);
        drop(mutex.try_lock_for(BOUND).unwrap().expect("a mutex that becomes free"));
    }
}

#[test]
fn owners_die_at_any_moment() {
    alone("owners_die_at_any_moment", |_| {
        let rounds: u64 = match env::var("PAGEMATE_TORTURE").as_deref() {
            Ok("long") => 20_000,
            Ok(_) => 2_000,
            Err(_) => 200,
        };
        let samples: Shared<Samples> = typed();
        let start = Instant::now();
        let arenas: Vec<Arena> = (0..ARENAS)
            .map(|index| Arena { name: format!("arena-{index}"), board: typed() })
            .collect();
        let fights: Vec<Forked> =
            arenas.iter().map(|arena| fork(|| arena.rounds(rounds / ARENAS, &samples))).collect();
        fights.into_iter().for_each(Forked::join);
        let sum = |what| arenas.iter().map(|arena| arena.word(what).load(Relaxed)).sum::<u64>();
        let count = usize::try_from(samples.count.load(Relaxed)).unwrap();
        let mut took: Vec<u32> =
            samples.times[..count].iter().map(|time| time.load(Relaxed)).collect();
        took.sort_unstable();
        let ms = |part: usize| f64::from(took[(count - 1) * part / 1000]) / 1000.0;
        println!(
            "{REPLY}{rounds} owners killed in {:.1} s, {} deaths told of, after {:.1} ms in the \
             middle, {:.1} ms at 99 %, {:.1} ms at 99.9 %, {:.1} ms at most",
            start.elapsed().as_secs_f64(),
            sum(REPORTS),
            ms(500),
            ms(990),
            ms(999),
            ms(1000)
        );
        assert_eq!(sum(VIOLATIONS), 0, "two had it at once, or one was not told");
        assert!(count as u64 > rounds / 20, "of {rounds} owners {count} had it");
        assert!(ms(1000) < BOUND.as_secs_f64() * 1000.0);
    });
}
