//! On which processors things run, so that it is the same ones for both sides of a comparison.
#![allow(unsafe_code, reason = "sched_setscheduler(2)")]

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The first and the last processor that this process may run on.
pub(crate) fn ends() -> [usize; 2] {
    let set = sched_getaffinity(None).expect("a set");
    let mut all = (0..CpuSet::MAX_CPU).filter(|number| set.is_set(*number));
    let first = all.next().expect("a processor that we run on");
    [first, all.next_back().unwrap_or(first)]
}

/// What this thread does, and the processes that it starts meanwhile, stays on this processor.
pub(crate) fn staying_on<T>(processor: usize, act: impl FnOnce() -> T) -> T {
    let before = sched_getaffinity(None).expect("a set");
    let mut set = CpuSet::new();
    set.set(processor);
    sched_setaffinity(None, &set).expect("a processor of ours");
    let outcome = act();
    sched_setaffinity(None, &before).expect("what it was");
    outcome
}

/// Who wakes up meanwhile, of this thread and the processes that it starts, waits until the one who
/// runs goes to sleep. Otherwise the kernel may let a sleeper run at once in the place of who woke
/// it, who then finds the answer there and never sleeps.
pub(crate) fn without_haste<T>(act: impl FnOnce() -> T) -> T {
    // SAFETY: it tells about this thread.
    if unsafe { libc::sched_getscheduler(0) } != libc::SCHED_OTHER {
        // By the real-time policies it is so among equals anyway.
        return act();
    }
    set_policy(libc::SCHED_BATCH);
    let outcome = act();
    set_policy(libc::SCHED_OTHER);
    outcome
}

fn set_policy(policy: libc::c_int) {
    let nothing = libc::sched_param { sched_priority: 0 };
    // SAFETY: it reads a local, and changes how this thread is scheduled.
    let done = unsafe { libc::sched_setscheduler(0, policy, &raw const nothing) };
    assert_eq!(done, 0, "a policy that everybody may have");
}
