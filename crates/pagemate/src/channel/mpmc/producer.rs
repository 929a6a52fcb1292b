use super::ring::{Ring, Run, after, distance, lap, load, repair, replace, steps};
use super::word::{LONGEST_RUN, State, Word};
use crate::channel::error::Corrupted;
use crate::primitive::{Ordering, spin_loop};
use crate::sys::fault;

/// If several producers are active, each stores the hint in the header only at multiples of this position.
pub(super) const HINT_EVERY: u64 = 32;

/// The number of attempts to claim a slot in one call. An attempt fails if another endpoint claims the slot
/// first.
pub(super) const TRIES: u32 = 1024;

/// The number of times that a producer tests a full ring for several free slots. After that it takes a single
/// free slot.
const LOOKS: u32 = 64;

/// The number of slots that an endpoint loads into the cache at once.
pub(super) const AHEAD: u64 = 8;

/// The sending side of a ring.
#[derive(Debug)]
#[allow(unreachable_pub, reason = "a type of a public trait that only this crate can name")]
pub struct Producer {
    seat: u32,
    /// All positions before this one were claimed.
    next: u64,
    run: Run,
    /// Whether other producers claimed slots lately.
    has_rivals: bool,
    /// Whether the next slot is probably free. A claim then tries the exchange without loading the word
    /// first, which saves one transfer of the cache line between processors.
    expects_room: bool,
    /// Whether the consumers are so far behind that this producer can load the next slots into its cache
    /// without taking them away from a consumer.
    has_distance: bool,
}

/// The content of the slot at the next position of a producer.
enum Found {
    /// The slot is free.
    Free,
    /// The slot has a message of the lap before. The ring is full.
    Used,
    /// All positions before this one were claimed.
    Claimed(u64),
}

impl Producer {
    pub(in crate::channel) fn join(ring: &impl Ring, seat: u32) -> Producer {
        let next = ring.sent().load(Ordering::Acquire);
        Producer {
            seat,
            next,
            run: Run::default(),
            has_rivals: false,
            expects_room: false,
            has_distance: false,
        }
    }

    /// Claims at most `wanted` slots, and returns their number. 0 means that the ring is full.
    #[inline]
    pub(in crate::channel) fn claim(
        &mut self,
        ring: &impl Ring,
        wanted: u64,
    ) -> Result<u64, Corrupted> {
        if self.run.len > 0 {
            // The program has forgotten a loan.
            self.publish(ring, 0);
        }
        if self.expects_room && wanted == 1 && self.try_claim(ring, 1) {
            return Ok(1);
        }
        self.has_rivals = false;
        for _ in 0..TRIES {
            if !self.find(ring)? && !self.wait_for_distance(ring)? {
                self.expects_room = false;
                return Ok(0);
            }
            let len = if wanted > 1 { self.count_free(ring, wanted) } else { 1 };
            if self.try_claim(ring, len) {
                self.expects_room = true;
                return Ok(len);
            }
        }
        Ok(0)
    }

    /// Claims a run of slots. Fails if the first one is not free.
    #[inline]
    fn try_claim(&mut self, ring: &impl Ring, len: u64) -> bool {
        if self.next.is_multiple_of(AHEAD) && !self.has_rivals {
            self.prefetch(ring);
        }
        ring.prefetch_to_write(self.next);
        let lap = lap(ring, self.next);
        let word = Word::writing(lap, self.seat, len);
        let claimed = replace(ring, self.next, Word::empty(lap), word);
        if claimed {
            self.run = Run { first: self.next, len };
            fault::point("mpmc-before-write");
        }
        claimed
    }

    /// Waits for a moment until several slots are free, and returns whether one is. A producer that takes
    /// each slot as soon as it is free takes the line away from the consumer that frees the next one.
    #[cold]
    fn wait_for_distance(&mut self, ring: &impl Ring) -> Result<bool, Corrupted> {
        if ring.count() >= 2 * HINT_EVERY {
            let ahead = self.next.wrapping_add(2 * AHEAD);
            for _ in 0..LOOKS {
                if load(ring, ahead) == Word::empty(lap(ring, ahead)) {
                    break;
                }
                spin_loop();
            }
        }
        self.find(ring)
    }

    /// Loads some of the next slots into the cache at once. A compare-exchange waits until its line has come
    /// from the other processor, so that without this the lines come one by one.
    fn prefetch(&mut self, ring: &impl Ring) {
        if self.next.is_multiple_of(HINT_EVERY) {
            // Do not prefetch if consumers work on slots nearby, or if the free slots end soon: it would take
            // cache lines away from the consumers.
            let behind = self.next.wrapping_sub(AHEAD);
            let ahead = self.next.wrapping_add(HINT_EVERY + 2 * AHEAD);
            self.has_distance = ring.count() >= 2 * HINT_EVERY
                && load(ring, behind) == Word::full(lap(ring, behind))
                && load(ring, ahead) == Word::empty(lap(ring, ahead));
        }
        if !self.has_distance {
            return;
        }
        for index in AHEAD..2 * AHEAD {
            let position = self.next.wrapping_add(index);
            ring.prefetch_word(position);
            ring.prefetch_to_write(position);
        }
    }

    /// Returns the position of a slot of the claim.
    #[inline]
    pub(in crate::channel) fn position(&self, index: u64) -> u64 {
        self.run.first.wrapping_add(index)
    }

