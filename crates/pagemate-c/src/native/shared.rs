//! Mutexes beside their data, both in a section.

use std::ffi::c_void;
use std::mem::{self, ManuallyDrop, MaybeUninit};

use pagemate::sync::{self, SharedGuard};

use super::argument::{self, given, hand_out, room, take_back, tell, within};
use super::section::Section;
use super::status::{Status, call};
use super::wait::{late, time};

/// How many bytes of a section a pagemate_shared_mutex takes before its value.
pub const PAGEMATE_SHARED_MUTEX_LEN: u64 = 64;

const _: () = assert!(sync::SharedMutex::<u8>::LEN as u64 == PAGEMATE_SHARED_MUTEX_LEN + 1);

/// A mutex beside the value that it guards, at a place in a section.
///
/// It takes PAGEMATE_SHARED_MUTEX_LEN bytes and the value's from a multiple of eight on. Whoever comes first
/// makes the value, and if it dies over that the next one does, so that nobody sees half of it. Who opens
/// it with another length or fingerprint is refused. The value is copied in and out, since other processes
/// have these bytes mapped too.
///
/// **The fingerprint** is a number that stands for the type: any that all programs use which mean the same
/// by these bytes. Programs in Rust meet this one by `SharedMutex<T>` if it is `T`'s
/// `Shareable::FINGERPRINT`.
///
/// It is had, given back and abandoned as a pagemate_mutex is, and threads may share a handle likewise. It
/// keeps its section alive, also after that was closed.
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
    /// How many bytes its value has.
    len: usize,
}

/// Opens the mutex that stands in a section, or makes it, of bytes that have to be zero. While another
/// process makes it, this one waits.
///
/// @param section      Where it is.
/// @param offset       Where in the section it begins, in bytes: a multiple of eight.
/// @param fingerprint  What stands for the type of the value.
/// @param initial      What the value is at first.
/// @param len          How many bytes it has.
/// @param mutex        Gets the handle, to be closed by pagemate_shared_mutex_close(); NULL on failure.
/// @return PAGEMATE_OUT_OF_RANGE: it would reach past the end of the section. PAGEMATE_INVALID_INPUT: the
///         offset is not a multiple of eight. PAGEMATE_PERMISSION_DENIED: the section is only to be read.
///         PAGEMATE_WRONG_KIND: it guards a value of another length or fingerprint. PAGEMATE_CORRUPTED:
///         something else stands there. PAGEMATE_UNSUPPORTED: on Unix, a section over a file that has no
///         name; on macOS every section without a name.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_shared_mutex_open_or_init(
    section: Option<&Section>,
    offset: u64,
    fingerprint: u64,
    initial: *const c_void,
    len: usize,
    mutex: Option<&mut MaybeUninit<Option<Box<SharedMutex>>>>,
) -> Status {
    let words = "open or make mutex in section";
    hand_out(words, "mutex", mutex, || {
        let section = &given(words, "section", section)?.section;
        within(words, 0, len, usize::try_from(section.len()).unwrap_or(usize::MAX))?;
        // SAFETY: no longer than the section; the caller says that there are so many, which nobody
        // writes to.
        let initial = unsafe { argument::bytes(words, "initial", initial, len) }?;
        let mutex = sync::SharedMutex::open_or_init_bytes(section, offset, fingerprint, initial)?;
        Ok(SharedMutex { mutex, len })
    })
}

/// Opens the mutex that stands in a section.
///
/// @param section      Where it is.
/// @param offset       Where in the section it begins, in bytes: a multiple of eight.
/// @param fingerprint  What stands for the type of the value.
/// @param len          How many bytes the value has.
/// @param mutex        Gets the handle, to be closed by pagemate_shared_mutex_close(); NULL on failure.
/// @return PAGEMATE_NOT_FOUND: nobody has made it yet. Otherwise as pagemate_shared_mutex_open_or_init().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_mutex_open(
    section: Option<&Section>,
    offset: u64,
    fingerprint: u64,
    len: usize,
    mutex: Option<&mut MaybeUninit<Option<Box<SharedMutex>>>>,
) -> Status {
    let words = "open mutex in section";
    hand_out(words, "mutex", mutex, || {
        let section = &given(words, "section", section)?.section;
        let mutex = sync::SharedMutex::open_bytes(section, offset, fingerprint, len)?;
        Ok(SharedMutex { mutex, len })
    })
}

/// Closes a handle. If the mutex is locked by it, it is abandoned.
///
/// It always succeeds. NULL is nothing to close, as for free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_mutex_close(mutex: Option<Box<SharedMutex>>) -> Status {
    take_back(mutex)
}

type Guard<'a> = SharedGuard<'a, [u8]>;

