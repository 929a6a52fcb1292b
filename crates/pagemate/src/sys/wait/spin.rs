//! Spinning before sleeping: a waiter reads the word repeatedly for a short time before it calls
//! the kernel.
//!
//! To sleep and to be woken takes several microseconds, and most locks are held for a shorter time.
//! A waiter therefore spins first, for at most [`LONGEST`]. Spinning saves time only if the object
//! becomes available meanwhile, so the waiters of an object keep a *credit*: a quick success raises
//! it, a spin without success halves it, and if it is zero no waiter spins. After a series of short
//! sleeps one waiter spins again. Long waits therefore take no processor time.
//!
//! A success that is not quick does not change the credit. Otherwise two threads that wake each
//! other in turn would never begin to spin: the first spin has to last until the other thread has
//! woken up, which is not quick.
//!
//! A thread that may run on one processor only never spins, because the thread that it waits for
//! could not run.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The longest spin: a little longer than it takes to wake a thread on another processor.
const LONGEST: Duration = Duration::from_micros(25);

/// The longest successful spin that raises the credit.
const QUICK: Duration = Duration::from_micros(5);

/// A sleep that is shorter than this may be avoidable: most of it can be the cost of sleeping and
/// waking.
const SHORT_SLEEP: Duration = Duration::from_micros(100);

/// The number of consecutive short sleeps after which the next waiter spins again. It bounds the
/// processor time that futile spins take.
const SLEEPS_BEFORE_RETRY: u32 = 32;

/// The maximum number of pauses between two loads of the word.
const MAX_PAUSES: u32 = 4;

/// The highest credit. Each spin without success halves the credit.
const MAX_CREDIT: u32 = 8;

/// The credit of the first waiter.
const FIRST_CREDIT: u32 = 2;

/// The value of `credit` before the first waiter. That waiter replaces it by `FIRST_CREDIT`, or by 0 if it
/// may run on one processor only.
const UNKNOWN: u32 = u32::MAX;

/// Decides whether the waiters of one object in this process spin.
///
/// It is a hint, so no thread waits for another one to update it.
#[derive(Debug)]
pub(crate) struct Spin {
    credit: AtomicU32,
    /// The number of consecutive short sleeps while the credit was zero.
    short_sleeps: AtomicU32,
}

impl Spin {
    pub(crate) const fn new() -> Spin {
        Spin { credit: AtomicU32::new(UNKNOWN), short_sleeps: AtomicU32::new(0) }
    }

    /// Calls `attempt` until it returns true. Returns false if `attempt` did not
    /// succeed within the time for spinning: the waiter then has to sleep.
    pub(crate) fn until(&self, mut attempt: impl FnMut() -> bool) -> bool {
        let credit = match self.credit.load(Ordering::Relaxed) {
            UNKNOWN => self.give(FIRST_CREDIT),
            credit => credit,
        };
        if credit == 0 {
            return false;
        }
        let mut pauses = 1;
        let began = Instant::now();
        loop {
            let spun = began.elapsed();
            if attempt() {
                if spun <= QUICK && credit < MAX_CREDIT {
                    self.credit.store(MAX_CREDIT.min(credit * 2), Ordering::Relaxed);
                }
                return true;
            }
            if spun >= LONGEST {
                self.give(credit / 2);
                return false;
            }
            (0..pauses).for_each(|_| spin_loop());
            pauses = MAX_PAUSES.min(pauses * 2);
        }
    }

    /// Records the time for which a waiter slept until the object was available.
    pub(crate) fn note_sleep(&self, time: Duration) {
        if self.credit.load(Ordering::Relaxed) != 0 {
            return;
        }
        let sleeps =
            if time < SHORT_SLEEP { self.short_sleeps.load(Ordering::Relaxed) + 1 } else { 0 };
        let retry = sleeps == SLEEPS_BEFORE_RETRY;
        self.short_sleeps.store(if retry { 0 } else { sleeps }, Ordering::Relaxed);
        if retry {
            self.give(1);
        }
    }

    /// Sets the credit, and returns it. For a thread that may run on one processor only the credit
    /// is 0; the system may have restricted the thread since the last call.
    #[cold]
    fn give(&self, credit: u32) -> u32 {
        let credit = if credit > 0 && has_several_processors() { credit } else { 0 };
        self.credit.store(credit, Ordering::Relaxed);
        credit
    }
}

/// Returns whether the calling thread may run on more than one processor.
fn has_several_processors() -> bool {
    cfg_select! {
        target_os = "linux" => {
            // An error means that the system has more processors than a `CpuSet` can express.
            rustix::thread::sched_getaffinity(None).map_or(true, |set| set.count() > 1)
        }
        _ => std::thread::available_parallelism().is_ok_and(|count| count.get() > 1),
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    /// Spins without success, and returns whether there was an attempt.
    fn attempts(spin: &Spin) -> bool {
        let mut attempts = 0;
        assert!(!spin.until(|| {
            attempts += 1;
            false
        }));
        attempts > 0
    }

    #[test]
    #[allow(clippy::print_stdout, reason = "a skipped test says so")]
    fn waiters_spin_only_while_it_pays() {
        let spin = Spin::new();
        if !has_several_processors() {
            println!("skipped: this thread may run on one processor only");
            return;
        }
        assert!(spin.until(|| true));
        while attempts(&spin) {}
        assert!(!spin.until(|| unreachable!("futile spins have to end")));
        // Long sleeps never restore the credit, and short ones do.
        for time in [Duration::ZERO, SHORT_SLEEP] {
            (1..SLEEPS_BEFORE_RETRY).for_each(|_| spin.note_sleep(time));
        }
        assert!(!attempts(&spin));
        (0..SLEEPS_BEFORE_RETRY).for_each(|_| spin.note_sleep(Duration::ZERO));
        assert!(attempts(&spin));
        assert!(!attempts(&spin), "one try is enough");
    }

    #[test]
    fn thread_on_one_processor_never_spins() {
        let all = sched_getaffinity(None).unwrap();
        let number = (0..CpuSet::MAX_CPU).find(|number| all.is_set(*number)).unwrap();
        let mut one = CpuSet::new();
        one.set(number);
        // The affinity belongs to this thread, and the test harness runs each test in a thread of
        // its own.
        sched_setaffinity(None, &one).unwrap();
        let spin = Spin::new();
        assert!(!attempts(&spin));
        (0..SLEEPS_BEFORE_RETRY).for_each(|_| spin.note_sleep(Duration::ZERO));
        assert!(!attempts(&spin));
        sched_setaffinity(None, &all).unwrap();
        assert_eq!(attempts(&Spin::new()), all.count() > 1);
    }
}
