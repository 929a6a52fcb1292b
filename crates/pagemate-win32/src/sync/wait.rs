//! Waiting for mutexes, events, semaphores, threads and processes.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::sync::Arc;
use std::time::Duration;

use pagemate::Name;
use pagemate::sync::{Event, Had, Semaphore, Waitable, wait_all_for, wait_any_for};

use crate::error::{ACCESS_DENIED, INVALID_HANDLE, INVALID_PARAMETER, Result, answer};
use crate::handle::rights::SYNCHRONIZE;
use crate::handle::table::{self as handle, Handle, Object};
use crate::process::object::Process;
use crate::process::wait::{deadline, for_all, for_any, left, with_event};
use crate::sync::object::{self as sync, Mutex};

/// What a wait comes to: `WAIT_OBJECT_0`, `WAIT_ABANDONED`, `WAIT_TIMEOUT`, `WAIT_FAILED`.
const OBJECT: u32 = 0;
const ABANDONED: u32 = 0x80;
const TIMEOUT: u32 = 0x102;
const FAILED: u32 = u32::MAX;

/// `MAXIMUM_WAIT_OBJECTS`.
const MOST: usize = 64;

/// `INFINITE`.
const FOR_EVER: u32 = u32::MAX;

fn time(milliseconds: u32) -> Duration {
    match milliseconds {
        FOR_EVER => Duration::MAX,
        time => Duration::from_millis(time.into()),
    }
}

/// What a handle that may be waited for stands for.
#[derive(Clone, Debug)]
enum Waited {
    Mutex(Arc<Mutex>),
    Event(Arc<Event>),
    Semaphore(Arc<Semaphore>),
    /// A process, which stays ended once it is.
    Process(Arc<Process>),
}

impl Waited {
    fn of(handle: Handle) -> Result<Waited> {
        let entry = handle::entry(handle)?;
        let waited = match entry.object {
            Object::Mutex(mutex) => Waited::Mutex(mutex),
            Object::Event(event) => Waited::Event(event),
            Object::Semaphore(semaphore) => Waited::Semaphore(semaphore),
            Object::Thread(thread) => Waited::Event(Arc::clone(&thread.ended)),
            Object::Process(process) | Object::MainThread(process) => Waited::Process(process),
            // Nobody waits for memory, and files here are never waited for.
            Object::Mapping(_) => return Err(ACCESS_DENIED),
            Object::File(_) => return Err(INVALID_HANDLE),
        };
        if entry.access & SYNCHRONIZE == 0 { Err(ACCESS_DENIED) } else { Ok(waited) }
    }

    /// What the core waits for; `None` for a process.
    fn waitable(&self) -> Option<Waitable<'_>> {
        Some(match self {
            Waited::Mutex(mutex) => Waitable::Mutex(&mutex.core),
            Waited::Event(event) => Waitable::Event(event),
            Waited::Semaphore(semaphore) => Waitable::Semaphore(semaphore),
            Waited::Process(_) => return None,
        })
    }

    fn process(&self) -> Option<&Arc<Process>> {
        match self {
            Waited::Process(process) => Some(process),
            _ => None,
        }
    }

    /// Whether a wait for it ends at once and changes nothing in the core.
    fn is_at_hand(&self) -> bool {
        self.mine().is_some() || self.process().is_some_and(|process| process.end().is_some())
    }

    /// A mutex that this thread has already, and takes again without waiting.
    fn mine(&self) -> Option<&Mutex> {
        match self {
            Waited::Mutex(mutex) if mutex.core.is_mine() => Some(mutex),
            _ => None,
        }
    }

    /// Whether it is the same object, by whatever handle.
    fn is(&self, other: &Waited) -> bool {
        let same = match (self, other) {
            (Waited::Mutex(a), Waited::Mutex(b)) => Arc::ptr_eq(a, b),
            (Waited::Event(a), Waited::Event(b)) => Arc::ptr_eq(a, b),
            (Waited::Semaphore(a), Waited::Semaphore(b)) => Arc::ptr_eq(a, b),
            (Waited::Process(a), Waited::Process(b)) => Arc::ptr_eq(a, b),
            _ => return false,
        };
        // Both hold the name, so that it stands for one object.
        same || self.name().is_some_and(|name| Some(name) == other.name())
    }

    fn name(&self) -> Option<&Name> {
        match self {
            Waited::Mutex(mutex) => mutex.core.name(),
            Waited::Event(event) => event.name(),
            Waited::Semaphore(semaphore) => semaphore.name(),
            Waited::Process(_) => None,
        }
    }

    /// Takes what was waited for; whether it had been abandoned.
    fn have(&self, had: Had<'_>) -> bool {
        let abandoned = had.guard.as_ref().is_some_and(pagemate::sync::MutexGuard::was_abandoned);
        if let Waited::Mutex(mutex) = self {
            mutex.taken();
        }
        // It is this thread's until it is released.
        std::mem::forget(had);
        abandoned
    }
}

