//! Copies to and from memory that another process may write at the same time.
//!
//! In Rust an ordinary access to such bytes is a data race, which is undefined behaviour. Overlapping
//! atomic accesses of different sizes are undefined too. The processor defines both cases: each
//! byte that it reads is a byte that some thread wrote. The accesses to shared memory are therefore
//! written in assembly, which the compiler does not analyse. The caller's side of a copy is accessed by
//! ordinary code, so that the compiler can keep a copied value in registers.
//!
//! A copy of the size of an integer takes two instructions. Copies of up to 64 bytes use vector registers.
//! Longer copies call the C library's `memcpy`.
#![allow(unsafe_code, reason = "racing copies exist only in assembly")]

#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
mod assembly;
#[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod fallback;
mod word;

#[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
use self::assembly::{Pair, Quad, Vector, copy_long};
#[cfg(any(miri, not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
use self::fallback::{Pair, Quad, Vector, copy_long};
use self::word::Word;

/// The longest copy that uses vector registers, in bytes. Up to about this length a call of
/// `memcpy` costs more than the copy itself. For longer ranges `memcpy` is faster, because it uses
/// wider registers.
const LONGEST_IN_VECTORS: usize = 64;

/// Copies `len` bytes of shared memory at `from` to memory of the caller at `to`.
///
/// A byte that another thread or process writes during the copy arrives with its old or its new
/// value, independently of all other bytes. The copy orders no memory access.
///
/// # Safety
///
/// `from` must be readable and `to` must be writable for `len` bytes, and the two ranges must not
/// overlap. Other threads and processes may access the bytes at `from` at the same time by the functions
/// of this module or by code that is not Rust, and read them by atomics of one byte. No other code
/// accesses the bytes at `to`.
#[inline]
pub(crate) unsafe fn copy_out(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: the caller promises the same.
    unsafe { copy::<Out>(from, to, len) };
}

/// Copies `len` bytes of the caller's memory at `from` to shared memory at `to`, as [`copy_out`] does.
///
/// Short copies store the last bytes first. A message follows the word that announces it. So the line of this
/// word is taken from the other processor once for both, and not a first time for the first bytes and again for
/// the word, after the wait for the line of the last bytes.
///
/// # Safety
///
/// `from` must be readable and `to` must be writable for `len` bytes, and the two ranges must not
/// overlap. Other threads and processes may access the bytes at `to` at the same time as those of
/// [`copy_out`]. No other code writes to the bytes at `from`.
#[inline]
pub(crate) unsafe fn copy_in(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: the caller promises the same.
    unsafe { copy::<In>(from, to, len) };
}

/// A copy from shared memory.
struct Out;

/// A copy to shared memory.
struct In;

/// The direction of a copy, which decides the side that is shared.
trait Direction {
    /// Copies a word.
    ///
    /// # Safety
    ///
    /// The conditions are those of [`copy_out`] or [`copy_in`], for the bytes of the word.
    unsafe fn copy_word<W: Word>(from: *const u8, to: *mut u8);
}

impl Direction for Out {
    #[inline]
    unsafe fn copy_word<W: Word>(from: *const u8, to: *mut u8) {
        // SAFETY: the caller promised a readable word at `from`.
        let word = unsafe { W::load(from.cast()) };
        // SAFETY: the caller promised a writable word at `to`, which no other code accesses.
        unsafe { to.cast::<W>().write_unaligned(word) };
    }
}

impl Direction for In {
    #[inline]
    unsafe fn copy_word<W: Word>(from: *const u8, to: *mut u8) {
        // SAFETY: the caller promised a readable word at `from`, which no other code writes. Any bytes
        // are a valid word.
        let word = unsafe { from.cast::<W>().read_unaligned() };
        // SAFETY: the caller promised a writable word at `to`.
        unsafe { word.store(to.cast()) };
    }
}

