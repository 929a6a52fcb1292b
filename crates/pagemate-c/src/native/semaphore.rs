//! Counts that all processes share.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;

use pagemate::sync;

use super::argument::{SharingWord, given, hand_out, spelled, take_back, tell, text};
use super::options::{only, shared_for};
use super::status::{Outcome, Status, call};
use super::wait::{late, time};

/// The highest count that any semaphore can have.
const MOST: u32 = i32::MAX.cast_unsigned();

/// How to make a semaphore. A zeroed one, `{0}`, has all defaults, and NULL stands for it. It grows as
/// pagemate_section_options does.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SemaphoreOptions {
    /// Which other users may use a new semaphore. They meet under a `Global\` name.
    pub sharing: SharingWord,
    /// The count that it begins with.
    pub count: u32,
    /// The highest count that it can have; 0 is 2,147,483,647, and no other can have more.
    pub max: u32,
    /// 0.
    pub flags: u32,
    /// 0.
    pub reserved: [u64; 4],
}

impl SemaphoreOptions {
    /// What these options say.
    fn read(options: Option<&SemaphoreOptions>, call: &str) -> Outcome<sync::SemaphoreOptions> {
        let Some(options) = options else { return Ok(sync::SemaphoreOptions::new(0, MOST)) };
        only(call, options.flags, 0, options.reserved)?;
        let max = if options.max == 0 { MOST } else { options.max };
        let mut set = sync::SemaphoreOptions::new(options.count, max);
        set.sharing(shared_for(call, options.sharing, pagemate::Access::ReadWrite)?);
        Ok(set)
    }
}

/// A handle to a count that all processes share, and that is never less than zero. Its name lives as a
/// section's does.
///
/// What a process took and did not give back when it ended is not given back for it: a semaphore does not
/// know who has its parts. Threads may use one handle at the same time; only to close it one has to be
/// alone with it.
#[derive(Debug)]
pub struct Semaphore {
    pub(super) semaphore: sync::Semaphore,
    name: Option<CString>,
}

impl Semaphore {
    pub(super) fn new(semaphore: sync::Semaphore) -> Semaphore {
        Semaphore { name: spelled(semaphore.name()), semaphore }
    }
}

/// Makes the semaphore `name`, which must not exist.
///
/// @param name       What it is called: see pagemate_section_create_new().
/// @param options    What to make. NULL is one that begins with 0, can have 2,147,483,647, and is for the
///                   owner alone.
/// @param semaphore  Gets the handle, to be closed by pagemate_semaphore_close(); NULL on failure.
/// @return As pagemate_mutex_create_new(), and PAGEMATE_INVALID_INPUT for counts that make no sense.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_semaphore_create_new(
    name: *const c_char,
    options: Option<&SemaphoreOptions>,
    semaphore: Option<&mut MaybeUninit<Option<Box<Semaphore>>>>,
) -> Status {
    let words = "create semaphore";
    hand_out(words, "semaphore", semaphore, || {
        // SAFETY: the text ends in a NUL and is the caller's until we return.
        let name = unsafe { text(words, "name", name) }?;
        Ok(Semaphore::new(SemaphoreOptions::read(options, words)?.create_new(name)?))
    })
}

/// Opens the semaphore `name` if some process holds it, and makes it otherwise;
/// pagemate_semaphore_was_created() tells which.
///
/// @param name       What it is called.
/// @param options    What to make. A semaphore that exists stays as it is.
/// @param semaphore  Gets the handle; NULL on failure.
/// @return As pagemate_mutex_open_or_create(), and PAGEMATE_INVALID_INPUT for counts that make no sense.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_semaphore_open_or_create(
    name: *const c_char,
    options: Option<&SemaphoreOptions>,
    semaphore: Option<&mut MaybeUninit<Option<Box<Semaphore>>>>,
) -> Status {
    let words = "open or create semaphore";
    hand_out(words, "semaphore", semaphore, || {
        // SAFETY: the text ends in a NUL and is the caller's until we return.
        let name = unsafe { text(words, "name", name) }?;
        Ok(Semaphore::new(SemaphoreOptions::read(options, words)?.open_or_create(name)?))
    })
}

