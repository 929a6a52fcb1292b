use super::producer::{HINT_EVERY, TRIES};
use super::ring::{
    Ring, RingSide, Run, after, distance, lap, load, repair, replace, skip_finished, steps,
};
use super::word::{LONGEST_RUN, State, Word};
use crate::channel::distance::Distance;
use crate::channel::error::Corrupted;
use crate::primitive::Ordering;
use crate::sys::fault;

/// The receiving side of a ring.
#[derive(Debug)]
#[allow(unreachable_pub, reason = "a type of a public trait that only this crate can name")]
#[allow(clippy::struct_excessive_bools, reason = "independent facts, not states")]
pub struct Consumer {
    seat: u32,
    /// All positions before this one were claimed.
    next: u64,
    /// The messages at all positions before this one were finished.
    unfinished: u64,
    /// The number of returns when this consumer last looked for messages that were returned.
    returns: u64,
    run: Run,
    is_redelivered: bool,
    /// Whether other consumers claimed messages lately.
    has_rivals: bool,
    /// Whether this consumer has not looked yet for messages that dead consumers had before it came.
    is_new: bool,
    /// Whether the last claim found the ring empty.
    was_empty: bool,
    distance: Distance,
}

/// The content of the slot at the next position of a consumer.
enum Found {
    /// A message, in a slot with this word.
    Message(Word),
    /// The slot has no message yet.
    Nothing,
    /// All positions before this one were claimed.
    Claimed(u64),
}

impl RingSide for Consumer {
    fn join(ring: &impl Ring, seat: u32) -> Consumer {
        let next = ring.received().load(Ordering::Acquire);
        Consumer {
            seat,
            next,
            unfinished: next.saturating_sub(ring.count()),
            // No number of returns, so that the first claim looks for messages that were returned.
            returns: u64::MAX,
            run: Run::default(),
            is_redelivered: false,
            has_rivals: false,
            is_new: true,
            was_empty: false,
            distance: Distance::default(),
        }
    }

    #[inline]
    fn claim(&mut self, ring: &impl Ring, wanted: u64) -> Result<u64, Corrupted> {
        if self.run.len > 0 {
            // The program has forgotten a sample.
            self.abandon(ring);
        }
        if self.is_new {
            // Messages of dead consumers come first: they are older.
            if self.claim_returned(ring) > 0 {
                return Ok(1);
            }
            self.is_new = false;
        }
        // The next message is probably there: see the same place in the producer.
        if !self.was_empty
            && wanted == 1
            && self.try_claim(ring, self.next, Word::full(lap(ring, self.next)), 1)
        {
            return Ok(1);
        }
        self.has_rivals = false;
        for _ in 0..TRIES {
            let Some(word) = self.find(ring)? else {
                self.was_empty = true;
                return Ok(self.claim_returned(ring));
            };
            if self.was_empty {
                self.keep_distance(ring);
            }
            let len = if wanted > 1 { self.count_messages(ring, word, wanted) } else { 1 };
            if self.try_claim(ring, self.next, word, len) {
                return Ok(len);
            }
        }
        Ok(0)
    }

    #[inline]
    fn position(&self, index: u64) -> u64 {
        self.run.first.wrapping_add(index)
    }

    fn abandon(&mut self, ring: &impl Ring) {
        self.run.give_back(ring);
        self.run = Run::default();
    }

    #[inline]
    fn is_ready(&mut self, ring: &impl Ring) -> Result<bool, Corrupted> {
        Ok(self.find(ring)?.is_some() || self.find_returned(ring).is_some())
    }

    fn has_more(&self, ring: &impl Ring) -> bool {
        let next = self.run.first.wrapping_add(self.run.len).max(self.next);
        is_full(ring, next) || self.has_returns(ring)
    }

    fn leave(&mut self, ring: &impl Ring) {
        if self.run.len > 0 {
            self.abandon(ring);
        }
        if self.next > ring.received().load(Ordering::Relaxed) {
            ring.received().store(self.next, Ordering::Release);
        }
    }

    /// Repairs the slots whose owners are dead: the one that this consumer waits for, and those of
    /// consumers. Returns whether there were any.
    fn repair<E>(
        &mut self,
        ring: &impl Ring,
        mut is_alive: impl FnMut(u32) -> Result<bool, E>,
    ) -> Result<bool, E> {
        let mut repaired = false;
        while let Ok(None) = self.find(ring)
            && repair(ring, self.next, self.seat, &mut is_alive)?
        {
            repaired = true;
        }
        let mut position = self.skip_finished(ring);
        while position < self.next {
            repaired |= repair(ring, position, self.seat, &mut is_alive)?;
            let word = load(ring, position);
            if word == Word::redelivered(lap(ring, position)) {
                // The process that returned the message may have died before it incremented the number of
                // returns. So look for returned messages at the next claim.
                self.returns = u64::MAX;
            }
            position = after(ring, position, word);
        }
        Ok(repaired)
    }
}

impl Consumer {
    /// Claims a run of messages. Fails if another consumer was faster.
    #[inline]
    fn try_claim(&mut self, ring: &impl Ring, first: u64, word: Word, len: u64) -> bool {
        ring.prefetch(first);
        let claimed = replace(ring, first, word, word.reading(self.seat, len));
        if claimed {
            self.run = Run { first, len };
            self.is_redelivered = word.is_redelivered();
            fault::point("mpmc-before-read");
        }
        claimed
    }

