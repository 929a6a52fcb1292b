//! Semaphores that processes share.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;

use pagemate::sync::{self, Permit};

use super::access::sharing;
use super::argument::{c_name, close, create_handle, query, required, text};
use super::options::check_unused;
use super::status::{Outcome, Status, run};
use super::timeout::{duration, timed_out};
use super::word::SharingWord;

/// The maximum count of any semaphore.
const MAX: u32 = i32::MAX.cast_unsigned();

/// Options to create a semaphore. NULL and a zeroed struct, `{0}`, stand for the defaults. Later releases
/// add fields as for pagemate_section_options.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SemaphoreOptions {
    /// The users who may open a new semaphore. For users other than the owner it needs a `Global\` name.
    pub sharing: SharingWord,
    /// The initial count.
    pub count: u32,
    /// The maximum count: at most 2,147,483,647. 0 means 2,147,483,647.
    pub max: u32,
    /// Must be 0.
    pub flags: u32,
    /// Must be 0.
    pub reserved: [u64; 4],
}

impl SemaphoreOptions {
    /// Converts the options.
    fn convert(options: Option<&SemaphoreOptions>, call: &str) -> Outcome<sync::SemaphoreOptions> {
        let Some(options) = options else { return Ok(sync::SemaphoreOptions::new(0, MAX)) };
        check_unused(call, options.flags, 0, options.reserved)?;
        let max = if options.max == 0 { MAX } else { options.max };
        let mut set = sync::SemaphoreOptions::new(options.count, max);
        set.sharing(sharing(call, options.sharing, pagemate::Access::ReadWrite)?);
        Ok(set)
    }
}

/// A handle to a semaphore, which is a count that all processes share.
///
/// Its name exists as long as that of a section. If a process dies, the permits that it acquired
/// are lost, because a semaphore does not record its owners; use a mutex if this must not happen.
/// Several threads may use one handle at the same time. No thread may use it during or after a call
/// that closes it.
#[derive(Debug)]
pub struct Semaphore {
    pub(super) semaphore: sync::Semaphore,
    name: Option<CString>,
}

impl Semaphore {
    pub(super) fn new(semaphore: sync::Semaphore) -> Semaphore {
        Semaphore { name: c_name(semaphore.name()), semaphore }
    }
}

/// Creates the semaphore `name`. Fails if a process holds an object of this name.
///
/// If the process is killed during the call, the name is free again. Thread-safe.
///
/// @param name       The name: see pagemate_section_create_new().
/// @param options    The semaphore to create. NULL stands for one of the owner alone with the count 0 and
///                   the maximum 2,147,483,647.
/// @param semaphore  Receives the handle, which the caller closes by pagemate_semaphore_close(); NULL on
///                   failure.
/// @return As for pagemate_mutex_create_new(), and PAGEMATE_INVALID_INPUT if the count or the maximum is not
///         valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_semaphore_create_new(
    name: *const c_char,
    options: Option<&SemaphoreOptions>,
    semaphore: Option<&mut MaybeUninit<Option<Box<Semaphore>>>>,
) -> Status {
    let call = "create semaphore";
    create_handle(call, "semaphore", semaphore, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        Ok(Semaphore::new(SemaphoreOptions::convert(options, call)?.create_new(name)?))
    })
}

/// Opens the semaphore `name` if a process holds it, and creates it otherwise.
///
/// pagemate_semaphore_was_created() returns whether this call created it. Thread-safe.
///
/// @param name       The name: see pagemate_section_create_new().
/// @param options    The semaphore to create. An existing semaphore stays as it is.
/// @param semaphore  Receives the handle, which the caller closes by pagemate_semaphore_close(); NULL on
///                   failure.
/// @return As for pagemate_mutex_open_or_create(), and PAGEMATE_INVALID_INPUT if the count or the maximum is
///         not valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_semaphore_open_or_create(
    name: *const c_char,
    options: Option<&SemaphoreOptions>,
    semaphore: Option<&mut MaybeUninit<Option<Box<Semaphore>>>>,
) -> Status {
    let call = "open or create semaphore";
    create_handle(call, "semaphore", semaphore, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        Ok(Semaphore::new(SemaphoreOptions::convert(options, call)?.open_or_create(name)?))
    })
}

/// Opens the semaphore `name`. Fails if no process holds it. Thread-safe.
///
/// @param name       The name: see pagemate_section_create_new().
/// @param semaphore  Receives the handle, which the caller closes by pagemate_semaphore_close(); NULL on
///                   failure.
/// @return As for pagemate_mutex_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_semaphore_open(
    name: *const c_char,
    semaphore: Option<&mut MaybeUninit<Option<Box<Semaphore>>>>,
) -> Status {
    let call = "open semaphore";
    create_handle(call, "semaphore", semaphore, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        Ok(Semaphore::new(sync::Semaphore::open(name)?))
    })
}

