use std::fmt;

use super::memory::Unlock;
use super::shared::Field;
use super::{InPlace, Plain, Racy, ReadOnly, Shareable, Shared, fingerprint};
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::primitive::AtomicU64;
use crate::sys::sync::typed::sequence;
use crate::sys::sync::{self, Words};

/// A cell for a value that is never read half-written, in [`Shared`] memory.
///
/// The cell has two slots for the value. A writer fills the slot that does not have the current
/// value, and then increments a sequence number, which selects the current slot. Readers therefore
/// take no lock and do not delay the writer. A reader repeats its copy only if the value was
/// replaced twice meanwhile. A [`SeqWriter`] writes; one writer writes at a time.
///
/// **Death of a writer.** If a writer is killed at any step, the previous value remains complete
/// and readable, and the next writer can write.
///
/// The cell takes 64 bytes and twice the size of the value. It begins as zeros.
///
/// # Examples
///
/// ```
/// use pagemate::Shared;
/// use pagemate::typed::SeqLock;
///
/// # fn main() -> pagemate::Result<()> {
/// # let name = format!("doc-seqlock-{}", std::process::id());
/// let pose = Shared::<SeqLock<[f64; 3]>>::open_or_create(&name)?;
/// pose.writer(&pose)?.write(&[1.0, 2.0, 3.0])?;
/// assert_eq!(pose.read(), [1.0, 2.0, 3.0]);
/// # Ok(())
/// # }
/// ```
#[repr(C)]
pub struct SeqLock<T> {
    head: SeqHead,
    slots: [Racy<T>; 2],
}

/// The part of a [`SeqLock`] in front of its slots.
#[repr(C)]
pub(super) struct SeqHead {
    /// The lock of the writers.
    words: Words,
    pub(super) sequence: AtomicU64,
    spare: [std::sync::atomic::AtomicU64; 3],
}

const _: () = assert!(size_of::<SeqHead>() == 64 || cfg!(loom));

/// Acquires the lock of the writers.
#[inline]
pub(super) fn lock_writers(lock: &sync::Mutex) -> Result<Unlock<'_>> {
    // A writer that died has not changed the current value, so the abandonment of the lock is
    // ignored.
    lock.lock(Deadline::Never)?;
    Ok(Unlock(lock))
}

#[allow(unsafe_code, reason = "implements unsafe traits that guarantee the layout of the cell")]
mod layout {
    use super::{InPlace, Plain, ReadOnly, SeqLock, Shareable, fingerprint};

    // SAFETY: the cell consists of atomics and `Racy` cells, in the order that `repr(C)` fixes, for
    // which any bytes are valid. Padding at the end is never read. `ReadOnly` only reads.
    unsafe impl<T: Plain> Shareable for SeqLock<T> {
        const FINGERPRINT: u64 = fingerprint::around::<SeqLock<T>>("seqlock", T::FINGERPRINT);
        type Reader = ReadOnly<SeqLock<T>>;
    }

    // SAFETY: the cell consists of atomics and `Racy` cells.
    unsafe impl<T: Plain> InPlace for SeqLock<T> {}
}

impl<T: Plain> SeqLock<T> {
    /// Returns the current value.
    #[inline]
    pub fn read(&self) -> T {
        sequence::read(&self.head.sequence, |slot| self.slots[slot].get())
    }

    /// Copies the current value into `value`. This serves values that are too large for the stack.
    #[inline]
    pub fn read_into(&self, value: &mut T) {
        sequence::read(&self.head.sequence, |slot| self.slots[slot].read_into(value));
    }

