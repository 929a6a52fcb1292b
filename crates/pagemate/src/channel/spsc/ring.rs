//! The protocol of the ring: one producer, one consumer, and in each slot a sequence word that shows which
//! message the slot has.
//!
//! Message `n` is in slot `n` modulo the number of slots.
//!
//! | Sequence word of the slot of message `n` | Meaning | Ended by |
//! |---|---|---|
//! | at most `n` | no message was published by this word, or only messages of earlier laps | `publish` |
//! | `n + k`, where `k` is at least 1 and at most the number of slots | the messages from `n` to `n + k - 1` are in their slots | the `publish` of a later lap |
//!
//! The producer writes the payloads of one message or of a batch, and then the word of the first message. The
//! words of the other messages keep their old values, which are too low to show a message. So the consumer finds
//! either all of a batch or nothing, and for each batch only one word moves between the processors.
//!
//! The consumer polls the word of the next message that it does not know of. It copies payloads, and then stores
//! the number of finished messages. The producer loads that number only when the ring seems full.
//!
//! A producer that dies while it writes has not changed the word, so the next producer writes the same slots
//! again. A consumer that dies has finished the messages that the number counts, and the next consumer continues
//! after them. That may be inside a batch, where no word shows a message. The consumer has therefore stored the
//! end of the batch before it finished the first message of it.

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

    /// Returns the number that follows the last message of the latest batch that the consumer has found.
    fn batch_end(&self) -> &AtomicU64;

    /// Returns the number of sent messages, for the inventory.
    fn sent(&self) -> &AtomicU64;
}

/// Returns the number of messages that the word at `position` shows.
#[inline]
fn published(ring: &impl Ring, position: u64) -> Result<u64, Corrupted> {
    // Acquire: makes the payloads visible, published by the Release in `Producer::publish`.
    let count = ring.sequence(position).load(Ordering::Acquire).wrapping_sub(position);
    if count.wrapping_sub(1) < ring.count() {
        return Ok(count);
    }
    // An old word is not above `position`.
    if count.cast_signed() <= 0 { Ok(0) } else { Err(Corrupted) }
}

/// Returns the number of finished messages, and the number of the first message that may be the first one of
/// its batch.
fn resume(ring: &impl Ring) -> (u64, u64) {
    // Acquire: the copies of the consumer happen before the writes of a producer into the same slots. The end of
    // a batch that the consumer has finished in part is visible too.
    let received = ring.received().load(Ordering::Acquire);
    let batch_end = ring.batch_end().load(Ordering::Relaxed);
    let is_inside = batch_end.wrapping_sub(received).wrapping_sub(1) < ring.count();
    (received, if is_inside { batch_end } else { received })
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
        let (received, mut next) = resume(ring);
        let limit = received.wrapping_add(ring.count());
        while let Ok(count @ 1..) = published(ring, next)
            && count <= limit.wrapping_sub(next)
        {
            next = next.wrapping_add(count);
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

    /// Publishes the next `count` messages in one step, whose payloads the caller has written. The
    /// consumer finds none of them or all. At least one, and at most as many as there was room for.
    #[inline]
    pub(in crate::channel) fn publish(&mut self, ring: &impl Ring, count: u64) {
        fault::point("channel-before-publish");
        let sequence = ring.sequence(self.next);
        self.next = self.next.wrapping_add(count);
        // Release: publishes the payloads to the Acquire in `published`.
        sequence.store(self.next, Ordering::Release);
        fault::point("channel-after-publish");
        ring.sent().store(self.next, Ordering::Relaxed);
    }
}

/// The receiving side of a ring.
#[derive(Debug)]
#[allow(unreachable_pub, reason = "a type of a public trait that only this crate can name")]
pub struct Consumer {
    /// The number of the next message.
    next: u64,
    /// The first message that may not be published. It is at least `next`, and never decreases.
    limit: u64,
}

impl Consumer {
    /// Continues after the last message that was finished.
    pub(in crate::channel) fn resume(ring: &impl Ring) -> Consumer {
        let (next, limit) = resume(ring);
        Consumer { next, limit }
    }

    /// Returns the number of the next message.
    #[inline]
    pub(in crate::channel) fn next(&self) -> u64 {
        self.next
    }

    /// Returns the number of messages that were published, at most `wanted`. It does not count past the
    /// capacity.
    #[inline]
    pub(in crate::channel) fn available(
        &mut self,
        ring: &impl Ring,
        wanted: u64,
    ) -> Result<u64, Corrupted> {
        loop {
            let known = self.limit.wrapping_sub(self.next);
            if known >= wanted {
                return Ok(wanted);
            }
            match published(ring, self.limit) {
                Ok(0) => return Ok(known),
                Ok(count) if count <= ring.count().wrapping_sub(known) => {
                    self.limit = self.limit.wrapping_add(count);
                    if count > 1 {
                        // The Release in `finish` orders this store before the finish of the batch's first
                        // message.
                        ring.batch_end().store(self.limit, Ordering::Relaxed);
                    }
                }
                // The messages before the wrong word are whole.
                Ok(_) | Err(Corrupted) if known > 0 => return Ok(known),
                Ok(_) | Err(Corrupted) => return Err(Corrupted),
            }
        }
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
