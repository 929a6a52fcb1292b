//! The protocol of the ring: any number of producers and consumers, each of which may die at any step.
//!
//! Producers claim positions in order, and so do consumers. There is no shared position: an endpoint
//! keeps a guess, and walks over the slots that others have claimed. So these rules hold:
//!
//! - All positions before a claimed one were claimed, by producers and by consumers alike. Only a message
//!   that is delivered again is claimed out of order.
//! - A guess is never above the first position that is not claimed.
//! - A run is claimed by one step, in the word of its first slot. Its owner stores the words of its slots
//!   from the last one to the first one, so that no other endpoint finds a part of it.
//!
//! One producer's messages are therefore in its order in the ring, and every consumer takes messages
//! in the order of the ring. `word.rs` has the states of a slot.
//!
//! A process that finds a run of a dead process first replaces the seat in the word of the first slot by its
//! own. It then owns the run, so that a death during the repair is repaired in the same way.

use super::word::{State, Word};
use crate::channel::error::Corrupted;
use crate::primitive::{AtomicU64, Ordering};
use crate::sys::fault;

/// The memory of a ring.
pub(in crate::channel) trait Ring {
    /// Returns the number of slots, a power of two.
    fn count(&self) -> u64;

    /// Returns the word of the slot at this position.
    fn word(&self, position: u64) -> &AtomicU64;

    /// Loads the first lines of the slot at this position into the cache, to write them.
    fn prefetch(&self, position: u64) {
        _ = position;
    }

    /// Returns the hint of the senders: senders have claimed all positions before it. New senders begin
    /// there, and lists show it.
    fn sent(&self) -> &AtomicU64;

    /// Returns the same hint of the receivers.
    fn received(&self) -> &AtomicU64;

    /// Returns the number of times that messages were returned to the ring.
    fn returns(&self) -> &AtomicU64;
}

/// The functions of a producer and a consumer that have the same form on both sides of a ring.
pub(in crate::channel) trait RingSide: Sized {
    /// Returns a new side for the process with `seat`. It begins at the hint.
    fn join(ring: &impl Ring, seat: u32) -> Self;

    /// Ends the claim, and stores the position for the next new side.
    fn leave(&mut self, ring: &impl Ring);

    /// Claims at most `wanted` slots, and returns their number. 0 means that the ring is full for a producer, and
    /// empty for a consumer.
    fn claim(&mut self, ring: &impl Ring, wanted: u64) -> Result<u64, Corrupted>;

    /// Returns the position of a slot of the claim.
    fn position(&self, index: u64) -> u64;

    /// Gives up the slots of the claim, or returns its messages to the ring.
    fn abandon(&mut self, ring: &impl Ring);

    /// Returns whether a claim would find a slot.
    fn is_ready(&mut self, ring: &impl Ring) -> Result<bool, Corrupted>;

    /// Returns whether there is a slot for another claim behind this one.
    fn has_more(&self, ring: &impl Ring) -> bool;

    /// Repairs the runs of dead processes that this side waits for or can use. Returns whether there were any.
    fn repair<E>(
        &mut self,
        ring: &impl Ring,
        is_alive: impl FnMut(u32) -> Result<bool, E>,
    ) -> Result<bool, E>;
}

/// The limit of the words that an endpoint loads in one call is this number for each slot, and
/// [`MORE_STEPS`]. Correct endpoints that are faster stay below it. It ends the loop if another program keeps
/// changing the words.
const STEPS_PER_SLOT: u64 = 4;
const MORE_STEPS: u64 = 4096;

/// Returns the greatest number of words that an endpoint loads in one call.
pub(super) fn steps(ring: &impl Ring) -> u64 {
    ring.count().saturating_mul(STEPS_PER_SLOT).saturating_add(MORE_STEPS)
}

/// Returns the lap of a position.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "laps are counted modulo 2^32")]
pub(super) fn lap(ring: &impl Ring, position: u64) -> u32 {
    (position >> ring.count().trailing_zeros()) as u32
}

#[inline]
pub(super) fn load(ring: &impl Ring, position: u64) -> Word {
    // Acquire: the payload, which the Release in `store` publishes.
    Word(ring.word(position).load(Ordering::Acquire))
}

/// Stores the word of a slot that this endpoint owns.
#[inline]
fn store(ring: &impl Ring, position: u64, word: Word) {
    // Release: the copies of this endpoint come before those of the next owner of the slot.
    ring.word(position).store(word.0, Ordering::Release);
}