/// Waits for one of them; which, and how.
fn any(list: &[Waited], time: Duration) -> Result<u32> {
    let deadline = deadline(time);
    loop {
        // What this thread has already, and a process that has ended, is there, unless something before
        // it is.
        let there = list.iter().position(Waited::is_at_hand);
        let (before, time) = match there {
            None => (list, left(deadline)),
            Some(index) => (&list[..index], Duration::ZERO),
        };
        match (first_of(before, time)?, there) {
            (First::Index(code), _) => return Ok(code),
            (First::Process, _) => {}
            (First::None, None) => return Ok(TIMEOUT),
            (First::None, Some(index)) => {
                if let Some(mutex) = list[index].mine() {
                    mutex.take_again();
                }
                return Ok(code(index) + OBJECT);
            }
        }
    }
}

fn code(index: usize) -> u32 {
    u32::try_from(index).expect("64 at most")
}

/// What came first of several.
enum First {
    /// What a wait for that one comes to.
    Index(u32),
    /// One of the processes has ended.
    Process,
    /// Nothing, in time.
    None,
}

/// Waits for one of several, none of which is at hand.
fn first_of(list: &[Waited], time: Duration) -> Result<First> {
    // The same object twice is as good as once.
    let first = |i: usize| list[..i].iter().all(|other| !other.is(&list[i]));
    let (indices, waitables): (Vec<_>, Vec<_>) = (0..list.len())
        .filter(|i| first(*i))
        .filter_map(|i| Some((i, list[i].waitable()?)))
        .unzip();
    let processes: Vec<_> = list.iter().filter_map(Waited::process).collect();
    if waitables.is_empty() {
        let ended = !processes.is_empty() && for_any(&processes, deadline(time))?;
        return Ok(if ended { First::Process } else { First::None });
    }
    if processes.is_empty() || time.is_zero() {
        return Ok(had_first(list, &indices, wait_any_for(&waitables, time)?));
    }
    with_event(&processes, |ended| {
        let ended = [Waitable::Event(ended)];
        let waitables: Vec<_> = waitables.iter().chain(&ended).copied().collect();
        Ok(match wait_any_for(&waitables, time)? {
            Some(had) if had.index == indices.len() => First::Process,
            had => had_first(list, &indices, had),
        })
    })
}

/// Takes what the core gave.
fn had_first(list: &[Waited], indices: &[usize], had: Option<Had<'_>>) -> First {
    had.map_or(First::None, |had| {
        let index = indices[had.index];
        let abandoned = list[index].have(had);
        First::Index(code(index) + if abandoned { ABANDONED } else { OBJECT })
    })
}

/// Waits for all of them.
fn all(list: &[Waited], time: Duration) -> Result<u32> {
    if (1..list.len()).any(|i| list[..i].iter().any(|other| other.is(&list[i]))) {
        return Err(INVALID_PARAMETER);
    }
    // Processes stay ended, and nothing is taken before all of them are.
    let deadline = deadline(time);
    let processes: Vec<_> = list.iter().filter_map(Waited::process).collect();
    if !for_all(&processes, deadline)? {
        return Ok(TIMEOUT);
    }
    let others = list.iter().filter(|waited| waited.mine().is_none());
    let (others, waitables): (Vec<_>, Vec<_>) =
        others.filter_map(|waited| Some((waited, waited.waitable()?))).unzip();
    let mine: Vec<_> = list.iter().filter_map(Waited::mine).collect();
    let time = left(deadline);
    let had = if waitables.is_empty() { Some(Vec::new()) } else { wait_all_for(&waitables, time)? };
    let Some(had) = had else { return Ok(TIMEOUT) };
    let mut abandoned = false;
    for (waited, had) in others.iter().zip(had) {
        abandoned |= waited.have(had);
    }
    for mutex in mine {
        mutex.take_again();
    }
    Ok(if abandoned { ABANDONED } else { OBJECT })
}

