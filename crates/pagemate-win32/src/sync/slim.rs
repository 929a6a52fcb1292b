//! Slim reader/writer locks and condition variables. Both are initially zero, and work only among
//! the threads of one process. Waiters sleep on futexes.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::critical_section::{CriticalSection, EnterCriticalSection, LeaveCriticalSection};
use crate::deadline::{deadline, left};
use crate::error::{INVALID_PARAMETER, Result, TIMEOUT, done};
use crate::futex::{ALL_WAITERS, sleep, wake};

/// `INFINITE`.
const INFINITE: u32 = u32::MAX;

/// `CONDITION_VARIABLE_LOCKMODE_SHARED`.
const SHARED_MODE: u32 = 1;

/// The bits of the lock's state that count its shared owners. All of them are set while the lock
/// has an exclusive owner.
const OWNERS: u32 = (1 << 30) - 1;
const EXCLUSIVE: u32 = OWNERS;
/// The flag that threads wait for shared ownership. They sleep on `state`.
const SHARED_WAITERS: u32 = 1 << 30;
/// The flag that threads wait for exclusive ownership. They sleep on `turns`.
const EXCLUSIVE_WAITERS: u32 = 1 << 31;

/// `SRWLOCK`. The state of the lock is one of:
///
/// | State | Meaning |
/// |---|---|
/// | zero | free, and the thread that released it has woken every waiter that it must wake |
/// | a number of owners | that number of threads own the lock (shared), or one thread does (exclusive) |
/// | owners and a flag for waiters | the same, and the last owner must wake waiters when it releases the lock |
///
/// A flag for waiters is set only while the lock has an owner. The last owner clears the state when
/// it releases the lock, and wakes all waiters for shared ownership and one waiter for exclusive
/// ownership. A waiter for exclusive ownership sets its flag again when it acquires the lock or
/// sleeps again, because other such waiters may still sleep.
#[derive(Debug, Default)]
#[repr(C, align(8))]
pub struct SlimLock {
    state: AtomicU32,
    /// The number of releases that woke a waiter for exclusive ownership.
    turns: AtomicU32,
}

/// `CONDITION_VARIABLE`.
#[derive(Debug, Default)]
#[repr(C, align(8))]
pub struct Condition {
    /// The number of calls that woke waiters of the condition variable.
    turns: AtomicU32,
    _unused: AtomicU32,
}

const _: () = assert!(size_of::<SlimLock>() == 8 && size_of::<Condition>() == 8);

impl SlimLock {
    /// Replaces the state if it still equals `from`.
    fn change(&self, from: u32, to: u32) -> bool {
        // Acquire: pairs with the Release in `release`, so that this owner sees the data of the
        // previous owner.
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
            // Fail while other threads wait. If new shared owners could always enter, a waiter for
            // exclusive ownership might never get the lock.
            if state >= EXCLUSIVE - 1 {
                return false;
            }
            if self.change(state, state + 1) {
                return true;
            }
        }
    }

    /// Sets a flag for waiters if the lock has an owner. Returns the new state, or `None` if the
    /// lock is free.
    fn set_waiters(&self, bit: u32) -> Option<u32> {
        let set = |state| (state != 0).then_some(state | bit);
        let before = self.state.fetch_update(Ordering::Relaxed, Ordering::Relaxed, set);
        before.ok().map(|state| state | bit)
    }

    fn exclusive(&self) {
        let mut waiters = 0;
        while !self.try_exclusive(waiters) {
            // Acquire: pairs with the Release in `release`. If this load returns the count after a
            // release, the load of the state below cannot return the state before that release.
            let turn = self.turns.load(Ordering::Acquire);
            waiters = EXCLUSIVE_WAITERS;
            if self.set_waiters(EXCLUSIVE_WAITERS).is_some() {
                sleep(&self.turns, turn, None);
            }
        }
    }

    fn shared(&self) {
        while !self.try_shared() {
            if let Some(state) = self.set_waiters(SHARED_WAITERS) {
                sleep(&self.state, state, None);
            }
        }
    }

    /// Releases one shared owner, or the exclusive owner.
    fn release(&self, owners: u32) {
        let less = |state: u32| {
            let left = state & OWNERS;
            let left = if owners == EXCLUSIVE { 0 } else { left.checked_sub(1)? };
            Some(if left == 0 { 0 } else { left | state & !OWNERS })
        };
        // Release: pairs with the Acquire of the next owner. The state of a lock without owners is
        // unchanged.
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
            wake(&self.state, ALL_WAITERS);
        }
    }
}

