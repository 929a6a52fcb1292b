use super::ring::{
    Ring, RingSide, Run, after, distance, lap, load, repair, replace, skip_finished, steps,
};
use super::word::{LONGEST_RUN, State, Word};
use crate::channel::distance::Distance;
use crate::channel::error::Corrupted;
use crate::primitive::Ordering;
use crate::sys::fault;

/// If several producers are active, each stores the hint in the header only at multiples of this position.
pub(super) const HINT_EVERY: u64 = 32;

/// The number of attempts to claim a slot in one call. An attempt fails if another endpoint claims the slot
/// first.
pub(super) const TRIES: u32 = 1024;

/// The sending side of a ring.
#[derive(Debug)]
#[allow(unreachable_pub, reason = "a type of a public trait that only this crate can name")]
pub struct Producer {
    seat: u32,
    /// All positions before this one were claimed.
    next: u64,
    /// All messages before this position were finished.
    unfinished: u64,
    run: Run,
    /// Whether other producers claimed slots lately.
    has_rivals: bool,
    /// Whether the last claim found the ring full.
    was_full: bool,
    distance: Distance,
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

impl RingSide for Producer {
    fn join(ring: &impl Ring, seat: u32) -> Producer {
        let next = ring.sent().load(Ordering::Acquire);
        Producer {
            seat,
            next,
            unfinished: next.saturating_sub(ring.count()),
            run: Run::default(),
            has_rivals: false,
            was_full: false,
            distance: Distance::default(),
        }
    }

    #[inline]
    fn claim(&mut self, ring: &impl Ring, wanted: u64) -> Result<u64, Corrupted> {
        if self.run.len > 0 {
            // The program has forgotten a loan.
            self.publish(ring, 0);
        }
        // The next slot is probably free. The exchange without a load before it saves one transfer of the line.
        if !self.was_full && wanted == 1 && self.try_claim(ring, 1) {
            return Ok(1);
        }
        self.has_rivals = false;
        for _ in 0..TRIES {
            if !self.find(ring)? {
                self.was_full = true;
                return Ok(0);
            }
            if self.was_full {
                self.keep_distance(ring);
            }
            let len = if wanted > 1 { self.count_free(ring, wanted) } else { 1 };
            if self.try_claim(ring, len) {
                return Ok(len);
            }
        }
        Ok(0)
    }

    #[inline]
    fn position(&self, index: u64) -> u64 {
        self.run.first.wrapping_add(index)
    }

    #[inline]
    fn is_ready(&mut self, ring: &impl Ring) -> Result<bool, Corrupted> {
        self.find(ring)
    }

    fn has_more(&self, ring: &impl Ring) -> bool {
        let next = self.run.first.wrapping_add(self.run.len);
        is_free(ring, next)
    }

    fn leave(&mut self, ring: &impl Ring) {
        self.run.free(ring);
        self.run = Run::default();
        if self.next > ring.sent().load(Ordering::Relaxed) {
            ring.sent().store(self.next, Ordering::Release);
        }
    }

    /// Repairs the slots of dead processes that keep the ring full. Returns whether there were any.
    fn repair<E>(
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

    fn abandon(&mut self, ring: &impl Ring) {
        self.publish(ring, 0);
    }
}

impl Producer {
    /// Claims a run of slots. Fails if the first one is not free.
    #[inline]
    fn try_claim(&mut self, ring: &impl Ring, len: u64) -> bool {
        let lap = lap(ring, self.next);
        let word = Word::writing(lap, self.seat, len);
        ring.prefetch(self.next);
        let claimed = replace(ring, self.next, Word::empty(lap), word);
        if claimed {
            self.run = Run { first: self.next, len };
            fault::point("mpmc-before-write");
        }
        claimed
    }

    /// Lets more slots become free after the ring was full.
    #[cold]
    fn keep_distance(&mut self, ring: &impl Ring) {
        self.was_full = false;
        if !self.has_rivals {
            let next = self.next;
            self.distance.keep(ring.count(), |behind| is_free(ring, next.wrapping_add(behind)));
        }
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

    /// Returns whether a message that was sent is not finished. While the first such message stays, this looks at
    /// few words only.
    pub(in crate::channel) fn has_unfinished(&mut self, ring: &impl Ring) -> bool {
        // Other producers may have claimed more slots. A wrong word among them does not concern the messages
        // before it.
        _ = self.find(ring);
        self.unfinished = skip_finished(ring, self.unfinished, self.next);
        let mut position = self.unfinished;
        while position < self.next {
            let word = load(ring, position);
            if matches!(word.state(), Some(State::Full | State::Reading))
                && word.lap() == lap(ring, position)
            {
                return true;
            }
            position = after(ring, position, word);
        }
        false
    }

    /// Walks to the first position that is not claimed. Returns whether its slot is free.
    #[inline]
    fn find(&mut self, ring: &impl Ring) -> Result<bool, Corrupted> {
        if is_free(ring, self.next) { Ok(true) } else { self.walk(ring) }
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
        let is_free = |index: &u64| is_free(ring, self.next.wrapping_add(*index));
        1 + (1..most).take_while(is_free).count() as u64
    }
}

/// Returns whether the slot at `position` is free.
#[inline]
fn is_free(ring: &impl Ring, position: u64) -> bool {
    load(ring, position) == Word::empty(lap(ring, position))
}
