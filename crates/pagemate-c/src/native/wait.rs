//! Waiting for one or all of several objects.

use std::ffi::c_void;
use std::mem::{self, MaybeUninit};

use pagemate::sync::{self, Acquired, Ready};

use super::argument::required;
use super::event::Event;
use super::mutex::Mutex;
use super::receiver::{self, OpenReceiver, Receiver};
use super::semaphore::Semaphore;
use super::sender::{self, OpenSender, Sender};
use super::slot::Entered;
use super::status::{Failure, Outcome, Status, run};
use super::timeout::{PAGEMATE_FOREVER, duration, timed_out};
use super::watch_reader::{self, OpenReader, WatchReader};

/// An object or an endpoint of a channel to wait for. Exactly one of the pointers is set; all other fields are
/// NULL. Later releases use `reserved` for new fields.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Waitable<'a> {
    /// A mutex: waits until no thread owns it, and locks it.
    pub mutex: Option<&'a Mutex>,
    /// An event: waits until it is set, and resets it if it is reset automatically.
    pub event: Option<&'a Event>,
    /// A semaphore: waits until its count is greater than 0, and decrements it.
    pub semaphore: Option<&'a Semaphore>,
    /// A receiver, for pagemate_wait_any() only: waits until there is a message, and takes none. Another receiver may
    /// take the message before pagemate_receiver_try_recv().
    pub receiver: Option<&'a Receiver>,
    /// A sender, for pagemate_wait_any() only: waits until there is room for a message.
    pub sender: Option<&'a Sender>,
    /// A reader of a watch channel, for pagemate_wait_any() only: waits until there is a newer value.
    pub watch_reader: Option<&'a WatchReader>,
    /// Must be NULL.
    pub reserved: *const c_void,
}

impl<'a> Waitable<'a> {
    /// Returns the sync object of the element, if it has one.
    fn sync_object(&self) -> Option<sync::Waitable<'a>> {
        let Waitable { mutex, event, semaphore, .. } = *self;
        let mutex = mutex.map(|mutex| sync::Waitable::Mutex(&mutex.mutex));
        let event = event.map(|event| sync::Waitable::Event(&event.event));
        let semaphore = semaphore.map(|semaphore| sync::Waitable::Semaphore(&semaphore.semaphore));
        mutex.or(event).or(semaphore)
    }

    /// Takes the exclusive access to the endpoint, if the element has one.
    fn enter(&self, call: &str) -> Outcome<Option<Endpoint<'a>>> {
        let Waitable { receiver, sender, watch_reader, .. } = *self;
        Ok(if receiver.is_some() {
            Some(Endpoint::Receiver(receiver::enter_idle(call, receiver)?))
        } else if sender.is_some() {
            Some(Endpoint::Sender(sender::enter_idle(call, sender)?))
        } else if watch_reader.is_some() {
            Some(Endpoint::WatchReader(watch_reader::enter(call, watch_reader)?))
        } else {
            None
        })
    }

    /// Returns the number of objects in the element.
    fn count(&self) -> usize {
        let Waitable { mutex, event, semaphore, receiver, sender, watch_reader, .. } = *self;
        let sync = [mutex.is_some(), event.is_some(), semaphore.is_some()];
        let endpoints = [receiver.is_some(), sender.is_some(), watch_reader.is_some()];
        sync.into_iter().chain(endpoints).filter(|is_set| *is_set).count()
    }
}

/// The exclusive access to an endpoint during a wait.
enum Endpoint<'a> {
    Receiver(Entered<'a, OpenReceiver>),
    Sender(Entered<'a, OpenSender>),
    WatchReader(Entered<'a, OpenReader>),
}

impl Endpoint<'_> {
    fn ready(&mut self) -> Ready<'_> {
        match self {
            Endpoint::Receiver(open) => open.receiver.ready(),
            Endpoint::Sender(open) => open.sender.ready(),
            Endpoint::WatchReader(open) => open.reader.ready(),
        }
    }
}

