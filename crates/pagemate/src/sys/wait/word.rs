//! The 32 bits of shared memory that a thread sleeps on.
#![allow(unsafe_code, reason = "half of a 64-bit word, as the system's calls access it")]

use crate::primitive::{AtomicU32, AtomicU64, Ordering};

/// 32 bits of shared memory that a thread sleeps on until they change: a word, or half of one.
#[derive(Clone, Copy)]
pub(crate) enum WaitWord<'a> {
    Whole(&'a AtomicU32),
    /// Bits 0 to 31 of a 64-bit word.
    LowHalf(&'a AtomicU64),
    /// Bits 32 to 63 of a 64-bit word.
    HighHalf(&'a AtomicU64),
}

impl<'a> From<&'a AtomicU32> for WaitWord<'a> {
    fn from(word: &'a AtomicU32) -> WaitWord<'a> {
        WaitWord::Whole(word)
    }
}

#[cfg_attr(loom, allow(single_use_lifetimes, reason = "the version without loom uses it"))]
impl<'a> WaitWord<'a> {
    /// Returns the current value.
    #[cfg_attr(
        all(target_os = "linux", not(loom)),
        allow(dead_code, reason = "only needed where the kernel cannot wait for several words")
    )]
    pub(crate) fn load(self) -> u32 {
        match self {
            WaitWord::Whole(word) => word.load(Ordering::Relaxed),
            WaitWord::LowHalf(word) => low_half(word.load(Ordering::Relaxed)),
            WaitWord::HighHalf(word) => high_half(word.load(Ordering::Relaxed)),
        }
    }

    /// Returns the address of the bits.
    ///
    /// Only the kernel may access memory through it. The threads of this process access a 64-bit
    /// word as a whole, and atomic accesses of different sizes that race are undefined behaviour.
    #[cfg(not(loom))]
    pub(super) fn address(self) -> &'a AtomicU32 {
        let (word, second) = match self {
            WaitWord::Whole(word) => return word,
            WaitWord::LowHalf(word) => (word, cfg!(target_endian = "big")),
            WaitWord::HighHalf(word) => (word, cfg!(target_endian = "little")),
        };
        let half = word.as_ptr().cast::<u32>().wrapping_add(usize::from(second));
        // SAFETY: `half` is the first or the second half of `word`, so it is aligned to 4 bytes, and
        // it is valid for 'a because `word` is borrowed for 'a. Only system calls access memory
        // through the reference, see above, and the kernel does so atomically.
        unsafe { AtomicU32::from_ptr(half) }
    }

    /// Returns a number that identifies the word while it exists.
    #[cfg(loom)]
    pub(super) fn address(self) -> usize {
        match self {
            WaitWord::Whole(word) => std::ptr::from_ref(word).addr(),
            WaitWord::LowHalf(word) => std::ptr::from_ref(word).addr(),
            WaitWord::HighHalf(word) => std::ptr::from_ref(word).addr() + 1,
        }
    }
}

/// Returns bits 0 to 31 of a word.
#[allow(clippy::cast_possible_truncation, reason = "it returns that half")]
pub(crate) fn low_half(word: u64) -> u32 {
    word as u32
}

/// Returns bits 32 to 63.
pub(crate) fn high_half(word: u64) -> u32 {
    low_half(word >> 32)
}
