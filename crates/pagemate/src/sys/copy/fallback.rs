//! Accesses to shared memory by atomics of one byte, where there is no assembly.
#![allow(unsafe_code, reason = "addresses in shared memory")]

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use super::word::Word;

pub(super) type Vector = [u8; 16];
pub(super) type Pair = [u8; 32];
pub(super) type Quad = [u8; 64];

impl Word for u8 {
    unsafe fn load(from: *const u8) -> u8 {
        // SAFETY: the caller promised a readable byte at `from`, which other threads access by atomics
        // of one byte. A byte is always aligned.
        unsafe { AtomicU8::from_ptr(from.cast_mut()) }.load(Relaxed)
    }

    unsafe fn store(self, to: *mut u8) {
        // SAFETY: the caller promised a writable byte at `to`, which other threads access by atomics of
        // one byte. A byte is always aligned.
        unsafe { AtomicU8::from_ptr(to) }.store(self, Relaxed);
    }
}

impl<const N: usize> Word for [u8; N] {
    unsafe fn load(from: *const [u8; N]) -> [u8; N] {
        // SAFETY: the caller promised `N` readable bytes at `from`, and each `i` is below `N`.
        std::array::from_fn(|i| unsafe { u8::load(from.cast::<u8>().wrapping_add(i)) })
    }

    unsafe fn store(self, to: *mut [u8; N]) {
        for (i, byte) in self.into_iter().enumerate() {
            // SAFETY: the caller promised `N` writable bytes at `to`, and `i` is below `N`.
            unsafe { byte.store(to.cast::<u8>().wrapping_add(i)) };
        }
    }
}

macro_rules! integer {
    ($($type:ty),+) => {$(
        impl Word for $type {
            unsafe fn load(from: *const $type) -> $type {
                // SAFETY: the caller promised a readable integer at `from`.
                <$type>::from_ne_bytes(unsafe { Word::load(from.cast()) })
            }

            unsafe fn store(self, to: *mut $type) {
                // SAFETY: the caller promised a writable integer at `to`.
                unsafe { self.to_ne_bytes().store(to.cast()) };
            }
        }
    )+};
}

integer!(u16, u32, u64);

/// Copies byte by byte. Only the shared side is accessed by atomics: the caller's side may be
/// read-only memory.
///
/// # Safety
///
/// The conditions are those of [`copy_out`](super::copy_out) or [`copy_in`](super::copy_in).
pub(super) unsafe fn copy_long(
    copy_byte: unsafe fn(*const u8, *mut u8),
    from: *const u8,
    to: *mut u8,
    len: usize,
) {
    for i in 0..len {
        // SAFETY: `i < len`, and the caller promised `len` bytes at both addresses.
        unsafe { copy_byte(from.wrapping_add(i), to.wrapping_add(i)) };
    }
}