    /// Returns a writer of this cell, which lies in `memory`.
    ///
    /// A program that writes often should keep its writer.
    ///
    /// # Errors
    ///
    /// - [`InvalidInput`](crate::ErrorKind::InvalidInput): the cell does not lie in `memory`.
    /// - The errors of [`Mutex::open`](crate::sync::Mutex::open) for the lock of the writers; in
    ///   particular, on Unix, [`Unsupported`](crate::ErrorKind::Unsupported) if the section is over a
    ///   file and has no name.
    pub fn writer<M: InPlace>(&self, memory: &Shared<M>) -> Result<SeqWriter<T>> {
        let (cell, at) = memory.field(self)?;
        let lock = memory
            .memory()
            .lock(at)
            .map_err(|error| error.during("open writer in", memory.memory().view().section()))?;
        Ok(SeqWriter { lock, cell })
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for SeqLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SeqLock").field(&self.read()).finish()
    }
}

impl<T: Plain> ReadOnly<SeqLock<T>> {
    /// Returns the current value.
    #[inline]
    pub fn read(&self) -> T {
        self.0.read()
    }

    /// Copies the current value into `value`: see [`SeqLock::read_into`].
    #[inline]
    pub fn read_into(&self, value: &mut T) {
        self.0.read_into(value);
    }
}

/// A writer of a [`SeqLock`]: see [`SeqLock::writer`]. It keeps the memory mapped.
pub struct SeqWriter<T: Plain> {
    lock: sync::Mutex,
    cell: Field<SeqLock<T>>,
}

impl<T: Plain> SeqWriter<T> {
    /// Replaces the value. It waits while another writer writes.
    ///
    /// # Errors
    ///
    /// The errors of [`Mutex::lock`](crate::sync::Mutex::lock).
    #[inline]
    pub fn write(&self, value: &T) -> Result<()> {
        self.replace(|_| value, Racy::set)
    }

    /// Calls `change` with a copy of the value, and stores the result. It waits while another writer
    /// writes, so that no change is lost.
    ///
    /// # Errors
    ///
    /// The errors of [`Mutex::lock`](crate::sync::Mutex::lock).
    pub fn update(&self, change: impl FnOnce(&mut T)) -> Result<()> {
        let changed = |cell: &SeqLock<T>| {
            let mut value = cell.read();
            change(&mut value);
            value
        };
        self.replace(changed, |slot, value| slot.set(&value))
    }

    #[inline]
    fn replace<V>(
        &self,
        value: impl FnOnce(&SeqLock<T>) -> V,
        store: impl FnOnce(&Racy<T>, V),
    ) -> Result<()> {
        let cell = self.cell.get();
        let _unlock = lock_writers(&self.lock).map_err(|error| self.context(error))?;
        let value = value(cell);
        sequence::write(&cell.head.sequence, |slot| store(&cell.slots[slot], value));
        Ok(())
    }

    #[cold]
    fn context(&self, error: Error) -> Error {
        error.during("write value in", self.cell.memory().view().section())
    }
}

impl<T: Plain> fmt::Debug for SeqWriter<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeqWriter").field("lock", &self.lock).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    /// Miri runs this too: `cargo xtask miri`.
    #[test]
    fn readers_never_get_half_of_a_value() {
        const LAST: u64 = if cfg!(miri) { 20 } else { 20_000 };
        let head = SeqHead {
            words: Words::default(),
            sequence: AtomicU64::new(0),
            spare: [const { AtomicU64::new(0) }; 3],
        };
        let slots = [Racy::new([0_u64; 3]), Racy::new([0; 3])];
        // The writer writes to the memory that the reader may only read.
        let memory = ReadOnly(SeqLock { head, slots });
        let (cell, reader) = (&memory.0, &memory);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 1..=LAST {
                    sequence::write(&cell.head.sequence, |slot| {
                        cell.slots[slot].set(&[number; 3]);
                    });
                }
            });
            let mut last = 0;
            while last < LAST {
                let mut value = reader.read();
                if last % 2 == 1 {
                    reader.read_into(&mut value);
                }
                assert!(value.iter().all(|number| *number == value[0] && *number >= last));
                last = value[0];
            }
        });
    }
}
