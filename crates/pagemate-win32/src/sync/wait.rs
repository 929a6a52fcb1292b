//! Waiting for mutexes, events, semaphores, threads and processes.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::time::Duration;

use pagemate::sync::{Acquired, Permit, Waitable, wait_all_for, wait_any_for};

use crate::deadline::{deadline, left};
use crate::error::{INVALID_HANDLE, INVALID_PARAMETER, Result, answer};
use crate::handle::entry::Object;
use crate::handle::number::Handle;
use crate::handle::process_table as handle;
use crate::sync::event::modifiable_event;
use crate::sync::semaphore::release_semaphore;
use crate::sync::wait_object::WaitObject;
use crate::sync::wait_process::{for_all, for_any, with_event};

/// The results of a wait: `WAIT_OBJECT_0`, `WAIT_ABANDONED_0`, `WAIT_TIMEOUT`, `WAIT_FAILED`.
const OBJECT: u32 = 0;
const ABANDONED: u32 = 0x80;
const TIMEOUT: u32 = 0x102;
const FAILED: u32 = u32::MAX;

/// `MAXIMUM_WAIT_OBJECTS`.
const MAX_OBJECTS: usize = 64;

/// `INFINITE`.
const INFINITE: u32 = u32::MAX;

fn time(milliseconds: u32) -> Duration {
    match milliseconds {
        INFINITE => Duration::MAX,
        time => Duration::from_millis(time.into()),
    }
}

/// Waits for one of several objects. Returns `WAIT_OBJECT_0` or `WAIT_ABANDONED_0` plus its index.
fn any(list: &[WaitObject], time: Duration) -> Result<u32> {
    let deadline = deadline(time);
    loop {
        // Some objects end the wait without blocking: a mutex that this thread owns, and a process
        // that has ended. Objects with a lower index take precedence if they are signaled.
        let immediate = list.iter().position(WaitObject::is_immediate);
        let (before, time) = match immediate {
            None => (list, left(deadline)),
            Some(index) => (&list[..index], Duration::ZERO),
        };
        match (first_of(before, time)?, immediate) {
            (Outcome::Index(code), _) => return Ok(code),
            (Outcome::Process, _) => {}
            (Outcome::None, None) => return Ok(TIMEOUT),
            (Outcome::None, Some(index)) => {
                if let Some(mutex) = list[index].owned_mutex() {
                    mutex.acquire_again();
                }
                return Ok(code(index) + OBJECT);
            }
        }
    }
}

fn code(index: usize) -> u32 {
    u32::try_from(index).expect("at most 64 objects")
}

/// The result of a wait for one of several objects.
enum Outcome {
    /// The result code for an acquired object.
    Index(u32),
    /// One of the processes has ended.
    Process,
    /// No object was signaled in time.
    None,
}

/// Waits for one of several objects, for none of which `is_immediate` holds.
fn first_of(list: &[WaitObject], time: Duration) -> Result<Outcome> {
    // A wait for two handles to one object is the same as a wait for the first of them, so drop the
    // others.
    let first = |i: usize| list[..i].iter().all(|other| !other.is_same(&list[i]));
    let (indices, waitables): (Vec<_>, Vec<_>) = (0..list.len())
        .filter(|i| first(*i))
        .filter_map(|i| Some((i, list[i].waitable()?)))
        .unzip();
    let processes: Vec<_> = list.iter().filter_map(WaitObject::process).collect();
    if waitables.is_empty() {
        let ended = !processes.is_empty() && for_any(&processes, deadline(time))?;
        return Ok(if ended { Outcome::Process } else { Outcome::None });
    }
    if processes.is_empty() || time.is_zero() {
        return Ok(keep_first(list, &indices, wait_any_for(&waitables, time)?));
    }
    with_event(&processes, |ended| {
        let ended = [Waitable::Event(ended)];
        let waitables: Vec<_> = waitables.iter().chain(&ended).copied().collect();
        Ok(match wait_any_for(&waitables, time)? {
            Some(acquired) if acquired.index == indices.len() => Outcome::Process,
            acquired => keep_first(list, &indices, acquired),
        })
    })
}

/// Transfers the acquired object from the guard to the calling thread. Returns the result of the
/// wait.
fn keep_first(list: &[WaitObject], indices: &[usize], acquired: Option<Acquired<'_>>) -> Outcome {
    acquired.map_or(Outcome::None, |acquired| {
        let index = indices[acquired.index];
        let abandoned = list[index].keep(acquired);
        Outcome::Index(code(index) + if abandoned { ABANDONED } else { OBJECT })
    })
}

/// Waits for all of several objects.
fn all(list: &[WaitObject], time: Duration) -> Result<u32> {
    if (1..list.len()).any(|i| list[..i].iter().any(|other| other.is_same(&list[i]))) {
        return Err(INVALID_PARAMETER);
    }
    // Wait for the processes first. A process that has ended stays signaled, so the order does not
    // matter for it. And no other object is acquired until all processes have ended.
    let deadline = deadline(time);
    let processes: Vec<_> = list.iter().filter_map(WaitObject::process).collect();
    if !for_all(&processes, deadline)? {
        return Ok(TIMEOUT);
    }
    let others = list.iter().filter(|object| object.owned_mutex().is_none());
    let (others, waitables): (Vec<_>, Vec<_>) =
        others.filter_map(|object| Some((object, object.waitable()?))).unzip();
    let owned: Vec<_> = list.iter().filter_map(WaitObject::owned_mutex).collect();
    let time = left(deadline);
    let acquired =
        if waitables.is_empty() { Some(Vec::new()) } else { wait_all_for(&waitables, time)? };
    let Some(acquired) = acquired else { return Ok(TIMEOUT) };
    let mut abandoned = false;
    for (object, acquired) in others.iter().zip(acquired) {
        abandoned |= object.keep(acquired);
    }
    for mutex in owned {
        mutex.acquire_again();
    }
    Ok(if abandoned { ABANDONED } else { OBJECT })
}

