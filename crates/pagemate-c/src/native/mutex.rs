//! Locks that one thread of all processes has at a time.

use std::ffi::{CString, c_char};
use std::mem::{self, MaybeUninit};

use pagemate::sync::{self, MutexGuard};

use super::argument::{SharingWord, given, hand_out, spelled, take_back, tell, text};
use super::options::{only, shared_for};
use super::status::{Outcome, Status, call};
use super::wait::{late, time};

/// For a new mutex: locks it before anybody else can, as if this thread had. One that exists stays as it
/// is. Not on macOS.
pub const PAGEMATE_LOCKED: u32 = 16;

/// How to make a mutex. A zeroed one, `{0}`, has all defaults, and NULL stands for it. It grows as
/// pagemate_section_options does.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MutexOptions {
    /// Which other users may use a new mutex. They meet under a `Global\` name. Whoever may use it may
    /// also have it for as long as they like.
    pub sharing: SharingWord,
    /// PAGEMATE_LOCKED, or 0.
    pub flags: u32,
    /// 0.
    pub reserved: [u64; 4],
}

impl MutexOptions {
    /// What these options say.
    fn read(options: Option<&MutexOptions>, call: &str) -> Outcome<sync::MutexOptions> {
        let mut set = sync::MutexOptions::new();
        let Some(options) = options else { return Ok(set) };
        only(call, options.flags, PAGEMATE_LOCKED, options.reserved)?;
        set.sharing(shared_for(call, options.sharing, pagemate::Access::ReadWrite)?);
        set.locked(options.flags & PAGEMATE_LOCKED != 0);
        Ok(set)
    }
}

/// A handle to a lock that one thread of all processes has at a time.
///
/// Its name lives as a section's does. The threads of a process may share a handle; only to close it one
/// has to be alone with it. A thread that has the mutex by this handle cannot take it again by the same
/// one: that is PAGEMATE_INVALID_INPUT.
///
/// **A holder's death is an answer, not a hang.** If a process is killed while it has a mutex, or a thread
/// ends, the next who waits has it within a tenth of a second, and is told by `abandoned`: what the mutex
/// guards is as its holder left it, half changed perhaps. A process that merely stands still is never taken
/// for dead. A child made by `fork` has none of its parent's mutexes.
///
/// ```c
/// pagemate_mutex *mutex = NULL;
/// bool abandoned = false;
/// if (pagemate_mutex_open_or_create("ledger", NULL, &mutex) == PAGEMATE_OK &&
///     pagemate_mutex_lock(mutex, &abandoned) == PAGEMATE_OK) {
///     if (abandoned) {
///         puts("whoever had it died: look at what it left, and mend it");
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
        Mutex { name: spelled(mutex.name()), mutex }
    }
}

/// Makes the mutex `name`, which must not exist. Sections, mutexes, events and semaphores have one space
/// of names.
///
/// @param name     What it is called: see pagemate_section_create_new().
/// @param options  What to make. NULL is a free one for the owner alone.
/// @param mutex    Gets the handle, to be closed by pagemate_mutex_close(); NULL on failure.
/// @return PAGEMATE_ALREADY_EXISTS: a process holds an object of this name, of whatever kind.
///         PAGEMATE_INVALID_NAME. PAGEMATE_NO_SPACE. PAGEMATE_PERMISSION_DENIED: no right to make the
///         name. PAGEMATE_TIMED_OUT: another process kept the name busy for two seconds.
///         PAGEMATE_UNSUPPORTED: PAGEMATE_LOCKED on macOS.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_mutex_create_new(
    name: *const c_char,
    options: Option<&MutexOptions>,
    mutex: Option<&mut MaybeUninit<Option<Box<Mutex>>>>,
) -> Status {
    let words = "create mutex";
    hand_out(words, "mutex", mutex, || {
        // SAFETY: the text ends in a NUL and is the caller's until we return.
        let name = unsafe { text(words, "name", name) }?;
        Ok(Mutex::new(MutexOptions::read(options, words)?.create_new(name)?))
    })
}

/// Opens the mutex `name` if some process holds its name, and makes it otherwise;
/// pagemate_mutex_was_created() tells which.
///
/// @param name     What it is called.
/// @param options  What to make. A mutex that exists stays as it is.
/// @param mutex    Gets the handle; NULL on failure.
/// @return As pagemate_mutex_create_new() and pagemate_mutex_open(), except that it is missing or exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_mutex_open_or_create(
    name: *const c_char,
    options: Option<&MutexOptions>,
    mutex: Option<&mut MaybeUninit<Option<Box<Mutex>>>>,
) -> Status {
    let words = "open or create mutex";
    hand_out(words, "mutex", mutex, || {
        // SAFETY: the text ends in a NUL and is the caller's until we return.
        let name = unsafe { text(words, "name", name) }?;
        Ok(Mutex::new(MutexOptions::read(options, words)?.open_or_create(name)?))
    })
}

