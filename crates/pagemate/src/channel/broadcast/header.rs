//! The header of a broadcast channel, which `docs/layout.md` describes, and the plan of a new one.
#![allow(unsafe_code, reason = "implements a trait that vouches for the header's layout")]

use super::receiver_line::{Line, MAX_RECEIVERS};
use super::words::{MAX_CHUNKS, Ring, Shape};
use crate::channel::header::{Common, Header, Plan, wrong_slots};
use crate::channel::message_type::MessageType;
use crate::channel::options::Options;
use crate::channel::place::Place;
use crate::channel::wake_flag::WakeFlag;
use crate::error::{Error, ErrorKind, Result};
use crate::primitive::{AtomicU32, AtomicU64, Ordering};
use crate::sys::object_state::ChannelKind;
use crate::sys::region::{Atomics, SlotRegion};

/// The length in bytes from which on messages lie in chunks. A shorter message lies in its slot, beside the
/// slot's word, so that fewer cache lines move between processors.
const POOLED_FROM: u64 = 4096;

/// The length in bytes from which on the sender uses as few chunks as it can, because few chunks stay in the
/// cache. For shorter messages it costs more to load the cursors of all receivers than it saves.
const EAGER_FROM: usize = 64 << 10;

/// Set in the second word of the kind if the channel is lossy. The bits below have the greatest number of
/// receivers, and the bits from `CHUNKS` on the number of chunks.
const LOSSY: u64 = 1 << 16;

/// The lowest bit of the number of chunks.
const CHUNKS: u32 = 32;

/// The words that the processes share. Words that different sides write often lie on different pairs of
/// cache lines, because processors load lines in pairs.
#[derive(Debug)]
#[repr(C)]
#[allow(unreachable_pub, reason = "a type of a public trait that only this crate can name")]
pub struct BroadcastHeader {
    common: Common,
    pub(super) sender: Place,
    /// The number of lines that were ever used. The others have no receiver.
    pub(super) used: AtomicU32,
    to_receiver_flag: [AtomicU32; 13],
    /// The receivers sleep on this word.
    pub(super) receiver_flag: WakeFlag,
    to_sender_flag: [AtomicU32; 15],
    /// The sender sleeps on this word.
    pub(super) sender_flag: WakeFlag,
    to_sent: [AtomicU32; 15],
    /// The number of messages that were sent. It may be behind while the sender publishes.
    pub(super) sent: AtomicU64,
    to_lines: [AtomicU64; 15],
    pub(super) lines: [Line; MAX_RECEIVERS],
}

/// The offsets of the fields in bytes. See `docs/layout.md`.
pub(in crate::channel) const SENDER_AT: usize = 192;
pub(in crate::channel) const RECEIVER_FLAG_AT: usize = 256;
pub(in crate::channel) const SENDER_FLAG_AT: usize = 320;
pub(in crate::channel) const SENT_AT: usize = 384;
pub(in crate::channel) const LINES_AT: usize = 512;
pub(in crate::channel) const LINE_LEN: usize = 128;
pub(in crate::channel) const CURSOR_IN_LINE: usize = 8;
pub(in crate::channel) const MISSED_IN_LINE: usize = 24;

/// The offset of the end of the lines.
pub(in crate::channel) const LINES_END: usize = LINES_AT + MAX_RECEIVERS * LINE_LEN;

#[cfg(not(loom))]
const _: () = {
    use std::mem::offset_of;

    use crate::channel::header::COMMON_LEN;
    use crate::sys::object_state::LONGEST;

    assert!(offset_of!(BroadcastHeader, sender) == SENDER_AT && SENDER_AT == COMMON_LEN);
    assert!(offset_of!(BroadcastHeader, receiver_flag) == RECEIVER_FLAG_AT);
    assert!(offset_of!(BroadcastHeader, sender_flag) == SENDER_FLAG_AT);
    assert!(offset_of!(BroadcastHeader, sent) == SENT_AT);
    assert!(offset_of!(BroadcastHeader, lines) == LINES_AT && size_of::<Line>() == LINE_LEN);
    assert!(Line::CURSOR_AT == CURSOR_IN_LINE && Line::MISSED_AT == MISSED_IN_LINE);
    assert!(size_of::<BroadcastHeader>() == LINES_END && LINES_END <= LONGEST);
};

