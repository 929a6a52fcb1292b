//! How long to wait, and waiting for several.

use std::ffi::c_void;
use std::mem::{self, MaybeUninit};
use std::time::Duration;

use pagemate::Name;
use pagemate::sync::{self, Had};

use super::argument::given;
use super::event::Event;
use super::mutex::Mutex;
use super::semaphore::Semaphore;
use super::status::{Failure, Outcome, Status, call};

/// For what waits: as long as it takes.
pub const PAGEMATE_FOREVER: u64 = u64::MAX;

/// For what waits: a millisecond, of the nanoseconds in which all of it counts.
#[allow(clippy::unnecessary_cast, reason = "to C it is then as wide, whatever it is multiplied by")]
pub const PAGEMATE_MILLISECOND: u64 = 1_000_000 as u64;

/// How long C wants to wait.
pub(super) fn time(nanoseconds: u64) -> Duration {
    match nanoseconds {
        PAGEMATE_FOREVER => Duration::MAX,
        nanoseconds => Duration::from_nanos(nanoseconds),
    }
}

/// What was waited for and did not come in time.
pub(super) fn late(words: &str, name: Option<&Name>, cause: &str) -> Failure {
    let name = name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
    Failure::new(Status::PAGEMATE_TIMED_OUT, format!("{words}{name}: {cause}"))
}

/// One of several to wait for: one of these is set, and all else is NULL. It grows in later releases by
/// taking from `reserved`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Waitable<'a> {
    /// Until nobody has it; then it is locked.
    pub mutex: Option<&'a Mutex>,
    /// Until it has happened.
    pub event: Option<&'a Event>,
    /// Until its count is more than zero; then one is taken off.
    pub semaphore: Option<&'a Semaphore>,
    /// NULL.
    pub reserved: *const c_void,
}

/// What C wants to wait for.
///
/// # Safety
///
/// `list` is NULL or has `count` elements, which stay as they are while the result is used.
unsafe fn listed<'a>(
    call: &str,
    list: *const Waitable<'a>,
    count: usize,
) -> Outcome<Vec<sync::Waitable<'a>>> {
    // That is as many as Windows knows, and as a number has bits for those that were abandoned.
    const MOST: usize = 64;
    given(call, "list", (!list.is_null()).then_some(()))?;
    if count == 0 || count > MOST {
        return Err(Failure::invalid(
            call,
            format_args!("count is {count}, and has to be 1 to {MOST}"),
        ));
    }
    // SAFETY: not NULL, and it has so many elements, says the caller.
    let list = unsafe { std::slice::from_raw_parts(list, count) };
    let one = |(i, one): (usize, &Waitable<'a>)| match *one {
        Waitable { reserved, .. } if !reserved.is_null() => {
            Err(Failure::invalid(call, format_args!("list[{i}].reserved is not NULL")))
        }
        Waitable { mutex: Some(mutex), event: None, semaphore: None, .. } => {
            Ok(sync::Waitable::Mutex(&mutex.mutex))
        }
        Waitable { mutex: None, event: Some(event), semaphore: None, .. } => {
            Ok(sync::Waitable::Event(&event.event))
        }
        Waitable { mutex: None, event: None, semaphore: Some(semaphore), .. } => {
            Ok(sync::Waitable::Semaphore(&semaphore.semaphore))
        }
        _ => Err(Failure::invalid(call, format_args!("list[{i}] is not just one object"))),
    };
    list.iter().enumerate().map(one).collect()
}

/// Keeps what was waited for; whether it was abandoned.
fn keep(had: Had<'_>) -> bool {
    let abandoned = had.guard.as_ref().is_some_and(sync::MutexGuard::was_abandoned);
    mem::forget(had.guard);
    abandoned
}

