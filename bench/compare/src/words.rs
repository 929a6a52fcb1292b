//! Messages of words, written and read in place.

use std::hint::black_box;

/// Writes a message of `words` words that all have the value `number`.
///
/// # Safety
/// `to` must be valid for writes of so many words, and no other access may race with them.
#[inline]
pub(crate) unsafe fn fill(to: *mut u64, words: usize, number: u64) {
    for word in 0..words {
        // SAFETY: the caller promises that the memory is valid.
        unsafe { to.add(word).write_unaligned(number) };
    }
}

/// Reads every word of a message, and returns the first one.
///
/// # Safety
/// `from` must be valid for reads of so many words, and no write may race with them.
#[inline]
pub(crate) unsafe fn sum(from: *const u64, words: usize) -> u64 {
    let mut total = 0_u64;
    for word in 0..words {
        // SAFETY: the caller promises that the memory is valid.
        total = total.wrapping_add(unsafe { from.add(word).read_unaligned() });
    }
    black_box(total);
    // SAFETY: as above. A message has at least one word.
    unsafe { from.read_unaligned() }
}

/// A private buffer for one message, for libraries that copy.
pub(crate) struct Buffer(Vec<u64>);

impl Buffer {
    pub(crate) fn new(words: usize) -> Buffer {
        Buffer(vec![0; words])
    }

    /// Fills the buffer with a number, and returns its bytes.
    #[inline]
    pub(crate) fn filled(&mut self, number: u64) -> &[u8] {
        let words = self.0.len();
        // SAFETY: the buffer has so many words, and this is the only reference.
        unsafe { fill(self.0.as_mut_ptr(), words, number) };
        self.bytes()
    }

    pub(crate) fn bytes(&mut self) -> &mut [u8] {
        let len = self.0.len() * 8;
        // SAFETY: the buffer has so many initialised bytes, and each byte pattern is a valid word.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_mut_ptr().cast(), len) }
    }

    /// Reads every word, and returns the first one.
    #[inline]
    pub(crate) fn sum(&self) -> u64 {
        // SAFETY: the buffer has so many words.
        unsafe { sum(self.0.as_ptr(), self.0.len()) }
    }
}
