//! The receiving side of a ring with several receivers.

use super::receiver_line::Line;
use super::words::{Found, Ring, Shape};
use crate::channel::error::Corrupted;
use crate::primitive::{Ordering, fence};
use crate::sys::fault;

/// The number of attempts to claim a message. An attempt fails if the sender overwrites the message
/// meanwhile.
const ATTEMPTS: u32 = 32;

/// The receiving side.
#[derive(Debug)]
#[allow(unreachable_pub, reason = "a type of a public trait that only this crate can name")]
pub struct Consumer {
    shape: Shape,
    /// The number of the line of this receiver.
    line: usize,
    /// The number of the next message.
    next: u64,
    /// The chunk of the next message. Valid while that message is claimed.
    chunk: u32,
    /// The number of messages that were missed directly before `next`.
    gap: u64,
    /// The number of messages that were missed in all.
    missed: u64,
    /// Whether this receiver has copied the claimed message into its own slot.
    is_held: bool,
}

impl Consumer {
    /// Begins with the message that is sent next. The caller has just claimed the place of the line, and
    /// completes the claim after this call.
    pub(super) fn join(ring: &impl Ring, shape: Shape, line: usize) -> Consumer {
        let words = ring.line(line);
        words.pin.store(0, Ordering::Relaxed);
        // SeqCst: pairs with the fence in `Producer::lag`. Either the sender finds the claimed place there,
        // or this receiver loads a `sent` that includes every message that was sent before that call.
        fence(Ordering::SeqCst);
        let next = ring.sent().load(Ordering::Acquire);
        fault::point("broadcast-before-cursor");
        words.cursor.store(next, Ordering::Release);
        Consumer { shape, line, next, chunk: 0, gap: 0, missed: 0, is_held: false }
    }

    /// Continues after the last message that the dead receiver of the line finished. The caller has just
    /// taken its place over.
    pub(super) fn resume(ring: &impl Ring, shape: Shape, line: usize) -> Consumer {
        let words = ring.line(line);
        words.pin.store(0, Ordering::Relaxed);
        let next = words.cursor.load(Ordering::Acquire);
        fault::point("broadcast-after-take-over");
        Consumer { shape, line, next, chunk: 0, gap: 0, missed: 0, is_held: false }
    }

    #[inline]
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// Returns the number of the next message.
    #[cfg(all(test, loom))]
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Returns the number of messages that were missed in all, up to the next message.
    #[inline]
    pub(super) fn missed(&self) -> u64 {
        self.missed
    }

    /// Returns the number of messages that were missed directly before the claimed one.
    #[inline]
    pub(super) fn gap(&self) -> u64 {
        self.gap
    }

    /// Returns whether this receiver has to pin the chunk of a claimed message. In a lossless ring the cursor
    /// keeps the sender from that chunk.
    #[inline]
    fn has_pin(&self) -> bool {
        self.shape.is_lossy && self.shape.is_pooled()
    }

