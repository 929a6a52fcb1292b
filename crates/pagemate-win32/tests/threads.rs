//! Handles, views and sync objects used by several threads without synchronization.
//!
//! `cargo xtask threads` runs this test under `ThreadSanitizer`.
#![cfg(target_os = "linux")]
#![allow(unsafe_code, reason = "the interface of C")]

use std::cell::UnsafeCell;
use std::ffi::CString;
use std::ptr::{null, null_mut, without_provenance_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pagemate_win32::error::{GetLastError, SetLastError};
use pagemate_win32::handle::close::CloseHandle;
use pagemate_win32::handle::duplicate::DuplicateHandle;
use pagemate_win32::handle::information::{GetHandleInformation, SetHandleInformation};
use pagemate_win32::handle::number::Handle;
use pagemate_win32::memory::create_mapping::CreateFileMappingA;
use pagemate_win32::memory::open_mapping::OpenFileMappingA;
use pagemate_win32::memory::view::{FlushViewOfFile, MapViewOfFile, UnmapViewOfFile};
use pagemate_win32::memory::virtual_protect::VirtualProtect;
use pagemate_win32::memory::virtual_query::VirtualQuery;
use pagemate_win32::sync::event::{CreateEventA, OpenEventA, PulseEvent, ResetEvent, SetEvent};
use pagemate_win32::sync::mutex::{CreateMutexA, OpenMutexA, ReleaseMutex};
use pagemate_win32::sync::semaphore::{CreateSemaphoreA, OpenSemaphoreA, ReleaseSemaphore};
use pagemate_win32::sync::slim::{
    AcquireSRWLockExclusive, AcquireSRWLockShared, Condition, ReleaseSRWLockExclusive,
    ReleaseSRWLockShared, SleepConditionVariableSRW, SlimLock, WakeAllConditionVariable,
    WakeConditionVariable,
};
use pagemate_win32::sync::wait::{WaitForMultipleObjects, WaitForSingleObject};

const THREADS: usize = 4;
const ROUNDS: usize = 20_000;
/// The number of slots for handles and views that the threads race for.
const SHARED: usize = 8;

const ALL_ACCESS: u32 = 0xF_001F;
const READWRITE: u32 = 4;
const INVALID_HANDLE: u32 = 6;
const INVALID_ADDRESS: u32 = 487;
const NOT_OWNER: u32 = 288;
const TOO_MANY_POSTS: u32 = 298;
/// `SYNCHRONIZE`; `WAIT_ABANDONED`, `WAIT_TIMEOUT`, `WAIT_FAILED`; and the timeout of waits that
/// should succeed.
const SYNCHRONIZE: u32 = 0x10_0000;
const ABANDONED: u32 = 0x80;
const TIMEOUT: u32 = 0x102;
const FAILED: u32 = u32::MAX;
const TIMEOUT_MS: u32 = 60_000;

/// Serializes the tests. Without it, a handle that one test uses after closing it could be a new
/// handle of another test.
fn serialize_tests() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A generator of pseudo-random numbers. Each seed yields the same numbers in every run.
struct Rng(u64);

impl Rng {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

fn handle(slot: &AtomicUsize) -> Handle {
    without_provenance_mut(slot.load(Ordering::Relaxed))
}

/// Stores a handle in a slot and closes the previous one.
fn exchange(slot: &AtomicUsize, new: Handle) {
    let old = slot.swap(new.addr(), Ordering::Relaxed);
    if old != 0 {
        assert_eq!(
            CloseHandle(without_provenance_mut(old)),
            1,
            "only the thread that took a handle from its slot closes it"
        );
    }
}

fn race_for_views(seed: u64, name: &CString, handles: &[AtomicUsize], views: &[AtomicUsize]) {
    let mut rng = Rng(seed);
    for _ in 0..ROUNDS {
        let (slot, view_slot) = (&handles[rng.below(SHARED)], &views[rng.below(SHARED)]);
        SetLastError(0);
        match rng.below(8) {
            0 => {
                let invalid = without_provenance_mut(usize::MAX);
                // SAFETY: `name` is a NUL-terminated string that outlives the call.
                let made = unsafe {
                    CreateFileMappingA(invalid, null(), READWRITE, 0, 1 << 16, name.as_ptr().cast())
                };
                assert!(!made.is_null(), "{}", GetLastError());
                exchange(slot, made);
            }
            1 => {
                // SAFETY: `name` is a NUL-terminated string that outlives the call.
                let opened = unsafe { OpenFileMappingA(ALL_ACCESS, 0, name.as_ptr().cast()) };
                if !opened.is_null() {
                    exchange(slot, opened);
                }
            }
            2 => {
                let this = without_provenance_mut(usize::MAX);
                let mut duplicate = null_mut();
                // SAFETY: `duplicate` is valid for a write of a handle.
                let done = unsafe {
                    DuplicateHandle(this, handle(slot), this, &raw mut duplicate, 0, 0, 2)
                };
                if done == 1 {
                    exchange(&handles[rng.below(SHARED)], duplicate);
                } else {
                    assert_eq!(GetLastError(), INVALID_HANDLE);
                }
            }
            3 => exchange(slot, null_mut()),
            4 => {
                let view = MapViewOfFile(handle(slot), 2, 0, 0, 0);
                if view.is_null() {
                    assert_eq!(GetLastError(), INVALID_HANDLE);
                } else {
                    // Each thread writes its own number at an offset of its own.
                    let at = view.cast::<u64>().wrapping_add(usize::try_from(seed).unwrap());
                    // SAFETY: `at` lies in the view, which is 64 KiB long. No other thread can unmap it
                    // before it is stored in a slot.
                    unsafe { at.write(seed) };
                    let old = view_slot.swap(view.addr(), Ordering::Relaxed);
                    if old != 0 {
                        assert_eq!(UnmapViewOfFile(without_provenance_mut(old)), 1);
                    }
                }
            }
            5 => {
                let view = view_slot.swap(0, Ordering::Relaxed);
                if view != 0 {
                    assert_eq!(UnmapViewOfFile(without_provenance_mut(view + 5000)), 1);
                }
            }
            6 => {
                let view: Handle = without_provenance_mut(view_slot.load(Ordering::Relaxed));
                let mut answer = std::mem::MaybeUninit::uninit();
                let room = size_of_val(&answer);
                // SAFETY: `answer` is valid for a write of `room` bytes.
                let len = unsafe { VirtualQuery(view, answer.as_mut_ptr(), room) };
                assert!(view.is_null() || len > 0);
                let mut old = 0;
                // SAFETY: `old` is valid for a write of a `u32`.
                let done = unsafe { VirtualProtect(view, 4096, READWRITE, &raw mut old) };
                assert!(done == 1 || GetLastError() == INVALID_ADDRESS);
                assert!(FlushViewOfFile(view, 0) == 1 || GetLastError() == INVALID_ADDRESS);
            }
            _ => {
                let mut flags = 0;
                // SAFETY: `flags` is valid for a write of a `u32`.
                let done = unsafe { GetHandleInformation(handle(slot), &raw mut flags) };
                assert!(done == 1 || GetLastError() == INVALID_HANDLE);
                let done = SetHandleInformation(handle(slot), 1, u32::from(seed.is_multiple_of(2)));
                assert!(done == 1 || GetLastError() == INVALID_HANDLE);
            }
        }
    }
}

#[test]
fn threads_that_race_for_handles_and_views_break_neither() {
    let _serialized = serialize_tests();
    let name = CString::new(format!("threads-{}", std::process::id())).unwrap();
    let handles: [AtomicUsize; SHARED] = Default::default();
    let views: [AtomicUsize; SHARED] = Default::default();
    std::thread::scope(|scope| {
        for seed in 1..=THREADS as u64 {
            let (name, handles, views) = (&name, &handles, &views);
            scope.spawn(move || race_for_views(seed, name, handles, views));
        }
    });
    for slot in &handles {
        exchange(slot, null_mut());
    }
    // SAFETY: `name` is a NUL-terminated string that outlives the call.
    let gone = unsafe { OpenFileMappingA(ALL_ACCESS, 0, name.as_ptr().cast()) };
    assert!(gone.is_null(), "the name lives as long as its last handle, even if views remain");
    for view in views {
        let view = view.into_inner();
        assert!(view == 0 || UnmapViewOfFile(without_provenance_mut(view)) == 1);
    }
}

/// Data that only the owner of the mutex accesses.
struct Guarded(UnsafeCell<usize>);

// SAFETY: only the owner of the mutex accesses the number; the mutex's exclusion is the subject of
// the test.
unsafe impl Sync for Guarded {}

#[test]
fn threads_that_open_one_mutex_by_its_name_own_it_one_at_a_time() {
    const TURNS: usize = ROUNDS / 10;
    let _serialized = serialize_tests();
    let name = CString::new(format!("threads-mutex-{}", std::process::id())).unwrap();
    let count = Guarded(UnsafeCell::new(0));
    let turns = || {
        let (count, name) = (&count, name.as_ptr().cast());
        for _ in 0..TURNS {
            // SAFETY: `name` is a NUL-terminated string that outlives the call.
            let mutex = unsafe { CreateMutexA(null(), 0, name) };
            assert_eq!(WaitForSingleObject(mutex, TIMEOUT_MS), 0, "{}", GetLastError());
            // The thread owns the mutex through every handle to it.
            // SAFETY: `name` is a NUL-terminated string that outlives the call.
            let again = unsafe { OpenMutexA(SYNCHRONIZE, 0, name) };
            assert_eq!(WaitForSingleObject(again, TIMEOUT_MS), 0, "{}", GetLastError());
            // SAFETY: this thread owns the mutex, so no other thread accesses the number.
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

/// Creates or opens one of three objects.
fn create_or_open(kind: usize, names: &[CString; 3]) -> Handle {
    let name = names[kind].as_ptr().cast();
    let made = match kind {
        // SAFETY: `name` is a NUL-terminated string that outlives the call.
        0 => unsafe { CreateMutexA(null(), 0, name) },
        // SAFETY: `name` is a NUL-terminated string that outlives the call.
        1 => unsafe { CreateEventA(null(), 0, 1, name) },
        // SAFETY: `name` is a NUL-terminated string that outlives the call.
        _ => unsafe { CreateSemaphoreA(null(), 1, 3, name) },
    };
    assert!(!made.is_null(), "{}", GetLastError());
    made
}

fn race_for_sync_objects(seed: u64, names: &[CString; 3], handles: &[AtomicUsize]) {
    let mut rng = Rng(seed);
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
        let slot = &handles[rng.below(SHARED)];
        match rng.below(9) {
            0 => exchange(slot, create_or_open(rng.below(3), names)),
            1 => exchange(slot, null_mut()),
            2 => done_or(ReleaseMutex(handle(slot)), &[NOT_OWNER]),
            3 => done_or(SetEvent(handle(slot)), &[]),
            4 => done_or(ResetEvent(handle(slot)), &[]),
            5 => done_or(PulseEvent(handle(slot)), &[]),
            6 => {
                // SAFETY: a null pointer for the previous count is allowed.
                let released = unsafe { ReleaseSemaphore(handle(slot), 1, null_mut()) };
                done_or(released, &[TOO_MANY_POSTS]);
            }
            7 => waited(WaitForSingleObject(handle(slot), 0)),
            _ => {
                let both = [handle(slot), handle(&handles[rng.below(SHARED)])];
                // SAFETY: `both` is valid for reads of two handles.
                waited(unsafe { WaitForMultipleObjects(2, both.as_ptr(), 0, 0) });
            }
        }
    }
}

#[test]
fn threads_that_race_for_sync_objects_break_none() {
    let _serialized = serialize_tests();
    let id = std::process::id();
    let names = ["m", "e", "s"].map(|kind| CString::new(format!("race-{kind}-{id}")).unwrap());
    let handles: [AtomicUsize; SHARED] = Default::default();
    std::thread::scope(|scope| {
        for seed in 1..=THREADS as u64 {
            let (names, handles) = (&names, &handles);
            scope.spawn(move || race_for_sync_objects(seed, names, handles));
        }
    });
    for slot in &handles {
        exchange(slot, null_mut());
    }
    // SAFETY: the name is a NUL-terminated string that outlives the call.
    let mutex = unsafe { OpenMutexA(SYNCHRONIZE, 0, names[0].as_ptr().cast()) };
    // SAFETY: `name` is a NUL-terminated string that outlives the call.
    let event = unsafe { OpenEventA(SYNCHRONIZE, 0, names[1].as_ptr().cast()) };
    // SAFETY: `name` is a NUL-terminated string that outlives the call.
    let semaphore = unsafe { OpenSemaphoreA(SYNCHRONIZE, 0, names[2].as_ptr().cast()) };
    assert!(
        [mutex, event, semaphore].iter().all(|handle| handle.is_null()),
        "no name outlives its last handle"
    );
}

/// A slim lock, condition variables, and a queue of four numbers that the lock protects.
#[derive(Default)]
struct Queue {
    lock: SlimLock,
    filled: Condition,
    emptied: Condition,
    numbers: UnsafeCell<Vec<usize>>,
}

// SAFETY: only the owner of the lock accesses the numbers; the exclusion is the subject of the test.
unsafe impl Sync for Queue {}

impl Queue {
    const ROOM: usize = 4;

    /// Acquires the lock, waits until `fits` holds for the numbers, runs `run` on them, and wakes a
    /// thread of the other side.
    fn with<T>(
        &self,
        fits: impl Fn(&[usize]) -> bool,
        wait_for: &Condition,
        wake: &Condition,
        run: impl FnOnce(&mut Vec<usize>) -> T,
    ) -> T {
        // SAFETY: `self.lock` was zero at first, does not move while `self` is borrowed, and is used by
        // these calls only.
        unsafe { AcquireSRWLockExclusive(&raw const self.lock) };
        // SAFETY: this thread owns the lock during each call of `fits`, so no other thread writes.
        let fits = || fits(unsafe { &*self.numbers.get() });
        while !fits() {
            // SAFETY: this thread owns the lock, and `wait_for` is borrowed for the call.
            let woken = unsafe {
                SleepConditionVariableSRW(&raw const *wait_for, &raw const self.lock, TIMEOUT_MS, 0)
            };
            assert_eq!(woken, 1, "{}", GetLastError());
        }
        // SAFETY: this thread owns the lock, so no other reference to the numbers exists.
        let result = run(unsafe { &mut *self.numbers.get() });
        // SAFETY: this thread owns `self.lock` exclusively.
        unsafe { ReleaseSRWLockExclusive(&raw const self.lock) };
        // SAFETY: `wake` was zero at first and is borrowed for the call.
        unsafe { WakeConditionVariable(&raw const *wake) };
        result
    }

    fn put(&self, number: usize) {
        let has_room = |numbers: &[usize]| numbers.len() < Queue::ROOM;
        self.with(has_room, &self.emptied, &self.filled, |numbers| numbers.push(number));
    }

    fn take(&self) -> usize {
        let is_filled = |numbers: &[usize]| !numbers.is_empty();
        self.with(is_filled, &self.filled, &self.emptied, |numbers| numbers.pop().unwrap())
    }

    fn len(&self) -> usize {
        // SAFETY: `self.lock` was zero at first, does not move while `self` is borrowed, and is used by
        // these calls only.
        unsafe { AcquireSRWLockShared(&raw const self.lock) };
        // SAFETY: this thread owns the lock shared, so no thread writes the numbers.
        let len = unsafe { &*self.numbers.get() }.len();
        // SAFETY: this thread owns `self.lock` shared.
        unsafe { ReleaseSRWLockShared(&raw const self.lock) };
        len
    }
}

#[test]
fn slim_locks_and_condition_variables_protect_a_queue() {
    const EACH: usize = 2_000;
    let _serialized = serialize_tests();
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
    // SAFETY: `queue.filled` is borrowed for the call.
    unsafe { WakeAllConditionVariable(&raw const queue.filled) };
}
