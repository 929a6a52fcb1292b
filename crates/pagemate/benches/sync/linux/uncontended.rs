//! Measures acquiring and releasing without contention.

use std::hint::black_box;
use std::sync::atomic::Ordering;

use pagemate::SectionOptions;
use pagemate::sync::{MutexOptions, SharedMutex};

use super::lock::Lock;
use super::measure::{Effort, compare, titles};
use super::mechanisms::semaphore;
use super::place::Place;
use super::posix::{PosixMutex, PosixSemaphore, Word};
use super::turns::{Signal, event};

pub(crate) fn table(_: &Place, effort: Effort) {
    println!("  processor time; beside two compare-and-exchange instructions on a shared page");
    titles("this", "exchanges");
    let page = Word::open("exchanged");
    let pair = || {
        let word = black_box(page.word());
        _ = black_box(word.compare_exchange(0, 1, Ordering::Acquire, Ordering::Relaxed));
        _ = black_box(word.compare_exchange(1, 0, Ordering::Release, Ordering::Relaxed));
    };

    let mutex = MutexOptions::new().create_new("mutex").expect("a free name");
    let taken = || _ = black_box(black_box(&mutex).lock().expect("a mutex"));
    compare(effort, taken, pair).print("mutex", Some(1.2));
    let section = SectionOptions::new().len(4096).create_new("guarded").expect("a free name");
    let guarded = SharedMutex::open_or_init(&section, 0, || 0_u64).expect("room");
    let taken = || _ = black_box(black_box(&guarded).lock().expect("a mutex"));
    compare(effort, taken, pair).print("mutex with a u64", None);
    let changed = || {
        let count = black_box(&guarded).lock().expect("a mutex").update(|count| *count += 1);
        black_box(count);
    };
    compare(effort, changed, pair).print("mutex with a u64, changed", None);
    let (event, semaphore) = (event("event"), semaphore("semaphore"));
    compare(effort, || passed(&event), pair).print("event", None);
    compare(effort, || passed(&semaphore), pair).print("semaphore", None);

    let (plain, robust) = (PosixMutex::open("plain", false), PosixMutex::open("robust", true));
    compare(effort, || held(&plain), pair).print("pthread mutex", None);
    compare(effort, || held(&robust), pair).print("pthread robust mutex", None);
    let semaphore = PosixSemaphore::open("sem_t");
    compare(effort, || passed(&semaphore), pair).print("sem_t", None);
}

fn passed(signal: &impl Signal) {
    let signal = black_box(signal);
    signal.raise();
    signal.wait();
}

fn held(lock: &impl Lock) {
    let lock = black_box(lock);
    lock.lock();
    lock.unlock();
}
