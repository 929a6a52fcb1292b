//! Slim reader/writer locks and condition variables: words of one process that are zero at first, and on
//! which threads sleep.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec};

use super::critical_section::{CriticalSection, EnterCriticalSection, LeaveCriticalSection};
use crate::error::{INVALID_PARAMETER, Result, TIMEOUT, done};
use crate::process::wait::{deadline, left};

/// `INFINITE`.
const FOR_EVER: u32 = u32::MAX;

/// `CONDITION_VARIABLE_LOCKMODE_SHARED`.
const SHARED_MODE: u32 = 1;

/// The shared owners in the state of a lock, or all ones for an exclusive owner.
const OWNERS: u32 = (1 << 30) - 1;
const EXCLUSIVE: u32 = OWNERS;
/// Threads sleep on the state until they can own it shared.
const SHARED_WAITERS: u32 = 1 << 30;
/// Threads sleep on the turns until they can own it exclusively.
const EXCLUSIVE_WAITERS: u32 = 1 << 31;

/// `SRWLOCK`.
///
/// | State | Meaning |
/// |---|---|
/// | zero | free; there is no waiter that a release has not woken |
/// | owners | owned by so many threads, shared, or by one, exclusively |
/// | owners and a waiters bit | the same, and the last owner to release wakes waiters |
///
/// A waiters bit is set only while there are owners. The last release clears the state, and wakes all
/// shared waiters and one exclusive waiter. That one sets its bit again when it acquires the lock or goes
/// back to sleep, since others may sleep still.
#[derive(Debug, Default)]
#[repr(C, align(8))]
pub struct SlimLock {
    state: AtomicU32,
    /// Counts the releases that woke an exclusive waiter.
    turns: AtomicU32,
}

/// `CONDITION_VARIABLE`.
#[derive(Debug, Default)]
#[repr(C, align(8))]
pub struct Condition {
    /// Counts the calls that woke waiters.
    turns: AtomicU32,
    _unused: AtomicU32,
}

const _: () = assert!(size_of::<SlimLock>() == 8 && size_of::<Condition>() == 8);

/// Sleeps while the word has this value; false if nobody woke it in time. It may wake early.
fn sleep(word: &AtomicU32, value: u32, time: Option<Duration>) -> bool {
    let time = time.and_then(|time| Timespec::try_from(time).ok());
    futex::wait(word, Flags::PRIVATE, value, time.as_ref()) != Err(Errno::TIMEDOUT)
}

fn wake(word: &AtomicU32, count: u32) {
    // It fails only for bad addresses.
    _ = futex::wake(word, Flags::PRIVATE, count);
}

const ALL: u32 = i32::MAX.cast_unsigned();

impl SlimLock {
    /// Changes the state if it is still this one.
    fn change(&self, from: u32, to: u32) -> bool {
        // Acquire: the data as the last owner left it, for the Release in `release`.
        self.state.compare_exchange_weak(from, to, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    fn try_exclusive(&self, waiters: u32) -> bool {
        loop {
            match self.state.load(Ordering::Relaxed) {
                0 if self.change(0, EXCLUSIVE | waiters) => return true,
                0 => {}
                _ => return false,
            }
        }
    }

    fn try_shared(&self) -> bool {
        loop {
            let state = self.state.load(Ordering::Relaxed);
            // Not past those that wait: a stream of shared owners would keep them waiting for ever.
            if state >= EXCLUSIVE - 1 {
                return false;
            }
            if self.change(state, state + 1) {
                return true;
            }
        }
    }

    /// Sets a waiters bit in a state with owners; the state with it, or `None` if it is free by now.
    fn announce(&self, bit: u32) -> Option<u32> {
        let set = |state| (state != 0).then_some(state | bit);
        let before = self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, set);
        before.ok().map(|state| state | bit)
    }

    fn exclusive(&self) {
        let mut waiters = 0;
        while !self.try_exclusive(waiters) {
            // Acquire: a state that is older than this turn is not seen below.
            let turn = self.turns.load(Ordering::Acquire);
            waiters = EXCLUSIVE_WAITERS;
            if self.announce(EXCLUSIVE_WAITERS).is_some() {
                sleep(&self.turns, turn, None);
            }
        }
    }

    fn shared(&self) {
        while !self.try_shared() {
            if let Some(state) = self.announce(SHARED_WAITERS) {
                sleep(&self.state, state, None);
            }
        }
    }

    /// Takes one owner off.
    fn release(&self, owners: u32) {
        let less = |state: u32| {
            let left = state & OWNERS;
            let left = if owners == EXCLUSIVE { 0 } else { left.checked_sub(1)? };
            Some(if left == 0 { 0 } else { left | state & !OWNERS })
        };
        // Release: for the Acquire of the next owner. A lock without owners stays as it is.
        let Ok(before) = self.state.fetch_update(Ordering::Release, Ordering::Relaxed, less) else {
            return;
        };
        if less(before) != Some(0) {
            return;
        }
        if before & EXCLUSIVE_WAITERS != 0 {
            self.turns.fetch_add(1, Ordering::Release);
            wake(&self.turns, 1);
        }
        if before & SHARED_WAITERS != 0 {
            wake(&self.state, ALL);
        }
    }
}

impl Condition {
    /// Sleeps until it is woken, without the lock meanwhile.
    fn wait(&self, time: u32, release: impl FnOnce(), acquire: impl FnOnce()) -> Result<()> {
        let end =
            if time == FOR_EVER { None } else { deadline(Duration::from_millis(time.into())) };
        // The lock orders this before the change that the caller waits for, and so before its wake.
        let turn = self.turns.load(Ordering::Relaxed);
        release();
        let woken = sleep(&self.turns, turn, end.map(|_| left(end)));
        acquire();
        if woken { Ok(()) } else { Err(TIMEOUT) }
    }

