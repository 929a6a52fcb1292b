//! Mutexes that processes share.

use std::ffi::{CString, c_char};
use std::mem::{self, MaybeUninit};

use pagemate::sync::{self, MutexGuard};

use super::access::sharing;
use super::argument::{c_name, close, create_handle, query, required, text};
use super::options::check_unused;
use super::status::{Outcome, Status, run};
use super::timeout::{duration, timed_out};
use super::word::SharingWord;

/// A flag for a new mutex: the calling thread owns it from the start, before any other thread can. An
/// existing mutex stays as it is. Not supported on macOS.
pub const PAGEMATE_LOCKED: u32 = 16;

/// Options to create a mutex. NULL and a zeroed struct, `{0}`, stand for the defaults. Later releases add
/// fields as for pagemate_section_options.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MutexOptions {
    /// The users who may open a new mutex. For users other than the owner it needs a `Global\` name. Each
    /// of them can hold the mutex for any length of time.
    pub sharing: SharingWord,
    /// 0 or PAGEMATE_LOCKED.
    pub flags: u32,
    /// Must be 0.
    pub reserved: [u64; 4],
}

impl MutexOptions {
    /// Converts the options.
    fn convert(options: Option<&MutexOptions>, call: &str) -> Outcome<sync::MutexOptions> {
        let mut set = sync::MutexOptions::new();
        let Some(options) = options else { return Ok(set) };
        check_unused(call, options.flags, PAGEMATE_LOCKED, options.reserved)?;
        set.sharing(sharing(call, options.sharing, pagemate::Access::ReadWrite)?);
        set.locked(options.flags & PAGEMATE_LOCKED != 0);
        Ok(set)
    }
}

/// A handle to a mutex, which at most one thread of all processes owns at a time.
///
/// Its name exists as long as that of a section. Several threads may use one handle at the same
/// time. No thread may use it during or after a call that closes it. A thread that owns the mutex
/// through a handle cannot lock it again through the same handle: the second lock returns
/// PAGEMATE_INVALID_INPUT.
///
/// **If the owner dies**, because its process is killed or its thread ends, the mutex is abandoned.
/// The next waiter acquires it within a tenth of a second, and its lock call reports this in
/// `abandoned`, because the protected data may be inconsistent. A process that is merely stopped
/// keeps the mutex. A child made by `fork` owns none of its parent's mutexes.
///
/// ```c
/// pagemate_mutex *mutex = NULL;
/// bool abandoned = false;
/// if (pagemate_mutex_open_or_create("ledger", NULL, &mutex) == PAGEMATE_OK &&
///     pagemate_mutex_lock(mutex, &abandoned) == PAGEMATE_OK) {
///     if (abandoned) {
///         puts("the last owner died: check the ledger and repair it");
///     }
///     pagemate_mutex_unlock(mutex);
/// }
/// pagemate_mutex_close(mutex);
/// ```
#[derive(Debug)]
pub struct Mutex {
    pub(super) mutex: sync::Mutex,
    name: Option<CString>,
}

impl Mutex {
    pub(super) fn new(mutex: sync::Mutex) -> Mutex {
        Mutex { name: c_name(mutex.name()), mutex }
    }
}

/// Creates the mutex `name`. Fails if a process holds an object of this name.
///
/// Sections, mutexes, events and semaphores share one space of names. If the process is killed during the
/// call, the name is free again. Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The mutex to create. NULL stands for an unlocked one of the owner alone.
/// @param mutex    Receives the handle, which the caller closes by pagemate_mutex_close(); NULL on failure.
/// @return PAGEMATE_ALREADY_EXISTS: a process holds an object of this name, of any kind.
///         PAGEMATE_INVALID_NAME. PAGEMATE_NO_SPACE. PAGEMATE_PERMISSION_DENIED: the user may not create the
///         name. PAGEMATE_TIMED_OUT: another process kept the name busy for two seconds.
///         PAGEMATE_UNSUPPORTED: PAGEMATE_LOCKED on macOS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_mutex_create_new(
    name: *const c_char,
    options: Option<&MutexOptions>,
    mutex: Option<&mut MaybeUninit<Option<Box<Mutex>>>>,
) -> Status {
    let call = "create mutex";
    create_handle(call, "mutex", mutex, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        Ok(Mutex::new(MutexOptions::convert(options, call)?.create_new(name)?))
    })
}