/// Waits until one of several can be had, and takes that one alone: of several, the first in the list.
///
/// ```c
/// pagemate_event *quit = NULL;
/// pagemate_semaphore *jobs = NULL;
/// pagemate_semaphore_options one = {.count = 1};
/// size_t index = 0;
/// bool abandoned = false;
/// if (pagemate_event_create_unnamed(NULL, &quit) == PAGEMATE_OK &&
///     pagemate_semaphore_create_unnamed(&one, &jobs) == PAGEMATE_OK) {
///     pagemate_waitable list[] = {{.event = quit}, {.semaphore = jobs}};
///     if (pagemate_wait_any(list, 2, &index, &abandoned) == PAGEMATE_OK && index == 1) {
///         puts("there is a job");
///     }
/// }
/// pagemate_semaphore_close(jobs);
/// pagemate_event_close(quit);
/// ```
///
/// @param list       What to wait for.
/// @param count      How many there are: 1 to 64.
/// @param index      Gets which one was had, from 0 on.
/// @param abandoned  Gets whether that one is a mutex that was abandoned: see pagemate_mutex_lock().
/// @return PAGEMATE_INVALID_INPUT: something is in the list twice, or this thread has one of the mutexes
///         already. PAGEMATE_OS: the system's refusal to let us wait.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_wait_any(
    list: *const Waitable<'_>,
    count: usize,
    index: Option<&mut MaybeUninit<usize>>,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { pagemate_wait_any_for(list, count, PAGEMATE_FOREVER, index, abandoned) }
}

/// Waits for so long at most until one of several can be had.
///
/// @param list         What to wait for.
/// @param count        How many there are: 1 to 64.
/// @param nanoseconds  How long to wait: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to ask only.
/// @param index        Gets which one was had, from 0 on.
/// @param abandoned    Gets whether that one is a mutex that was abandoned: see pagemate_mutex_lock().
/// @return PAGEMATE_TIMED_OUT: none could be had all the time. Otherwise as pagemate_wait_any().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_wait_any_for(
    list: *const Waitable<'_>,
    count: usize,
    nanoseconds: u64,
    index: Option<&mut MaybeUninit<usize>>,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    let words = "wait for any of several";
    call(|| {
        // SAFETY: so many elements are there, and the caller's until we return.
        let list = unsafe { listed(words, list, count) }?;
        let index = given(words, "index", index)?;
        let abandoned = given(words, "abandoned", abandoned)?;
        let had = sync::wait_any_for(&list, time(nanoseconds))?
            .ok_or_else(|| late(words, None, "none of them was to be had in time"))?;
        index.write(had.index);
        abandoned.write(keep(had));
        Ok(())
    })
}

/// Waits until all of several can be had at once, and takes them all. Until then it takes none.
///
/// On Unix some are taken for a moment and given back when the last turns out not to be there: whoever
/// only looks, and does not wait, may not find them in that moment.
///
/// @param list       What to wait for.
/// @param count      How many there are: 1 to 64.
/// @param abandoned  Gets a bit for each mutex that was abandoned, the lowest for the first in the list; 0
///                   if none was. See pagemate_mutex_lock().
/// @return As pagemate_wait_any().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_wait_all(
    list: *const Waitable<'_>,
    count: usize,
    abandoned: Option<&mut MaybeUninit<u64>>,
) -> Status {
    // SAFETY: the caller's promise.
    unsafe { pagemate_wait_all_for(list, count, PAGEMATE_FOREVER, abandoned) }
}

/// Waits for so long at most until all of several can be had at once.
///
/// @param list         What to wait for.
/// @param count        How many there are: 1 to 64.
/// @param nanoseconds  How long to wait: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to ask only.
/// @param abandoned    As of pagemate_wait_all().
/// @return PAGEMATE_TIMED_OUT: they were not all there in time, and none was taken. Otherwise as
///         pagemate_wait_any().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_wait_all_for(
    list: *const Waitable<'_>,
    count: usize,
    nanoseconds: u64,
    abandoned: Option<&mut MaybeUninit<u64>>,
) -> Status {
    let words = "wait for all of several";
    call(|| {
        // SAFETY: so many elements are there, and the caller's until we return.
        let list = unsafe { listed(words, list, count) }?;
        let abandoned = given(words, "abandoned", abandoned)?;
        let had = sync::wait_all_for(&list, time(nanoseconds))?
            .ok_or_else(|| late(words, None, "they were not all to be had in time"))?;
        let bits = had.into_iter().enumerate().map(|(i, had)| u64::from(keep(had)) << i);
        abandoned.write(bits.fold(0, |all, bit| all | bit));
        Ok(())
    })
}
