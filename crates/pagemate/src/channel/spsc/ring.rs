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
//! the number of finished messages. The producer loads that number only when the ring seems full. The consumer
//! loads the number of sent messages only if messages come faster than it receives them.
//!
//! A producer that dies while it writes has not changed the word, so the next producer writes the same slots
//! again. A consumer that dies has finished the messages that the number counts, and the next consumer continues
//! after them. That may be inside a batch, where no word shows a message. The consumer has therefore stored the
//! end of the batch before it finished the first message of it.

use crate::channel::error::Corrupted;
use crate::primitive::{AtomicU64, Ordering, spin_loop};
use crate::sys::fault;

/// The number of messages that an endpoint of a large ring lets pass before it loads a word that the other side
/// stores for each message.
const PATIENCE: u64 = 32;

/// The number of looks at a full ring until a producer takes a slot although few are free.
const LOOKS: u32 = 4;

/// The number of pauses of a consumer that waits for more messages. They take less than half a microsecond.
const PAUSES: u32 = 16;

/// The distance of the message that a consumer loads into the cache to the one that it copies.
const AHEAD: u64 = 8;

/// The memory of a ring.
pub(in crate::channel) trait Ring {
    /// Returns the number of slots, a power of two.
    fn count(&self) -> u64;

    /// Returns the sequence word of the slot at this position.
    fn sequence(&self, position: u64) -> &AtomicU64;

    /// Loads the first line of the payload at this position into the cache, to read it.
    fn prefetch_to_read(&self, position: u64);

    /// Returns the number of finished messages.
    fn received(&self) -> &AtomicU64;

    /// Returns the number that follows the last message of the latest batch that the consumer has found.
    fn batch_end(&self) -> &AtomicU64;

    /// Returns the number of sent messages. It may be too low by those of the latest `publish`.
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

/// Returns the number of messages that an endpoint lets pass before it loads a word that the other side stores
/// for each message. Such a load takes the line away from the other side.
fn patience(ring: &impl Ring) -> u64 {
    (ring.count() / 4).min(PATIENCE)
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
        // Release: passes on the payloads of the dead producer to the Acquire in `Consumer::add`.
        ring.sent().store(next, Ordering::Release);
        Producer { next, limit }
    }

    /// Returns the number of the next message.
    #[inline]
    pub(in crate::channel) fn next(&self) -> u64 {
        self.next
    }

    /// Returns whether the producer knows that a message fits.
    #[inline]
    pub(in crate::channel) fn knows_room(&self) -> bool {
        self.limit != self.next
    }

    /// Returns whether a message fits.
    pub(in crate::channel) fn has_room(&self, ring: &impl Ring) -> Result<bool, Corrupted> {
        Ok(self.knows_room() || self.find_limit(ring)? != self.next)
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

    /// Loads the number of finished messages, and returns the number of messages that fit. If few fit, waits for
    /// a moment until several do.
    #[cold]
    fn look_for_room(&mut self, ring: &impl Ring) -> Result<u64, Corrupted> {
        let mut limit = self.find_limit(ring)?;
        for _ in 0..LOOKS {
            let room = limit.wrapping_sub(self.next);
            if room >= patience(ring) {
                break;
            }
            (room..patience(ring)).for_each(|_| spin_loop());
            limit = self.find_limit(ring)?;
        }
        self.limit = limit;
        Ok(limit.wrapping_sub(self.next))
    }

    /// Loads the number of finished messages, and returns the first number for which there is no free slot.
    #[inline]
    fn find_limit(&self, ring: &impl Ring) -> Result<u64, Corrupted> {
        // Acquire: the copies of the consumer happen before the writes of this producer into the same
        // slots.
        let limit = ring.received().load(Ordering::Acquire).wrapping_add(ring.count());
        if limit.wrapping_sub(self.next) <= ring.count() { Ok(limit) } else { Err(Corrupted) }
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
        // Release: publishes the payloads to the Acquire in `Consumer::add`.
        ring.sent().store(self.next, Ordering::Release);
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
    /// The message at which the consumer loads the number of sent messages.
    follow_at: u64,
    /// The number of the next message when the ring was empty last.
    empty_at: u64,
}

impl Consumer {
    /// Continues after the last message that was finished.
    pub(in crate::channel) fn resume(ring: &impl Ring) -> Consumer {
        let (next, limit) = resume(ring);
        Consumer { next, limit, follow_at: limit, empty_at: limit }
    }

    /// Returns the number of the next message.
    #[inline]
    pub(in crate::channel) fn next(&self) -> u64 {
        self.next
    }

    /// Returns whether the next message was published, as far as one look at its slot shows.
    #[inline]
    pub(in crate::channel) fn is_at_hand(&mut self, ring: &impl Ring) -> bool {
        let known = self.limit.wrapping_sub(self.next);
        if known > AHEAD {
            // The producer has published that message, so that it does not need the line.
            ring.prefetch_to_read(self.next.wrapping_add(AHEAD));
        } else if known == 0 {
            let after = self.limit.wrapping_add(1);
            // Acquire: makes the payload visible, published by the Release in `Producer::publish`.
            if self.limit == self.follow_at
                || ring.sequence(self.limit).load(Ordering::Acquire) != after
            {
                return false;
            }
            self.limit = after;
        }
        true
    }

    /// Returns whether the next message was published. A waiting consumer polls this function, which is therefore
    /// short.
    #[inline]
    pub(in crate::channel) fn has_message(&self, ring: &impl Ring) -> Result<bool, Corrupted> {
        Ok(self.limit != self.next || published(ring, self.limit)? > 0)
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
                Ok(0) if known > 0 || !self.waits_for_more(ring) => return Ok(known),
                Ok(0) => {}
                Ok(count) if count <= ring.count().wrapping_sub(known) => {
                    self.add(ring, count);
                }
                // The messages before the wrong word are whole.
                Ok(_) | Err(Corrupted) if known > 0 => return Ok(known),
                Ok(_) | Err(Corrupted) => return Err(Corrupted),
            }
        }
    }

    /// Notes that the ring is empty. If messages came one after another up to now, waits for a moment and returns
    /// true: each look at the next slot takes its line away from the producer, and slows it down.
    #[cold]
    fn waits_for_more(&mut self, ring: &impl Ring) -> bool {
        let waits = self.limit.wrapping_sub(self.empty_at) > 1 && patience(ring) > 1;
        self.empty_at = self.limit;
        if waits {
            self.follow_at = self.limit;
            (0..PAUSES).for_each(|_| spin_loop());
        } else {
            self.follow_at = self.limit.wrapping_add(patience(ring));
        }
        waits
    }

    /// Adds `count` messages to those that the consumer knows of. Now and then it also adds the messages behind
    /// them that were sent. The consumer then needs no look at the words of their slots, and their lines
    /// stay with the producer.
    #[inline]
    fn add(&mut self, ring: &impl Ring, count: u64) {
        let follows = self.limit == self.follow_at;
        self.limit = self.limit.wrapping_add(count);
        if follows {
            // Acquire: makes the payloads visible, published by the Release in `Producer::publish`.
            let more = ring.sent().load(Ordering::Acquire).wrapping_sub(self.limit);
            // The number may be lower than `limit`, and another program may have changed it.
            if more <= ring.count().wrapping_sub(self.limit.wrapping_sub(self.next)) {
                self.limit = self.limit.wrapping_add(more);
            }
        }
        if follows || count > 1 {
            self.follow_at = self.limit.wrapping_add(patience(ring));
            // The Release in `finish` orders this store before the finish of the first of these messages.
            ring.batch_end().store(self.limit, Ordering::Relaxed);
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
