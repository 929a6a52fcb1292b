//! Critical sections: locks of one process' threads, each of which may enter as often as it likes.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::mem::MaybeUninit;

/// `CRITICAL_SECTION`, as the headers have it: room for a lock of the C library's.
#[derive(Debug)]
#[repr(C, align(8))]
pub struct CriticalSection {
    room: [u8; 64],
}

const _: () = assert!(size_of::<libc::pthread_mutex_t>() <= size_of::<CriticalSection>());

type Lock = *mut libc::pthread_mutex_t;

/// Makes one.
///
/// # Safety
///
/// `section` has room for one that nobody uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeCriticalSection(section: *mut CriticalSection) {
    let mut attributes = MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: there is room for them.
    unsafe { libc::pthread_mutexattr_init(attributes) };
    // SAFETY: they were just made.
    unsafe { libc::pthread_mutexattr_settype(attributes, libc::PTHREAD_MUTEX_RECURSIVE) };
    // SAFETY: they are whole, and the caller says that there is room.
    unsafe { libc::pthread_mutex_init(section.cast(), attributes) };
    // SAFETY: they are used no more.
    unsafe { libc::pthread_mutexattr_destroy(attributes) };
}

/// The same; how long to try before sleeping is the system's to know.
///
/// # Safety
///
/// As [`InitializeCriticalSection`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeCriticalSectionAndSpinCount(
    section: *mut CriticalSection,
    _spins: u32,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { InitializeCriticalSection(section) };
    1
}

/// The same, with flags for debuggers.
///
/// # Safety
///
/// As [`InitializeCriticalSection`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeCriticalSectionEx(
    section: *mut CriticalSection,
    _spins: u32,
    _flags: u32,
) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { InitializeCriticalSection(section) };
    1
}

/// Waits until no other thread is in it, and enters.
///
/// # Safety
///
/// `section` was made, and not yet deleted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn EnterCriticalSection(section: *mut CriticalSection) {
    let lock: Lock = section.cast();
    // SAFETY: the caller's promise.
    unsafe { libc::pthread_mutex_lock(lock) };
}

/// Enters if no other thread is in it; whether it did.
///
/// # Safety
///
/// As [`EnterCriticalSection`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn TryEnterCriticalSection(section: *mut CriticalSection) -> i32 {
    let lock: Lock = section.cast();
    // SAFETY: the caller's promise.
    i32::from(unsafe { libc::pthread_mutex_trylock(lock) } == 0)
}

/// Leaves once.
///
/// # Safety
///
/// As [`EnterCriticalSection`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LeaveCriticalSection(section: *mut CriticalSection) {
    let lock: Lock = section.cast();
    // SAFETY: the caller's promise. A thread that is not in it changes nothing.
    unsafe { libc::pthread_mutex_unlock(lock) };
}

/// Ends one that no thread is in.
///
/// # Safety
///
/// As [`EnterCriticalSection`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn DeleteCriticalSection(section: *mut CriticalSection) {
    let lock: Lock = section.cast();
    // SAFETY: the caller's promise.
    unsafe { libc::pthread_mutex_destroy(lock) };
}