// SAFETY: the fields are atomics and structures of atomics, without padding: the assertions above fix
// the offsets.
unsafe impl Atomics for BroadcastHeader {
    const ANY_COUNT: bool = true;
}

impl Header for BroadcastHeader {
    const KIND: ChannelKind = ChannelKind::Broadcast;

    fn common(&self) -> &Common {
        &self.common
    }

    fn require_fences(&self) {
        self.sender_flag.require_fence();
        self.receiver_flag.require_fence();
    }

    fn plan(options: &Options, capacity: u64, message: &MessageType) -> Result<Plan> {
        let receivers = options.receivers;
        if !(1..=MAX_RECEIVERS).contains(&receivers) {
            let cause = format!(
                "{receivers} receivers are not between 1 and {MAX_RECEIVERS}, the greatest number of a \
                 broadcast channel"
            );
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let receivers = receivers as u64;
        let held = if options.lossy { receivers } else { 0 };
        // If the sum does not fit, the channel is too large for the address space, and the caller returns
        // that error.
        let chunks = capacity.saturating_add(held).saturating_add(1);
        let is_pooled = message.len >= POOLED_FROM && chunks <= MAX_CHUNKS;
        // Without chunks each receiver of a lossy channel has a slot of its own, into which it copies a
        // message that it holds.
        let slots = if is_pooled { chunks } else { capacity.saturating_add(held) };
        let chunks = if is_pooled { chunks } else { 0 };
        let lossy = if options.lossy { LOSSY } else { 0 };
        Ok(Plan { slots, words: [capacity, receivers | lossy | chunks << CHUNKS] })
    }

    fn capacity(&self, slots: u64) -> u64 {
        self.common.kind_words()[0].min(slots)
    }
}

impl BroadcastHeader {
    /// Returns the number of receivers that the channel has places for.
    pub(super) fn receivers(&self) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "16 bits")]
        let receivers = (self.common.kind_words()[1] & (LOSSY - 1)) as usize;
        receivers.min(MAX_RECEIVERS)
    }

    /// Returns the lines of the receivers that were ever used.
    #[inline]
    pub(super) fn used_lines(&self) -> &[Line] {
        let used = self.used.load(Ordering::Acquire) as usize;
        &self.lines[..used.min(MAX_RECEIVERS)]
    }
}

/// Returns the shape of the ring, and whether its sender uses as few chunks as it can.
///
/// # Errors
///
/// `Corrupted` if the shape does not fit the slots.
pub(super) fn shape<M: ?Sized>(memory: &SlotRegion<BroadcastHeader, M>) -> Result<(Shape, bool)> {
    let [capacity, word] = memory.header().common.kind_words();
    let is_lossy = word & LOSSY != 0;
    let held = if is_lossy { memory.header().receivers() as u64 } else { 0 };
    let chunks = word >> CHUNKS;
    let needed = if chunks == 0 { capacity.checked_add(held) } else { Some(chunks) };
    let fits = capacity.is_power_of_two()
        && memory.header().receivers() > 0
        && needed.is_some_and(|needed| needed <= memory.count())
        && (chunks == 0 || (chunks <= MAX_CHUNKS && chunks > capacity.saturating_add(held)));
    #[allow(clippy::cast_possible_truncation, reason = "at most `MAX_CHUNKS`")]
    let shape = Shape { capacity, is_lossy, chunks: chunks as u32 };
    let is_eager = chunks > 0 && memory.payload_len() >= EAGER_FROM;
    if fits { Ok((shape, is_eager)) } else { Err(wrong_slots()) }
}

impl<M: ?Sized> Ring for SlotRegion<BroadcastHeader, M> {
    #[inline]
    fn word(&self, slot: u64) -> &AtomicU64 {
        self.sequence(slot)
    }

    #[inline]
    fn sent(&self) -> &AtomicU64 {
        &self.header().sent
    }

    #[inline]
    fn lines(&self) -> &[Line] {
        self.header().used_lines()
    }

    #[inline]
    fn line(&self, number: usize) -> &Line {
        // `number` is less than `MAX_RECEIVERS`. The remainder replaces the bounds check of the index, and
        // takes one instruction, because the divisor is a power of two.
        &self.header().lines[number % MAX_RECEIVERS]
    }
}
