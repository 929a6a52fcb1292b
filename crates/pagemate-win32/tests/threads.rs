//! Handles, views and sync objects under threads that share them without asking each other.
//!
//! `cargo xtask threads` runs this under `ThreadSanitizer`.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "the interface of C")]

use std::cell::UnsafeCell;
use std::ffi::CString;
use std::ptr::{null, null_mut, without_provenance_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pagemate_win32::error::{GetLastError, SetLastError};
use pagemate_win32::handle::table::{
    CloseHandle, DuplicateHandle, GetHandleInformation, Handle, SetHandleInformation,
};
use pagemate_win32::memory::mapping::{CreateFileMappingA, OpenFileMappingA};
use pagemate_win32::memory::view::{FlushViewOfFile, MapViewOfFile, UnmapViewOfFile};
use pagemate_win32::memory::virtual_alloc::{VirtualProtect, VirtualQuery};
use pagemate_win32::sync::create::{
    CreateEventA, CreateMutexA, CreateSemaphoreA, OpenEventA, OpenMutexA, OpenSemaphoreA,
};
use pagemate_win32::sync::object::{
    PulseEvent, ReleaseMutex, ReleaseSemaphore, ResetEvent, SetEvent,
};
use pagemate_win32::sync::slim::{
    AcquireSRWLockExclusive, AcquireSRWLockShared, Condition, ReleaseSRWLockExclusive,
    ReleaseSRWLockShared, SleepConditionVariableSRW, SlimLock, WakeAllConditionVariable,
    WakeConditionVariable,
};
use pagemate_win32::sync::wait::{WaitForMultipleObjects, WaitForSingleObject};

const THREADS: usize = 4;
const ROUNDS: usize = 20_000;
/// Where threads find each other's handles and views, and race for them.
const SHARED: usize = 8;

const ALL_ACCESS: u32 = 0xF_001F;
const READWRITE: u32 = 4;
const INVALID_HANDLE: u32 = 6;
const INVALID_ADDRESS: u32 = 487;
const NOT_OWNER: u32 = 288;
const TOO_MANY_POSTS: u32 = 298;
/// `SYNCHRONIZE`; `WAIT_ABANDONED`, `WAIT_TIMEOUT`, `WAIT_FAILED`, and longer than anything takes.
const SYNCHRONIZE: u32 = 0x10_0000;
const ABANDONED: u32 = 0x80;
const TIMEOUT: u32 = 0x102;
const FAILED: u32 = u32::MAX;
const PATIENCE: u32 = 60_000;

/// Keeps the tests apart: a number that one of them closed may be another's handle by now.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Numbers that look random, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

fn handle(place: &AtomicUsize) -> Handle {
    without_provenance_mut(place.load(Ordering::Relaxed))
}

/// Puts a handle into a place, and closes the one that was there.
fn exchange(place: &AtomicUsize, new: Handle) {
    let old = place.swap(new.addr(), Ordering::Relaxed);
    if old != 0 {
        assert_eq!(
            CloseHandle(without_provenance_mut(old)),
            1,
            "whoever takes a handle out has it"
        );
    }
}

fn play(seed: u64, name: &CString, handles: &[AtomicUsize], views: &[AtomicUsize]) {
    let mut dice = Dice(seed);
    for _ in 0..ROUNDS {
        let (place, shown) = (&handles[dice.roll(SHARED)], &views[dice.roll(SHARED)]);
        SetLastError(0);
        match dice.roll(8) {
            0 => {
                let invalid = without_provenance_mut(usize::MAX);
                // SAFETY: the name ends in a NUL.
                let made = unsafe {
                    CreateFileMappingA(invalid, null(), READWRITE, 0, 1 << 16, name.as_ptr().cast())
                };
                assert!(!made.is_null(), "{}", GetLastError());
                exchange(place, made);
            }
            1 => {
                // SAFETY: the name ends in a NUL.
                let opened = unsafe { OpenFileMappingA(ALL_ACCESS, 0, name.as_ptr().cast()) };
                if !opened.is_null() {
                    exchange(place, opened);
                }
            }
            2 => {
                let this = without_provenance_mut(usize::MAX);
                let mut twin = null_mut();
                // SAFETY: there is room for the twin.
                let done =
                    unsafe { DuplicateHandle(this, handle(place), this, &raw mut twin, 0, 0, 2) };
                if done == 1 {
                    exchange(&handles[dice.roll(SHARED)], twin);
                } else {
                    assert_eq!(GetLastError(), INVALID_HANDLE);
                }
            }
            3 => exchange(place, null_mut()),
            4 => {
                let view = MapViewOfFile(handle(place), 2, 0, 0, 0);
                if view.is_null() {
                    assert_eq!(GetLastError(), INVALID_HANDLE);
                } else {
                    // A number of our own, at a place that is ours.
                    let at = view.cast::<u64>().wrapping_add(usize::try_from(seed).unwrap());
                    // SAFETY: the view is ours alone until it is put where others find it.
                    unsafe { at.write(seed) };
                    let old = shown.swap(view.addr(), Ordering::Relaxed);
                    if old != 0 {
                        assert_eq!(UnmapViewOfFile(without_provenance_mut(old)), 1);
                    }
                }
            }
            5 => {
                let view = shown.swap(0, Ordering::Relaxed);
                if view != 0 {
                    assert_eq!(UnmapViewOfFile(without_provenance_mut(view + 5000)), 1);
                }
            }
            6 => {
                let view: Handle = without_provenance_mut(shown.load(Ordering::Relaxed));
                let mut answer = std::mem::MaybeUninit::uninit();
                let room = size_of_val(&answer);
                // SAFETY: there is that much room.
                let len = unsafe { VirtualQuery(view, answer.as_mut_ptr(), room) };
                assert!(view.is_null() || len > 0);
                let mut old = 0;
                // SAFETY: there is room for what it was.
                let done = unsafe { VirtualProtect(view, 4096, READWRITE, &raw mut old) };
                assert!(done == 1 || GetLastError() == INVALID_ADDRESS);
                assert!(FlushViewOfFile(view, 0) == 1 || GetLastError() == INVALID_ADDRESS);
            }
            _ => {
                let mut flags = 0;
                // SAFETY: there is room for them.
                let done = unsafe { GetHandleInformation(handle(place), &raw mut flags) };
                assert!(done == 1 || GetLastError() == INVALID_HANDLE);
                let done =
                    SetHandleInformation(handle(place), 1, u32::from(seed.is_multiple_of(2)));
                assert!(done == 1 || GetLastError() == INVALID_HANDLE);
            }
        }
    }
}

#[test]
fn threads_that_race_for_handles_and_views_break_neither() {
    let _alone = alone();
    let name = CString::new(format!("threads-{}", std::process::id())).unwrap();
    let handles: [AtomicUsize; SHARED] = Default::default();
    let views: [AtomicUsize; SHARED] = Default::default();
    std::thread::scope(|scope| {
        for seed in 1..=THREADS as u64 {
            let (name, handles, views) = (&name, &handles, &views);
            scope.spawn(move || play(seed, name, handles, views));
        }
    });
    for place in &handles {
        exchange(place, null_mut());
    }
    // SAFETY: the name ends in a NUL.
    let gone = unsafe { OpenFileMappingA(ALL_ACCESS, 0, name.as_ptr().cast()) };
    assert!(gone.is_null(), "the name went with its last handle, though views are left");
    for view in views {
        let view = view.into_inner();
        assert!(view == 0 || UnmapViewOfFile(without_provenance_mut(view)) == 1);
    }
}

/// What whoever has the mutex changes without asking anybody else.
struct Guarded(UnsafeCell<usize>);

// SAFETY: only who has the mutex touches it, which is what the test is about.
unsafe impl Sync for Guarded {}

#[test]
fn threads_that_open_one_mutex_by_its_name_have_it_one_by_one() {
    const TURNS: usize = ROUNDS / 10;
    let _alone = alone();
    let name = CString::new(format!("threads-mutex-{}", std::process::id())).unwrap();
    let count = Guarded(UnsafeCell::new(0));
    let turns = || {
        let (count, name) = (&count, name.as_ptr().cast());
        for _ in 0..TURNS {
            // SAFETY: the name ends in a NUL.
            let mutex = unsafe { CreateMutexA(null(), 0, name) };
            assert_eq!(WaitForSingleObject(mutex, PATIENCE), 0, "{}", GetLastError());
            // By another handle it is this thread's too.
            // SAFETY: the name ends in a NUL.
            let again = unsafe { OpenMutexA(SYNCHRONIZE, 0, name) };
            assert_eq!(WaitForSingleObject(again, PATIENCE), 0, "{}", GetLastError());
            // SAFETY: this thread has the mutex, and nobody else touches it meanwhile.
            unsafe { *count.0.get() += 1 };
            for handle in [mutex, again] {
                assert_eq!(ReleaseMutex(handle), 1);
            }
            for handle in [again, mutex] {
                assert_eq!(CloseHandle(handle), 1);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(turns);
        }
    });
    assert_eq!(count.0.into_inner(), THREADS * TURNS);
}

/// Makes one of three objects, or finds it.
fn make(kind: usize, names: &[CString; 3]) -> Handle {
    let name = names[kind].as_ptr().cast();
    let made = match kind {
        // SAFETY: the name ends in a NUL.
        0 => unsafe { CreateMutexA(null(), 0, name) },
        // SAFETY: the name ends in a NUL.
        1 => unsafe { CreateEventA(null(), 0, 1, name) },
        // SAFETY: the name ends in a NUL.
        _ => unsafe { CreateSemaphoreA(null(), 1, 3, name) },
    };
    assert!(!made.is_null(), "{}", GetLastError());
    made
}

fn race(seed: u64, names: &[CString; 3], handles: &[AtomicUsize]) {
    let mut dice = Dice(seed);
    let done_or = |done: i32, errors: &[u32]| {
        let error = GetLastError();
        assert!(done == 1 || error == INVALID_HANDLE || errors.contains(&error), "{error}");
    };
    let waited = |result: u32| match result {
        0..2 | ABANDONED..0x82 | TIMEOUT => {}
        FAILED => assert_eq!(GetLastError(), INVALID_HANDLE),
        other => panic!("{other}"),
    };
    for _ in 0..ROUNDS {
        let place = &handles[dice.roll(SHARED)];
        match dice.roll(9) {
            0 => exchange(place, make(dice.roll(3), names)),
            1 => exchange(place, null_mut()),
            2 => done_or(ReleaseMutex(handle(place)), &[NOT_OWNER]),
            3 => done_or(SetEvent(handle(place)), &[]),
            4 => done_or(ResetEvent(handle(place)), &[]),
            5 => done_or(PulseEvent(handle(place)), &[]),
            // SAFETY: nobody asks how many there were.
            6 => done_or(
                unsafe { ReleaseSemaphore(handle(place), 1, null_mut()) },
                &[TOO_MANY_POSTS],
            ),
            7 => waited(WaitForSingleObject(handle(place), 0)),
            _ => {
                let both = [handle(place), handle(&handles[dice.roll(SHARED)])];
                // SAFETY: there are two.
                waited(unsafe { WaitForMultipleObjects(2, both.as_ptr(), 0, 0) });
            }
        }
    }
}

#[test]
fn threads_that_race_for_sync_objects_break_none() {
    let _alone = alone();
    let id = std::process::id();
    let names = ["m", "e", "s"].map(|kind| CString::new(format!("race-{kind}-{id}")).unwrap());
    let handles: [AtomicUsize; SHARED] = Default::default();
    std::thread::scope(|scope| {
        for seed in 1..=THREADS as u64 {
            let (names, handles) = (&names, &handles);
            scope.spawn(move || race(seed, names, handles));
        }
    });
    for place in &handles {
        exchange(place, null_mut());
    }
    // SAFETY: the name ends in a NUL.
    let mutex = unsafe { OpenMutexA(SYNCHRONIZE, 0, names[0].as_ptr().cast()) };
    // SAFETY: the name ends in a NUL.
    let event = unsafe { OpenEventA(SYNCHRONIZE, 0, names[1].as_ptr().cast()) };
    // SAFETY: the name ends in a NUL.
    let semaphore = unsafe { OpenSemaphoreA(SYNCHRONIZE, 0, names[2].as_ptr().cast()) };
    assert!([mutex, event, semaphore].iter().all(|handle| handle.is_null()), "all are gone");
}

/// A slim lock, condition variables, and a queue of four numbers that the lock protects.
#[derive(Default)]
struct Queue {
    lock: SlimLock,
    filled: Condition,
    emptied: Condition,
    numbers: UnsafeCell<Vec<usize>>,
}

// SAFETY: only the owner of the lock touches the numbers, which is the subject of the test.
unsafe impl Sync for Queue {}

impl Queue {
    const ROOM: usize = 4;

    /// Waits with the lock until the numbers fit, uses them, and wakes a thread of the other side.
    fn with<T>(
        &self,
        fits: impl Fn(&[usize]) -> bool,
        wait_for: &Condition,
        wake: &Condition,
        run: impl FnOnce(&mut Vec<usize>) -> T,
    ) -> T {
        // SAFETY: the lock is here, and zero at first.
        unsafe { AcquireSRWLockExclusive(&raw const self.lock) };
        // SAFETY: this thread owns the lock whenever it looks.
        let fits = || fits(unsafe { &*self.numbers.get() });
        while !fits() {
            // SAFETY: this thread owns the lock.
            let woken = unsafe {
                SleepConditionVariableSRW(&raw const *wait_for, &raw const self.lock, PATIENCE, 0)
            };
            assert_eq!(woken, 1, "{}", GetLastError());
        }
        // SAFETY: as above.
        let result = run(unsafe { &mut *self.numbers.get() });
        // SAFETY: this thread owns the lock.
        unsafe { ReleaseSRWLockExclusive(&raw const self.lock) };
        // SAFETY: it is here, and zero at first.
        unsafe { WakeConditionVariable(&raw const *wake) };
        result
    }

    fn put(&self, number: usize) {
        let has_room = |numbers: &[usize]| numbers.len() < Queue::ROOM;
        self.with(has_room, &self.emptied, &self.filled, |numbers| numbers.push(number));
    }

    fn take(&self) -> usize {
        let has_some = |numbers: &[usize]| !numbers.is_empty();
        self.with(has_some, &self.filled, &self.emptied, |numbers| numbers.pop().unwrap())
    }

    fn len(&self) -> usize {
        // SAFETY: the lock is here, and zero at first.
        unsafe { AcquireSRWLockShared(&raw const self.lock) };
        // SAFETY: nobody changes them while this thread owns the lock.
        let len = unsafe { &*self.numbers.get() }.len();
        // SAFETY: this thread owns it.
        unsafe { ReleaseSRWLockShared(&raw const self.lock) };
        len
    }
}

#[test]
fn slim_locks_and_condition_variables_hand_on_what_they_protect() {
    const EACH: usize = 2_000;
    let _alone = alone();
    let (queue, sum) = (Queue::default(), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (1..=EACH).for_each(|number| queue.put(number)));
            scope.spawn(|| {
                let taken: usize = (0..EACH).map(|_| queue.take()).sum();
                sum.fetch_add(taken, Ordering::Relaxed);
            });
        }
        scope.spawn(|| (0..EACH).for_each(|_| assert!(queue.len() <= Queue::ROOM)));
    });
    assert_eq!(sum.into_inner(), THREADS * EACH * (EACH + 1) / 2);
    // SAFETY: it is here.
    unsafe { WakeAllConditionVariable(&raw const queue.filled) };
}
