//! A value with a sequence number: readers take no lock, and never get a mixture of two values.
//!
//! There are two slots. The lowest bit of the sequence number selects the slot with the current
//! value. A writer fills the other slot and then increments the number. The current value therefore
//! stays readable while a writer works, and after a writer has died. A mutex, which is not part of
//! this protocol, admits one writer at a time.
//!
//! | Number | Slot of the current value | A writer writes to | Ended by |
//! |---|---|---|---|
//! | even | 0 | slot 1 | `write` |
//! | odd | 1 | slot 0 | `write` |

use crate::primitive::{AtomicU64, Ordering, fence};
use crate::sys::fault;

/// Returns the slot of the value that has the number `sequence`.
fn slot(sequence: u64) -> usize {
    usize::from(sequence & 1 == 1)
}

/// Calls `copy` with the number of a slot until it has copied a consistent value. A call has to be
/// repeated only if writers have replaced the value meanwhile.
#[inline]
pub(crate) fn read<T>(sequence: &AtomicU64, mut copy: impl FnMut(usize) -> T) -> T {
    loop {
        if let Some(value) = try_read(sequence, &mut copy) {
            return value;
        }
        crate::primitive::spin_loop();
    }
}

/// Calls `copy` with the number of a slot. Returns `None` if a writer may have changed that slot
/// meanwhile.
#[inline]
pub(crate) fn try_read<T>(sequence: &AtomicU64, copy: impl FnOnce(usize) -> T) -> Option<T> {
    // Acquire, by a fence because the memory may be mapped for reading: pairs with the Release store
    // in `write`, which publishes the slot.
    let before = sequence.load(Ordering::Relaxed);
    fence(Ordering::Acquire);
    let value = copy(slot(before));
    // Acquire: pairs with the Release fence in `write`. If the copy has a byte of a later value of
    // this slot, then the number below is later than `before`.
    fence(Ordering::Acquire);
    (sequence.load(Ordering::Relaxed) == before).then_some(value)
}

/// Replaces the value: `copy` fills the slot with the number that it gets. The caller owns the mutex of
/// the writers.
#[inline]
pub(crate) fn write(sequence: &AtomicU64, copy: impl FnOnce(usize)) {
    // Relaxed: the mutex orders the writers.
    let before = sequence.load(Ordering::Relaxed);
    let next = before.wrapping_add(1);
    // Release: pairs with the second Acquire fence in `try_read`. It orders the store of the
    // current number, by the last writer, before the first byte that this writer stores in the
    // slot.
    fence(Ordering::Release);
    fault::point("publish-before-value");
    copy(slot(next));
    fault::point("publish-after-value");
    // Release: publishes the slot to the first Acquire fence in `try_read`.
    sequence.store(next, Ordering::Release);
    fault::point("publish-after-sequence");
}
