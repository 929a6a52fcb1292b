//! Mutexes stored in sections, next to the data that they protect.

use std::ffi::c_void;
use std::mem::{self, ManuallyDrop, MaybeUninit};

use pagemate::sync::{self, SharedGuard};

use super::argument::{self, buffer, check_len, close, create_handle, query, required};
use super::section::Section;
use super::status::{Status, run};
use super::timeout::{duration, timed_out};

/// The number of bytes that a pagemate_shared_mutex occupies in a section before its value.
pub const PAGEMATE_SHARED_MUTEX_LEN: u64 = 64;

const _: () = assert!(sync::SharedMutex::<u8>::LEN == PAGEMATE_SHARED_MUTEX_LEN + 1);

/// A handle to a mutex that is stored in a section, together with the value that it protects.
///
/// It occupies PAGEMATE_SHARED_MUTEX_LEN bytes, followed by the bytes of the value, at an offset
/// that is a multiple of 8. The first process that opens it initialises the value. If that process
/// dies before it has finished, the next one initialises the value again, so that no process sees a
/// partial value. Opening it with another length or fingerprint fails. The value is copied in and
/// out, because other processes map the same bytes.
///
/// **The fingerprint** is a number that identifies the type of the value. All programs that use the value
/// pass the same number. For a `SharedMutex<T>` of a Rust program it is `T`'s `Shareable::FINGERPRINT`.
///
/// Locking, unlocking, abandonment and the use by several threads are as for pagemate_mutex. The
/// handle holds the name of its section, even after the section's handle was closed.
///
/// ```c
/// pagemate_section_options options = {.len = 4096};
/// pagemate_section *section = NULL;
/// pagemate_shared_mutex *mutex = NULL;
/// uint64_t tally = 0;
/// bool abandoned = false;
/// if (pagemate_section_open_or_create("tally", &options, &section) == PAGEMATE_OK &&
///     pagemate_shared_mutex_open_or_init(section, 0, 2026, &tally, sizeof tally, &mutex) == PAGEMATE_OK &&
///     pagemate_shared_mutex_lock(mutex, &abandoned) == PAGEMATE_OK) {
///     pagemate_shared_mutex_read_at(mutex, 0, &tally, sizeof tally);
///     tally++;
///     pagemate_shared_mutex_write_at(mutex, 0, &tally, sizeof tally);
///     pagemate_shared_mutex_unlock(mutex);
/// }
/// pagemate_shared_mutex_close(mutex);
/// pagemate_section_close(section);
/// ```
#[derive(Debug)]
pub struct SharedMutex {
    mutex: sync::SharedMutex<[u8]>,
    /// The length of the value in bytes.
    len: usize,
}

/// Opens a mutex in a section, or creates it in bytes that are all zero.
///
/// The call blocks while another process creates the mutex. If that process dies, this call creates
/// the mutex. Thread-safe.
///
/// @param section      The section.
/// @param offset       The offset of the mutex in the section, in bytes: a multiple of 8.
/// @param fingerprint  The number that identifies the type of the value.
/// @param initial      The initial value, which nothing writes to during the call.
/// @param len          The length of the value in bytes.
/// @param mutex        Receives the handle, which the caller closes by pagemate_shared_mutex_close(); NULL
///                     on failure.
/// @return PAGEMATE_OUT_OF_RANGE: the mutex would extend past the end of the section.
///         PAGEMATE_INVALID_INPUT: the offset is not a multiple of 8. PAGEMATE_PERMISSION_DENIED: the
///         section is read-only. PAGEMATE_WRONG_KIND: the mutex protects a value of another length or
///         fingerprint. PAGEMATE_CORRUPTED: the bytes are neither zero nor a mutex. PAGEMATE_UNSUPPORTED: on
///         Unix, a section without a name over a file; on macOS, any section without a name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_shared_mutex_open_or_init(
    section: Option<&Section>,
    offset: u64,
    fingerprint: u64,
    initial: *const c_void,
    len: usize,
    mutex: Option<&mut MaybeUninit<Option<Box<SharedMutex>>>>,
) -> Status {
    let call = "open or create mutex in section";
    create_handle(call, "mutex", mutex, || {
        let section = &required(call, "section", section)?.section;
        check_len(call, 0, len, usize::try_from(section.len()).unwrap_or(usize::MAX))?;
        // SAFETY: the caller passes NULL or `len` readable bytes that nothing writes to until this function
        // returns. `len` is at most the length of a section, so it is at most `isize::MAX`.
        let initial = unsafe { argument::bytes(call, "initial", initial, len) }?;
        let mutex = sync::SharedMutex::open_or_init_bytes(section, offset, fingerprint, initial)?;
        Ok(SharedMutex { mutex, len })
    })
}

