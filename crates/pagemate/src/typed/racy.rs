#![allow(unsafe_code, reason = "copies values that other processes may write")]

use std::cell::UnsafeCell;
use std::fmt;
use std::mem::MaybeUninit;

use super::{InPlace, Plain, ReadOnly, Shareable, fingerprint};
use crate::shareable::zeroed_box;
use crate::sys::copy::{copy_in, copy_out};

/// A cell for a value that is copied in and out, and that may be read half-written.
///
/// A copy that races with a write in another thread or process may be *torn*: each byte is the old
/// or the new one, in any combination. A copy orders no other memory access. Use a `Racy` cell
/// together with synchronisation that orders its accesses: an atomic sequence number, a lock, or
/// the position in a ring buffer. For a value that is never read half-written, use a
/// [`SeqLock`](super::SeqLock).
///
/// # Examples
///
/// ```
/// use pagemate::typed::Racy;
///
/// let cell = Racy::new([1_u32, 2]);
/// cell.set(&[3, 4]);
/// cell.as_array()[1].set(&5);
/// assert_eq!(cell.get(), [3, 5]);
/// ```
#[repr(transparent)]
pub struct Racy<T>(UnsafeCell<T>);

// SAFETY: the cell is accessed by `copy` only, which several threads may call at the same time, and a
// plain value is not bound to a thread.
unsafe impl<T: Plain> Sync for Racy<T> {}

// SAFETY: the cell has the layout and the bit validity of `T`. Its fingerprint contains that of
// `T`. `ReadOnly` only copies the value out.
unsafe impl<T: Plain> Shareable for Racy<T> {
    const FINGERPRINT: u64 = fingerprint::around::<Racy<T>>("racy", T::FINGERPRINT);
    type Reader = ReadOnly<Racy<T>>;
}

// SAFETY: the value lies in an `UnsafeCell`, and is accessed by `copy` only.
unsafe impl<T: Plain> InPlace for Racy<T> {}

impl<T: Plain> Racy<T> {
    /// Returns a cell with this value.
    pub const fn new(value: T) -> Racy<T> {
        Racy(UnsafeCell::new(value))
    }

    /// Returns a copy of the value, which may be torn.
    #[inline]
    pub fn get(&self) -> T {
        let mut value = MaybeUninit::<T>::uninit();
        // SAFETY: the cell is readable, and `value` is a local of the same size. Only `copy` accesses
        // the cell.
        unsafe { copy_out(self.0.get().cast(), value.as_mut_ptr().cast(), size_of::<T>()) };
        // SAFETY: `copy` wrote all bytes of `value`, and any bytes are a valid plain value.
        unsafe { value.assume_init() }
    }

    /// Copies the value into `value`. The copy may be torn. This serves values that are too large for
    /// the stack.
    #[inline]
    pub fn read_into(&self, value: &mut T) {
        // SAFETY: the cell is readable, and `value` is an exclusive reference to the same number of
        // bytes. Any bytes are a valid plain value.
        unsafe { copy_out(self.0.get().cast(), std::ptr::from_mut(value).cast(), size_of::<T>()) };
    }

    /// Returns a copy of the value on the heap, which may be torn. This serves values that are too large
    /// for the stack.
    pub fn get_boxed(&self) -> Box<T> {
        let mut value = zeroed_box();
        self.read_into(&mut value);
        value
    }

    /// Replaces the value. A reader may copy a part of the new value. If the process is killed
    /// meanwhile, only a part of the new value is stored.
    #[inline]
    pub fn set(&self, value: &T) {
        // SAFETY: `value` is a shared reference to a plain value, which has no padding, and the cell
        // has the same number of bytes. They are writable: a reference to a cell comes from memory of
        // this process or from memory that is mapped for writing, and `ReadOnly` hides all others.
        unsafe { copy_in(std::ptr::from_ref(value).cast(), self.0.get().cast(), size_of::<T>()) };
    }
}

impl<T: Plain, const N: usize> Racy<[T; N]> {
    /// Returns the elements as cells.
    #[inline]
    pub fn as_array(&self) -> &[Racy<T>; N] {
        // SAFETY: a cell has the layout of its value, so the cell of an array has the layout of an
        // array of cells. Both are accessed by `copy` only.
        unsafe { &*std::ptr::from_ref(self).cast() }
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for Racy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Racy").field(&self.get()).finish()
    }
}

impl<T: Plain> Racy<T> {
    /// Returns the cell without its methods that write.
    #[inline]
    pub(crate) fn as_read_only(&self) -> &ReadOnly<Racy<T>> {
        // SAFETY: `ReadOnly` is a transparent structure around its field, and only reads.
        unsafe { &*std::ptr::from_ref(self).cast() }
    }
}

impl<T: Plain> ReadOnly<Racy<T>> {
    /// Returns a copy of the value: see [`Racy::get`].
    #[inline]
    pub fn get(&self) -> T {
        self.0.get()
    }

    /// Copies the value into `value`: see [`Racy::read_into`].
    #[inline]
    pub fn read_into(&self, value: &mut T) {
        self.0.read_into(value);
    }

    /// Returns a copy of the value on the heap: see [`Racy::get_boxed`].
    pub fn get_boxed(&self) -> Box<T> {
        self.0.get_boxed()
    }
}

impl<T: Plain, const N: usize> ReadOnly<Racy<[T; N]>> {
    /// Returns the elements as cells.
    #[inline]
    pub fn as_array(&self) -> &[ReadOnly<Racy<T>>; N] {
        // SAFETY: `ReadOnly` has the layout of the type around it, so an array of them has the layout
        // of an array of cells.
        unsafe { &*std::ptr::from_ref(self.0.as_array()).cast() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// Miri runs this too: `cargo xtask miri`.
    #[test]
    fn threads_may_access_a_cell_and_its_elements_at_the_same_time() {
        let cell = Racy::new([0_u16; 4]);
        std::thread::scope(|scope| {
            for number in 1..=3 {
                let cell = &cell;
                scope.spawn(move || {
                    cell.set(&[number; 4]);
                    cell.as_array()[2].set(&number);
                    let mut copy = cell.get();
                    cell.read_into(&mut copy);
                    assert!(copy.iter().all(|number| *number <= 0x0303));
                });
            }
        });
        let reader = cell.as_read_only();
        assert_eq!(reader.get()[3], reader.as_array()[3].get());
    }

    /// Miri runs this too: `cargo xtask miri`.
    #[test]
    fn a_load_that_only_reads_orders_the_copies_around_it() {
        for order in [Ordering::Acquire, Ordering::SeqCst] {
            let (cell, ready) = (ReadOnly(Racy::new([0_u32; 5])), ReadOnly(AtomicU32::new(0)));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    cell.0.set(&[7; 5]);
                    ready.0.store(1, Ordering::Release);
                });
                while ready.load(order) == 0 {
                    std::thread::yield_now();
                }
                assert_eq!(cell.get(), [7; 5]);
            });
        }
    }
}