impl Condition {
    /// Releases the lock, sleeps until a thread wakes the condition variable, and acquires the lock
    /// again.
    fn wait(&self, time: u32, release: impl FnOnce(), acquire: impl FnOnce()) -> Result<()> {
        let end =
            if time == INFINITE { None } else { deadline(Duration::from_millis(time.into())) };
        // The caller still holds the lock. Another thread needs the lock to make the condition
        // true, and wakes this thread afterwards. So this load precedes that wake-up.
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

/// Initializes a free lock.
///
/// # Safety
///
/// `lock` is valid for writes, and no thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeSRWLock(lock: *mut SlimLock) {
    // SAFETY: the caller guarantees that `lock` is valid for writes and unused.
    unsafe { lock.write(SlimLock::default()) };
}

macro_rules! locks {
    ($($(#[$doc:meta])* $name:ident |$lock:ident| $($result:ty)? $body:block)*) => {$(
        $(#[$doc])*
        ///
        /// # Safety
        ///
        /// `lock` is initialized or zero.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(lock: *const SlimLock) $(-> $result)? {
            // SAFETY: the caller guarantees that `lock` is initialized or zero, which are both
            // valid. All fields are atomic, so a shared reference is sound while other threads use
            // the lock.
            let $lock = unsafe { &*lock };
            $body
        }
    )*};
}

locks! {
    /// Acquires exclusive ownership of a lock, and waits for it.
    AcquireSRWLockExclusive |lock| { lock.exclusive() }
    /// Acquires shared ownership of a lock, and waits for it.
    AcquireSRWLockShared |lock| { lock.shared() }
    /// Releases exclusive ownership of a lock.
    ReleaseSRWLockExclusive |lock| { lock.release(EXCLUSIVE) }
    /// Releases shared ownership of a lock.
    ReleaseSRWLockShared |lock| { lock.release(1) }
    /// Acquires exclusive ownership if the lock has no owner; returns whether it did.
    TryAcquireSRWLockExclusive |lock| u8 { u8::from(lock.try_exclusive(0)) }
    /// Acquires shared ownership if the lock has no exclusive owner and no waiters; returns whether
    /// it did.
    TryAcquireSRWLockShared |lock| u8 { u8::from(lock.try_shared()) }
}

/// Initializes a condition variable.
///
/// # Safety
///
/// `condition` is valid for writes, and no thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeConditionVariable(condition: *mut Condition) {
    // SAFETY: the caller guarantees that `condition` is valid for writes and unused.
    unsafe { condition.write(Condition::default()) };
}

/// Releases a critical section, sleeps until a condition variable is woken, and acquires the
/// section again.
///
/// # Safety
///
/// `condition` is initialized or zero; `section` is initialized, and this thread owns it exactly
/// once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SleepConditionVariableCS(
    condition: *const Condition,
    section: *mut CriticalSection,
    time: u32,
) -> i32 {
    // SAFETY: the caller guarantees that `condition` is initialized or zero. All fields are atomic.
    let condition = unsafe { &*condition };
    // SAFETY: the caller guarantees that `section` is initialized and owned by this thread.
    let release = || unsafe { LeaveCriticalSection(section) };
    // SAFETY: the caller guarantees that `section` is initialized.
    done(
        "SleepConditionVariableCS",
        condition.wait(time, release, || unsafe { EnterCriticalSection(section) }),
    )
}

/// Releases a slim lock, sleeps until a condition variable is woken, and acquires the lock again.
///
/// # Safety
///
/// `condition` and `lock` are initialized or zero, and this thread owns the lock in the mode that
/// `flags` states.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SleepConditionVariableSRW(
    condition: *const Condition,
    lock: *const SlimLock,
    time: u32,
    flags: u32,
) -> i32 {
    // SAFETY: the caller guarantees that `condition` is initialized or zero. All fields are atomic.
    let condition = unsafe { &*condition };
    // SAFETY: the caller guarantees that `lock` is initialized or zero. All fields are atomic.
    let lock = unsafe { &*lock };
    done(
        "SleepConditionVariableSRW",
        match flags {
            0 => condition.wait(time, || lock.release(EXCLUSIVE), || lock.exclusive()),
            SHARED_MODE => condition.wait(time, || lock.release(1), || lock.shared()),
            _ => Err(INVALID_PARAMETER),
        },
    )
}

/// Wakes one thread that sleeps on a condition variable.
///
/// # Safety
///
/// `condition` is initialized or zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WakeConditionVariable(condition: *const Condition) {
    // SAFETY: the caller guarantees that `condition` is initialized or zero. All fields are atomic.
    unsafe { &*condition }.wake(1);
}

/// Wakes all threads that sleep on a condition variable.
///
/// # Safety
///
/// `condition` is initialized or zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WakeAllConditionVariable(condition: *const Condition) {
    // SAFETY: the caller guarantees that `condition` is initialized or zero. All fields are atomic.
    unsafe { &*condition }.wake(ALL_WAITERS);
}
