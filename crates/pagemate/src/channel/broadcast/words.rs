//! The words of a ring with one sender and several receivers: how they encode the state of a slot.
//!
//! | Word | Meaning | Left by |
//! |---|---|---|
//! | 0 | no message was written into the slot yet | the sender, as below |
//! | 2 `n` + 1 | only in a lossy ring without chunks: the sender writes message `n` into the slot | the sender, which publishes message `n` |
//! | 2 `n` + 2 | the slot has message `n` | the sender: 2 `m` + 1 or 2 `m` + 2, for the message `m` that is `n` plus the capacity |
//!
//! If the messages lie in chunks, these numbers are shifted by 16 bits, and bits 0 to 15 have the number of
//! the chunk. A sender that dies leaves one of these words. The next sender writes the message again that
//! follows the last published one.

use super::receiver_line::Line;
use crate::primitive::AtomicU64;

/// The memory of a ring.
pub(in crate::channel) trait Ring {
    /// Returns the sequence word of this slot of the ring.
    fn word(&self, slot: u64) -> &AtomicU64;

    /// Returns the number of sent messages. It may be behind while the sender publishes.
    fn sent(&self) -> &AtomicU64;

    /// Returns the lines that receivers have or had. A new receiver adds its line to them before it claims
    /// the place in that line.
    fn lines(&self) -> &[Line];

    /// Returns the line with this number, which is one of [`lines`](Ring::lines).
    fn line(&self, number: usize) -> &Line;
}

/// The properties of a ring, which its creator decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::channel) struct Shape {
    /// The number of slots of the ring, a power of two.
    pub(in crate::channel) capacity: u64,
    /// Whether the sender overwrites messages that a receiver has not received.
    pub(in crate::channel) is_lossy: bool,
    /// The number of chunks, if the messages lie in chunks beside the ring; 0 if they lie in the slots.
    pub(in crate::channel) chunks: u32,
}

/// The number of bits of a sequence word that hold the number of a chunk.
const CHUNK_BITS: u32 = 16;

/// The greatest number of chunks.
pub(in crate::channel) const MAX_CHUNKS: u64 = 1 << CHUNK_BITS;

/// The state of a slot, for a receiver that looks for a certain message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The slot has the message.
    There,
    /// The message was not published yet.
    NotYet,
    /// The message was overwritten: the slot has the later message `number`, or the sender is writing that
    /// one. At least `published` messages were published.
    Later { number: u64, published: u64 },
    /// The slot has a value that no sender stores.
    Wrong,
}

impl Shape {
    /// Returns the slot of the ring for this message.
    #[inline]
    pub(super) fn slot(&self, number: u64) -> u64 {
        number & (self.capacity - 1)
    }

    #[inline]
    pub(super) fn is_pooled(&self) -> bool {
        self.chunks != 0
    }

    /// Returns the number of bits below the state in a sequence word.
    #[inline]
    fn shift(&self) -> u32 {
        if self.is_pooled() { CHUNK_BITS } else { 0 }
    }

    /// Returns the word of a slot that has message `number`, which lies in this chunk.
    #[inline]
    pub(super) fn published(&self, number: u64, chunk: u32) -> u64 {
        number.wrapping_add(1) << (1 + self.shift()) | u64::from(chunk)
    }

    /// Returns the word of a slot into which the sender writes message `number`.
    #[inline]
    pub(super) fn writing(&self, number: u64) -> u64 {
        (number << 1 | 1) << self.shift()
    }

    /// Returns the chunk that a word names.
    #[inline]
    pub(super) fn chunk(word: u64) -> u32 {
        (word & (MAX_CHUNKS - 1)) as u32
    }

    /// Returns by how many steps a word is later than the word that publishes message `number`. There are two
    /// steps from one message to the next: see the table above.
    #[inline]
    #[allow(clippy::cast_possible_wrap, reason = "a distance in either direction")]
    fn steps(&self, word: u64, number: u64) -> i64 {
        word.wrapping_sub(self.published(number, 0)) as i64 >> self.shift()
    }

    /// Returns whether the slot with this word has message `number`.
    #[inline]
    pub(super) fn has(&self, word: u64, number: u64) -> bool {
        self.steps(word, number) == 0
    }

    /// Returns the meaning of a slot's word for a receiver that looks for message `number`.
    #[inline]
    pub(super) fn look(&self, word: u64, number: u64) -> Found {
        match self.steps(word, number) {
            0 => Found::There,
            steps => self.look_again(word, number, steps),
        }
    }

    #[allow(
        clippy::cast_sign_loss,
        clippy::cast_possible_wrap,
        reason = "distances in either direction"
    )]
    fn look_again(&self, word: u64, number: u64, steps: i64) -> Found {
        let lap = self.capacity << 1;
        let is_new = word == 0 && number < self.capacity;
        if is_new || steps == -1 || steps == (lap as i64).wrapping_neg() {
            return Found::NotYet;
        }
        // An odd number of steps means that the sender is writing a message. The word that publishes it is
        // one step later.
        let ahead = (steps as u64).wrapping_add(1) & !1;
        if steps < 0 || !self.is_lossy || !ahead.is_multiple_of(lap) {
            return Found::Wrong;
        }
        let later = number.wrapping_add(ahead >> 1);
        let is_published = steps & 1 == 0;
        Found::Later { number: later, published: later.wrapping_add(u64::from(is_published)) }
    }
}
