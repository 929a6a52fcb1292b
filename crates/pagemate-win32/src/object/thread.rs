//! A thread of this process, and its exit code.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use pagemate::sync::{Event, EventOptions, Reset};

use crate::error::Result;
use crate::futex::{ALL_WAITERS, sleep, wake};
use crate::object::process::STILL_ACTIVE;

/// A thread of this process.
#[derive(Debug)]
pub(crate) struct Thread {
    /// The event is set after the thread has ended and the mutexes that it owned are abandoned.
    pub(crate) ended: Arc<Event>,
    /// [`STILL_ACTIVE`], or the exit code once the thread has ended.
    code: AtomicU32,
    /// The thread's number; zero until the thread has started.
    id: AtomicU32,
    /// The suspend count. The thread starts when it is zero.
    suspended: AtomicU32,
}

thread_local! {
    /// The calling thread. `None` if this library has not used it yet.
    static CURRENT: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// A running thread. The drop of this thread-local value reports the end of the thread. A thread
/// destroys its thread-locals in the reverse order of their initialization, and the list of the
/// mutexes that it owns is initialized later. So the mutexes are abandoned before `ended` is set.
struct Running {
    thread: Arc<Thread>,
    process: u32,
    /// The exit code.
    code: u32,
}

impl Drop for Running {
    fn drop(&mut self) {
        // A forked child has a copy of this value. When the copy is dropped, the parent's thread
        // still runs.
        if self.process != std::process::id() {
            return;
        }
        // Release: pairs with the Acquire in `exit_code`.
        self.thread.code.store(self.code, Ordering::Release);
        // If this fails, threads that wait for this thread never wake. There is no caller that
        // could receive the error.
        _ = self.thread.ended.set();
    }
}

impl Thread {
    /// Returns the calling thread, even if this library did not create it.
    pub(crate) fn current() -> Result<Arc<Thread>> {
        let known = CURRENT
            .with_borrow(|current| current.as_ref().map(|running| Arc::clone(&running.thread)));
        if let Some(thread) = known {
            return Ok(thread);
        }
        let thread = Arc::new(Thread::new(0)?);
        thread.announce();
        Ok(thread)
    }

    pub(crate) fn new(suspended: u32) -> Result<Thread> {
        Ok(Thread {
            ended: Arc::new(EventOptions::new(Reset::Manual).create_unnamed()?),
            code: AtomicU32::new(STILL_ACTIVE),
            id: AtomicU32::new(0),
            suspended: AtomicU32::new(suspended),
        })
    }

    /// Waits until the thread has started. Returns its number.
    pub(crate) fn started(&self) -> u32 {
        loop {
            match self.id.load(Ordering::Relaxed) {
                0 => _ = sleep(&self.id, 0, None),
                id => return id,
            }
        }
    }

    /// Decrements the suspend count; returns the previous count.
    pub(crate) fn resume(&self) -> u32 {
        let less = |count: u32| count.checked_sub(1);
        let before = self.suspended.fetch_update(Ordering::Release, Ordering::Relaxed, less);
        wake(&self.suspended, ALL_WAITERS);
        before.unwrap_or(0)
    }

    /// Publishes the thread's number, and waits until the thread is not suspended.
    pub(crate) fn announce(self: &Arc<Thread>) {
        let running = Running { thread: Arc::clone(self), process: std::process::id(), code: 0 };
        CURRENT.with_borrow_mut(|current| *current = Some(running));
        self.id.store(own_id(), Ordering::Relaxed);
        wake(&self.id, ALL_WAITERS);
        loop {
            // Acquire: pairs with the Release in `resume`, so that the thread sees the memory of the
            // caller of `ResumeThread`.
            match self.suspended.load(Ordering::Acquire) {
                0 => return,
                count => _ = sleep(&self.suspended, count, None),
            }
        }
    }

    /// Returns the thread's number; zero until it has started.
    pub(crate) fn id(&self) -> u32 {
        self.id.load(Ordering::Relaxed)
    }

    /// Returns [`STILL_ACTIVE`], or the exit code once the thread has ended.
    pub(crate) fn exit_code(&self) -> u32 {
        // Acquire: pairs with the Release in `Running::drop`.
        self.code.load(Ordering::Acquire)
    }
}

/// Returns the number of the calling thread.
pub(crate) fn own_id() -> u32 {
    rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs()
}

/// Records the exit code of the calling thread.
pub(crate) fn set_exit_code(code: u32) {
    CURRENT.with_borrow_mut(|current| {
        if let Some(running) = current {
            running.code = code;
        }
    });
}
