//! The place of an endpoint in the header of a channel: the seat of the process that has the endpoint.
//!
//! | Word | Meaning | Left by |
//! |---|---|---|
//! | 0 | no process has had the endpoint yet | `claim` |
//! | a seat | the process with that seat has the endpoint, if it is alive | `leave`; `claim`, if the seat is dead |
//! | a seat and [`JOINING`] | the same; the process has not stored yet where it begins | `complete`; as above |
//! | a seat and [`LEFT`] | the last endpoint was dropped, or is dead and no longer counts | `claim` |

use crate::error::{Error, ErrorKind, Result};
use crate::primitive::{AtomicU32, Ordering};
use crate::sys::fault;

/// Set in a place whose endpoint was dropped. No seat has this bit.
const LEFT: u32 = 1 << 31;

/// The number of attempts to claim a place. An attempt fails if another process has changed the place since it
/// was tested. A correct process changes it twice, so only a hostile one makes all attempts fail.
const TRIES: u32 = 1 << 12;

/// Set in a place whose process has not stored its first position yet. No seat has this bit.
const JOINING: u32 = 1 << 30;

/// The length of a place in bytes.
pub(super) const PLACE_LEN: usize = 8;

/// The place of one endpoint.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Place {
    word: AtomicU32,
    /// The pid of the last process that claimed the place, for lists.
    pid: AtomicU32,
}

/// The state of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occupant {
    /// No process has claimed the place yet.
    None,
    /// The process with this seat, which may be dead.
    Seat(u32),
    /// The endpoint was dropped.
    Left,
}

impl Occupant {
    pub(super) fn of(word: u32) -> Occupant {
        match word {
            0 => Occupant::None,
            word if word & LEFT != 0 => Occupant::Left,
            seat => Occupant::Seat(seat & !JOINING),
        }
    }
}

impl Place {
    /// Returns the state of the place.
    #[inline]
    pub(super) fn occupant(&self) -> Occupant {
        // Acquire: makes the accesses of the endpoint visible that left the place, published by the Release
        // in `leave`.
        Occupant::of(self.word.load(Ordering::Acquire))
    }

    /// Claims the place for the process with `seat`.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if a live process has it. `what` names the endpoint.
    pub(super) fn claim(
        &self,
        seat: u32,
        what: &str,
        is_alive: impl Fn(u32) -> Result<bool>,
    ) -> Result<()> {
        if self.try_claim(seat, is_alive)? {
            return Ok(());
        }
        let pid = self.pid.load(Ordering::Relaxed);
        let cause = format!(
            "process {pid} is its {what} and is alive: a channel of this kind has one {what} at a time"
        );
        Err(Error::new(ErrorKind::AlreadyExists, cause))
    }

    /// Claims the place for the process with `seat`. Returns false if a live process has it.
    pub(super) fn try_claim(
        &self,
        seat: u32,
        is_alive: impl Fn(u32) -> Result<bool>,
    ) -> Result<bool> {
        let mut seen = self.word.load(Ordering::Acquire);
        for _ in 0..TRIES {
            if let Occupant::Seat(owner) = Occupant::of(seen)
                && is_alive(owner)?
            {
                return Ok(false);
            }
            // AcqRel: all accesses of the last endpoint happen before those of this one.
            match self.word.compare_exchange(seen, seat, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => {
                    self.pid.store(std::process::id(), Ordering::Relaxed);
                    fault::point("channel-after-claim");
                    return Ok(true);
                }
                Err(now) => seen = now,
            }
        }
        let cause = "another program changes its places all the time; end the processes that hold it, and \
                     create it again";
        Err(Error::new(ErrorKind::Corrupted, cause))
    }

    /// Returns whether the last process that claimed the place has stored its first position.
    pub(super) fn is_complete(&self) -> bool {
        self.word.load(Ordering::Acquire) & JOINING == 0
    }

    /// Claims the place for the process with `seat` if its state is still `seen`, in which no live process
    /// has it. The caller then stores its first position, and calls `complete`.
    pub(super) fn begin_to_join(&self, seen: Occupant, seat: u32) -> bool {
        self.replace(seen, seat | JOINING)
    }

    /// Completes the claim that `begin_to_join` began.
    pub(super) fn complete(&self, seat: u32) {
        // Release: publishes the words that this process stored before.
        let (success, failure) = (Ordering::Release, Ordering::Relaxed);
        _ = self.word.compare_exchange(seat | JOINING, seat, success, failure);
    }

    /// Claims the place of the dead process with seat `dead` for the process with `seat`, which continues at
    /// the position of the dead one. Returns false if the dead process had not completed its claim, so that
    /// it has no position.
    pub(super) fn take_over(&self, dead: u32, seat: u32) -> bool {
        self.is_complete() && self.replace(Occupant::Seat(dead), seat)
    }

    /// Marks the endpoint of the dead process with seat `dead` as dropped.
    pub(super) fn drop_dead(&self, dead: u32) {
        _ = self.replace(Occupant::Seat(dead), dead | LEFT);
    }

    fn replace(&self, seen: Occupant, word: u32) -> bool {
        let now = self.word.load(Ordering::Acquire);
        // AcqRel: every step of the last endpoint happens before those of this one.
        let is_mine = Occupant::of(now) == seen
            && (self.word.compare_exchange(now, word, Ordering::AcqRel, Ordering::Acquire)).is_ok();
        if is_mine && word & LEFT == 0 {
            self.pid.store(std::process::id(), Ordering::Relaxed);
        }
        is_mine
    }

    /// Leaves the place that the process with `seat` claimed.
    pub(super) fn leave(&self, seat: u32) {
        // Release: see `occupant`. Another value means that another program changed the bytes.
        let (success, failure) = (Ordering::Release, Ordering::Relaxed);
        _ = self.word.compare_exchange(seat, seat | LEFT, success, failure);
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_claim_of_a_place_that_changes_all_the_time_ends() {
        let place = Place::default();
        place.word.store(1, Ordering::Relaxed);
        let dies_and_is_replaced = |seat: u32| {
            assert!(seat < 1 << 16, "the claim does not end");
            place.word.store(seat + 1, Ordering::Relaxed);
            Ok(false)
        };
        let error = place.claim(1 << 20, "sender", dies_and_is_replaced).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupted);
    }
}
