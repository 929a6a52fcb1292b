//! The fields with which the header of every channel begins, and their validation. `docs/layout.md`
//! describes them.
#![allow(unsafe_code, reason = "implements a trait that vouches for the layout of the fields")]

use std::fmt;

use super::message_type::MessageType;
use super::options::Options;
use crate::error::{Error, ErrorKind, Result};
use crate::primitive::{AtomicU32, AtomicU64, Ordering};
use crate::sys::object_state::ChannelKind;
use crate::sys::region::{Atomics, SEQUENCE_LEN, SlotLayout};

const MAGIC: u64 = u64::from_ne_bytes(*b"PMCHANN1");

/// The version of the layout.
const VERSION: u32 = 1;

/// The length of the part of the header that the creator writes.
const CREATED_LEN: usize = 96;

/// The length of a cache line.
const LINE: u64 = 64;

/// The greatest alignment of a message: the smallest page.
const MAX_ALIGN: u64 = 4096;

/// The fields with which the header of every kind of channel begins.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Common {
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
    /// The words that have another meaning in each kind of channel.
    kind_words: [AtomicU64; 2],
    reserved: [AtomicU64; 4],
    /// The number of seats that were ever taken.
    pub(super) seats: AtomicU32,
    to_end: [AtomicU32; 15],
}

/// The length of the common fields in bytes.
#[cfg(not(loom))]
pub(super) const COMMON_LEN: usize = 192;

/// The offsets of the fields that lists read, in bytes. See `docs/layout.md`.
pub(super) const MAGIC_AT: usize = 0;
pub(super) const VERSION_AT: usize = 8;
pub(super) const KIND_AT: usize = 12;
pub(super) const CAPACITY_AT: usize = 16;
pub(super) const KIND_WORDS_AT: usize = 80;

#[cfg(not(loom))]
const _: () = {
    use std::mem::offset_of;
    assert!(offset_of!(Common, version) == VERSION_AT && offset_of!(Common, kind) == KIND_AT);
    assert!(offset_of!(Common, capacity) == CAPACITY_AT);
    assert!(offset_of!(Common, kind_words) == KIND_WORDS_AT && KIND_WORDS_AT + 16 == CREATED_LEN);
    assert!(offset_of!(Common, seats) == 128);
    assert!(size_of::<Common>() == COMMON_LEN);
};

// SAFETY: the fields are atomics without padding: the assertions above fix the offsets.
unsafe impl Atomics for Common {}

/// The header of a kind of channel. It consists of atomics, and begins with the [`Common`] fields.
pub(super) trait Header: Atomics + fmt::Debug + Send + Sync + 'static {
    const KIND: ChannelKind;

    /// The length in bytes from which on each payload begins at a cache line of its own. A receiver that polls
    /// the next word then takes no cache line of a message from the sender that writes it. Shorter payloads are
    /// packed.
    const ALIGNED_FROM: u64 = LINE;

    fn common(&self) -> &Common;

    /// Makes the processes of the channel run full barriers before they look for sleepers. A process that
    /// cannot use [`barrier`](crate::sys::barrier) calls it.
    fn require_fences(&self);

    /// Returns the plan of a new channel with room for `capacity` messages, a power of two.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the kind of channel does not have these options.
    fn plan(options: &Options, capacity: u64, message: &MessageType) -> Result<Plan> {
        _ = (options, message);
        Ok(Plan { slots: capacity, words: [0; 2] })
    }

    /// Returns how many messages a channel with so many slots has room for.
    fn capacity(&self, slots: u64) -> u64 {
        slots
    }
}

/// The properties of a new channel that its kind decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    /// The number of slots.
    pub(super) slots: u64,
    /// The words that have another meaning in each kind of channel.
    pub(super) words: [u64; 2],
}

/// Returns whether a header begins with these fields.
pub(super) fn is_known(magic: u64, version: u32) -> bool {
    magic == MAGIC && version == VERSION
}

/// The properties that the creator of a channel decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    pub(super) kind: ChannelKind,
    pub(super) message: MessageType,
    pub(super) slots: SlotLayout,
    /// A random number, by which processes find the kernel objects of the channel.
    pub(super) id: u64,
    /// The words that have another meaning in each kind of channel.
    words: [u64; 2],
}