    #[inline]
    fn words<'a>(&self, ring: &'a impl Ring) -> &'a Line {
        ring.line(self.line)
    }

    #[inline]
    fn look(&self, ring: &impl Ring, number: u64) -> (Found, u64) {
        // Acquire: the payload, published by the Release in `Producer::store_word`.
        let word = ring.word(self.shape.slot(number)).load(Ordering::Acquire);
        (self.shape.look(word, number), word)
    }

    /// Returns whether a claim would find a message or an error.
    #[inline]
    pub(super) fn has_message(&self, ring: &impl Ring) -> bool {
        self.look(ring, self.next).0 != Found::NotYet
    }

    /// Claims at most `wanted` published messages, and returns how many. 0 means that there is none.
    #[inline]
    pub(super) fn claim(&mut self, ring: &impl Ring, wanted: u64) -> Result<u64, Corrupted> {
        match self.look(ring, self.next) {
            (Found::There, _) if wanted == 1 && !self.shape.is_pooled() => Ok(1),
            (Found::NotYet, _) => Ok(0),
            _ => self.claim_slowly(ring, wanted),
        }
    }

    /// Claims messages as `claim` does. Skips the messages that were overwritten, and pins a chunk.
    fn claim_slowly(&mut self, ring: &impl Ring, wanted: u64) -> Result<u64, Corrupted> {
        for attempt in 0..ATTEMPTS {
            match self.look(ring, self.next) {
                (Found::There, word) if self.shape.is_pooled() => {
                    if self.pin(ring, word)? {
                        return Ok(1);
                    }
                }
                (Found::There, _) => {
                    let max = wanted.min(self.shape.capacity);
                    let is_there = |ahead: &u64| {
                        self.look(ring, self.next.wrapping_add(*ahead)).0 == Found::There
                    };
                    return Ok(1 + (1..max).take_while(is_there).count() as u64);
                }
                (Found::NotYet, _) => return Ok(0),
                (Found::Later { number, published }, _) => {
                    self.skip(ring, number, published, attempt)?;
                }
                (Found::Wrong, _) => return Err(Corrupted),
            }
        }
        // The sender overwrote the message in each attempt. The caller tries again.
        Ok(0)
    }

    /// Pins the chunk of the next message, so that the sender does not use the chunk again. Returns false if
    /// the message was overwritten meanwhile.
    fn pin(&mut self, ring: &impl Ring, word: u64) -> Result<bool, Corrupted> {
        let chunk = Shape::chunk(word);
        if chunk >= self.shape.chunks {
            return Err(Corrupted);
        }
        self.chunk = chunk;
        if !self.has_pin() {
            return Ok(true);
        }
        let pin = &self.words(ring).pin;
        pin.store(u64::from(chunk) + 1, Ordering::Relaxed);
        // SeqCst: pairs with the fence in `Producer::claim_chunk`.
        fence(Ordering::SeqCst);
        let is_same = ring.word(self.shape.slot(self.next)).load(Ordering::Acquire) == word;
        if !is_same {
            pin.store(0, Ordering::Release);
        }
        fault::point("broadcast-after-pin");
        Ok(is_same)
    }

    /// Continues at the oldest message that was not overwritten. The slot of the next message has message
    /// `number` instead, and at least `published` messages were published.
    #[allow(clippy::cast_possible_wrap, reason = "distances in either direction")]
    fn skip(
        &mut self,
        ring: &impl Ring,
        number: u64,
        published: u64,
        attempt: u32,
    ) -> Result<(), Corrupted> {
        let later =
            |one: u64, other: u64| if one.wrapping_sub(other) as i64 > 0 { one } else { other };
        let last = later(ring.sent().load(Ordering::Acquire), published);
        // The messages up to `number` minus the capacity were overwritten, because they had the same slots.
        let after = number.wrapping_sub(self.shape.capacity).wrapping_add(1);
        let oldest = later(last.wrapping_sub(self.shape.capacity), after);
        // The sender overwrites the oldest message next. So after some attempts begin at a later message,
        // which leaves more time for the copy.
        let ahead = if attempt < 2 { 0 } else { 1_u64 << attempt.min(63) };
        let left = last.wrapping_sub(oldest);
        let to = oldest.wrapping_add(ahead.min(left));
        let missed = to.wrapping_sub(self.next);
        if missed == 0 || missed > u64::MAX / 2 || left > self.shape.capacity {
            return Err(Corrupted);
        }
        self.add_missed(ring, missed);
        self.next = to;
        Ok(())
    }

    fn add_missed(&mut self, ring: &impl Ring, count: u64) {
        self.gap = self.gap.wrapping_add(count);
        self.missed = self.missed.wrapping_add(count);
        let words = self.words(ring);
        words
            .missed
            .store(words.missed.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
    }

    /// Returns the slot, or the chunk, of message `index` of the claim.
    #[inline]
    pub(super) fn position(&self, index: u64) -> u64 {
        if self.is_held {
            self.shape.capacity + self.line as u64
        } else if self.shape.is_pooled() {
            self.chunk.into()
        } else {
            self.shape.slot(self.next.wrapping_add(index))
        }
    }

    /// Returns the slot of this receiver, to which the caller copies a message that it wants to hold. `None`
    /// if the sender does not overwrite a claimed message in this ring.
    pub(super) fn own_slot(&self) -> Option<u64> {
        let is_overwritten = self.shape.is_lossy && !self.shape.is_pooled();
        is_overwritten.then(|| self.shape.capacity + self.line as u64)
    }

    /// Keeps the claimed message until it is finished. The caller has copied it into the own slot of this
    /// receiver, if there is one. Returns false if the message was overwritten during the copy; it then
    /// counts as missed.
    pub(super) fn hold(&mut self, ring: &impl Ring) -> bool {
        if self.own_slot().is_none() {
            return true;
        }
        self.is_held = self.overwritten(ring, 1) == 0;
        if !self.is_held {
            self.finish(ring, 1);
        }
        self.is_held
    }

    /// Returns how many of the claimed messages were overwritten before or during the caller's copies. These
    /// are the first ones.
    #[inline]
    pub(super) fn overwritten(&self, ring: &impl Ring, count: u64) -> u64 {
        if !self.shape.is_lossy || self.has_pin() || self.is_held {
            return 0;
        }
        // Acquire: pairs with the Release fence in `Producer::overwrite`.
        fence(Ordering::Acquire);
        let is_gone = |number: &u64| {
            let word = ring.word(self.shape.slot(*number)).load(Ordering::Relaxed);
            !self.shape.has(word, *number)
        };
        (0..count).map(|index| self.next.wrapping_add(index)).take_while(is_gone).count() as u64
    }

    /// Finishes the claimed messages, which the caller has copied. Returns how many of the copies are
    /// consistent. The copies before these were overwritten meanwhile, and count as missed.
    #[inline]
    pub(super) fn finish(&mut self, ring: &impl Ring, count: u64) -> u64 {
        fault::point("broadcast-before-finish");
        let gone = self.overwritten(ring, count);
        if gone > 0 {
            self.add_missed(ring, gone);
        }
        if gone < count {
            self.gap = 0;
        }
        self.is_held = false;
        self.next = self.next.wrapping_add(count);
        let words = self.words(ring);
        if self.has_pin() {
            // Release: the copies come before the sender's writes into the chunk.
            words.pin.store(0, Ordering::Release);
        }
        // Release: the copies come before the sender's writes into the same slots.
        words.cursor.store(self.next, Ordering::Release);
        fault::point("broadcast-after-finish");
        count - gone
    }

    /// Returns the claimed messages, so that the next claim finds them again.
    pub(super) fn abandon(&mut self, ring: &impl Ring) {
        self.is_held = false;
        if self.has_pin() {
            self.words(ring).pin.store(0, Ordering::Release);
        }
    }
}