/// Opens the semaphore `name`, which some process has to hold, with the count that it has.
///
/// @param name       What it is called.
/// @param semaphore  Gets the handle; NULL on failure.
/// @return As pagemate_mutex_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_semaphore_open(
    name: *const c_char,
    semaphore: Option<&mut MaybeUninit<Option<Box<Semaphore>>>>,
) -> Status {
    let words = "open semaphore";
    hand_out(words, "semaphore", semaphore, || {
        // SAFETY: the text ends in a NUL and is the caller's until we return.
        let name = unsafe { text(words, "name", name) }?;
        Ok(Semaphore::new(sync::Semaphore::open(name)?))
    })
}

/// Makes a semaphore without a name, to be handed to another process as a descriptor or a handle.
///
/// @param options    What to make.
/// @param semaphore  Gets the handle; NULL on failure.
/// @return As pagemate_semaphore_create_new().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_create_unnamed(
    options: Option<&SemaphoreOptions>,
    semaphore: Option<&mut MaybeUninit<Option<Box<Semaphore>>>>,
) -> Status {
    let words = "create unnamed semaphore";
    hand_out(words, "semaphore", semaphore, || {
        Ok(Semaphore::new(SemaphoreOptions::read(options, words)?.create_unnamed()?))
    })
}

/// Closes a handle, and lets go of the name.
///
/// It always succeeds. NULL is nothing to close, as for free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_close(semaphore: Option<Box<Semaphore>>) -> Status {
    take_back(semaphore)
}

/// Takes one off.
fn acquire(
    semaphore: Option<&Semaphore>,
    take: impl FnOnce(&sync::Semaphore) -> pagemate::Result<bool>,
) -> Status {
    let words = "acquire semaphore";
    call(|| {
        let semaphore = &given(words, "semaphore", semaphore)?.semaphore;
        if take(semaphore)? {
            Ok(())
        } else {
            Err(late(words, semaphore.name(), "its count is zero"))
        }
    })
}

/// Waits until the count is more than zero, and takes one off.
///
/// @return PAGEMATE_OS: the system's refusal to let us wait.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_acquire(semaphore: Option<&Semaphore>) -> Status {
    acquire(semaphore, |semaphore| semaphore.acquire().map(|()| true))
}

/// Takes one off if the count is more than zero.
///
/// @return PAGEMATE_TIMED_OUT: it is not. Otherwise as pagemate_semaphore_acquire().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_try_acquire(semaphore: Option<&Semaphore>) -> Status {
    acquire(semaphore, sync::Semaphore::try_acquire)
}

/// Waits for so long at most until the count is more than zero, and takes one off.
///
/// @param semaphore    What to take from.
/// @param nanoseconds  How long to wait: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @return PAGEMATE_TIMED_OUT: there was nothing to take all the time. Otherwise as
///         pagemate_semaphore_acquire().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_try_acquire_for(
    semaphore: Option<&Semaphore>,
    nanoseconds: u64,
) -> Status {
    acquire(semaphore, |semaphore| semaphore.try_acquire_for(time(nanoseconds)))
}

/// Adds to the count.
///
/// @param semaphore  What to add to.
/// @param by         How many.
/// @param before     Gets what the count was before. May be NULL.
/// @return PAGEMATE_OUT_OF_RANGE: it would be more than the highest, and nothing was added.
///         PAGEMATE_INVALID_INPUT: nothing is to be added.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_release(
    semaphore: Option<&Semaphore>,
    by: u32,
    before: Option<&mut MaybeUninit<u32>>,
) -> Status {
    call(|| {
        let was = given("release semaphore", "semaphore", semaphore)?.semaphore.release(by)?;
        before.map(|before| before.write(was));
        Ok(())
    })
}

/// Tells whether this handle made the object, and did not find it.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_was_created(
    semaphore: Option<&Semaphore>,
    created: Option<&mut MaybeUninit<bool>>,
) -> Status {
    tell("ask who created", ("semaphore", semaphore), ("created", created), |semaphore| {
        semaphore.semaphore.was_created()
    })
}

/// Tells the name, in its shortest spelling: valid until the handle is closed. NULL if it has none.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_name(
    semaphore: Option<&Semaphore>,
    name: Option<&mut MaybeUninit<*const c_char>>,
) -> Status {
    tell("ask for name", ("semaphore", semaphore), ("name", name), |semaphore| {
        semaphore.name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr())
    })
}
