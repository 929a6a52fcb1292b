//! A mutex, as this process uses it.

use std::sync::atomic::{AtomicU32, Ordering};

use pagemate::sync::Mutex as Core;

use crate::error::{NOT_OWNER, Result};

/// A mutex, as this process uses it. All handles of the process to it share this value. Its owner
/// may acquire it recursively.
#[derive(Debug)]
pub(crate) struct Mutex {
    pub(crate) core: Core,
    /// The number of recursive acquisitions of the owner beyond the first. Only the owner changes
    /// it.
    recursion: AtomicU32,
}

impl Mutex {
    pub(crate) fn new(core: Core) -> Mutex {
        Mutex { core, recursion: AtomicU32::new(0) }
    }

    /// Records that the owner acquired the mutex once more.
    pub(crate) fn acquire_again(&self) {
        self.recursion.fetch_add(1, Ordering::Relaxed);
    }

    /// Records that this thread became the owner.
    pub(crate) fn set_acquired(&self) {
        self.recursion.store(0, Ordering::Relaxed);
    }

    /// Releases one acquisition.
    pub(crate) fn release(&self) -> Result<()> {
        if !self.core.is_mine() {
            return Err(NOT_OWNER);
        }
        // Relaxed suffices, because only the owner accesses the count.
        match self.recursion.load(Ordering::Relaxed).checked_sub(1) {
            Some(less) => self.recursion.store(less, Ordering::Relaxed),
            None => self.core.unlock_forgotten()?,
        }
        Ok(())
    }
}
