//! The operations that every lock has, and pagemate's mutex.

use std::mem;

use pagemate::sync::Mutex;

/// A lock.
pub(crate) trait Lock {
    fn lock(&self);
    fn unlock(&self);
}

impl Lock for Mutex {
    fn lock(&self) {
        mem::forget(Mutex::lock(self).expect("a mutex"));
    }

    fn unlock(&self) {
        self.unlock_forgotten().expect("what we have");
    }
}
