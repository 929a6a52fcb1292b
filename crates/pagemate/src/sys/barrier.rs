//! A memory barrier that moves its cost to the thread that is about to block.
//!
//! Two threads of a channel each store one word and then load another. The running thread stores
//! its progress and then loads the flag of the waiter. The waiter stores its flag and then loads
//! the progress. At least one of them must see the store of the other, or the waiter misses its
//! wake-up. For that, both normally need a full barrier between the store and the load, and a full
//! barrier for each message costs more than the message. The running thread therefore calls
//! [`light`], which only keeps the compiler from reordering the accesses, and the waiter calls
//! [`heavy`]: the kernel then runs a full barrier on every processor that runs a
//! [registered](register) process (`membarrier(2)`). After it, either the progress is visible to
//! the waiter, or the flag is visible to every later load of the running thread.
//!
//! If [`register`] returns false, neither function is a barrier, and both threads need an ordinary
//! full barrier.

#[cfg(all(target_os = "linux", not(any(loom, miri))))]
mod platform {
    use std::sync::atomic::{Ordering, compiler_fence};

    use rustix::thread::{MembarrierCommand, membarrier};

    #[inline]
    pub(super) fn light() {
        compiler_fence(Ordering::SeqCst);
    }

    pub(super) fn heavy() -> bool {
        membarrier(MembarrierCommand::GlobalExpedited).is_ok()
    }

    pub(super) fn register() -> bool {
        // The kernel keeps the registration until the process calls `exec`. A second registration
        // has no effect.
        membarrier(MembarrierCommand::RegisterGlobalExpedited).is_ok() && heavy()
    }
}

#[cfg(any(not(target_os = "linux"), loom, miri))]
mod platform {
    use crate::primitive::{Ordering, fence};

    /// Loom has no barrier that one thread runs on behalf of another. A full barrier in each of the
    /// two threads allows the same observations.
    #[inline]
    pub(super) fn light() {
        if cfg!(loom) {
            fence(Ordering::SeqCst);
        }
    }

    pub(super) fn heavy() -> bool {
        if cfg!(loom) {
            fence(Ordering::SeqCst);
        }
        cfg!(loom)
    }

    pub(super) fn register() -> bool {
        cfg!(loom)
    }
}

/// Orders a store before a later load of this thread, with respect to a thread that calls [`heavy`]
/// between a store to the loaded word and a load of the stored word.
#[inline]
pub(crate) fn light() {
    platform::light();
}

/// Runs a full barrier in this process and in every registered process. Returns false if the system
/// refuses.
pub(crate) fn heavy() -> bool {
    platform::heavy()
}

/// Registers this process for the barriers of other processes. Returns false if the system has no
/// such barrier.
pub(crate) fn register() -> bool {
    platform::register()
}