/// Calls `wait` with a list of objects.
///
/// # Safety
///
/// `list` is NULL or points to `count` elements, which do not change until this function returns. Their
/// handles are open as long.
unsafe fn with_list<R>(
    call: &str,
    list: *const Waitable<'_>,
    count: usize,
    wait: impl FnOnce(&[sync::Waitable<'_>]) -> Outcome<R>,
) -> Outcome<R> {
    // The limit of Windows' own calls, and the number of bits in `abandoned` of pagemate_wait_all().
    const MAX: usize = 64;
    required(call, "list", (!list.is_null()).then_some(()))?;
    if count == 0 || count > MAX {
        return Err(Failure::invalid(
            call,
            format_args!("count is {count}; it must be 1 to {MAX}"),
        ));
    }
    // SAFETY: `list` is not NULL, so the caller guarantees `count` elements, which do not change until this
    // function returns. `count` is at most 64, so their size is at most `isize::MAX`.
    let list = unsafe { std::slice::from_raw_parts(list, count) };
    for (i, one) in list.iter().enumerate() {
        if !one.reserved.is_null() {
            return Err(Failure::invalid(call, format_args!("list[{i}].reserved is not NULL")));
        }
        if one.count() != 1 {
            return Err(Failure::invalid(
                call,
                format_args!("list[{i}] must have exactly one object"),
            ));
        }
    }
    let mut endpoints = Vec::with_capacity(count);
    for one in list {
        endpoints.push(one.enter(call)?);
    }
    let ready: Vec<_> = endpoints.iter_mut().map(|one| one.as_mut().map(Endpoint::ready)).collect();
    let objects: Option<Vec<_>> = list
        .iter()
        .zip(&ready)
        .map(|(one, ready)| one.sync_object().or(ready.as_ref().map(sync::Waitable::from)))
        .collect();
    wait(&objects.expect("each element has an object"))
}

/// Forgets the guard, because C has no destructors and pagemate_mutex_unlock() unlocks the mutex.
/// Returns whether the mutex was abandoned.
fn forget_guard(acquired: Acquired<'_>) -> bool {
    let abandoned = acquired.guard.as_ref().is_some_and(sync::MutexGuard::was_abandoned);
    mem::forget(acquired);
    abandoned
}

/// Blocks until one of several objects is available, and acquires only that one. If several are
/// available, it acquires the first one in the list. Thread-safe.
///
/// An endpoint of a channel is available too when a call with it would fail, for example because its peers have
/// ended. No other call with the endpoint is possible during the wait.
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
///         puts("a job is ready");
///     }
/// }
/// pagemate_semaphore_close(jobs);
/// pagemate_event_close(quit);
/// ```
///
/// @param list       The objects.
/// @param count      The number of objects: 1 to 64.
/// @param index      Receives the index of the acquired object, from 0.
/// @param abandoned  Receives whether that object is a mutex that was abandoned: see pagemate_mutex_lock().
/// @return PAGEMATE_INVALID_INPUT: an object is in the list twice, or the calling thread owns one of the
///         mutexes already. PAGEMATE_IN_USE: another thread is in a call with an endpoint, the endpoint has a loan
///         or a sample, or it is in the list twice. PAGEMATE_ORPHANED: another program removed the name of one of the
///         objects; a wait that has to sleep checks this.
///         PAGEMATE_OS: the system refused to wait.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_wait_any(
    list: *const Waitable<'_>,
    count: usize,
    index: Option<&mut MaybeUninit<usize>>,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    // SAFETY: the caller passes NULL or `count` elements with open handles, none of which changes until this
    // function returns, as the called function requires.
    unsafe { pagemate_wait_any_for(list, count, PAGEMATE_FOREVER, index, abandoned) }
}

/// Blocks until one of several objects is available, and acquires it, or until the timeout expires.
/// Thread-safe.
///
/// @param list         The objects.
/// @param count        The number of objects: 1 to 64.
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
/// @param index        Receives the index of the acquired object, from 0.
/// @param abandoned    Receives whether that object is a mutex that was abandoned: see
///                     pagemate_mutex_lock().
/// @return PAGEMATE_TIMED_OUT: the timeout expired; nothing was acquired. Otherwise as for pagemate_wait_any().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_wait_any_for(
    list: *const Waitable<'_>,
    count: usize,
    nanoseconds: u64,
    index: Option<&mut MaybeUninit<usize>>,
    abandoned: Option<&mut MaybeUninit<bool>>,
) -> Status {
    let call = "wait for any of several";
    run(|| {
        let wait = |list: &[sync::Waitable<'_>]| {
            let index = required(call, "index", index)?;
            let abandoned = required(call, "abandoned", abandoned)?;
            let had = sync::wait_any_for(list, duration(nanoseconds))?
                .ok_or_else(|| timed_out(call, None, "none became available in time"))?;
            index.write(had.index);
            abandoned.write(forget_guard(had));
            Ok(())
        };
        // SAFETY: the caller passes NULL or `count` elements, which do not change until this function
        // returns, and whose handles stay open as long.
        unsafe { with_list(call, list, count, wait) }
    })
}

/// Blocks until all of several objects are available at the same time, and acquires all of them.
/// Thread-safe.
///
/// On Unix the call may acquire some of the objects and release them again while another one is not
/// available. In that moment a call of another thread that does not block, such as
/// pagemate_mutex_try_lock(), may find them unavailable. If the process is killed in that moment,
/// the mutexes that it acquired are abandoned, and the signals and permits that it acquired are
/// lost.
///
/// @param list       The objects.
/// @param count      The number of objects: 1 to 64.
/// @param abandoned  Receives a bit for each mutex that was abandoned, the lowest for the first object in
///                   the list. See pagemate_mutex_lock().
/// @return As for pagemate_wait_any().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_wait_all(
    list: *const Waitable<'_>,
    count: usize,
    abandoned: Option<&mut MaybeUninit<u64>>,
) -> Status {
    // SAFETY: the caller passes NULL or `count` elements with open handles, none of which changes until this
    // function returns, as the called function requires.
    unsafe { pagemate_wait_all_for(list, count, PAGEMATE_FOREVER, abandoned) }
}

/// Blocks until all of several objects are available at the same time, and acquires all of them, or until
/// the timeout expires. Thread-safe.
///
/// @param list         The objects.
/// @param count        The number of objects: 1 to 64.
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
/// @param abandoned    As for pagemate_wait_all().
/// @return PAGEMATE_TIMED_OUT: the timeout expired; nothing was acquired. Otherwise as
///         pagemate_wait_any().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_wait_all_for(
    list: *const Waitable<'_>,
    count: usize,
    nanoseconds: u64,
    abandoned: Option<&mut MaybeUninit<u64>>,
) -> Status {
    let call = "wait for all of several";
    run(|| {
        let wait = |list: &[sync::Waitable<'_>]| {
            let abandoned = required(call, "abandoned", abandoned)?;
            let had = sync::wait_all_for(list, duration(nanoseconds))?
                .ok_or_else(|| timed_out(call, None, "not all became available in time"))?;
            let bits =
                had.into_iter().enumerate().map(|(i, had)| u64::from(forget_guard(had)) << i);
            abandoned.write(bits.fold(0, |all, bit| all | bit));
            Ok(())
        };
        // SAFETY: the caller passes NULL or `count` elements, which do not change until this function
        // returns, and whose handles stay open as long.
        unsafe { with_list(call, list, count, wait) }
    })
}
