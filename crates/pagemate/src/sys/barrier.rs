//! A memory barrier whose cost falls on the side that is about to sleep.
//!
//! A thread that makes progress stores it and then loads the flag of a sleeper. The sleeper stores its
//! flag and then looks at the progress. One of the two must see the store of the other, which needs a
//! full barrier between store and load on both sides. A full barrier for each message costs more than
//! the message. The thread that makes progress therefore runs [`light`], which only stops the compiler,
//! and the sleeper runs [`heavy`]: the kernel then runs a full barrier on every processor that runs a
//! [registered](register) process (`membarrier(2)`). After it, either the progress is visible to the
//! sleeper, or the flag is visible to every later load of the other side.
//!
//! A process for which [`register`] returns false has neither half. Both sides then need an ordinary
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
        // The registration belongs to the process and is kept until it calls `exec`. A second one
        // changes nothing.
        membarrier(MembarrierCommand::RegisterGlobalExpedited).is_ok() && heavy()
    }
}

#[cfg(any(not(target_os = "linux"), loom, miri))]
mod platform {
    use crate::primitive::{Ordering, fence};

    /// Loom knows no barrier that one side runs for the other. Two full barriers have the same effect
    /// on what either side can observe.
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

/// Orders a store before a later load of this thread, if the thread that makes the opposite pair of
/// accesses runs [`heavy`] between them.
#[inline]
pub(crate) fn light() {
    platform::light();
}

/// Runs a full barrier here and in every registered process. Returns false if the system refuses.
pub(crate) fn heavy() -> bool {
    platform::heavy()
}

/// Registers this process for the barriers of others. Returns false if the system has no such barrier.
pub(crate) fn register() -> bool {
    platform::register()
}