/// Locks it for this thread, which has to give it back by pagemate_shared_mutex_unlock().
fn lock(
    mutex: Option<&SharedMutex>,
    abandoned: Option<&mut MaybeUninit<bool>>,
    take: impl FnOnce(&sync::SharedMutex<[u8]>) -> pagemate::Result<Option<Guard<'_>>>,
) -> Status {
    let words = "lock mutex in section";
    call(|| {
        let mutex = &given(words, "mutex", mutex)?.mutex;
        let abandoned = given(words, "abandoned", abandoned)?;
        let guard = take(mutex)?.ok_or_else(|| late(words, None, "somebody else has it"))?;
        abandoned.write(guard.was_abandoned());
        mem::forget(guard);
        Ok(())
    })
}

/// Waits until nobody has the mutex, and locks it.
///
/// @param mutex      What to lock.
/// @param abandoned  Gets whether the last who had it ended without unlocking it, so that the value may be
///                   half changed: see pagemate_mutex_lock().
/// @return As pagemate_mutex_lock().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_mutex_lock(
    mutex: Option<&SharedMutex>,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    lock(mutex, abandoned, |mutex| mutex.lock().map(Some))
}

/// Locks the mutex if nobody has it.
///
/// @param mutex      What to lock.
/// @param abandoned  As of pagemate_shared_mutex_lock().
/// @return PAGEMATE_TIMED_OUT: somebody has it. Otherwise as pagemate_mutex_lock().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_mutex_try_lock(
    mutex: Option<&SharedMutex>,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    lock(mutex, abandoned, sync::SharedMutex::try_lock)
}

/// Waits for so long at most until nobody has the mutex, and locks it.
///
/// @param mutex        What to lock.
/// @param nanoseconds  How long to wait: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param abandoned    As of pagemate_shared_mutex_lock().
/// @return PAGEMATE_TIMED_OUT: somebody had it all the time. Otherwise as pagemate_mutex_lock().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_mutex_try_lock_for(
    mutex: Option<&SharedMutex>,
    nanoseconds: u64,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    lock(mutex, abandoned, |mutex| mutex.try_lock_for(time(nanoseconds)))
}

/// Unlocks a mutex that this thread has by this handle.
///
/// @return PAGEMATE_NOT_OWNER: it does not.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_mutex_unlock(mutex: Option<&SharedMutex>) -> Status {
    call(|| {
        drop(given("unlock mutex in section", "mutex", mutex)?.mutex.forgotten()?);
        Ok(())
    })
}

/// Tells whether this thread has it, by this handle.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_mutex_is_mine(
    mutex: Option<&SharedMutex>,
    mine: Option<&mut MaybeUninit<bool>>,
) -> Status {
    tell("ask who has mutex in section", ("mutex", mutex), ("mine", mine), |mutex| {
        mutex.mutex.is_mine()
    })
}

/// Copies bytes out of the value of a mutex that this thread has.
///
/// @param mutex   Where from.
/// @param offset  Where in the value to begin, in bytes.
/// @param bytes   Where to: memory of yours that nobody else uses meanwhile. NULL only if `len` is 0.
/// @param len     How many bytes.
/// @return PAGEMATE_NOT_OWNER: it does not have it. PAGEMATE_OUT_OF_RANGE: they do not all lie in the value;
///         none was copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_shared_mutex_read_at(
    mutex: Option<&SharedMutex>,
    offset: usize,
    bytes: *mut c_void,
    len: usize,
) -> Status {
    let words = "read value in section";
    call(|| {
        let SharedMutex { mutex, len: have } = given(words, "mutex", mutex)?;
        within(words, offset, len, *have)?;
        // SAFETY: no longer than the value, so that it fits the address space; the caller says that it
        // has room for so many and is nobody else's.
        let bytes = unsafe { room(words, "bytes", bytes, len) }?;
        let guard = ManuallyDrop::new(mutex.forgotten()?);
        Ok(guard.read_at(offset, bytes)?)
    })
}

/// Copies bytes into the value of a mutex that this thread has. Who is killed in the middle of it leaves half
/// of it, and the next is told.
///
/// @param mutex   Where to.
/// @param offset  Where in the value to begin, in bytes.
/// @param bytes   Where from: memory of yours that nobody writes to meanwhile. NULL only if `len` is 0.
/// @param len     How many bytes.
/// @return PAGEMATE_NOT_OWNER: it does not have it. PAGEMATE_OUT_OF_RANGE: they do not all fit; none was
///         copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_shared_mutex_write_at(
    mutex: Option<&SharedMutex>,
    offset: usize,
    bytes: *const c_void,
    len: usize,
) -> Status {
    let words = "write value in section";
    call(|| {
        let SharedMutex { mutex, len: have } = given(words, "mutex", mutex)?;
        within(words, offset, len, *have)?;
        // SAFETY: no longer than the value, so that it fits the address space; the caller says that it
        // has so many, which nobody writes to.
        let bytes = unsafe { argument::bytes(words, "bytes", bytes, len) }?;
        let mut guard = ManuallyDrop::new(mutex.forgotten()?);
        Ok(guard.write_at(offset, bytes)?)
    })
}
