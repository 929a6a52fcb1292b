//! Spinning before sleeping: a waiter makes some more attempts before it asks the kernel to sleep.
//!
//! To sleep and to be woken takes several microseconds, and most waits are shorter. A waiter therefore
//! *spins* first: it repeats its attempt, for at most [`LONGEST`]. A thread that may run on one processor
//! only yields the processor between its attempts instead, so that the thread that it waits for can run.
//!
//! Spinning saves time only if the wait ends meanwhile, so each [`Spin`] keeps a *credit*: each success
//! raises it, a spin without success halves it, and if it is zero no waiter spins. After a series of short
//! sleeps the next waiter spins again. Long waits therefore take almost no processor time.
//!
//! Reading the clock takes as long as several attempts. A spin therefore reads it only after the first
//! attempts have failed, and only some of the sleeps are timed.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::yield_now;
use std::time::{Duration, Instant};

/// The longest spin: a little longer than it takes to wake a thread on another processor.
const LONGEST: Duration = Duration::from_micros(25);

/// The number of attempts with a single pause after each. They take about a microsecond.
const CLOSE_ATTEMPTS: u32 = 32;

/// The number of pauses after each attempt that follows the first [`CLOSE_ATTEMPTS`]. With more pauses the
/// thread loads the word less often, and delays the accesses of other threads less.
const PAUSES: u32 = 4;

/// The number of attempts between two readings of the clock.
const ATTEMPTS_PER_READING: u32 = 16;

/// The number of times that a thread which may run on one processor only yields the processor before it
/// sleeps.
const YIELDS: u32 = 2;

/// A sleep that is shorter than this may be avoidable: most of it can be the cost of sleeping and waking.
///
/// If a yield takes longer than this, other threads use the processor. A thread that sleeps then gets the
/// processor back sooner than a thread that yields.
const SHORT: Duration = Duration::from_micros(100);

/// The number of consecutive short sleeps after which the next waiter spins again. It bounds the
/// processor time that futile spins take.
const SLEEPS_BEFORE_RETRY: u32 = 32;

/// One in this number of sleeps is timed.
const SLEEPS_PER_TIMED: u32 = 8;

/// The highest credit. Each spin without success halves the credit.
const MAX_CREDIT: u32 = 8;

/// The credit of the first waiter.
const FIRST_CREDIT: u32 = 2;

/// The value of `credit` before the first waiter, which replaces it by [`FIRST_CREDIT`].
const UNKNOWN: u32 = u32::MAX;

/// The bit that is set in the credit if the last waiter could run on one processor only.
const ONE_PROCESSOR: u32 = 1 << 31;

/// Decides whether the waiters of one object in this process spin.
///
/// It is a hint, so no thread waits for another one to update it.
#[derive(Debug)]
pub(crate) struct Spin {
    credit: AtomicU32,
    /// The number of sleeps without credit since the last one that was not short.
    short_sleeps: AtomicU32,
}

impl Spin {
    pub(crate) const fn new() -> Spin {
        Spin { credit: AtomicU32::new(UNKNOWN), short_sleeps: AtomicU32::new(0) }
    }

    /// Calls `attempt` until it returns true. Returns false if `attempt` did not succeed within the time
    /// for spinning: the waiter then has to sleep.
    pub(crate) fn until(&self, attempt: impl FnMut() -> bool) -> bool {
        let credit = match self.credit.load(Ordering::Relaxed) {
            UNKNOWN => self.give(FIRST_CREDIT),
            credit => credit,
        };
        if credit == 0 {
            return false;
        }
        let (flag, credit) = (credit & ONE_PROCESSOR, credit & !ONE_PROCESSOR);
        let (succeeded, next) =
            if flag == 0 { spin_until(credit, attempt) } else { yield_until(credit, attempt) };
        if next < credit {
            self.give(next);
        } else if next.min(MAX_CREDIT) != credit {
            self.credit.store(flag | next.min(MAX_CREDIT), Ordering::Relaxed);
        }
        succeeded
    }

