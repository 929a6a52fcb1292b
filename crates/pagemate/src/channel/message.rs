//! The types of messages: values of a [`Plain`] type, and bytes.

use super::error::{Corrupted, SendError};
use super::message_type::{LEN_FIELD, MessageType};
use super::options::{ByteMessages, Options};
use crate::error::{Error, Result};
use crate::shareable::{self, Plain};
use crate::sys::region::{Atomics, HeaderRegion, SlotLayout, SlotRegion};

/// A type of messages: any [`Plain`] type, or `[u8]` for messages of different lengths.
///
/// All messages of a channel have one type, which its creator chooses. All other processes have to use the
/// same type.
pub trait Message: private::Transfer<<Self as Message>::Owned> + 'static {
    /// The type of a received message: the `Plain` type itself, or `Vec<u8>`.
    type Owned;
}

impl<T: Plain> Message for T {
    type Owned = T;
}

impl Message for [u8] {
    type Owned = Vec<u8>;
}

/// The slots of a channel and the layout of the messages in them.
#[derive(Debug)]
pub(super) struct Slots<H, M: ?Sized> {
    pub(super) memory: SlotRegion<H, M>,
    pub(super) message_type: MessageType,
}

impl<H: Atomics, M: ?Sized> Slots<H, M> {
    /// Returns the length of the longest message in bytes.
    #[inline]
    pub(super) fn max_len(&self) -> usize {
        self.memory.payload_len().saturating_sub(self.message_type.len_before_bytes())
    }
}

pub(super) mod private {
    use std::result::Result;

    use super::{
        Atomics, Corrupted, Error, HeaderRegion, MessageType, Options, SendError, SlotLayout,
        SlotRegion, Slots,
    };

    /// Copies messages of a type to and from the slots of a channel.
    #[allow(private_bounds, private_interfaces, reason = "only this crate can name the trait")]
    pub trait Transfer<Owned> {
        /// Returns the layout of the messages of a new channel.
        fn layout(options: &Options) -> MessageType;

        /// Returns an error if a channel with messages of type `found` is not the expected one.
        fn check_type(found: &MessageType, options: &Options) -> Result<(), Error>;

        /// Returns the bytes of this message.
        fn as_bytes(&self) -> &[u8];

        /// Returns the message of `len` bytes that `read` copies. `None` if no message has this length.
        fn from_bytes(len: usize, read: impl FnOnce(&mut [u8])) -> Option<Owned>;

        /// Adds the slots of a channel to its header, after a check of their layout.
        fn slots<H: Atomics>(
            region: HeaderRegion<H>,
            layout: SlotLayout,
        ) -> Option<SlotRegion<H, Self>>;

        /// Returns an error if this message does not fit into a slot.
        fn check_len<H: Atomics>(&self, slots: &Slots<H, Self>) -> Result<(), SendError>;

        /// Copies this message into the slot at a position. The caller has checked the message by `check_len`.
        fn write<H: Atomics>(&self, slots: &Slots<H, Self>, position: u64);

        /// Returns the offset in the slot and the length of the message at a position, in bytes.
        fn range<H: Atomics>(
            slots: &Slots<H, Self>,
            position: u64,
        ) -> Result<(usize, usize), Corrupted>;

        /// Copies the message at a position.
        fn read<H: Atomics>(slots: &Slots<H, Self>, position: u64) -> Result<Owned, Corrupted>;

        /// Copies the message at a position into `to`.
        fn read_into<H: Atomics>(
            slots: &Slots<H, Self>,
            position: u64,
            to: &mut Owned,
        ) -> Result<(), Corrupted>;
    }
}

#[allow(private_bounds, private_interfaces, reason = "only this crate can name the trait")]
impl<T: Plain> private::Transfer<T> for T {
    fn layout(_: &Options) -> MessageType {
        MessageType::of::<T>()
    }

    fn check_type(found: &MessageType, _: &Options) -> Result<()> {
        found.check(std::any::type_name::<T>(), &MessageType::of::<T>())
    }

    fn as_bytes(&self) -> &[u8] {
        shareable::as_bytes(self)
    }

    fn from_bytes(len: usize, read: impl FnOnce(&mut [u8])) -> Option<T> {
        (len == size_of::<T>()).then(|| shareable::from_bytes(read))
    }

    fn slots<H: Atomics>(region: HeaderRegion<H>, layout: SlotLayout) -> Option<SlotRegion<H, T>> {
        region.with_slots(layout)
    }

