//! The header of an spsc channel, which `docs/layout.md` describes.
#![allow(unsafe_code, reason = "implements a trait that vouches for the header's layout")]

use crate::channel::header::{Common, Header};
use crate::channel::place::Place;
use crate::channel::wake_flag::WakeFlag;
use crate::primitive::{AtomicU32, AtomicU64};
use crate::sys::object_state::ChannelKind;
use crate::sys::region::Atomics;

/// The words that both processes share. Words that different sides write often lie on different pairs of
/// cache lines, because processors load lines in pairs.
#[derive(Debug, Default)]
#[repr(C)]
#[allow(unreachable_pub, reason = "a type of a public trait that only this crate can name")]
pub struct SpscHeader {
    common: Common,
    pub(super) sender: Place,
    pub(super) receiver: Place,
    to_receiver_flag: [AtomicU64; 6],
    /// The receiver sleeps on this word.
    pub(super) receiver_flag: WakeFlag,
    to_sender_flag: [AtomicU32; 15],
    /// The sender sleeps on this word.
    pub(super) sender_flag: WakeFlag,
    to_received: [AtomicU32; 15],
    /// The number of messages that receivers have finished.
    pub(super) received: AtomicU64,
    /// The number that follows the last message of the latest batch that receivers have found.
    pub(super) batch_end: AtomicU64,
    to_sent: [AtomicU64; 14],
    /// The number of messages that were sent. It may be too low by the latest message or batch.
    pub(super) sent: AtomicU64,
    to_slots: [AtomicU64; 15],
}

/// The offsets of the fields in bytes. See `docs/layout.md`.
pub(in crate::channel) const SENDER_AT: usize = 192;
pub(in crate::channel) const RECEIVER_AT: usize = 200;
pub(in crate::channel) const RECEIVER_FLAG_AT: usize = 256;
pub(in crate::channel) const SENDER_FLAG_AT: usize = 320;
pub(in crate::channel) const RECEIVED_AT: usize = 384;
pub(in crate::channel) const SENT_AT: usize = 512;

#[cfg(not(loom))]
const _: () = {
    use std::mem::offset_of;

    use crate::channel::header::COMMON_LEN;
    use crate::sys::object_state::LONGEST;

    assert!(offset_of!(SpscHeader, sender) == SENDER_AT && SENDER_AT == COMMON_LEN);
    assert!(offset_of!(SpscHeader, receiver) == RECEIVER_AT);
    assert!(offset_of!(SpscHeader, receiver_flag) == RECEIVER_FLAG_AT);
    assert!(offset_of!(SpscHeader, sender_flag) == SENDER_FLAG_AT);
    assert!(offset_of!(SpscHeader, received) == RECEIVED_AT);
    assert!(offset_of!(SpscHeader, batch_end) == RECEIVED_AT + 8);
    assert!(offset_of!(SpscHeader, sent) == SENT_AT);
    assert!(size_of::<SpscHeader>() == 640 && size_of::<SpscHeader>() <= LONGEST);
};

// SAFETY: the fields are atomics and structures of atomics, without padding: the assertions above fix
// the offsets.
unsafe impl Atomics for SpscHeader {}

impl Header for SpscHeader {
    const KIND: ChannelKind = ChannelKind::Spsc;

    fn common(&self) -> &Common {
        &self.common
    }

    fn require_fences(&self) {
        self.sender_flag.require_fence();
        self.receiver_flag.require_fence();
    }
}
