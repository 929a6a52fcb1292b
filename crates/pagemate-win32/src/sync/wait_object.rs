//! An object that a thread waits for.

use std::sync::Arc;

use pagemate::Name;
use pagemate::sync::{Acquired, Event, Semaphore, Waitable};

use crate::error::{ACCESS_DENIED, INVALID_HANDLE, Result};
use crate::handle::entry::Object;
use crate::handle::number::Handle;
use crate::handle::process_table as handle;
use crate::handle::rights::SYNCHRONIZE;
use crate::object::mutex::Mutex;
use crate::object::process::Process;

/// The object of a handle that a thread waits for.
#[derive(Clone, Debug)]
pub(super) enum WaitObject {
    Mutex(Arc<Mutex>),
    Event(Arc<Event>),
    Semaphore(Arc<Semaphore>),
    /// A process. Once it has ended, it stays signaled.
    Process(Arc<Process>),
}

impl WaitObject {
    pub(super) fn of(handle: Handle) -> Result<WaitObject> {
        let entry = handle::entry(handle)?;
        let object = match entry.object {
            Object::Mutex(mutex) => WaitObject::Mutex(mutex),
            Object::Event(event) => WaitObject::Event(event),
            Object::Semaphore(semaphore) => WaitObject::Semaphore(semaphore),
            Object::Thread(thread) => WaitObject::Event(Arc::clone(&thread.ended)),
            Object::Process(process) | Object::MainThread(process) => WaitObject::Process(process),
            // Mappings cannot be waited for. Windows permits waiting for files, which is not
            // supported here.
            Object::Mapping(_) => return Err(ACCESS_DENIED),
            Object::File(_) => return Err(INVALID_HANDLE),
        };
        if entry.access & SYNCHRONIZE == 0 { Err(ACCESS_DENIED) } else { Ok(object) }
    }

    /// Returns the object for the wait of the `pagemate` crate; `None` for a process.
    pub(super) fn waitable(&self) -> Option<Waitable<'_>> {
        Some(match self {
            WaitObject::Mutex(mutex) => Waitable::Mutex(&mutex.core),
            WaitObject::Event(event) => Waitable::Event(event),
            WaitObject::Semaphore(semaphore) => Waitable::Semaphore(semaphore),
            WaitObject::Process(_) => return None,
        })
    }

    pub(super) fn process(&self) -> Option<&Arc<Process>> {
        match self {
            WaitObject::Process(process) => Some(process),
            _ => None,
        }
    }

    /// Returns whether a wait for this object succeeds at once, so that no call of the `pagemate`
    /// crate is needed.
    pub(super) fn is_immediate(&self) -> bool {
        self.owned_mutex().is_some()
            || self.process().is_some_and(|process| process.end().is_some())
    }

    /// Returns the mutex if this thread owns it. The thread then acquires it again without waiting.
    pub(super) fn owned_mutex(&self) -> Option<&Mutex> {
        match self {
            WaitObject::Mutex(mutex) if mutex.core.is_mine() => Some(mutex),
            _ => None,
        }
    }

    /// Returns whether both handles refer to one object.
    pub(super) fn is_same(&self, other: &WaitObject) -> bool {
        let same = match (self, other) {
            (WaitObject::Mutex(a), WaitObject::Mutex(b)) => Arc::ptr_eq(a, b),
            (WaitObject::Event(a), WaitObject::Event(b)) => Arc::ptr_eq(a, b),
            (WaitObject::Semaphore(a), WaitObject::Semaphore(b)) => Arc::ptr_eq(a, b),
            (WaitObject::Process(a), WaitObject::Process(b)) => Arc::ptr_eq(a, b),
            _ => return false,
        };
        // Both handles keep the name of their object alive, so two objects with the same name are
        // one object.
        same || self.name().is_some_and(|name| Some(name) == other.name())
    }

    fn name(&self) -> Option<&Name> {
        match self {
            WaitObject::Mutex(mutex) => mutex.core.name(),
            WaitObject::Event(event) => event.name(),
            WaitObject::Semaphore(semaphore) => semaphore.name(),
            WaitObject::Process(_) => None,
        }
    }

    /// Transfers the acquired object from the guard to the calling thread. Returns whether the
    /// object was abandoned.
    pub(super) fn keep(&self, acquired: Acquired<'_>) -> bool {
        let abandoned =
            acquired.guard.as_ref().is_some_and(pagemate::sync::MutexGuard::was_abandoned);
        if let WaitObject::Mutex(mutex) = self {
            mutex.set_acquired();
        }
        // Forget the guard: the thread owns the mutex until it calls `ReleaseMutex`.
        std::mem::forget(acquired);
        abandoned
    }
}