/// Copies `len` bytes through registers, or with `memcpy`. The common lengths are tested first.
///
/// # Safety
///
/// The conditions are those of [`copy_out`] or [`copy_in`].
#[inline]
unsafe fn copy<D: Direction>(from: *const u8, to: *mut u8, len: usize) {
    if len == 8 {
        // SAFETY: a `u64` has `len` bytes.
        return unsafe { D::copy_word::<u64>(from, to) };
    }
    if len > LONGEST_IN_VECTORS {
        // SAFETY: the caller promised `len` bytes at both addresses, and that they do not overlap.
        return unsafe { copy_long(D::copy_word::<u8>, from, to, len) };
    }
    if len >= 16 {
        // SAFETY: `len` is in the range that `copy_in_vectors` demands, and the caller promised the
        // rest of its conditions.
        return unsafe { copy_in_vectors::<D>(from, to, len) };
    }
    match len {
        // SAFETY: a `u32` has `len` bytes.
        4 => unsafe { D::copy_word::<u32>(from, to) },
        // SAFETY: a `u16` has `len` bytes.
        2 => unsafe { D::copy_word::<u16>(from, to) },
        // SAFETY: a `u8` has `len` bytes.
        1 => unsafe { D::copy_word::<u8>(from, to) },
        // SAFETY: the caller promised `len` bytes at both addresses, and that they do not overlap.
        _ => unsafe { copy_long(D::copy_word::<u8>, from, to, len) },
    }
}

/// Copies 16 to [`LONGEST_IN_VECTORS`] bytes. Lengths between those of registers take two blocks: one ends at
/// the last byte, one begins at the first byte, and they overlap. Bytes of both are copied twice.
///
/// # Safety
///
/// `len` must be in that range, and the conditions of [`copy`] apply.
#[inline]
unsafe fn copy_in_vectors<D: Direction>(from: *const u8, to: *mut u8, len: usize) {
    match len {
        // SAFETY: the caller promised `len` bytes at both addresses, and `Quad` has 64.
        64 => unsafe { D::copy_word::<Quad>(from, to) },
        32.. => {
            let last = len - 32;
            // SAFETY: the 32 bytes from `last` on end at the end of the caller's `len` bytes.
            unsafe { D::copy_word::<Pair>(from.wrapping_add(last), to.wrapping_add(last)) };
            if last > 0 {
                // SAFETY: the caller promised `len` bytes at both addresses, and these are at least 32.
                unsafe { D::copy_word::<Pair>(from, to) };
            }
        }
        _ => {
            let last = len - 16;
            // SAFETY: the 16 bytes from `last` on end at the end of the caller's `len` bytes.
            unsafe { D::copy_word::<Vector>(from.wrapping_add(last), to.wrapping_add(last)) };
            if last > 0 {
                // SAFETY: the caller promised `len` bytes at both addresses, and at least 16.
                unsafe { D::copy_word::<Vector>(from, to) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The length of the pieces of a long copy.
    const PIECE: usize = 1024;

    #[test]
    fn long_copies_move_every_byte_at_every_distance_of_low_address_bits() {
        let from: Vec<u8> =
            (0..12_000_u32).map(|i| i.to_le_bytes()[0] ^ i.to_le_bytes()[1]).collect();
        for len in [PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE - 1, 5000] {
            for distance in [0, 1, 15, 16, 31, 32, 4095] {
                let mut to = vec![0; 12_000];
                let skip =
                    (distance + from.as_ptr().addr()).wrapping_sub(to.as_ptr().addr()) % 4096;
                // SAFETY: `skip < 4096` and `len <= 5000`, and both vectors have 12,000 bytes.
                unsafe { copy_in(from.as_ptr(), to[skip..].as_mut_ptr(), len) };
                assert_eq!(to[skip..skip + len], from[..len], "{len} at {distance}");
                let around = to[..skip].iter().chain(&to[skip + len..]);
                assert_eq!(around.filter(|byte| **byte != 0).count(), 0);
            }
        }
    }

    #[test]
    fn every_size_and_alignment_moves_these_bytes_and_no_other() {
        let from: Vec<u8> = (1..=255).chain(1..=255).collect();
        // Miri is slow.
        let step = if cfg!(miri) { 7 } else { 1 };
        for len in (0..=LONGEST_IN_VECTORS + 3).step_by(step) {
            for (skip, at) in (0..8).step_by(step).flat_map(|skip| (0..8).map(move |at| (skip, at)))
            {
                let mut to = [0; 300];
                // SAFETY: `skip` and `at` are below 8 and `len` is below 260, so both ranges lie in
                // the 510 bytes of `from` and the 300 bytes of `to`.
                unsafe { copy_in(from[skip..].as_ptr(), to[at..].as_mut_ptr(), len) };
                assert_eq!(to[at..at + len], from[skip..skip + len]);
                assert!(to[..at].iter().chain(&to[at + len..]).all(|byte| *byte == 0));
            }
        }
    }
}
