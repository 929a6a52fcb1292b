//! Critical sections: recursive locks among the threads of one process.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::mem::MaybeUninit;

/// `CRITICAL_SECTION` as the headers declare it: storage for a lock of the C library.
#[derive(Debug)]
#[repr(C, align(8))]
pub struct CriticalSection {
    storage: [u8; 64],
}

const _: () = assert!(size_of::<libc::pthread_mutex_t>() <= size_of::<CriticalSection>());

type Lock = *mut libc::pthread_mutex_t;

/// Initializes a critical section.
///
/// # Safety
///
/// `section` is valid for writes, and no thread uses it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeCriticalSection(section: *mut CriticalSection) {
    let mut attributes = MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: the local has room for the attributes.
    unsafe { libc::pthread_mutexattr_init(attributes) };
    // SAFETY: the attributes were just initialized.
    unsafe { libc::pthread_mutexattr_settype(attributes, libc::PTHREAD_MUTEX_RECURSIVE) };
    // SAFETY: the attributes are initialized. The caller guarantees that `section` is valid for
    // writes and unused; its size is asserted above.
    unsafe { libc::pthread_mutex_init(section.cast(), attributes) };
    // SAFETY: the attributes are initialized and no longer used.
    unsafe { libc::pthread_mutexattr_destroy(attributes) };
}

/// Does the same as [`InitializeCriticalSection`]. The spin count is a hint, which is ignored.
///
/// # Safety
///
/// As for [`InitializeCriticalSection`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeCriticalSectionAndSpinCount(
    section: *mut CriticalSection,
    _spins: u32,
) -> i32 {
    // SAFETY: the caller guarantees that `section` is valid for writes and unused.
    unsafe { InitializeCriticalSection(section) };
    1
}

/// Does the same as [`InitializeCriticalSection`]. The flags are for debuggers, and are ignored.
///
/// # Safety
///
/// As for [`InitializeCriticalSection`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn InitializeCriticalSectionEx(
    section: *mut CriticalSection,
    _spins: u32,
    _flags: u32,
) -> i32 {
    // SAFETY: the caller guarantees that `section` is valid for writes and unused.
    unsafe { InitializeCriticalSection(section) };
    1
}

/// Acquires a critical section, and waits while another thread owns it.
///
/// # Safety
///
/// `section` is initialized and not deleted.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn EnterCriticalSection(section: *mut CriticalSection) {
    let lock: Lock = section.cast();
    // SAFETY: the caller guarantees that `section` is initialized and not deleted.
    unsafe { libc::pthread_mutex_lock(lock) };
}

/// Acquires a critical section unless another thread owns it; returns whether it did.
///
/// # Safety
///
/// As for [`EnterCriticalSection`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn TryEnterCriticalSection(section: *mut CriticalSection) -> i32 {
    let lock: Lock = section.cast();
    // SAFETY: the caller guarantees that `section` is initialized and not deleted.
    i32::from(unsafe { libc::pthread_mutex_trylock(lock) } == 0)
}

/// Releases a critical section once.
///
/// # Safety
///
/// As for [`EnterCriticalSection`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LeaveCriticalSection(section: *mut CriticalSection) {
    let lock: Lock = section.cast();
    // SAFETY: the caller guarantees that `section` is initialized and not deleted. A recursive lock
    // refuses a thread that does not own it.
    unsafe { libc::pthread_mutex_unlock(lock) };
}

/// Deletes a critical section that no thread owns.
///
/// # Safety
///
/// As for [`EnterCriticalSection`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn DeleteCriticalSection(section: *mut CriticalSection) {
    let lock: Lock = section.cast();
    // SAFETY: the caller guarantees that `section` is initialized and not deleted.
    unsafe { libc::pthread_mutex_destroy(lock) };
}
