//! The header of a channel, which `docs/layout.md` describes, and its validation.
#![allow(unsafe_code, reason = "implements a trait that vouches for the header's layout")]

use super::place::Place;
use super::wake_flag::WakeFlag;
use crate::error::{Error, ErrorKind, Result};
use crate::primitive::{AtomicU32, AtomicU64, Ordering};
use crate::sys::object_state::LONGEST;
use crate::sys::region::{Atomics, SEQUENCE_LEN, SlotLayout};

const MAGIC: u64 = u64::from_ne_bytes(*b"PMCHANN1");

/// The version of the layout.
const VERSION: u32 = 1;

/// The length of the part of the header that the creator writes.
const CREATED_LEN: usize = 80;

/// The length of payloads from which on each begins at a cache line of its own. A receiver that looks for
/// the next message then takes no line that the sender writes a message to. Shorter ones are packed.
const ALIGNED_FROM: u64 = 64;

const LINE: u64 = 64;

/// The greatest alignment of a message: the smallest page.
const MAX_ALIGN: u64 = 4096;

/// Which endpoints a channel has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum ChannelKind {
    Spsc = 1,
}

impl ChannelKind {
    /// Returns the name for error messages.
    fn name_of(number: u32) -> &'static str {
        match number {
            1 => "spsc",
            _ => "an unknown kind",
        }
    }
}

/// The words that all processes of a channel share. Words that different sides write often lie on
/// different pairs of cache lines, because processors load lines in pairs.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Header {
    magic: AtomicU64,
    version: AtomicU32,
    kind: AtomicU32,
    capacity: AtomicU64,
    fingerprint: AtomicU64,
    len: AtomicU64,
    align: AtomicU64,
    first: AtomicU64,
    stride: AtomicU64,
    slot_len: AtomicU64,
    id: AtomicU64,
    reserved: [AtomicU64; 6],
    /// The number of seats that were ever taken.
    pub(super) seats: AtomicU32,
    to_places: [AtomicU32; 15],
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
    to_sent: [AtomicU64; 15],
    /// The number of messages that were sent, for lists. It may be behind by one.
    pub(super) sent: AtomicU64,
    to_slots: [AtomicU64; 15],
}

/// The length of the header, and the offsets of its fields, in bytes. See `docs/layout.md`.
const HEADER_LEN: u64 = 640;
pub(super) const MAGIC_AT: usize = 0;
pub(super) const VERSION_AT: usize = 8;
pub(super) const CAPACITY_AT: usize = 16;
pub(super) const SENDER_AT: usize = 192;
pub(super) const RECEIVER_AT: usize = 200;
pub(super) const RECEIVER_FLAG_AT: usize = 256;
pub(super) const SENDER_FLAG_AT: usize = 320;
pub(super) const RECEIVED_AT: usize = 384;
pub(super) const SENT_AT: usize = 512;

#[cfg(not(loom))]
const _: () = {
    use std::mem::offset_of;
    assert!(offset_of!(Header, version) == VERSION_AT);
    assert!(offset_of!(Header, capacity) == CAPACITY_AT);
    assert!(offset_of!(Header, id) + 8 == CREATED_LEN && offset_of!(Header, seats) == 128);
    assert!(offset_of!(Header, sender) == SENDER_AT);
    assert!(offset_of!(Header, receiver) == RECEIVER_AT);
    assert!(offset_of!(Header, receiver_flag) == RECEIVER_FLAG_AT);
    assert!(offset_of!(Header, sender_flag) == SENDER_FLAG_AT);
    assert!(offset_of!(Header, received) == RECEIVED_AT && offset_of!(Header, sent) == SENT_AT);
    assert!(size_of::<Header>() as u64 == HEADER_LEN && HEADER_LEN <= LONGEST as u64);
};

/// Returns whether a header begins with these fields.
pub(super) fn is_known(magic: u64, version: u32) -> bool {
    magic == MAGIC && version == VERSION
}

// SAFETY: the fields are atomics and structures of atomics, without padding: the assertions above fix
// the offsets.
unsafe impl Atomics for Header {}

/// The layout of a message, on which all processes have to agree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    pub(super) len: u64,
    pub(super) align: u64,
    pub(super) fingerprint: u64,
    /// The name of the type in this program, for error messages.
    pub(super) name: &'static str,
}

/// The properties that the creator of a channel decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    pub(super) kind: ChannelKind,
    pub(super) element: Element,
    pub(super) slots: SlotLayout,
    /// A random number, by which processes find the kernel objects of the channel.
    pub(super) id: u64,
}