/// Opens a mutex in a section. Thread-safe.
///
/// @param section      The section.
/// @param offset       The offset of the mutex in the section, in bytes: a multiple of 8.
/// @param fingerprint  The number that identifies the type of the value.
/// @param len          The length of the value in bytes.
/// @param mutex        Receives the handle, which the caller closes by pagemate_shared_mutex_close(); NULL
///                     on failure.
/// @return PAGEMATE_NOT_FOUND: no process has created it yet. Otherwise as for
///         pagemate_shared_mutex_open_or_init().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_mutex_open(
    section: Option<&Section>,
    offset: u64,
    fingerprint: u64,
    len: usize,
    mutex: Option<&mut MaybeUninit<Option<Box<SharedMutex>>>>,
) -> Status {
    let call = "open mutex in section";
    create_handle(call, "mutex", mutex, || {
        let section = &required(call, "section", section)?.section;
        let mutex = sync::SharedMutex::open_bytes(section, offset, fingerprint, len)?;
        Ok(SharedMutex { mutex, len })
    })
}

/// Closes a handle. If a thread owns the mutex through this handle, the mutex is abandoned.
///
/// No thread may use the handle during or after the call. The call always succeeds. NULL is
/// ignored, as by free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_mutex_close(mutex: Option<Box<SharedMutex>>) -> Status {
    close(mutex)
}

type Guard<'a> = SharedGuard<'a, [u8]>;

/// Locks the mutex by `acquire`.
///
/// C has no destructors, so the guard is forgotten, and pagemate_shared_mutex_unlock() releases the
/// mutex.
fn lock(
    mutex: Option<&SharedMutex>,
    abandoned: Option<&mut MaybeUninit<bool>>,
    acquire: impl FnOnce(&sync::SharedMutex<[u8]>) -> pagemate::Result<Option<Guard<'_>>>,
) -> Status {
    let call = "lock mutex in section";
    run(|| {
        let mutex = &required(call, "mutex", mutex)?.mutex;
        let abandoned = required(call, "abandoned", abandoned)?;
        let guard =
            acquire(mutex)?.ok_or_else(|| timed_out(call, None, "another thread owns it"))?;
        abandoned.write(guard.was_abandoned());
        mem::forget(guard);
        Ok(())
    })
}

/// Blocks until the calling thread acquires the mutex. Thread-safe.
///
/// @param mutex      The mutex.
/// @param abandoned  Receives whether the last owner ended without unlocking the mutex, so that the value
///                   may be inconsistent: see pagemate_mutex_lock().
/// @return As for pagemate_mutex_lock().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_mutex_lock(
    mutex: Option<&SharedMutex>,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    lock(mutex, abandoned, |mutex| mutex.lock().map(Some))
}

/// Acquires the mutex if no thread owns it, without blocking. Thread-safe.
///
/// @param mutex      The mutex.
/// @param abandoned  As for pagemate_shared_mutex_lock().
/// @return PAGEMATE_TIMED_OUT: another thread owns it. Otherwise as for pagemate_mutex_lock().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_mutex_try_lock(
    mutex: Option<&SharedMutex>,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    lock(mutex, abandoned, sync::SharedMutex::try_lock)
}

