//! The word of a slot of an mpmc channel: the state of the slot, and the endpoint that has it.
//!
//! Position `p` is in slot `p` modulo the number of slots, in lap `p` divided by that number. The states of
//! a slot in one lap:
//!
//! | State | Meaning | Left by |
//! |---|---|---|
//! | `Empty` | the slot is free for the message at its position | a sender that claims it: `Writing` |
//! | `Writing` | a sender writes a run of messages that begins here | that sender: `Full`, or `Empty` of the next lap if it gave the run up; if it is dead, the process that repairs the slot: `Writing` with its own seat |
//! | `Full` | the slot has a message | a receiver that claims it: `Reading` |
//! | `Reading` | a receiver reads a run of messages that begins here | that receiver: `Done`, or `Empty` of the next lap; if it is dead, the process that repairs the slot: `Reading` with its own seat, and then `Full` with the mark *redelivered* |
//! | `Done` | a receiver has read a run of several messages, and frees their slots | that receiver: `Empty` of the next lap; if it is dead, the process that repairs the slot: `Done` with its own seat |
//!
//! Bits 0 to 21 are the seat of the endpoint that has the run, 22 to 24 the state, 25 the mark, 26 to 31 the
//! length of the run minus one, and 32 to 63 the lap. The bits that a state does not need are zero.

/// The greatest length of a run.
pub(in crate::channel) const LONGEST_RUN: u64 = 64;

/// The seats of endpoints are below this number.
pub(in crate::channel) const SEAT_LIMIT: u32 = 1 << 22;

const STATE_AT: u32 = 22;
const REDELIVERED: u64 = 1 << 25;
const RUN_AT: u32 = 26;
const LAP_AT: u32 = 32;

/// The state of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum State {
    Empty = 0,
    Writing = 1,
    Full = 2,
    Reading = 3,
    Done = 4,
}

/// The word of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

impl Word {
    #[inline]
    fn new(lap: u32, state: State) -> Word {
        Word(u64::from(lap) << LAP_AT | (state as u64) << STATE_AT)
    }

    #[inline]
    pub(super) fn empty(lap: u32) -> Word {
        Word::new(lap, State::Empty)
    }

    #[inline]
    pub(super) fn full(lap: u32) -> Word {
        Word::new(lap, State::Full)
    }

    #[inline]
    pub(super) fn writing(lap: u32, seat: u32, run: u64) -> Word {
        Word::new(lap, State::Writing).with_run(run).with_seat(seat)
    }

    /// Returns the word of the first slot of a run that a receiver has claimed. `self` is that slot's
    /// word before the claim.
    #[inline]
    pub(super) fn reading(self, seat: u32, run: u64) -> Word {
        let mark = self.0 & REDELIVERED;
        Word(Word::new(self.lap(), State::Reading).0 | mark).with_run(run).with_seat(seat)
    }

    pub(super) fn done(lap: u32, seat: u32, run: u64) -> Word {
        Word::new(lap, State::Done).with_run(run).with_seat(seat)
    }

    /// Returns the word of a message that is delivered again.
    pub(super) fn redelivered(lap: u32) -> Word {
        Word(Word::full(lap).0 | REDELIVERED)
    }

    #[inline]
    fn with_run(self, run: u64) -> Word {
        Word(self.0 | (run - 1) << RUN_AT)
    }

    /// Returns the word with a seat in place of none.
    #[inline]
    fn with_seat(self, seat: u32) -> Word {
        Word(self.0 | u64::from(seat))
    }

    /// Returns the word with another seat.
    pub(super) fn of_seat(self, seat: u32) -> Word {
        Word(self.0 & !u64::from(SEAT_LIMIT - 1)).with_seat(seat)
    }

    /// Returns the state; `None` if no endpoint writes this value.
    #[inline]
    pub(super) fn state(self) -> Option<State> {
        match self.0 >> STATE_AT & 7 {
            0 => Some(State::Empty),
            1 => Some(State::Writing),
            2 => Some(State::Full),
            3 => Some(State::Reading),
            4 => Some(State::Done),
            _ => None,
        }
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "22 bits")]
    pub(super) fn seat(self) -> u32 {
        self.0 as u32 & (SEAT_LIMIT - 1)
    }

    #[inline]
    pub(super) fn is_redelivered(self) -> bool {
        self.0 & REDELIVERED != 0
    }

    /// Returns the number of slots in the run that begins here.
    #[inline]
    pub(super) fn run(self) -> u64 {
        (self.0 >> RUN_AT & (LONGEST_RUN - 1)) + 1
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "32 bits")]
    pub(super) fn lap(self) -> u32 {
        (self.0 >> LAP_AT) as u32
    }

    /// Returns how many laps this word is ahead of `lap`. It is negative if the word is behind.
    #[inline]
    pub(super) fn laps_ahead_of(self, lap: u32) -> i32 {
        self.lap().wrapping_sub(lap).cast_signed()
    }
}
