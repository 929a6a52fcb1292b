//! The words of one receiver of a broadcast channel: its place, its cursor and its pin.

use crate::channel::place::Place;
use crate::primitive::AtomicU64;

/// The greatest number of receivers.
pub(super) const MAX_RECEIVERS: usize = 64;

/// The words of a receiver. No two receivers write to the same pair of cache lines.
#[derive(Debug, Default)]
#[repr(C)]
pub(in crate::channel) struct Line {
    pub(in crate::channel) place: Place,
    /// The number of the first message that the receiver has not finished.
    pub(super) cursor: AtomicU64,
    /// The number of the chunk that the receiver has pinned, plus 1; 0 if it has pinned none.
    pub(super) pin: AtomicU64,
    /// The number of messages that the receivers of this line missed, for lists.
    pub(super) missed: AtomicU64,
    to_next: [AtomicU64; 12],
}

impl Line {
    /// The offsets of the fields that lists read, in bytes.
    #[cfg(not(loom))]
    pub(super) const CURSOR_AT: usize = std::mem::offset_of!(Line, cursor);
    #[cfg(not(loom))]
    pub(super) const MISSED_AT: usize = std::mem::offset_of!(Line, missed);
}
