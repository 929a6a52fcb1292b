//! The header of a watch channel, which `docs/layout.md` describes.
#![allow(unsafe_code, reason = "implements a trait that vouches for the header's layout")]

use super::buffers::COUNT;
use crate::channel::header::{Common, Header, Plan};
use crate::channel::message_type::MessageType;
use crate::channel::options::Options;
use crate::channel::place::Place;
use crate::channel::wake_flag::WakeFlag;
use crate::error::Result;
use crate::primitive::{AtomicU32, AtomicU64};
use crate::sys::object_state::ChannelKind;
use crate::sys::region::Atomics;

/// The words that the processes share. The number of the version has a pair of cache lines of its own,
/// because sleeping readers write to the flag.
#[derive(Debug, Default)]
#[repr(C)]
#[allow(unreachable_pub, reason = "a type of a public trait that only this crate can name")]
pub struct WatchHeader {
    common: Common,
    pub(super) writer: Place,
    to_flag: [AtomicU64; 7],
    /// The readers sleep on this word.
    pub(super) flag: WakeFlag,
    to_version: [AtomicU32; 31],
    /// The number of the latest version.
    pub(super) version: AtomicU64,
    to_buffers: [AtomicU64; 15],
}

/// The offsets of the fields in bytes. See `docs/layout.md`.
pub(in crate::channel) const WRITER_AT: usize = 192;
pub(in crate::channel) const FLAG_AT: usize = 256;
pub(in crate::channel) const VERSION_AT: usize = 384;

#[cfg(not(loom))]
const _: () = {
    use std::mem::offset_of;

    use crate::channel::header::COMMON_LEN;
    use crate::sys::object_state::LONGEST;

    assert!(offset_of!(WatchHeader, writer) == WRITER_AT && WRITER_AT == COMMON_LEN);
    assert!(offset_of!(WatchHeader, flag) == FLAG_AT);
    assert!(offset_of!(WatchHeader, version) == VERSION_AT);
    assert!(size_of::<WatchHeader>() == 512 && size_of::<WatchHeader>() <= LONGEST);
};

// SAFETY: the fields are atomics and structures of atomics, without padding: the assertions above fix
// the offsets.
unsafe impl Atomics for WatchHeader {}

impl Header for WatchHeader {
    const KIND: ChannelKind = ChannelKind::Watch;

    fn common(&self) -> &Common {
        &self.common
    }

    fn require_fences(&self) {
        self.flag.require_fence();
    }

    /// The slots are the buffers. The capacity has no effect.
    fn plan(_: &Options, _: u64, _: &MessageType) -> Result<Plan> {
        Ok(Plan { slots: COUNT as u64, words: [0; 2] })
    }
}