fn one(handle: Handle, milliseconds: u32) -> Result<u32> {
    let time = time(milliseconds);
    let acquired = match WaitObject::of(handle)? {
        WaitObject::Mutex(mutex) if mutex.core.is_mine() => {
            mutex.acquire_again();
            true
        }
        WaitObject::Mutex(mutex) => match mutex.core.try_lock_for(time)? {
            None => false,
            Some(guard) => {
                mutex.set_acquired();
                let abandoned = guard.was_abandoned();
                // Forget the guard: the thread owns the mutex until it calls `ReleaseMutex`.
                std::mem::forget(guard);
                return Ok(if abandoned { ABANDONED } else { OBJECT });
            }
        },
        WaitObject::Event(event) => event.wait_for(time)?,
        WaitObject::Semaphore(semaphore) => {
            semaphore.try_acquire_for(time)?.map(Permit::forget).is_some()
        }
        WaitObject::Process(process) => process.wait(time)?,
    };
    Ok(if acquired { OBJECT } else { TIMEOUT })
}

/// Waits for an object.
#[unsafe(no_mangle)]
pub extern "C" fn WaitForSingleObject(handle: Handle, milliseconds: u32) -> u32 {
    answer("WaitForSingleObject", one(handle, milliseconds), FAILED)
}

/// Does the same as [`WaitForSingleObject`]. Ignores `_alertable`, because there are no
/// asynchronous procedure calls.
#[unsafe(no_mangle)]
pub extern "C" fn WaitForSingleObjectEx(handle: Handle, milliseconds: u32, _alertable: i32) -> u32 {
    answer("WaitForSingleObjectEx", one(handle, milliseconds), FAILED)
}

/// Waits for one or for all of several objects.
///
/// # Safety
///
/// `handles` is null or points to `count` handles.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WaitForMultipleObjects(
    count: u32,
    handles: *const Handle,
    for_all: i32,
    milliseconds: u32,
) -> u32 {
    // SAFETY: the caller guarantees that `handles` is null or points to `count` handles.
    let result = unsafe { several(count, handles, for_all != 0, milliseconds) };
    answer("WaitForMultipleObjects", result, FAILED)
}

/// Waits for one or for all of several objects.
///
/// # Safety
///
/// `handles` is null or points to `count` handles.
unsafe fn several(
    count: u32,
    handles: *const Handle,
    for_all: bool,
    milliseconds: u32,
) -> Result<u32> {
    // SAFETY: the caller guarantees that `handles` is null or points to `count` handles.
    let list = unsafe { objects_of(count, handles) }?;
    let time = time(milliseconds);
    if for_all { all(&list, time) } else { any(&list, time) }
}

/// # Safety
///
/// `handles` is null or points to `count` handles.
unsafe fn objects_of(count: u32, handles: *const Handle) -> Result<Vec<WaitObject>> {
    let count = usize::try_from(count).map_err(|_| INVALID_PARAMETER)?;
    if count == 0 || count > MAX_OBJECTS || handles.is_null() {
        return Err(INVALID_PARAMETER);
    }
    // SAFETY: `handles` is not null, so the caller guarantees that it points to `count` handles, and `i`
    // is less. The array may be unaligned in a packed struct.
    let handle_at = |i| unsafe { handles.wrapping_add(i).read_unaligned() };
    (0..count).map(|i| WaitObject::of(handle_at(i))).collect()
}

/// Does the same as [`WaitForMultipleObjects`]. Ignores `_alertable`, because there are no
/// asynchronous procedure calls.
///
/// # Safety
///
/// As for [`WaitForMultipleObjects`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WaitForMultipleObjectsEx(
    count: u32,
    handles: *const Handle,
    for_all: i32,
    milliseconds: u32,
    _alertable: i32,
) -> u32 {
    // SAFETY: the caller guarantees that `handles` is null or points to `count` handles.
    let result = unsafe { several(count, handles, for_all != 0, milliseconds) };
    answer("WaitForMultipleObjectsEx", result, FAILED)
}

/// Sets an event, or releases a mutex or a semaphore once, and then waits for another object.
///
/// The two steps are not atomic: another thread may run between them.
#[unsafe(no_mangle)]
pub extern "C" fn SignalObjectAndWait(
    signaled: Handle,
    waited_for: Handle,
    milliseconds: u32,
    _alertable: i32,
) -> u32 {
    let result = (|| {
        let to_signal = handle::entry(signaled)?;
        WaitObject::of(waited_for)?;
        match to_signal.object {
            Object::Mutex(mutex) => mutex.release()?,
            Object::Event(_) => modifiable_event(signaled)?.set()?,
            Object::Semaphore(_) => release_semaphore(signaled, 1).map(drop)?,
            Object::Mapping(_)
            | Object::File(_)
            | Object::Thread(_)
            | Object::Process(_)
            | Object::MainThread(_) => return Err(INVALID_HANDLE),
        }
        one(waited_for, milliseconds)
    })();
    answer("SignalObjectAndWait", result, FAILED)
}