fn one(handle: Handle, milliseconds: u32) -> Result<u32> {
    let time = time(milliseconds);
    let had = match Waited::of(handle)? {
        Waited::Mutex(mutex) if mutex.core.is_mine() => {
            mutex.take_again();
            true
        }
        Waited::Mutex(mutex) => match mutex.core.try_lock_for(time)? {
            None => false,
            Some(guard) => {
                mutex.taken();
                let abandoned = guard.was_abandoned();
                // It is this thread's until it is released.
                std::mem::forget(guard);
                return Ok(if abandoned { ABANDONED } else { OBJECT });
            }
        },
        Waited::Event(event) => event.wait_timeout(time)?,
        Waited::Semaphore(semaphore) => semaphore.try_acquire_for(time)?,
        Waited::Process(process) => process.wait(time)?,
    };
    Ok(if had { OBJECT } else { TIMEOUT })
}

/// Waits for an object.
#[unsafe(no_mangle)]
pub extern "C" fn WaitForSingleObject(handle: Handle, milliseconds: u32) -> u32 {
    answer(one(handle, milliseconds), FAILED)
}

/// The same; there are no calls that could come in between.
#[unsafe(no_mangle)]
pub extern "C" fn WaitForSingleObjectEx(handle: Handle, milliseconds: u32, _alertable: i32) -> u32 {
    WaitForSingleObject(handle, milliseconds)
}

/// Waits for any or for all of several objects.
///
/// # Safety
///
/// `handles` is null or has `count` of them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WaitForMultipleObjects(
    count: u32,
    handles: *const Handle,
    for_all: i32,
    milliseconds: u32,
) -> u32 {
    // SAFETY: the caller's promise.
    let list = unsafe { waited(count, handles) };
    let result = list.and_then(|list| {
        let time = time(milliseconds);
        if for_all == 0 { any(&list, time) } else { all(&list, time) }
    });
    answer(result, FAILED)
}

/// # Safety
///
/// `handles` is null or has `count` of them.
unsafe fn waited(count: u32, handles: *const Handle) -> Result<Vec<Waited>> {
    let count = usize::try_from(count).map_err(|_| INVALID_PARAMETER)?;
    if count == 0 || count > MOST || handles.is_null() {
        return Err(INVALID_PARAMETER);
    }
    // SAFETY: not null, and the caller says that there are so many.
    let handles = unsafe { std::slice::from_raw_parts(handles, count) };
    handles.iter().map(|handle| Waited::of(*handle)).collect()
}

/// The same; there are no calls that could come in between.
///
/// # Safety
///
/// As [`WaitForMultipleObjects`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WaitForMultipleObjectsEx(
    count: u32,
    handles: *const Handle,
    for_all: i32,
    milliseconds: u32,
    _alertable: i32,
) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { WaitForMultipleObjects(count, handles, for_all, milliseconds) }
}

/// Sets an event, gives a mutex back or adds one to a semaphore; then waits for another object. Who
/// is let go may run before we wait.
#[unsafe(no_mangle)]
pub extern "C" fn SignalObjectAndWait(
    signaled: Handle,
    waited_for: Handle,
    milliseconds: u32,
    _alertable: i32,
) -> u32 {
    let result = (|| {
        let to_signal = handle::entry(signaled)?;
        Waited::of(waited_for)?;
        match to_signal.object {
            Object::Mutex(mutex) => mutex.release()?,
            Object::Event(_) => sync::changeable(signaled)?.set()?,
            Object::Semaphore(_) => sync::add(signaled, 1).map(drop)?,
            Object::Mapping(_)
            | Object::File(_)
            | Object::Thread(_)
            | Object::Process(_)
            | Object::MainThread(_) => return Err(INVALID_HANDLE),
        }
        one(waited_for, milliseconds)
    })();
    answer(result, FAILED)
}