impl Geometry {
    /// Lays out a channel with a header of type `H` for at least `capacity` messages.
    pub(super) fn new<H: Header>(
        message: MessageType,
        options: &Options,
        id: u64,
    ) -> Result<Geometry> {
        let capacity = options.capacity;
        let invalid = |cause: String| Error::new(ErrorKind::InvalidInput, cause);
        if capacity == 0 {
            let cause = "a capacity of 0 has no room for a message; use at least 1".to_owned();
            return Err(invalid(cause));
        }
        if !message.align.is_power_of_two() || message.align > MAX_ALIGN {
            let cause = format!(
                "messages have to be aligned to {} bytes, and a channel aligns to a power of two that is \
                 at most {MAX_ALIGN}",
                message.align
            );
            return Err(invalid(cause));
        }
        let too_large = || {
            let cause = format!(
                "{capacity} messages of {} bytes do not fit into the address space; use a lower capacity or \
                 shorter messages",
                message.len
            );
            invalid(cause)
        };
        let count = capacity.checked_next_power_of_two().ok_or_else(too_large)? as u64;
        let plan = H::plan(options, count, &message)?;
        let line = if message.len < H::ALIGNED_FROM { SEQUENCE_LEN } else { LINE };
        let align = message.align.max(line);
        let stride = (message.len.checked_add(SEQUENCE_LEN))
            .and_then(|len| len.checked_next_multiple_of(align))
            .ok_or_else(too_large)?;
        let first = (size_of::<H>() as u64 + SEQUENCE_LEN).next_multiple_of(align);
        let slots = SlotLayout { first, stride, count: plan.slots, len: message.len };
        let fits = slots.end().is_some_and(|end| isize::try_from(end).is_ok());
        if fits {
            Ok(Geometry { kind: H::KIND, message, slots, id, words: plan.words })
        } else {
            Err(too_large())
        }
    }

    /// Returns the length of the object in bytes.
    pub(super) fn object_len(&self) -> u64 {
        self.slots.end().expect("`new` checked it")
    }

    /// Returns whether the first byte of each slot is aligned for the messages. The header may have been
    /// changed by another program.
    pub(super) fn is_aligned(&self) -> bool {
        let Geometry { message: MessageType { align, .. }, slots, .. } = *self;
        let is_multiple = |number: u64| number.is_multiple_of(align);
        align.is_power_of_two()
            && align <= MAX_ALIGN
            && is_multiple(slots.first)
            && is_multiple(slots.stride)
    }

    /// Returns the first bytes of a new channel. All others are zero.
    pub(super) fn bytes(&self) -> [u8; CREATED_LEN] {
        let Geometry { kind, message, slots, id, words } = *self;
        let mut bytes = [0; CREATED_LEN];
        let numbers = [
            MAGIC,
            two_words(VERSION, kind as u32),
            slots.count,
            message.fingerprint,
            message.len,
            message.align,
            slots.first,
            slots.stride,
            slots.len,
            id,
            words[0],
            words[1],
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

impl Common {
    /// Returns the words that have another meaning in each kind of channel.
    #[inline]
    pub(super) fn kind_words(&self) -> [u64; 2] {
        self.kind_words.each_ref().map(|word| word.load(Ordering::Relaxed))
    }

    /// Returns whether the creator has written the header.
    pub(super) fn is_written(&self) -> bool {
        // Acquire: publishes the other fields. On Windows the creator writes the magic number last, while
        // other processes may already read the header.
        self.magic.load(Ordering::Acquire) != 0
    }

    /// Returns the geometry, after a check that the channel is one of `kind`. The slots may still reach
    /// past the end of the object.
    pub(super) fn geometry(&self, kind: ChannelKind) -> Result<Geometry> {
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
            let name = ChannelKind::of(found).map_or("unknown".to_owned(), |kind| kind.to_string());
            return wrong(format!(
                "it is a channel of kind {name} ({found}), where {kind} was expected; use the endpoints \
                 of its kind"
            ));
        }
        let number = |word: &AtomicU64| word.load(Ordering::Relaxed);
        let message = MessageType {
            len: number(&self.len),
            align: number(&self.align),
            fingerprint: number(&self.fingerprint),
        };
        let slots = SlotLayout {
            first: number(&self.first),
            stride: number(&self.stride),
            count: number(&self.capacity),
            len: number(&self.slot_len),
        };
        Ok(Geometry { kind, message, slots, id: number(&self.id), words: self.kind_words() })
    }
}

/// Returns the error for a header whose slots do not lie in the object.
pub(super) fn wrong_slots() -> Error {
    let cause = "its header does not fit its memory: another program changed it; end the processes that \
                 hold it, and create it again";
    Error::new(ErrorKind::Corrupted, cause)
}
