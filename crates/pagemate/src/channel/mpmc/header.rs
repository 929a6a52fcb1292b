//! The header of an mpmc channel, which `docs/layout.md` describes.
#![allow(unsafe_code, reason = "implements a trait that vouches for the header's layout")]

use crate::channel::header::{Common, Header};
use crate::channel::place::{PLACE_LEN, Place};
use crate::channel::wake_flag::WakeFlag;
use crate::primitive::AtomicU64;
use crate::sys::object_state::ChannelKind;
use crate::sys::region::Atomics;

/// The number of senders that a channel can have at a time, and of receivers.
pub(in crate::channel) const PLACES: usize = 128;

/// The words that all processes share. Words that different endpoints write often lie on different pairs
/// of cache lines, because processors load lines in pairs.
#[derive(Debug)]
#[repr(C)]
#[allow(unreachable_pub, reason = "a type of a public trait that only this crate can name")]
pub struct MpmcHeader {
    common: Common,
    to_receiver_flag: [AtomicU64; 8],
    /// Receivers sleep on this word.
    pub(super) receiver_flag: WakeFlag,
    /// Senders sleep on this word.
    pub(super) sender_flag: WakeFlag,
    /// The number of times that messages were returned to the ring.
    pub(super) returns: AtomicU64,
    to_received: [AtomicU64; 14],
    /// A position before which receivers have claimed all messages.
    pub(super) received: AtomicU64,
    to_sent: [AtomicU64; 15],
    /// A position before which senders have claimed all slots.
    pub(super) sent: AtomicU64,
    to_places: [AtomicU64; 15],
    pub(super) senders: [Place; PLACES],
    pub(super) receivers: [Place; PLACES],
}

/// The offsets of the fields in bytes. See `docs/layout.md`.
pub(in crate::channel) const RECEIVER_FLAG_AT: usize = 256;
pub(in crate::channel) const SENDER_FLAG_AT: usize = 260;
pub(in crate::channel) const RECEIVED_AT: usize = 384;
pub(in crate::channel) const SENT_AT: usize = 512;
pub(in crate::channel) const SENDERS_AT: usize = 640;
pub(in crate::channel) const RECEIVERS_AT: usize = SENDERS_AT + PLACES * PLACE_LEN;

#[cfg(not(loom))]
const _: () = {
    use std::mem::offset_of;

    use crate::channel::header::COMMON_LEN;
    use crate::sys::object_state::LONGEST;

    assert!(COMMON_LEN == 192);
    assert!(offset_of!(MpmcHeader, receiver_flag) == RECEIVER_FLAG_AT);
    assert!(offset_of!(MpmcHeader, sender_flag) == SENDER_FLAG_AT);
    assert!(offset_of!(MpmcHeader, received) == RECEIVED_AT);
    assert!(offset_of!(MpmcHeader, sent) == SENT_AT);
    assert!(offset_of!(MpmcHeader, senders) == SENDERS_AT && size_of::<Place>() == PLACE_LEN);
    assert!(offset_of!(MpmcHeader, receivers) == RECEIVERS_AT);
    assert!(size_of::<MpmcHeader>() == 2688 && size_of::<MpmcHeader>() <= LONGEST);
};

// SAFETY: the fields are atomics and structures of atomics, without padding: the assertions above fix
// the offsets.
unsafe impl Atomics for MpmcHeader {}

impl Header for MpmcHeader {
    const KIND: ChannelKind = ChannelKind::Mpmc;

    /// Each side writes the word of a slot, so that its line moves between the processors twice for each message. A
    /// payload of one line therefore shares its lines with the words.
    const ALIGNED_FROM: u64 = 65;

    fn common(&self) -> &Common {
        &self.common
    }

    fn require_fences(&self) {
        self.sender_flag.require_fence();
        self.receiver_flag.require_fence();
    }
}
