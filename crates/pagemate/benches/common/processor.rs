//! Pins the benchmark to processors, so that both implementations run on the same ones.
#![allow(unsafe_code, reason = "sched_setscheduler(2)")]

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Returns the first and the last processor that this process may run on.
pub(crate) fn first_and_last() -> [usize; 2] {
    let set = sched_getaffinity(None).expect("a set");
    let mut all = (0..CpuSet::MAX_CPU).filter(|number| set.is_set(*number));
    let first = all.next().expect("a processor that we run on");
    [first, all.next_back().unwrap_or(first)]
}

/// Runs `act` while this thread, and the processes that it starts, are pinned to this processor.
pub(crate) fn pinned_to<T>(processor: usize, act: impl FnOnce() -> T) -> T {
    let before = sched_getaffinity(None).expect("a set");
    let mut set = CpuSet::new();
    set.set(processor);
    sched_setaffinity(None, &set).expect("a processor of ours");
    let outcome = act();
    sched_setaffinity(None, &before).expect("what it was");
    outcome
}

/// Runs `act` without wake-up preemption: a thread that is woken runs only when the running thread
/// sleeps. Otherwise the kernel may run the woken thread at once instead of the thread that woke
/// it. The latter then finds the answer without sleeping, and no sleep is measured.
pub(crate) fn without_preemption<T>(act: impl FnOnce() -> T) -> T {
    // SAFETY: the call reads the scheduling policy of this thread.
    if unsafe { libc::sched_getscheduler(0) } != libc::SCHED_OTHER {
        // The real-time policies have no wake-up preemption among equal priorities.
        return act();
    }
    set_policy(libc::SCHED_BATCH);
    let outcome = act();
    set_policy(libc::SCHED_OTHER);
    outcome
}

fn set_policy(policy: libc::c_int) {
    let nothing = libc::sched_param { sched_priority: 0 };
    // SAFETY: the call reads a local, and changes the scheduling policy of this thread.
    let done = unsafe { libc::sched_setscheduler(0, policy, &raw const nothing) };
    assert_eq!(done, 0, "a policy that everybody may have");
}
