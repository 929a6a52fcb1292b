//! The chunks of a ring with large messages, from the sender's side.
//!
//! A message lies in a chunk, and the slot of the ring names the chunk. So the sender can use a chunk again
//! as soon as all receivers have finished its message, even if the ring is not full. It can also spare a
//! chunk that a receiver has pinned, even if the ring is full. The chunk that was freed last is used first,
//! because it is most likely still in the cache.
//!
//! The lists of free and retired chunks belong to the sender alone. Its successor finds them by the words
//! of the ring.

/// The chunks, by their numbers.
#[derive(Debug)]
pub(super) struct Pool {
    /// The chunk of each slot of the ring.
    ring: Box<[u32]>,
    free: Vec<u32>,
    /// The chunks of overwritten messages. Receivers may have pinned some of them.
    retired: Vec<u32>,
    /// The chunk that the sender writes to.
    pub(super) loan: Option<u32>,
    /// The number of the first message whose chunk is in use.
    kept: u64,
}

/// The mark of a slot that has no chunk.
const NONE: u32 = u32::MAX;

impl Pool {
    /// Returns the pool of a ring whose slots have messages from `kept` on in the chunks `used`, each with
    /// its slot, the newest message first. `None` if a chunk does not exist.
    pub(super) fn new(
        chunks: u32,
        slots: usize,
        kept: u64,
        used: impl Iterator<Item = (usize, u32)>,
    ) -> Option<Pool> {
        let mut ring = vec![NONE; slots].into_boxed_slice();
        let mut is_used = vec![false; chunks as usize];
        for (slot, chunk) in used {
            let is_used = is_used.get_mut(chunk as usize)?;
            // If two slots name the same chunk, the newer message has it. The sender reused the chunk after
            // all receivers had finished the older message.
            if !std::mem::replace(is_used, true) {
                ring[slot] = chunk;
            }
        }
        // Both lists have room for all chunks, so that they never allocate.
        let mut retired = Vec::with_capacity(chunks as usize);
        retired.extend((0..chunks).rev().filter(|chunk| !is_used[*chunk as usize]));
        Some(Pool { ring, free: Vec::with_capacity(chunks as usize), retired, loan: None, kept })
    }

    /// Returns whether a chunk is free.
    pub(super) fn has_free(&self) -> bool {
        !self.free.is_empty()
    }

    /// Frees the chunks of the messages before `number`, which all receivers have finished.
    pub(super) fn free_before(&mut self, number: u64) {
        let mask = self.ring.len() - 1;
        if number.wrapping_sub(self.kept) > self.ring.len() as u64 {
            // A new receiver has not stored its cursor yet.
            return;
        }
        while self.kept != number {
            #[allow(clippy::cast_possible_truncation, reason = "a slot's number, which fits")]
            let slot = self.kept as usize & mask;
            let chunk = std::mem::replace(&mut self.ring[slot], NONE);
            if chunk != NONE {
                self.free.push(chunk);
            }
            self.kept = self.kept.wrapping_add(1);
        }
    }

    /// Frees the retired chunks for which `is_held` is false.
    pub(super) fn free_retired(&mut self, is_held: impl Fn(u32) -> bool) {
        let free = &mut self.free;
        self.retired.retain(|chunk| {
            let stays = is_held(*chunk);
            if !stays {
                free.push(*chunk);
            }
            stays
        });
    }

    /// Takes the chunk that was freed last, for the next message.
    pub(super) fn lend(&mut self) -> Option<u32> {
        self.loan = self.loan.or_else(|| self.free.pop());
        self.loan
    }

    /// Records that a slot of the ring has the lent chunk, and returns that chunk.
    pub(super) fn enter(&mut self, slot: usize) -> u32 {
        let chunk = self.loan.take().expect("`lend` comes before");
        let old = std::mem::replace(&mut self.ring[slot], chunk);
        if old != NONE {
            self.retired.push(old);
        }
        chunk
    }
}