/// Replaces the word of a slot. Returns whether it was `seen`.
#[inline]
pub(super) fn replace(ring: &impl Ring, position: u64, seen: Word, word: Word) -> bool {
    // Acquire: the copies of the last owner of the slot come before those of this endpoint. Release: an
    // endpoint that walks over this slot finds words of the next one that are at least as new.
    let (success, failure) = (Ordering::AcqRel, Ordering::Relaxed);
    ring.word(position).compare_exchange(seen.0, word.0, success, failure).is_ok()
}

/// Returns how many laps of the ring the word at `position` is ahead, as a number of positions.
pub(super) fn distance(ring: &impl Ring, laps: i32) -> u64 {
    u64::from(laps.cast_unsigned()).wrapping_mul(ring.count())
}

/// A run of slots that an endpoint owns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) first: u64,
    pub(super) len: u64,
}

impl Run {
    /// Stores the words of the slots from the last one to the first one.
    #[inline]
    fn store(self, ring: &impl Ring, word: impl Fn(u64, u32) -> Word) {
        for index in (0..self.len).rev() {
            let position = self.first.wrapping_add(index);
            store(ring, position, word(index, lap(ring, position)));
            if index + 1 == self.len && index > 0 {
                fault::point("mpmc-in-run");
            }
        }
    }

    /// Publishes the first `count` messages of a run that this producer wrote. Gives up the other slots,
    /// which receivers skip.
    #[inline]
    pub(super) fn publish(self, ring: &impl Ring, count: u64) {
        self.store(ring, |index, lap| {
            if index < count { Word::full(lap) } else { Word::empty(lap.wrapping_add(1)) }
        });
    }

    /// Frees the slots of a run whose messages this consumer has copied.
    #[inline]
    pub(super) fn finish(self, ring: &impl Ring, seat: u32) {
        if self.len > 1 {
            // One step finishes all the messages.
            store(ring, self.first, Word::done(lap(ring, self.first), seat, self.len));
        }
        self.free(ring);
    }

    /// Stores that the slots are free for the next lap.
    #[inline]
    pub(super) fn free(self, ring: &impl Ring) {
        self.store(ring, |_, lap| Word::empty(lap.wrapping_add(1)));
    }

    /// Makes the messages of a run that a consumer has not finished available again.
    pub(super) fn give_back(self, ring: &impl Ring) {
        self.store(ring, |_, lap| Word::redelivered(lap));
        fault::point("mpmc-before-return");
        // Release: a consumer that finds the new number finds the words.
        ring.returns().fetch_add(1, Ordering::Release);
    }
}

/// Repairs the run that begins at `position`, if its owner is dead. Returns false if the slot has no dead
/// owner, or if another process repairs it.
pub(super) fn repair<E>(
    ring: &impl Ring,
    position: u64,
    seat: u32,
    is_alive: &mut impl FnMut(u32) -> Result<bool, E>,
) -> Result<bool, E> {
    let word = load(ring, position);
    let Some(state @ (State::Writing | State::Reading | State::Done)) = word.state() else {
        return Ok(false);
    };
    let run = Run { first: position, len: word.run() };
    if run.len > ring.count()
        || word.lap() != lap(ring, position)
        || is_alive(word.seat())?
        || !replace(ring, position, word, word.of_seat(seat))
    {
        return Ok(false);
    }
    fault::point("mpmc-in-repair");
    match state {
        State::Writing => run.free(ring),
        State::Reading => run.give_back(ring),
        _ => run.finish(ring, seat),
    }
    Ok(true)
}

/// Returns the position behind the slot with this word, or behind the run that begins there.
pub(super) fn after(ring: &impl Ring, position: u64, word: Word) -> u64 {
    let is_run = word.lap() == lap(ring, position)
        && matches!(word.state(), Some(State::Writing | State::Reading | State::Done));
    // Another program may have changed the positions, so that they are about to wrap around.
    position.saturating_add(if is_run { word.run() } else { 1 })
}

/// Returns the first position from `unfinished` up to `next` that may have a message that is not finished. All
/// positions before `next` were claimed, and the messages before `unfinished` are finished.
pub(super) fn skip_finished(ring: &impl Ring, unfinished: u64, next: u64) -> u64 {
    let mut position = unfinished.clamp(next.saturating_sub(ring.count()), next);
    while position < next && load(ring, position).laps_ahead_of(lap(ring, position)) > 0 {
        position += 1;
    }
    position
}

/// Returns how many slots have a message that is not finished.
pub(super) fn count_messages(ring: &impl Ring) -> u64 {
    let has_message =
        |slot: &u64| matches!(load(ring, *slot).state(), Some(State::Full | State::Reading));
    (0..ring.count()).filter(has_message).count() as u64
}