/// Opens the mutex `name` if a process holds it, and creates it otherwise.
///
/// pagemate_mutex_was_created() returns whether this call created it. Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The mutex to create. An existing mutex stays as it is.
/// @param mutex    Receives the handle, which the caller closes by pagemate_mutex_close(); NULL on failure.
/// @return As for pagemate_mutex_create_new() and pagemate_mutex_open(), except PAGEMATE_ALREADY_EXISTS and
///         PAGEMATE_NOT_FOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_mutex_open_or_create(
    name: *const c_char,
    options: Option<&MutexOptions>,
    mutex: Option<&mut MaybeUninit<Option<Box<Mutex>>>>,
) -> Status {
    let call = "open or create mutex";
    create_handle(call, "mutex", mutex, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        Ok(Mutex::new(MutexOptions::convert(options, call)?.open_or_create(name)?))
    })
}

/// Opens the mutex `name`. Fails if no process holds a handle to it. Thread-safe.
///
/// @param name   The name: see pagemate_section_create_new().
/// @param mutex  Receives the handle, which the caller closes by pagemate_mutex_close(); NULL on failure.
/// @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_PERMISSION_DENIED: another user owns it and
///         does not share it. PAGEMATE_WRONG_KIND: the name belongs to an object of another kind.
///         PAGEMATE_INVALID_NAME, PAGEMATE_WRONG_VERSION, PAGEMATE_CORRUPTED and PAGEMATE_TIMED_OUT as for
///         pagemate_section_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_mutex_open(
    name: *const c_char,
    mutex: Option<&mut MaybeUninit<Option<Box<Mutex>>>>,
) -> Status {
    let call = "open mutex";
    create_handle(call, "mutex", mutex, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        Ok(Mutex::new(sync::Mutex::open(name)?))
    })
}

/// Opens the mutex `name` like pagemate_mutex_open(), and blocks until a process creates it or the timeout
/// expires. Thread-safe.
///
/// @param name         The name: see pagemate_section_create_new().
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param mutex        Receives the handle, which the caller closes by pagemate_mutex_close(); NULL on failure.
/// @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_mutex_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_mutex_open_within(
    name: *const c_char,
    nanoseconds: u64,
    mutex: Option<&mut MaybeUninit<Option<Box<Mutex>>>>,
) -> Status {
    let call = "open mutex";
    create_handle(call, "mutex", mutex, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        Ok(Mutex::new(sync::Mutex::open_within(name, duration(nanoseconds))?))
    })
}

/// Creates a mutex without a name, which other processes receive as a descriptor or a handle. Thread-safe.
///
/// @param options  The mutex to create. NULL stands for an unlocked one.
/// @param mutex    Receives the handle, which the caller closes by pagemate_mutex_close(); NULL on failure.
/// @return As for pagemate_mutex_create_new(), except those about names.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_create_unnamed(
    options: Option<&MutexOptions>,
    mutex: Option<&mut MaybeUninit<Option<Box<Mutex>>>>,
) -> Status {
    let call = "create unnamed mutex";
    create_handle(call, "mutex", mutex, || {
        Ok(Mutex::new(MutexOptions::convert(options, call)?.create_unnamed()?))
    })
}

/// Closes a handle. If a thread owns the mutex through this handle, the mutex is abandoned.
///
/// No thread may use the handle during or after the call. The call always succeeds. NULL is
/// ignored, as by free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_close(mutex: Option<Box<Mutex>>) -> Status {
    close(mutex)
}

