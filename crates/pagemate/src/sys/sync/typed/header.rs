//! The header of a value in shared memory, which the first process initialises.
//!
//! | `magic` | `begun` | Meaning | Ended by |
//! |---|---|---|---|
//! | 0 | 0 | no process has begun; all bytes of the value are zero | `begin` of the owner of the lock |
//! | 0 | 1 | the owner of the lock initialises the value, or died or failed while it did so | `publish`; the next owner clears the value and begins again |
//! | set | 1 | the value is initialised, and the fields below `magic` describe it | nothing |
//!
//! A mutex in front of the header admits one initialiser at a time. Readers do not lock it: `magic` is
//! stored last.

use crate::primitive::{AtomicU32, AtomicU64, Ordering};
use crate::sys::fault;

/// The fields of a header. Another process may write any value to them.
#[derive(Debug, Default)]
#[repr(C)]
pub(crate) struct Header {
    magic: AtomicU64,
    fingerprint: AtomicU64,
    len: AtomicU64,
    /// The state of the kind of memory: see `docs/layout.md`. Initialisation leaves it 0.
    pub(crate) state: AtomicU32,
    begun: AtomicU32,
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<Header>() == 32);

/// The description of a value in its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fields {
    /// The kind of the value. It is not 0.
    pub(crate) magic: u64,
    /// The fingerprint of its layout.
    pub(crate) fingerprint: u64,
    /// Its length in bytes.
    pub(crate) len: u64,
}

impl Header {
    /// Returns the fields if the value is initialised.
    pub(crate) fn fields(&self) -> Option<Fields> {
        // Acquire: makes the value and the other fields visible, published by the Release in
        // `publish`. It is a fence, because the memory may be mapped for reading.
        let magic = self.magic.load(Ordering::Relaxed);
        crate::primitive::fence(Ordering::Acquire);
        let fingerprint = self.fingerprint.load(Ordering::Relaxed);
        let len = self.len.load(Ordering::Relaxed);
        (magic != 0).then_some(Fields { magic, fingerprint, len })
    }

    /// Initialises the value, if it is not initialised. Returns whether this call did so, or the error
    /// of `init`. The caller owns the mutex of the header.
    ///
    /// `clear` sets all bytes of the value to zero, because an initialiser that died may have
    /// changed them.
    pub(crate) fn init<E>(
        &self,
        fields: Fields,
        clear: impl FnOnce(),
        init: impl FnOnce() -> Result<(), E>,
    ) -> Result<bool, E> {
        // Relaxed: the mutex orders the initialisers.
        if self.magic.load(Ordering::Relaxed) != 0 {
            return Ok(false);
        }
        if self.begun.swap(1, Ordering::Relaxed) != 0 {
            clear();
        }
        fault::point("init-before-value");
        init()?;
        fault::point("init-after-value");
        self.fingerprint.store(fields.fingerprint, Ordering::Relaxed);
        self.len.store(fields.len, Ordering::Relaxed);
        fault::point("init-before-magic");
        // Release: publishes the value and the other fields to the Acquire in `fields`.
        self.magic.store(fields.magic, Ordering::Release);
        fault::point("init-after-magic");
        Ok(true)
    }
}