    /// Calls `sleep`, which sleeps until the wait is over, and counts it if it was short. After a series of
    /// short sleeps waiters spin again.
    pub(crate) fn note<T>(&self, sleep: impl FnOnce() -> T) -> T {
        if self.credit.load(Ordering::Relaxed) != 0 {
            return sleep();
        }
        let sleeps = self.short_sleeps.load(Ordering::Relaxed) + 1;
        let began = sleeps.is_multiple_of(SLEEPS_PER_TIMED).then(Instant::now);
        let result = sleep();
        let is_short = began.is_none_or(|began| began.elapsed() < SHORT);
        let retry = is_short && sleeps >= SLEEPS_BEFORE_RETRY;
        self.short_sleeps.store(if is_short && !retry { sleeps } else { 0 }, Ordering::Relaxed);
        if retry {
            self.give(1);
        }
        result
    }

    /// Sets the credit, and returns it with the flag [`ONE_PROCESSOR`]. The flag is determined again, because the
    /// system may have restricted the thread to one processor since the last call.
    #[cold]
    fn give(&self, credit: u32) -> u32 {
        let flag = if credit == 0 || has_several_processors() { 0 } else { ONE_PROCESSOR };
        self.credit.store(flag | credit, Ordering::Relaxed);
        flag | credit
    }
}

/// Calls `attempt` up to `times` times, with a pause after each call. Returns whether it succeeded.
#[inline]
pub(crate) fn try_closely(times: u32, mut attempt: impl FnMut() -> bool) -> bool {
    (0..times).any(|_| {
        let succeeded = attempt();
        if !succeeded {
            spin_loop();
        }
        succeeded
    })
}

/// Spins with this credit. Returns whether an attempt succeeded, and the next credit.
fn spin_until(credit: u32, mut attempt: impl FnMut() -> bool) -> (bool, u32) {
    if try_closely(CLOSE_ATTEMPTS, &mut attempt) {
        return (true, credit * 2);
    }
    let began = Instant::now();
    loop {
        for _ in 0..ATTEMPTS_PER_READING {
            if attempt() {
                return (true, credit + 1);
            }
            (0..PAUSES).for_each(|_| spin_loop());
        }
        if began.elapsed() >= LONGEST {
            return (false, credit / 2);
        }
    }
}

/// Yields the processor with this credit. Returns whether an attempt succeeded, and the next credit.
fn yield_until(credit: u32, mut attempt: impl FnMut() -> bool) -> (bool, u32) {
    let began = Instant::now();
    for _ in 0..YIELDS {
        yield_now();
        if attempt() {
            return (true, if began.elapsed() < SHORT { credit * 2 } else { credit / 2 });
        }
    }
    (false, credit / 2)
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

    /// Spins without success, and returns the number of attempts.
    fn attempts(spin: &Spin) -> u32 {
        let mut attempts = 0;
        assert!(!spin.until(|| {
            attempts += 1;
            false
        }));
        attempts
    }

    #[test]
    fn waiters_spin_only_while_it_pays() {
        let spin = Spin::new();
        assert!(spin.until(|| true));
        while attempts(&spin) > 0 {}
        assert!(!spin.until(|| unreachable!("futile spins have to end")));
        // Long sleeps never restore the credit, and short ones do.
        (0..2 * SLEEPS_BEFORE_RETRY).for_each(|_| spin.note(|| std::thread::sleep(SHORT)));
        assert_eq!(attempts(&spin), 0);
        (0..SLEEPS_BEFORE_RETRY).for_each(|_| spin.note(|| ()));
        assert!(attempts(&spin) > 0);
        assert_eq!(attempts(&spin), 0, "one try is enough");
    }

    #[test]
    fn thread_on_one_processor_yields_it() {
        let all = sched_getaffinity(None).unwrap();
        let number = (0..CpuSet::MAX_CPU).find(|number| all.is_set(*number)).unwrap();
        let mut one = CpuSet::new();
        one.set(number);
        // The affinity belongs to this thread, and the test harness runs each test in a thread of its own.
        sched_setaffinity(None, &one).unwrap();
        let spin = Spin::new();
        assert_eq!(attempts(&spin), YIELDS);
        sched_setaffinity(None, &all).unwrap();
        // The flag remains until the next spin without success.
        assert_eq!(attempts(&spin), YIELDS);
        let is_free = all.count() > 1;
        assert_eq!(attempts(&Spin::new()) > YIELDS, is_free);
    }
}