    /// Publishes the first `count` messages of the claim, and gives up its other slots.
    #[inline]
    pub(in crate::channel) fn publish(&mut self, ring: &impl Ring, count: u64) {
        fault::point("mpmc-before-publish");
        self.run.publish(ring, count);
        fault::point("mpmc-after-publish");
        self.next = self.run.first.wrapping_add(self.run.len);
        if !self.has_rivals || self.next.is_multiple_of(HINT_EVERY) {
            // Release: a new producer finds words that are at least as new as the hint.
            ring.sent().store(self.next, Ordering::Release);
        }
        self.run = Run::default();
    }

    /// Returns whether there is a free slot.
    #[inline]
    pub(in crate::channel) fn is_ready(&mut self, ring: &impl Ring) -> Result<bool, Corrupted> {
        self.find(ring)
    }

    /// Returns whether the slot behind the claim is free.
    pub(in crate::channel) fn has_more(&self, ring: &impl Ring) -> bool {
        let next = self.run.first.wrapping_add(self.run.len);
        load(ring, next) == Word::empty(lap(ring, next))
    }

    /// Stores the position for the next new producer.
    pub(in crate::channel) fn leave(&mut self, ring: &impl Ring) {
        self.run.free(ring);
        self.run = Run::default();
        if self.next > ring.sent().load(Ordering::Relaxed) {
            ring.sent().store(self.next, Ordering::Release);
        }
    }

    /// Repairs the slots of dead processes that keep the ring full. Returns whether there were any.
    pub(in crate::channel) fn repair<E>(
        &mut self,
        ring: &impl Ring,
        mut is_alive: impl FnMut(u32) -> Result<bool, E>,
    ) -> Result<bool, E> {
        match self.find(ring) {
            Ok(false) => {}
            Ok(true) | Err(Corrupted) => return Ok(false),
        }
        let mut repaired = false;
        let mut position = self.next.saturating_sub(ring.count());
        // Receivers claim messages in order: they have no slot behind the first full one.
        while position < self.next {
            let word = load(ring, position);
            if word == Word::full(lap(ring, position)) {
                break;
            }
            repaired |= repair(ring, position, self.seat, &mut is_alive)?;
            position = after(ring, position, word);
        }
        Ok(repaired)
    }

    /// Walks to the first position that is not claimed. Returns whether its slot is free.
    #[inline]
    fn find(&mut self, ring: &impl Ring) -> Result<bool, Corrupted> {
        let lap = lap(ring, self.next);
        if load(ring, self.next) == Word::empty(lap) { Ok(true) } else { self.walk(ring) }
    }

    #[cold]
    fn walk(&mut self, ring: &impl Ring) -> Result<bool, Corrupted> {
        for step in 0..steps(ring) {
            match self.look(ring) {
                Ok(Found::Free) => return Ok(true),
                Ok(Found::Used) => return Ok(false),
                Ok(Found::Claimed(next)) => {
                    self.next = next;
                    self.has_rivals = true;
                }
                // The word has the lap modulo 2^32. If this process was stopped for billions of laps, the
                // word seems wrong, and the hint leads to the right position.
                Err(Corrupted) if self.follow_hint(ring) => {}
                Err(Corrupted) => return Err(Corrupted),
            }
            if step == HINT_EVERY {
                self.follow_hint(ring);
            }
        }
        Ok(false)
    }

    fn look(&self, ring: &impl Ring) -> Result<Found, Corrupted> {
        let lap = lap(ring, self.next);
        let word = load(ring, self.next);
        let state = word.state().ok_or(Corrupted)?;
        match (word.laps_ahead_of(lap), state) {
            (0, State::Empty) if word == Word::empty(lap) => Ok(Found::Free),
            (0, State::Writing) if word.run() <= ring.count() => Ok(self.claimed(word.run())),
            (0, State::Full | State::Reading | State::Done) => Ok(self.claimed(1)),
            (-1, State::Writing | State::Full | State::Reading | State::Done) => Ok(Found::Used),
            // A receiver freed the slot in a later lap. So the messages of all laps before that one were
            // sent.
            (laps @ 1.., State::Empty) => {
                Ok(self.claimed(distance(ring, laps).wrapping_sub(ring.count()).wrapping_add(1)))
            }
            (laps @ 1.., State::Writing) => {
                Ok(self.claimed(distance(ring, laps).wrapping_add(word.run())))
            }
            (laps @ 1.., _) => Ok(self.claimed(distance(ring, laps).wrapping_add(1))),
            _ => Err(Corrupted),
        }
    }

    fn claimed(&self, count: u64) -> Found {
        Found::Claimed(self.next.wrapping_add(count))
    }

    /// Continues at the position of the hint, if that is ahead of this producer. Returns whether it is.
    fn follow_hint(&mut self, ring: &impl Ring) -> bool {
        let hint = ring.sent().load(Ordering::Acquire);
        let is_ahead = hint > self.next;
        if is_ahead {
            self.next = hint;
        }
        is_ahead
    }

    /// Returns how many slots are free from the next one on, which the caller found free.
    fn count_free(&self, ring: &impl Ring, wanted: u64) -> u64 {
        let most = wanted.min(LONGEST_RUN).min(ring.count());
        let is_free = |index: &u64| {
            let position = self.next.wrapping_add(*index);
            load(ring, position) == Word::empty(lap(ring, position))
        };
        1 + (1..most).take_while(is_free).count() as u64
    }
}