    fn wake(&self, count: u32) {
        self.turns.fetch_add(1, Ordering::Relaxed);
        wake(&self.turns, count);
    }
}

/// Makes a lock that nobody owns.
///
/// # Safety
///
/// `lock` has room for one that no thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeSRWLock(lock: *mut SlimLock) {
    // SAFETY: the caller's promise.
    unsafe { lock.write(SlimLock::default()) };
}

macro_rules! locks {
    ($($(#[$doc:meta])* $name:ident |$lock:ident| $($result:ty)? $body:block)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        ///
        /// `lock` was made, or is zero.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(lock: *const SlimLock) $(-> $result)? {
            // SAFETY: the caller's promise. All that is in it is atomic.
            let $lock = unsafe { &*lock };
            $body
        }
    )*};
}

locks! {
    /// Owns a lock alone, and waits for that.
    AcquireSRWLockExclusive |lock| { lock.exclusive() }
    /// Owns a lock together with others, and waits for that.
    AcquireSRWLockShared |lock| { lock.shared() }
    /// Gives up a lock that this thread owns alone.
    ReleaseSRWLockExclusive |lock| { lock.release(EXCLUSIVE) }
    /// Gives up a lock that this thread owns together with others.
    ReleaseSRWLockShared |lock| { lock.release(1) }
    /// Owns a lock alone if nobody owns it; whether it does.
    TryAcquireSRWLockExclusive |lock| u8 { u8::from(lock.try_exclusive(0)) }
    /// Owns a lock together with others if nobody owns it alone, or waits; whether it does.
    TryAcquireSRWLockShared |lock| u8 { u8::from(lock.try_shared()) }
}

/// Makes a condition variable.
///
/// # Safety
///
/// `condition` has room for one that no thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeConditionVariable(condition: *mut Condition) {
    // SAFETY: the caller's promise.
    unsafe { condition.write(Condition::default()) };
}

/// Sleeps until a condition variable is woken, without the critical section meanwhile.
///
/// # Safety
///
/// `condition` was made, or is zero; `section` was made, and this thread is in it once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SleepConditionVariableCS(
    condition: *const Condition,
    section: *mut CriticalSection,
    time: u32,
) -> i32 {
    // SAFETY: the caller's promise. All that is in it is atomic.
    let condition = unsafe { &*condition };
    // SAFETY: the caller's promise.
    let release = || unsafe { LeaveCriticalSection(section) };
    // SAFETY: the caller's promise.
    done(condition.wait(time, release, || unsafe { EnterCriticalSection(section) }))
}

/// Sleeps until a condition variable is woken, without the lock meanwhile.
///
/// # Safety
///
/// Both were made, or are zero, and this thread owns the lock as `flags` say.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SleepConditionVariableSRW(
    condition: *const Condition,
    lock: *const SlimLock,
    time: u32,
    flags: u32,
) -> i32 {
    // SAFETY: the caller's promise. All that is in it is atomic.
    let condition = unsafe { &*condition };
    // SAFETY: as above.
    let lock = unsafe { &*lock };
    done(match flags {
        0 => condition.wait(time, || lock.release(EXCLUSIVE), || lock.exclusive()),
        SHARED_MODE => condition.wait(time, || lock.release(1), || lock.shared()),
        _ => Err(INVALID_PARAMETER),
    })
}

/// Wakes one thread that sleeps on a condition variable.
///
/// # Safety
///
/// `condition` was made, or is zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WakeConditionVariable(condition: *const Condition) {
    // SAFETY: the caller's promise. All that is in it is atomic.
    unsafe { &*condition }.wake(1);
}

/// Wakes all threads that sleep on a condition variable.
///
/// # Safety
///
/// `condition` was made, or is zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WakeAllConditionVariable(condition: *const Condition) {
    // SAFETY: the caller's promise. All that is in it is atomic.
    unsafe { &*condition }.wake(ALL);
}
