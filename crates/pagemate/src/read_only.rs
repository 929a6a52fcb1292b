use std::fmt;
use std::sync::atomic::{
    AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16, AtomicU32,
    AtomicU64, AtomicUsize, Ordering, fence,
};

/// A field of memory that is mapped for reading: see [`SharedReader`](crate::typed::SharedReader).
///
/// A write to such memory ends the process, so a shared reference to an atomic in it is unsound.
/// This type therefore offers only the methods of its field that read. For a plain value it offers
/// no method, because other processes may write to the value at any time.
#[repr(transparent)]
pub struct ReadOnly<T>(pub(crate) T);

macro_rules! atomics {
    ($($atomic:ident: $value:ident)*) => {$(
        impl ReadOnly<$atomic> {
            /// Loads the value.
            ///
            /// # Panics
            ///
            /// Panics if `order` is [`Release`](Ordering::Release) or [`AcqRel`](Ordering::AcqRel).
            #[inline]
            pub fn load(&self, order: Ordering) -> $value {
                // The memory may be mapped for reading only. There the standard library defines relaxed
                // loads alone ("Atomic accesses to read-only memory" in `std::sync::atomic`), so a
                // relaxed load and a fence replace the load with `order`.
                match order {
                    Ordering::Acquire => {
                        let value = self.0.load(Ordering::Relaxed);
                        fence(Ordering::Acquire);
                        value
                    }
                    Ordering::SeqCst => {
                        fence(Ordering::SeqCst);
                        let value = self.0.load(Ordering::Relaxed);
                        fence(Ordering::SeqCst);
                        value
                    }
                    // Relaxed; or an ordering that is invalid for loads, for which `load` panics.
                    _ => self.0.load(order),
                }
            }
        }
    )*};
}

atomics! {
    AtomicU8: u8 AtomicU16: u16 AtomicU32: u32 AtomicU64: u64 AtomicUsize: usize
    AtomicI8: i8 AtomicI16: i16 AtomicI32: i32 AtomicI64: i64 AtomicIsize: isize
}

impl<T> fmt::Debug for ReadOnly<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadOnly").finish_non_exhaustive()
    }
}
