//! The sending side of a ring with several receivers.

use super::pool::Pool;
use super::receiver_line::{Line, MAX_RECEIVERS};
use super::words::{Ring, Shape};
use crate::channel::error::Corrupted;
use crate::channel::place::Occupant;
use crate::primitive::{AtomicU64, Ordering, fence};
use crate::sys::fault;

/// The sending side.
#[derive(Debug)]
#[allow(unreachable_pub, reason = "a type of a public trait that only this crate can name")]
pub struct Producer {
    shape: Shape,
    /// The number of the next message.
    next: u64,
    /// In a lossless ring: the messages before this number have room. The cursors decide whether later ones
    /// do.
    limit: u64,
    pool: Option<Pool>,
    /// Whether the sender frees the chunks of finished messages before each message, so that it uses few
    /// chunks.
    is_eager: bool,
}

impl Producer {
    /// Continues after the last message that was published. `is_eager` decides whether a chunk is used
    /// again as soon as possible.
    pub(super) fn resume(
        ring: &impl Ring,
        shape: Shape,
        is_eager: bool,
    ) -> Result<Producer, Corrupted> {
        let word = |number| ring.word(shape.slot(number));
        let has = |number| shape.has(word(number).load(Ordering::Acquire), number);
        let mut next = ring.sent().load(Ordering::Acquire);
        let mut limit = next.wrapping_add(shape.capacity);
        while next != limit && has(next) {
            next = next.wrapping_add(1);
        }
        if !shape.is_lossy {
            // A producer stores the first word of a batch last. If it died before that, the later words of
            // the batch show messages that were not sent, so reset them. The batch had room, so all receivers
            // have finished the older messages of these slots.
            (1..shape.capacity).map(|ahead| next.wrapping_add(ahead)).for_each(|ahead| {
                if has(ahead) {
                    let old = ahead.wrapping_sub(shape.capacity);
                    let is_first_lap = ahead < shape.capacity;
                    let old = if is_first_lap { 0 } else { shape.published(old, 0) };
                    word(ahead).store(old, Ordering::Relaxed);
                }
            });
        }
        ring.sent().store(next, Ordering::Release);
        // The first claim loads the cursors.
        limit = next;
        let pool = if shape.is_pooled() { Some(find_pool(ring, shape, next)?) } else { None };
        Ok(Producer { shape, next, limit, pool, is_eager })
    }

    /// Returns the number of the next message.
    #[cfg(all(test, loom))]
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Claims room for at most `wanted` messages, and returns for how many. 0 means that the ring is
    /// full.
    #[inline]
    pub(super) fn claim(&mut self, ring: &impl Ring, wanted: u64) -> Result<u64, Corrupted> {
        let room = if self.shape.is_lossy {
            self.overwrite(ring, wanted)
        } else {
            self.room(ring, wanted)?
        };
        if self.pool.is_some() && room > 0 { self.claim_chunk(ring) } else { Ok(room) }
    }

    /// Returns whether a claim would find room. An error counts as room, so that the claim finds it.
    pub(super) fn has_room(&mut self, ring: &impl Ring) -> bool {
        self.shape.is_lossy || self.room(ring, 1) != Ok(0)
    }

    /// Returns the slot, or the chunk, of message `index` of the claim.
    #[inline]
    pub(super) fn position(&self, index: u64) -> u64 {
        match self.pool.as_ref().and_then(|pool| pool.loan) {
            Some(chunk) => chunk.into(),
            None => self.shape.slot(self.next.wrapping_add(index)),
        }
    }

    /// Returns for how many messages a lossless ring has room, but at most `wanted`.
    #[inline]
    fn room(&mut self, ring: &impl Ring, wanted: u64) -> Result<u64, Corrupted> {
        let known = self.limit.wrapping_sub(self.next);
        let has_chunk = self.pool.as_ref().is_none_or(|pool| pool.has_free() && !self.is_eager);
        if known >= wanted && has_chunk {
            return Ok(wanted);
        }
        self.look_for_room(ring).map(|room| room.min(wanted))
    }

    /// Loads the cursors of all receivers, and returns for how many messages there is room.
    #[cold]
    fn look_for_room(&mut self, ring: &impl Ring) -> Result<u64, Corrupted> {
        let lag = self.lag(ring)?;
        let Some(room) = self.shape.capacity.checked_sub(lag) else {
            // A new receiver has not stored its cursor yet.
            return Ok(0);
        };
        self.limit = self.next.wrapping_add(room);
        if let Some(pool) = &mut self.pool {
            pool.free_before(self.next.wrapping_sub(lag));
        }
        Ok(room)
    }

    /// Returns by how many messages the slowest receiver is behind.
    fn lag(&self, ring: &impl Ring) -> Result<u64, Corrupted> {
        // SeqCst: pairs with the fence in `Consumer::join`. Either this sender finds the place of a new
        // receiver, or that receiver begins at `next` or later.
        fence(Ordering::SeqCst);
        let mut most = 0;
        for line in ring.lines().iter().filter(|line| is_counted(line)) {
            // Acquire: the receiver's copies come before this producer's writes into the same slots.
            let lag = self.next.wrapping_sub(line.cursor.load(Ordering::Acquire));
            if lag > u64::MAX / 2 {
                return Err(Corrupted);
            }
            most = most.max(lag);
        }
        Ok(most)
    }

