//! The protocol of the ring: one producer, one consumer, and in each slot a sequence word that shows which
//! message the slot has.
//!
//! Message `n` is in slot `n` modulo the number of slots.
//!
//! | Sequence word of the slot of message `n` | Meaning | Ended by |
//! |---|---|---|
//! | `n + 1` minus the number of slots, or 0 in the first lap | the slot has no message, or a finished one, or the producer is writing | `publish` |
//! | `n + 1` | the slot has message `n` | the `publish` of the next lap |
//!
//! The producer writes the payload and then the word. The consumer polls the word of the next slot only. It
//! copies the payload, and then stores the number of finished messages. The producer loads that number only
//! when the ring seems full.
//!
//! A producer that dies while it writes has not changed the word, so the next producer writes the same slot
//! again. A batch is published from its last message to its first one, so the consumer finds either all of it
//! or nothing. The next producer resets the words of a batch that was not completed. A consumer that dies has
//! finished the messages that the number counts, and the next consumer continues after them.

use crate::channel::error::Corrupted;
use crate::primitive::{AtomicU64, Ordering};
use crate::sys::fault;

/// The memory of a ring.
pub(in crate::channel) trait Ring {
    /// Returns the number of slots, a power of two.
    fn count(&self) -> u64;

    /// Returns the sequence word of the slot at this position.
    fn sequence(&self, position: u64) -> &AtomicU64;

    /// Returns the number of finished messages.
    fn received(&self) -> &AtomicU64;

    /// Returns the number of sent messages, for the inventory.
    fn sent(&self) -> &AtomicU64;
}

/// The sending side of a ring.
#[derive(Debug)]
#[allow(unreachable_pub, reason = "a type of a public trait that only this crate can name")]
pub struct Producer {
    /// The number of the next message.
    next: u64,
    /// The first number for which there may be no free slot. It is at least `next`, and never decreases.
    limit: u64,
}

impl Producer {
    /// Continues after the last message that was published.
    pub(in crate::channel) fn resume(ring: &impl Ring) -> Producer {
        // Acquire: the copies of the consumer happen before the writes of this producer into the same
        // slots.
        let received = ring.received().load(Ordering::Acquire);
        let limit = received.wrapping_add(ring.count());
        let mut next = received;
        while next != limit && ring.sequence(next).load(Ordering::Relaxed) == next.wrapping_add(1) {
            next = next.wrapping_add(1);
        }
        // A producer that died while it published a batch may have stored later words of the batch
        // than the first one.
        let mut ahead = next;
        while ahead != limit {
            let word = ring.sequence(ahead);
            if word.load(Ordering::Relaxed) == ahead.wrapping_add(1) {
                let old = ahead.wrapping_add(1).saturating_sub(ring.count());
                word.store(old, Ordering::Relaxed);
            }
            ahead = ahead.wrapping_add(1);
        }
        ring.sent().store(next, Ordering::Relaxed);
        Producer { next, limit }
    }

    /// Returns the number of the next message.
    #[inline]
    pub(in crate::channel) fn next(&self) -> u64 {
        self.next
    }

    /// Returns the number of messages that fit, at most `wanted`.
    #[inline]
    pub(in crate::channel) fn room(
        &mut self,
        ring: &impl Ring,
        wanted: u64,
    ) -> Result<u64, Corrupted> {
        let known = self.limit.wrapping_sub(self.next);
        if known >= wanted {
            Ok(wanted)
        } else {
            self.look_for_room(ring).map(|room| room.min(wanted))
        }
    }

    /// Loads the number of finished messages, and returns the number of messages that fit.
    #[cold]
    fn look_for_room(&mut self, ring: &impl Ring) -> Result<u64, Corrupted> {
        // Acquire: the copies of the consumer happen before the writes of this producer into the same
        // slots.
        let limit = ring.received().load(Ordering::Acquire).wrapping_add(ring.count());
        let room = limit.wrapping_sub(self.next);
        if room > ring.count() {
            return Err(Corrupted);
        }
        self.limit = limit;
        Ok(room)
    }

    /// Publishes the next message, whose payload the caller has written.
    #[inline]
    pub(in crate::channel) fn publish(&mut self, ring: &impl Ring) {
        fault::point("channel-before-publish");
        let sequence = ring.sequence(self.next);
        self.next = self.next.wrapping_add(1);
        // Release: publishes the payload to the Acquire in `Consumer::front`.
        sequence.store(self.next, Ordering::Release);
        fault::point("channel-after-publish");
        ring.sent().store(self.next, Ordering::Relaxed);
    }

    /// Publishes the next `count` messages in one step, whose payloads the caller has written. The
    /// consumer finds none of them or all.
    #[inline]
    pub(in crate::channel) fn publish_batch(&mut self, ring: &impl Ring, count: u64) {
        // Store the first word last. The consumer polls this word only, and until it changes the
        // consumer does not load the cache lines that this thread writes.
        for ahead in (0..count).rev() {
            let position = self.next.wrapping_add(ahead);
            // Release: publishes the payloads to the Acquire in `Consumer::has`.
            ring.sequence(position).store(position.wrapping_add(1), Ordering::Release);
            if ahead + 1 == count {
                fault::point("channel-in-batch");
            }
        }
        self.next = self.next.wrapping_add(count);
        ring.sent().store(self.next, Ordering::Relaxed);
    }
}

/// The receiving side of a ring.
#[derive(Debug)]
#[allow(unreachable_pub, reason = "a type of a public trait that only this crate can name")]
pub struct Consumer {
    /// The number of the next message.
    next: u64,
}

impl Consumer {
    /// Continues after the last message that was finished.
    pub(in crate::channel) fn resume(ring: &impl Ring) -> Consumer {
        Consumer { next: ring.received().load(Ordering::Acquire) }
    }

    /// Returns the number of the next message.
    #[inline]
    pub(in crate::channel) fn next(&self) -> u64 {
        self.next
    }

    /// Returns whether the message with the number `next` plus `ahead` has been published.
    #[inline]
    pub(in crate::channel) fn has(&self, ring: &impl Ring, ahead: u64) -> Result<bool, Corrupted> {
        let position = self.next.wrapping_add(ahead);
        let expected = position.wrapping_add(1);
        // Acquire: makes the payload visible, published by the Release in `Producer::publish`.
        let found = ring.sequence(position).load(Ordering::Acquire);
        if found == expected {
            return Ok(true);
        }
        let is_old = found == expected.wrapping_sub(ring.count());
        let is_new = found == 0 && expected <= ring.count();
        if is_old || is_new { Ok(false) } else { Err(Corrupted) }
    }

    /// Finishes the next `count` messages, which the caller has copied.
    #[inline]
    pub(in crate::channel) fn finish(&mut self, ring: &impl Ring, count: u64) {
        fault::point("channel-before-finish");
        self.next = self.next.wrapping_add(count);
        // Release: the copies happen before the writes of the producer into the same slots.
        ring.received().store(self.next, Ordering::Release);
        fault::point("channel-after-finish");
    }
}
