//! The 32 bits of shared memory that a sleeper sleeps on.
#![allow(unsafe_code, reason = "half of a word of 64 bits, as the system sees it")]

use crate::primitive::{AtomicU32, AtomicU64, Ordering};

/// 32 bits of shared memory that change when it is time to look again.
#[derive(Clone, Copy)]
pub(crate) enum Place<'a> {
    Word(&'a AtomicU32),
    /// The half of a word that has its bits 0 to 31.
    Low(&'a AtomicU64),
    /// The half of a word that has its bits 32 to 63.
    High(&'a AtomicU64),
}

impl<'a> From<&'a AtomicU32> for Place<'a> {
    fn from(word: &'a AtomicU32) -> Place<'a> {
        Place::Word(word)
    }
}

#[cfg_attr(loom, allow(single_use_lifetimes, reason = "the system's twin uses it"))]
impl<'a> Place<'a> {
    /// Its bits now.
    #[cfg_attr(
        all(target_os = "linux", not(loom)),
        allow(dead_code, reason = "the kernel looks, unless it lacks the call for several")
    )]
    pub(crate) fn load(self) -> u32 {
        match self {
            Place::Word(word) => word.load(Ordering::Relaxed),
            Place::Low(word) => low(word.load(Ordering::Relaxed)),
            Place::High(word) => high(word.load(Ordering::Relaxed)),
        }
    }

    /// Where it is, for the system's calls alone: nothing in this process may access half of a word
    /// that others of its threads access whole.
    #[cfg(not(loom))]
    pub(super) fn address(self) -> &'a AtomicU32 {
        let (word, second) = match self {
            Place::Word(word) => return word,
            Place::Low(word) => (word, cfg!(target_endian = "big")),
            Place::High(word) => (word, cfg!(target_endian = "little")),
        };
        let half = word.as_ptr().cast::<u32>().wrapping_add(usize::from(second));
        // SAFETY: both halves are within the word, which lives for 'a, and aligned. Only the
        // system's calls read through this reference, and they do so atomically.
        unsafe { AtomicU32::from_ptr(half) }
    }

    /// A number that no other place has.
    #[cfg(loom)]
    pub(super) fn address(self) -> usize {
        match self {
            Place::Word(word) => std::ptr::from_ref(word).addr(),
            Place::Low(word) => std::ptr::from_ref(word).addr(),
            Place::High(word) => std::ptr::from_ref(word).addr() + 1,
        }
    }
}

/// Bits 0 to 31.
#[allow(clippy::cast_possible_truncation, reason = "that half")]
pub(crate) fn low(word: u64) -> u32 {
    word as u32
}

/// Bits 32 to 63.
pub(crate) fn high(word: u64) -> u32 {
    low(word >> 32)
}