    /// Returns how many messages the slowest receiver has not finished. It may be out of date.
    pub(super) fn pending(&self, ring: &impl Ring) -> u64 {
        self.lag(ring).unwrap_or(0).min(self.shape.capacity)
    }

    /// Claims the slots of at most `wanted` messages of a lossy ring, whether receivers have finished the
    /// older messages in them or not. Returns the number of slots.
    #[inline]
    fn overwrite(&mut self, ring: &impl Ring, wanted: u64) -> u64 {
        // A batch overwrites at most a quarter of the ring, so that receivers that are a little behind miss
        // no message.
        let count = if wanted == 1 { 1 } else { wanted.min((self.shape.capacity / 4).max(1)) };
        if !self.shape.is_pooled() {
            for number in (0..count).map(|index| self.next.wrapping_add(index)) {
                let word = ring.word(self.shape.slot(number));
                word.store(self.shape.writing(number), Ordering::Relaxed);
            }
            // Release: pairs with the Acquire fence in `Consumer::overwritten`. A receiver that copies a byte of
            // a new message then finds the words above.
            fence(Ordering::Release);
        }
        count
    }

    /// Takes a chunk for the next message, for which the caller has found a slot. Returns the number of
    /// messages that can be written, which is 1.
    ///
    /// # Errors
    ///
    /// `Corrupted` if no chunk is free. There is one chunk more than the ring and all receivers can use
    /// together, so another program has changed the words of the receivers.
    #[inline]
    fn claim_chunk(&mut self, ring: &impl Ring) -> Result<u64, Corrupted> {
        let Some(pool) = &mut self.pool else { return Ok(0) };
        if self.shape.is_lossy && (self.is_eager || !pool.has_free()) {
            // SeqCst: pairs with the fence in `Consumer::pin`. Either this sender finds the pin, or the
            // receiver finds that its message was overwritten.
            fence(Ordering::SeqCst);
            // Load each pin once. A receiver that moves its pin meanwhile would otherwise count for two
            // chunks, and no chunk might seem free.
            let lines = ring.lines();
            let mut pins = [0; MAX_RECEIVERS];
            for (pin, line) in pins.iter_mut().zip(lines) {
                // Acquire: the receiver's copies come before this producer's writes into the chunk.
                *pin = line.pin.load(Ordering::Acquire);
            }
            let pins = &pins[..lines.len().min(MAX_RECEIVERS)];
            pool.free_retired(|chunk| pins.contains(&(u64::from(chunk) + 1)));
        }
        pool.lend().map(|_| 1).ok_or(Corrupted)
    }

    /// Publishes the claimed messages, whose payloads the caller has written.
    #[inline]
    pub(super) fn publish(&mut self, ring: &impl Ring, count: u64) {
        fault::point("broadcast-before-publish");
        if count == 1 {
            self.store_word(ring, 0);
        } else if self.shape.is_lossy {
            (0..count).for_each(|index| self.store_word(ring, index));
        } else {
            // The first word is stored last, so that a receiver finds the whole batch or nothing.
            for index in (0..count).rev() {
                self.store_word(ring, index);
                if index + 1 == count {
                    fault::point("broadcast-in-batch");
                }
            }
        }
        fault::point("broadcast-after-publish");
        self.next = self.next.wrapping_add(count);
        // Release: a receiver that begins at this number finds the words before it.
        ring.sent().store(self.next, Ordering::Release);
    }

    #[inline]
    fn store_word(&mut self, ring: &impl Ring, index: u64) {
        let number = self.next.wrapping_add(index);
        let slot = self.shape.slot(number);
        let chunk = match &mut self.pool {
            #[allow(clippy::cast_possible_truncation, reason = "a slot's number, which fits")]
            Some(pool) => pool.enter(slot as usize),
            None => 0,
        };
        let word: &AtomicU64 = ring.word(slot);
        // Release: publishes the payload to the Acquire in `Consumer::look`.
        word.store(self.shape.published(number, chunk), Ordering::Release);
    }
}

/// Returns the pool of a ring whose next message has number `next`.
fn find_pool(ring: &impl Ring, shape: Shape, next: u64) -> Result<Pool, Corrupted> {
    let first = next.saturating_sub(shape.capacity);
    let used = (first..next).rev().filter_map(|number| {
        let slot = shape.slot(number);
        let word = ring.word(slot).load(Ordering::Relaxed);
        shape.has(word, number).then(|| (usize::try_from(slot).unwrap_or(0), Shape::chunk(word)))
    });
    let slots = usize::try_from(shape.capacity).map_err(|_| Corrupted)?;
    let mut pool = Pool::new(shape.chunks, slots, first, used).ok_or(Corrupted)?;
    if !shape.is_lossy {
        pool.free_retired(|_| false);
    }
    Ok(pool)
}

/// Returns whether a process, alive or dead, has the receiver of this line. It has not if the receiver was
/// dropped.
fn is_counted(line: &Line) -> bool {
    matches!(line.place.occupant(), Occupant::Seat(_))
}