/// Locks the mutex by `acquire`.
///
/// C has no destructors, so the guard is forgotten, and pagemate_mutex_unlock() releases the mutex.
fn lock(
    mutex: Option<&Mutex>,
    abandoned: Option<&mut MaybeUninit<bool>>,
    acquire: impl FnOnce(&sync::Mutex) -> pagemate::Result<Option<MutexGuard<'_>>>,
) -> Status {
    let call = "lock mutex";
    run(|| {
        let mutex = &required(call, "mutex", mutex)?.mutex;
        let abandoned = required(call, "abandoned", abandoned)?;
        let guard = acquire(mutex)?
            .ok_or_else(|| timed_out(call, mutex.name(), "another thread owns it"))?;
        abandoned.write(guard.was_abandoned());
        mem::forget(guard);
        Ok(())
    })
}

/// Blocks until the calling thread acquires the mutex. Thread-safe.
///
/// @param mutex      The mutex.
/// @param abandoned  Receives whether the last owner, a thread or its process, ended without unlocking the
///                   mutex. The caller owns the mutex in this case too, and the protected data may be
///                   inconsistent. Unlocking the mutex clears this state.
/// @return PAGEMATE_INVALID_INPUT: the calling thread owns it already, through this handle.
///         PAGEMATE_ORPHANED: another program removed the mutex's name; the first lock of a handle and each
///         lock that has to wait check this. PAGEMATE_OS: the system refused to wait.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_lock(
    mutex: Option<&Mutex>,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    lock(mutex, abandoned, |mutex| mutex.lock().map(Some))
}

/// Acquires the mutex if no thread owns it, without blocking. Thread-safe.
///
/// @param mutex      The mutex.
/// @param abandoned  As for pagemate_mutex_lock().
/// @return PAGEMATE_TIMED_OUT: another thread owns it. Otherwise as for pagemate_mutex_lock().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_try_lock(
    mutex: Option<&Mutex>,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    lock(mutex, abandoned, sync::Mutex::try_lock)
}

/// Blocks until the calling thread acquires the mutex or the timeout expires. Thread-safe.
///
/// @param mutex        The mutex.
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param abandoned    As for pagemate_mutex_lock().
/// @return PAGEMATE_TIMED_OUT: the timeout expired. Otherwise as for pagemate_mutex_lock().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_try_lock_for(
    mutex: Option<&Mutex>,
    nanoseconds: u64,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    lock(mutex, abandoned, |mutex| mutex.try_lock_for(duration(nanoseconds)))
}

/// Releases a mutex that the calling thread owns through this handle. Thread-safe.
///
/// @return PAGEMATE_NOT_OWNER: the thread does not own it through this handle.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_unlock(mutex: Option<&Mutex>) -> Status {
    run(|| Ok(required("unlock mutex", "mutex", mutex)?.mutex.unlock_forgotten()?))
}

/// Returns whether the calling thread owns the mutex through this handle. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_is_mine(
    mutex: Option<&Mutex>,
    mine: Option<&mut MaybeUninit<bool>>,
) -> Status {
    query("get owner of mutex", ("mutex", mutex), ("mine", mine), |mutex| mutex.mutex.is_mine())
}

/// Checks that the mutex still has its name. The first lock by a handle, and every lock that
/// has to wait, checks that too. Thread-safe.
///
/// @return PAGEMATE_ORPHANED: another program removed the name, so that other processes do not find this
///         mutex. On Windows no program can do that.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_check_name(mutex: Option<&Mutex>) -> Status {
    run(|| Ok(required("check name", "mutex", mutex)?.mutex.check_name()?))
}

/// Returns whether this handle created the mutex rather than opened it. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_was_created(
    mutex: Option<&Mutex>,
    created: Option<&mut MaybeUninit<bool>>,
) -> Status {
    query("get creator", ("mutex", mutex), ("created", created), |mutex| mutex.mutex.was_created())
}

/// Returns the name in its shortest spelling, or NULL if it has none. Thread-safe.
///
/// The text belongs to the handle and is valid until the handle is closed.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_name(
    mutex: Option<&Mutex>,
    name: Option<&mut MaybeUninit<*const c_char>>,
) -> Status {
    query("get name", ("mutex", mutex), ("name", name), |mutex| {
        mutex.name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr())
    })
}