/// Opens the mutex `name`, whose name some process has to hold.
///
/// @param name   What it is called.
/// @param mutex  Gets the handle; NULL on failure.
/// @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_PERMISSION_DENIED: it is another user's.
///         PAGEMATE_WRONG_KIND: the name belongs to something else. PAGEMATE_INVALID_NAME,
///         PAGEMATE_WRONG_VERSION, PAGEMATE_CORRUPTED and PAGEMATE_TIMED_OUT as of pagemate_section_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_mutex_open(
    name: *const c_char,
    mutex: Option<&mut MaybeUninit<Option<Box<Mutex>>>>,
) -> Status {
    let words = "open mutex";
    hand_out(words, "mutex", mutex, || {
        // SAFETY: the text ends in a NUL and is the caller's until we return.
        let name = unsafe { text(words, "name", name) }?;
        Ok(Mutex::new(sync::Mutex::open(name)?))
    })
}

/// Makes a mutex without a name, to be handed to another process as a descriptor or a handle.
///
/// @param options  What to make.
/// @param mutex    Gets the handle; NULL on failure.
/// @return As pagemate_mutex_create_new().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_create_unnamed(
    options: Option<&MutexOptions>,
    mutex: Option<&mut MaybeUninit<Option<Box<Mutex>>>>,
) -> Status {
    let words = "create unnamed mutex";
    hand_out(words, "mutex", mutex, || {
        Ok(Mutex::new(MutexOptions::read(options, words)?.create_unnamed()?))
    })
}

/// Closes a handle, and lets go of the name. If the mutex is locked by this handle, it is abandoned.
///
/// It always succeeds. NULL is nothing to close, as for free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_close(mutex: Option<Box<Mutex>>) -> Status {
    take_back(mutex)
}

/// Locks it for this thread, which has to give it back by pagemate_mutex_unlock().
fn lock(
    mutex: Option<&Mutex>,
    abandoned: Option<&mut MaybeUninit<bool>>,
    take: impl FnOnce(&sync::Mutex) -> pagemate::Result<Option<MutexGuard<'_>>>,
) -> Status {
    let words = "lock mutex";
    call(|| {
        let mutex = &given(words, "mutex", mutex)?.mutex;
        let abandoned = given(words, "abandoned", abandoned)?;
        let guard =
            take(mutex)?.ok_or_else(|| late(words, mutex.name(), "somebody else has it"))?;
        abandoned.write(guard.was_abandoned());
        mem::forget(guard);
        Ok(())
    })
}

/// Waits until nobody has the mutex, and locks it.
///
/// @param mutex      What to lock.
/// @param abandoned  Gets whether the last who had it ended, as a thread or a process, without unlocking
///                   it. It is locked by you all the same, and what it guards may be half changed. Once
///                   you unlock it nobody is told any more.
/// @return PAGEMATE_INVALID_INPUT: this thread has it already, by this handle. PAGEMATE_OS: the system's
///         refusal to let us wait.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_lock(
    mutex: Option<&Mutex>,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    lock(mutex, abandoned, |mutex| mutex.lock().map(Some))
}

/// Locks the mutex if nobody has it.
///
/// @param mutex      What to lock.
/// @param abandoned  As of pagemate_mutex_lock().
/// @return PAGEMATE_TIMED_OUT: somebody has it. Otherwise as pagemate_mutex_lock().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_try_lock(
    mutex: Option<&Mutex>,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    lock(mutex, abandoned, sync::Mutex::try_lock)
}

/// Waits for so long at most until nobody has the mutex, and locks it.
///
/// @param mutex        What to lock.
/// @param nanoseconds  How long to wait: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param abandoned    As of pagemate_mutex_lock().
/// @return PAGEMATE_TIMED_OUT: somebody had it all the time. Otherwise as pagemate_mutex_lock().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_try_lock_for(
    mutex: Option<&Mutex>,
    nanoseconds: u64,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    lock(mutex, abandoned, |mutex| mutex.try_lock_for(time(nanoseconds)))
}

/// Unlocks a mutex that this thread has by this handle.
///
/// @return PAGEMATE_NOT_OWNER: it does not.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_unlock(mutex: Option<&Mutex>) -> Status {
    call(|| Ok(given("unlock mutex", "mutex", mutex)?.mutex.unlock_forgotten()?))
}

/// Tells whether this thread has it, by this handle.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_is_mine(
    mutex: Option<&Mutex>,
    mine: Option<&mut MaybeUninit<bool>>,
) -> Status {
    tell("ask who has mutex", ("mutex", mutex), ("mine", mine), |mutex| mutex.mutex.is_mine())
}

/// Tells whether this handle made the object, and did not find it.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_was_created(
    mutex: Option<&Mutex>,
    created: Option<&mut MaybeUninit<bool>>,
) -> Status {
    tell("ask who created", ("mutex", mutex), ("created", created), |mutex| {
        mutex.mutex.was_created()
    })
}

/// Tells the name, in its shortest spelling: valid until the handle is closed. NULL if it has none.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_mutex_name(
    mutex: Option<&Mutex>,
    name: Option<&mut MaybeUninit<*const c_char>>,
) -> Status {
    tell("ask for name", ("mutex", mutex), ("name", name), |mutex| {
        mutex.name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr())
    })
}
