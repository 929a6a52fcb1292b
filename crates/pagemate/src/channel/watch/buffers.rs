//! The protocol of the buffers: one writer, any number of readers that write nothing, and the number of
//! the latest version.
//!
//! Version `n` is in buffer `n` modulo the number of buffers. The first version has number 1.
//!
//! | Version word | Meaning | Left by |
//! |---|---|---|
//! | 0 | no value was written yet | `publish` |
//! | `n` | version `n` is the value; the writer may be writing version `n + 1` | `publish` |
//!
//! The writer fills the buffer of the next version, and then stores its number. A reader loads the number,
//! copies that buffer, and loads the number again. The buffer of version `n` is filled again after version
//! `n` plus the number of buffers minus 1 was published. So the copy is whole if the second number is
//! lower than that, and otherwise the reader starts over. A writer that dies while it writes has not
//! changed the number, so that the latest value stays, and the next writer fills the same buffer again.

use crate::primitive::{AtomicU64, Ordering, fence};
use crate::sys::fault;

/// The number of buffers. A reader starts over only if the writer publishes all but one of them while the
/// reader copies.
pub(in crate::channel) const COUNT: usize = 4;
const BUFFERS: u64 = COUNT as u64;

/// The writing side.
#[derive(Debug)]
pub(in crate::channel) struct Versions {
    /// The number of the latest version.
    latest: u64,
}

impl Versions {
    /// Continues after the latest version.
    pub(in crate::channel) fn resume(version: &AtomicU64) -> Versions {
        Versions { latest: version.load(Ordering::Acquire) }
    }

    /// Returns the number of the latest version, or 0 if there is none.
    #[inline]
    pub(in crate::channel) fn latest(&self) -> u64 {
        self.latest
    }

    /// Returns the number of the next version, to whose buffer the caller writes from now on.
    #[inline]
    pub(in crate::channel) fn begin(&mut self) -> u64 {
        // Release: pairs with the Acquire fence in `whole`. A reader that copies a byte of the next
        // version then finds the number of the latest version, or a later one.
        fence(Ordering::Release);
        fault::point("watch-before-value");
        self.latest.wrapping_add(1)
    }

    /// Publishes the next version, which the caller has written.
    #[inline]
    pub(in crate::channel) fn publish(&mut self, version: &AtomicU64) {
        fault::point("watch-after-value");
        self.latest = self.latest.wrapping_add(1);
        // Release: publishes the value to the Acquire in `latest`.
        version.store(self.latest, Ordering::Release);
        fault::point("watch-after-publish");
    }
}

/// Returns the number of the latest version, whose buffer the caller may copy now. 0 means that there is
/// none.
#[inline]
pub(in crate::channel) fn latest(version: &AtomicU64) -> u64 {
    // Acquire: the value, published by the Release in `publish`.
    version.load(Ordering::Acquire)
}

/// Returns the buffer of a version.
#[inline]
pub(in crate::channel) fn buffer(version: u64) -> u64 {
    version % BUFFERS
}

/// Returns whether the copy that the caller just made of version `copied` is consistent: no later version was
/// written into its buffer.
#[inline]
pub(in crate::channel) fn whole(version: &AtomicU64, copied: u64) -> bool {
    // Acquire: pairs with the Release fence in `begin`.
    fence(Ordering::Acquire);
    version.load(Ordering::Relaxed).wrapping_sub(copied) < BUFFERS - 1
}