/// Opens the semaphore `name` like pagemate_semaphore_open(), and blocks until a process creates it or the timeout
/// expires. Thread-safe.
///
/// @param name         The name: see pagemate_section_create_new().
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param semaphore    Receives the handle, which the caller closes by pagemate_semaphore_close(); NULL on failure.
/// @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_semaphore_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_semaphore_open_within(
    name: *const c_char,
    nanoseconds: u64,
    semaphore: Option<&mut MaybeUninit<Option<Box<Semaphore>>>>,
) -> Status {
    let call = "open semaphore";
    create_handle(call, "semaphore", semaphore, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        Ok(Semaphore::new(sync::Semaphore::open_within(name, duration(nanoseconds))?))
    })
}

/// Creates a semaphore without a name, which other processes receive as a descriptor or a handle.
/// Thread-safe.
///
/// @param options    The semaphore to create.
/// @param semaphore  Receives the handle, which the caller closes by pagemate_semaphore_close(); NULL on
///                   failure.
/// @return As for pagemate_semaphore_create_new(), except those about names.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_create_unnamed(
    options: Option<&SemaphoreOptions>,
    semaphore: Option<&mut MaybeUninit<Option<Box<Semaphore>>>>,
) -> Status {
    let call = "create unnamed semaphore";
    create_handle(call, "semaphore", semaphore, || {
        Ok(Semaphore::new(SemaphoreOptions::convert(options, call)?.create_unnamed()?))
    })
}

/// Closes a handle. If it is the last one of all processes, the name ends.
///
/// No thread may use the handle during or after the call. The call always succeeds. NULL is
/// ignored, as by free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_close(semaphore: Option<Box<Semaphore>>) -> Status {
    close(semaphore)
}

/// Decrements the count by `attempt`, which returns `None` if the count is 0.
///
/// C has no destructors, so the permit is forgotten, and pagemate_semaphore_release() releases it.
fn acquire(
    semaphore: Option<&Semaphore>,
    attempt: impl FnOnce(&sync::Semaphore) -> pagemate::Result<Option<Permit<'_>>>,
) -> Status {
    let call = "acquire semaphore";
    run(|| {
        let semaphore = &required(call, "semaphore", semaphore)?.semaphore;
        match attempt(semaphore)? {
            Some(permit) => permit.forget(),
            None => return Err(timed_out(call, semaphore.name(), "its count is 0")),
        }
        Ok(())
    })
}

/// Blocks until the count is greater than 0, and decrements it. Thread-safe.
///
/// If the process dies afterwards, the count is not restored.
///
/// @return PAGEMATE_ORPHANED: another program removed the semaphore's name; a wait that has to sleep checks
///         this. PAGEMATE_OS: the system refused to wait.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_acquire(semaphore: Option<&Semaphore>) -> Status {
    acquire(semaphore, |semaphore| semaphore.acquire().map(Some))
}

/// Decrements the count if it is greater than 0, without blocking. Thread-safe.
///
/// @return PAGEMATE_TIMED_OUT: the count is 0. Otherwise as for pagemate_semaphore_acquire().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_try_acquire(semaphore: Option<&Semaphore>) -> Status {
    acquire(semaphore, sync::Semaphore::try_acquire)
}

/// Blocks until the count is greater than 0, and decrements it, or until the timeout expires.
/// Thread-safe.
///
/// @param semaphore    The semaphore.
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @return PAGEMATE_TIMED_OUT: the timeout expired. Otherwise as
///         pagemate_semaphore_acquire().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_try_acquire_for(
    semaphore: Option<&Semaphore>,
    nanoseconds: u64,
) -> Status {
    acquire(semaphore, |semaphore| semaphore.try_acquire_for(duration(nanoseconds)))
}

/// Adds to the count. Thread-safe.
///
/// @param semaphore  The semaphore.
/// @param by         The number to add, at least 1.
/// @param before     Receives the count before the call. May be NULL.
/// @return PAGEMATE_OUT_OF_RANGE: the count would exceed the maximum; it did not change.
///         PAGEMATE_INVALID_INPUT: `by` is 0.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_release(
    semaphore: Option<&Semaphore>,
    by: u32,
    before: Option<&mut MaybeUninit<u32>>,
) -> Status {
    run(|| {
        let previous =
            required("release semaphore", "semaphore", semaphore)?.semaphore.release(by)?;
        before.map(|before| before.write(previous));
        Ok(())
    })
}

/// Checks that the semaphore still has its name. A wait that has to sleep checks that too. Thread-safe.
///
/// @return PAGEMATE_ORPHANED: another program removed the name, so that other processes do not find this
///         semaphore. On Windows no program can do that.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_check_name(semaphore: Option<&Semaphore>) -> Status {
    run(|| Ok(required("check name", "semaphore", semaphore)?.semaphore.check_name()?))
}

/// Returns whether this handle created the object rather than opened it. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_was_created(
    semaphore: Option<&Semaphore>,
    created: Option<&mut MaybeUninit<bool>>,
) -> Status {
    query("get creator", ("semaphore", semaphore), ("created", created), |semaphore| {
        semaphore.semaphore.was_created()
    })
}

/// Returns the name in its shortest spelling, or NULL if it has none. Thread-safe.
///
/// The text belongs to the handle and is valid until the handle is closed.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_semaphore_name(
    semaphore: Option<&Semaphore>,
    name: Option<&mut MaybeUninit<*const c_char>>,
) -> Status {
    query("get name", ("semaphore", semaphore), ("name", name), |semaphore| {
        semaphore.name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr())
    })
}