    /// Lets more messages come after the ring was empty.
    #[cold]
    fn keep_distance(&mut self, ring: &impl Ring) {
        self.was_empty = false;
        if !self.has_rivals {
            let next = self.next;
            self.distance.keep(ring.count(), |behind| is_full(ring, next.wrapping_add(behind)));
        }
    }

    /// Returns whether the last claim was a message that a dead receiver had.
    pub(in crate::channel) fn is_redelivered(&self) -> bool {
        self.is_redelivered
    }

    /// Finishes the messages of the claim, which the caller has copied.
    #[inline]
    pub(in crate::channel) fn finish(&mut self, ring: &impl Ring) {
        fault::point("mpmc-before-finish");
        self.run.finish(ring, self.seat);
        fault::point("mpmc-after-finish");
        let end = self.run.first.wrapping_add(self.run.len);
        self.run = Run::default();
        if end <= self.next {
            // A message that was returned.
            return;
        }
        self.next = end;
        if !self.has_rivals || end.is_multiple_of(HINT_EVERY) {
            // Release: a new consumer finds words that are at least as new as the hint.
            ring.received().store(end, Ordering::Release);
        }
    }

    /// Walks to the first position that is not claimed. Returns its word if it has a message.
    #[inline]
    fn find(&mut self, ring: &impl Ring) -> Result<Option<Word>, Corrupted> {
        let word = load(ring, self.next);
        if word == Word::full(lap(ring, self.next)) { Ok(Some(word)) } else { self.walk(ring) }
    }

    #[cold]
    fn walk(&mut self, ring: &impl Ring) -> Result<Option<Word>, Corrupted> {
        for step in 0..steps(ring) {
            match self.look(ring) {
                Ok(Found::Message(word)) => return Ok(Some(word)),
                Ok(Found::Nothing) => return Ok(None),
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
        Ok(None)
    }

    fn look(&self, ring: &impl Ring) -> Result<Found, Corrupted> {
        let lap = lap(ring, self.next);
        let word = load(ring, self.next);
        let claimed = |count: u64| Ok(Found::Claimed(self.next.wrapping_add(count)));
        match (word.laps_ahead_of(lap), word.state().ok_or(Corrupted)?) {
            (0, State::Empty) if word == Word::empty(lap) => Ok(Found::Nothing),
            (0, State::Full) if word == Word::full(lap) || word == Word::redelivered(lap) => {
                Ok(Found::Message(word))
            }
            (0, State::Reading | State::Done) if word.run() <= ring.count() => claimed(word.run()),
            // A producer is writing the message. Or the slot still has the message of the lap before, which
            // another consumer reads or which was returned.
            (0, State::Writing) | (-1, State::Full | State::Reading | State::Done) => {
                Ok(Found::Nothing)
            }
            // A producer claimed the position a lap before this one, although consumers may not have come so
            // far if it gave the slot up. But it comes to no slot twice before consumers have passed all
            // messages between.
            (laps @ 1.., State::Empty) => {
                claimed(distance(ring, (laps - 2).max(0)).wrapping_add(1))
            }
            (laps @ 1.., _) => claimed(distance(ring, laps - 1).wrapping_add(1)),
            _ => Err(Corrupted),
        }
    }

    /// Continues at the position of the hint, if that is ahead of this consumer. Returns whether it is.
    fn follow_hint(&mut self, ring: &impl Ring) -> bool {
        let hint = ring.received().load(Ordering::Acquire);
        let is_ahead = hint > self.next;
        if is_ahead {
            self.next = hint;
        }
        is_ahead
    }

    /// Returns how many messages there are from the next one on, whose word is `word`.
    fn count_messages(&self, ring: &impl Ring, word: Word, wanted: u64) -> u64 {
        // A run begins with a message that no consumer has passed. A returned message may have been passed.
        if word.is_redelivered() {
            return 1;
        }
        let most = wanted.min(LONGEST_RUN).min(ring.count());
        let is_there = |index: &u64| is_full(ring, self.next.wrapping_add(*index));
        1 + (1..most).take_while(is_there).count() as u64
    }

    fn has_returns(&self, ring: &impl Ring) -> bool {
        // Acquire: the words of the messages that were returned.
        ring.returns().load(Ordering::Acquire) != self.returns
    }

    /// Claims one message that was returned, and returns the number of messages that it claimed.
    #[cold]
    fn claim_returned(&mut self, ring: &impl Ring) -> u64 {
        // Another program that changes the words can make each attempt fail.
        for _ in 0..TRIES {
            let Some((position, word)) = self.find_returned(ring) else { break };
            // If another consumer has claimed the message first, its word is a different one now.
            if self.try_claim(ring, position, word, 1) {
                return 1;
            }
        }
        0
    }

    /// Finds the first message that was returned, and its word. If there is none, remembers that.
    #[cold]
    fn find_returned(&mut self, ring: &impl Ring) -> Option<(u64, Word)> {
        let returns = ring.returns().load(Ordering::Acquire);
        if returns == self.returns {
            return None;
        }
        let mut position = self.skip_finished(ring);
        while position < self.next {
            let word = load(ring, position);
            if word == Word::redelivered(lap(ring, position)) {
                return Some((position, word));
            }
            position = after(ring, position, word);
        }
        self.returns = returns;
        None
    }

    /// Returns the first position that may have a message that is not finished.
    fn skip_finished(&mut self, ring: &impl Ring) -> u64 {
        self.unfinished = skip_finished(ring, self.unfinished, self.next);
        self.unfinished
    }
}

/// Returns whether the slot at `position` has a message that no consumer had.
#[inline]
fn is_full(ring: &impl Ring, position: u64) -> bool {
    load(ring, position) == Word::full(lap(ring, position))
}