/// Blocks until the calling thread acquires the mutex or the timeout expires. Thread-safe.
///
/// @param mutex        The mutex.
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param abandoned    As for pagemate_shared_mutex_lock().
/// @return PAGEMATE_TIMED_OUT: the timeout expired. Otherwise as for pagemate_mutex_lock().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_mutex_try_lock_for(
    mutex: Option<&SharedMutex>,
    nanoseconds: u64,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    lock(mutex, abandoned, |mutex| mutex.try_lock_for(duration(nanoseconds)))
}

/// Releases a mutex that the calling thread owns through this handle. Thread-safe.
///
/// @return PAGEMATE_NOT_OWNER: the thread does not own it through this handle.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_mutex_unlock(mutex: Option<&SharedMutex>) -> Status {
    run(|| {
        drop(required("unlock mutex in section", "mutex", mutex)?.mutex.forgotten()?);
        Ok(())
    })
}

/// Returns whether the calling thread owns the mutex through this handle. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_mutex_is_mine(
    mutex: Option<&SharedMutex>,
    mine: Option<&mut MaybeUninit<bool>>,
) -> Status {
    query("get owner of mutex in section", ("mutex", mutex), ("mine", mine), |mutex| {
        mutex.mutex.is_mine()
    })
}

/// Copies bytes out of the value of a mutex that the calling thread owns.
///
/// @param mutex   The mutex.
/// @param offset  The first byte to copy: an offset in the value, in bytes.
/// @param bytes   The destination, which nothing else accesses during the call. NULL only if `len` is 0.
/// @param len     The number of bytes.
/// @return PAGEMATE_NOT_OWNER: the thread does not own the mutex through this handle.
///         PAGEMATE_OUT_OF_RANGE: the range extends past the end of the value; nothing was copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_shared_mutex_read_at(
    mutex: Option<&SharedMutex>,
    offset: usize,
    bytes: *mut c_void,
    len: usize,
) -> Status {
    let call = "read value in section";
    run(|| {
        let SharedMutex { mutex, len: total } = required(call, "mutex", mutex)?;
        check_len(call, offset, len, *total)?;
        // SAFETY: the caller passes NULL or `len` writable bytes that nothing else accesses until this
        // function returns. `len` is at most the length of the mapped value, so it is at most `isize::MAX`.
        let bytes = unsafe { buffer(call, "bytes", bytes, len) }?;
        let guard = ManuallyDrop::new(mutex.forgotten()?);
        Ok(guard.read_at(offset, bytes)?)
    })
}

/// Copies bytes into the value of a mutex that the calling thread owns.
///
/// If the process is killed during the call, only some of the bytes may be written, and the next lock reports
/// that the mutex was abandoned.
///
/// @param mutex   The mutex.
/// @param offset  The first byte to write: an offset in the value, in bytes.
/// @param bytes   The source, which nothing writes to during the call. NULL only if `len` is 0.
/// @param len     The number of bytes.
/// @return PAGEMATE_NOT_OWNER: the thread does not own the mutex through this handle.
///         PAGEMATE_OUT_OF_RANGE: the range extends past the end of the value; nothing was copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_shared_mutex_write_at(
    mutex: Option<&SharedMutex>,
    offset: usize,
    bytes: *const c_void,
    len: usize,
) -> Status {
    let call = "write value in section";
    run(|| {
        let SharedMutex { mutex, len: total } = required(call, "mutex", mutex)?;
        check_len(call, offset, len, *total)?;
        // SAFETY: the caller passes NULL or `len` readable bytes that nothing writes to until this function
        // returns. `len` is at most the length of the mapped value, so it is at most `isize::MAX`.
        let bytes = unsafe { argument::bytes(call, "bytes", bytes, len) }?;
        let mut guard = ManuallyDrop::new(mutex.forgotten()?);
        Ok(guard.write_at(offset, bytes)?)
    })
}