impl Geometry {
    /// Lays out a channel for at least `capacity` messages.
    pub(super) fn new(
        kind: ChannelKind,
        element: Element,
        capacity: usize,
        id: u64,
    ) -> Result<Geometry> {
        let invalid = |cause: String| Error::new(ErrorKind::InvalidInput, cause);
        if capacity == 0 {
            let cause = "a capacity of 0 has no room for a message; use at least 1".to_owned();
            return Err(invalid(cause));
        }
        if element.align > MAX_ALIGN {
            let cause = format!(
                "messages of type {} have to be aligned to {} bytes, and a channel aligns to at most \
                 {MAX_ALIGN}",
                element.name, element.align
            );
            return Err(invalid(cause));
        }
        let too_large = || {
            let cause = format!(
                "{capacity} messages of {} bytes do not fit into the address space",
                element.len
            );
            invalid(cause)
        };
        let count = capacity.checked_next_power_of_two().ok_or_else(too_large)? as u64;
        let line = if element.len < ALIGNED_FROM { SEQUENCE_LEN } else { LINE };
        let align = element.align.max(line);
        let stride = (element.len.checked_add(SEQUENCE_LEN))
            .and_then(|len| len.checked_next_multiple_of(align))
            .ok_or_else(too_large)?;
        let first = (HEADER_LEN + SEQUENCE_LEN).next_multiple_of(align);
        let slots = SlotLayout { first, stride, count, len: element.len };
        let fits = slots.end().is_some_and(|end| isize::try_from(end).is_ok());
        if fits { Ok(Geometry { kind, element, slots, id }) } else { Err(too_large()) }
    }

    /// Returns the length of the object in bytes.
    pub(super) fn object_len(&self) -> u64 {
        self.slots.end().expect("`new` checked it")
    }

    /// Returns the first bytes of a new channel. All others are zero.
    pub(super) fn bytes(&self) -> [u8; CREATED_LEN] {
        let Geometry { kind, element, slots, id } = *self;
        let mut bytes = [0; CREATED_LEN];
        let numbers = [
            MAGIC,
            two_words(VERSION, kind as u32),
            slots.count,
            element.fingerprint,
            element.len,
            element.align,
            slots.first,
            slots.stride,
            slots.len,
            id,
        ];
        for (to, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            to.copy_from_slice(&number.to_ne_bytes());
        }
        bytes
    }
}

/// Returns the number whose bytes are those of two words, one after the other.
fn two_words(first: u32, second: u32) -> u64 {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&first.to_ne_bytes());
    bytes[4..].copy_from_slice(&second.to_ne_bytes());
    u64::from_ne_bytes(bytes)
}

impl Header {
    /// Returns whether the creator has written the header.
    pub(super) fn is_written(&self) -> bool {
        // Acquire: where the header does not appear whole, the magic number is written last.
        self.magic.load(Ordering::Acquire) != 0
    }

    /// Returns the geometry, after a check that the channel is one of `kind` for messages of `element`.
    /// The slots may still reach past the end of the object.
    pub(super) fn geometry(&self, kind: ChannelKind, element: Element) -> Result<Geometry> {
        let wrong = |cause: String| Err(Error::new(ErrorKind::WrongKind, cause));
        if self.magic.load(Ordering::Acquire) != MAGIC {
            return wrong("the memory of this name is not a channel".to_owned());
        }
        let version = self.version.load(Ordering::Relaxed);
        if version != VERSION {
            let cause = format!(
                "an incompatible release created the channel, with layout {version}, and this release \
                 reads {VERSION}; use one release for all processes that share it"
            );
            return Err(Error::new(ErrorKind::WrongVersion, cause));
        }
        let found = self.kind.load(Ordering::Relaxed);
        if found != kind as u32 {
            return wrong(format!(
                "it is a channel of kind {} ({found}), where {} was expected",
                ChannelKind::name_of(found),
                ChannelKind::name_of(kind as u32)
            ));
        }
        let number = |word: &AtomicU64| word.load(Ordering::Relaxed);
        let (len, align) = (number(&self.len), number(&self.align));
        let fingerprint = number(&self.fingerprint);
        if (len, align, fingerprint) != (element.len, element.align, element.fingerprint) {
            return wrong(format!(
                "it has messages of another type: {len} bytes, aligned to {align}, with layout \
                 {fingerprint:016x}, where {} was expected: {} bytes, aligned to {}, with layout {:016x}",
                element.name, element.len, element.align, element.fingerprint
            ));
        }
        let slots = SlotLayout {
            first: number(&self.first),
            stride: number(&self.stride),
            count: number(&self.capacity),
            len: number(&self.slot_len),
        };
        Ok(Geometry { kind, element, slots, id: number(&self.id) })
    }
}

/// Returns the error for a header whose slots do not lie in the object.
pub(super) fn wrong_slots() -> Error {
    let cause = "its header does not fit its memory: another program changed it; end the processes that \
                 hold it, and create it again";
    Error::new(ErrorKind::Corrupted, cause)
}