    #[inline]
    fn check_len<H: Atomics>(&self, _: &Slots<H, T>) -> std::result::Result<(), SendError> {
        Ok(())
    }

    #[inline]
    fn write<H: Atomics>(&self, slots: &Slots<H, T>, position: u64) {
        slots.memory.write(position, self);
    }

    fn range<H: Atomics>(
        _: &Slots<H, T>,
        _: u64,
    ) -> std::result::Result<(usize, usize), Corrupted> {
        Ok((0, size_of::<T>()))
    }

    #[inline]
    fn read<H: Atomics>(slots: &Slots<H, T>, position: u64) -> std::result::Result<T, Corrupted> {
        Ok(slots.memory.read(position))
    }

    #[inline]
    fn read_into<H: Atomics>(
        slots: &Slots<H, T>,
        position: u64,
        to: &mut T,
    ) -> std::result::Result<(), Corrupted> {
        slots.memory.read_into(position, to);
        Ok(())
    }
}

#[allow(private_bounds, private_interfaces, reason = "only this crate can name the trait")]
impl private::Transfer<Vec<u8>> for [u8] {
    fn layout(options: &Options) -> MessageType {
        match options.messages {
            ByteMessages::Of(message_type) => message_type,
            ByteMessages::DifferentLengths | ByteMessages::Any => {
                MessageType::of_bytes(options.max_len)
            }
        }
    }

    fn check_type(found: &MessageType, options: &Options) -> Result<()> {
        match options.messages {
            ByteMessages::Of(expected) => found.check("another type", &expected),
            ByteMessages::DifferentLengths if !found.is_bytes() => {
                Err(found.mismatch("[u8]", &MessageType::of_bytes(options.max_len)))
            }
            ByteMessages::DifferentLengths | ByteMessages::Any => Ok(()),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        self
    }

    fn from_bytes(len: usize, read: impl FnOnce(&mut [u8])) -> Option<Vec<u8>> {
        let mut bytes = vec![0; len];
        read(&mut bytes);
        Some(bytes)
    }

    fn slots<H: Atomics>(
        region: HeaderRegion<H>,
        layout: SlotLayout,
    ) -> Option<SlotRegion<H, [u8]>> {
        region.with_byte_slots(layout)
    }

    #[inline]
    fn check_len<H: Atomics>(&self, slots: &Slots<H, [u8]>) -> std::result::Result<(), SendError> {
        let max = slots.max_len();
        let fits =
            if slots.message_type.is_bytes() { self.len() <= max } else { self.len() == max };
        if fits { Ok(()) } else { Err(SendError::WrongLength) }
    }

    #[inline]
    fn write<H: Atomics>(&self, slots: &Slots<H, [u8]>, position: u64) {
        if slots.message_type.is_bytes() {
            slots.memory.write_bytes(position, 0, &(self.len() as u64).to_ne_bytes());
            slots.memory.write_bytes(position, LEN_FIELD, self);
        } else {
            slots.memory.write_bytes(position, 0, self);
        }
    }

    #[inline]
    fn range<H: Atomics>(
        slots: &Slots<H, [u8]>,
        position: u64,
    ) -> std::result::Result<(usize, usize), Corrupted> {
        if !slots.message_type.is_bytes() {
            return Ok((0, slots.max_len()));
        }
        let mut len = [0; LEN_FIELD];
        slots.memory.read_bytes(position, 0, &mut len);
        // Another program may have changed the length.
        let len = usize::try_from(u64::from_ne_bytes(len)).map_err(|_| Corrupted)?;
        if len <= slots.max_len() { Ok((LEN_FIELD, len)) } else { Err(Corrupted) }
    }

    fn read<H: Atomics>(
        slots: &Slots<H, [u8]>,
        position: u64,
    ) -> std::result::Result<Vec<u8>, Corrupted> {
        let mut bytes = Vec::new();
        Self::read_into(slots, position, &mut bytes)?;
        Ok(bytes)
    }

    #[inline]
    fn read_into<H: Atomics>(
        slots: &Slots<H, [u8]>,
        position: u64,
        to: &mut Vec<u8>,
    ) -> std::result::Result<(), Corrupted> {
        let (offset, len) = Self::range(slots, position)?;
        to.resize(len, 0);
        slots.memory.read_bytes(position, offset, to);
        Ok(())
    }
}
