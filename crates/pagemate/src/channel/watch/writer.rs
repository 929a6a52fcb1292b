use std::fmt;

use super::buffers::{Versions, buffer};
use super::header::WatchHeader;
use crate::channel::core::Channel;
use crate::channel::error::SendError;
use crate::channel::message::Message;
use crate::channel::message_type::MessageType;
use crate::channel::options::{Endpoint, How, Options, private::Join};
use crate::channel::protocol::Side;
use crate::error::Result;
use crate::name::{Name, ToName};
use crate::shareable::Plain;
use crate::sys::peers::Seat;

/// The writing endpoint of a [`watch`](super) channel with values of type `M`.
///
/// Dropping it leaves the channel: the latest value stays.
pub struct Writer<M: Message + ?Sized> {
    channel: Channel<WatchHeader, M>,
    versions: Versions,
    seat: Seat,
}

impl<M: Message + ?Sized> Endpoint for Writer<M> {}

impl<M: Message + ?Sized> Join for Writer<M> {
    #[allow(private_interfaces, reason = "only this crate can name the trait")]
    fn join(name: &Name, options: &Options, how: How) -> Result<Writer<M>> {
        Channel::join(name, options, how, |channel| {
            let seat = channel.take_seat()?;
            let versions = Versions::join(&channel, seat.number())?;
            Ok(Writer { channel, versions, seat })
        })
    }
}

impl<M: Message + ?Sized> Writer<M> {
    /// Creates the channel `name` with the default [`Options`], and returns its writer.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::create_new`].
    pub fn create_new(name: impl ToName) -> Result<Writer<M>> {
        Options::new().create_new(name)
    }

    /// Opens the channel `name`, or creates it with the default [`Options`], and returns its writer.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open_or_create`].
    pub fn open_or_create(name: impl ToName) -> Result<Writer<M>> {
        Options::new().open_or_create(name)
    }

    /// Opens the channel `name`, and returns its writer.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open`].
    pub fn open(name: impl ToName) -> Result<Writer<M>> {
        Options::new().open(name)
    }

    /// Returns the name of the channel.
    pub fn name(&self) -> &Name {
        self.channel.name()
    }

    /// Returns whether this call created the channel; `false` if it opened an existing one.
    pub fn was_created(&self) -> bool {
        self.channel.was_created()
    }

    /// Returns the length of the longest value in bytes. It is the length of each value unless values have
    /// different lengths.
    pub fn max_len(&self) -> usize {
        self.channel.slots.max_len()
    }

    /// Returns the layout of the values.
    pub fn message_type(&self) -> MessageType {
        self.channel.slots.message_type
    }

    /// Returns the version of the latest value: how many values were written since the channel was created.
    /// A new writer continues the count.
    pub fn version(&self) -> u64 {
        self.versions.latest()
    }

    /// Replaces the value. It never blocks, and costs no system call unless a reader sleeps.
    ///
    /// Readers find the new value or the previous one, and never a mixture. If this process is killed before
    /// the call returns, they find either.
    ///
    /// # Errors
    ///
    /// - [`WrongLength`](SendError::WrongLength): the value is longer than [`max_len`](Writer::max_len).
    /// - [`Forked`](SendError::Forked): see [`SendError`].
    #[inline]
    pub fn write(&mut self, value: &M) -> std::result::Result<(), SendError> {
        value.check_len(&self.channel.slots)?;
        self.check_process()?;
        let version = self.versions.begin();
        value.write(&self.channel.slots, buffer(version));
        self.publish();
        Ok(())
    }

    /// Lends the buffer of the next value, so that the value is written in place.
    ///
    /// # Errors
    ///
    /// [`Forked`](SendError::Forked): see [`SendError`].
    pub fn loan(&mut self) -> std::result::Result<Loan<'_, M>, SendError> {
        self.check_process()?;
        let position = buffer(self.versions.begin());
        Ok(Loan { writer: self, position })
    }

    #[inline]
    fn check_process(&self) -> std::result::Result<(), SendError> {
        if self.seat.is_mine() { Ok(()) } else { Err(SendError::Forked) }
    }

    #[inline]
    fn publish(&mut self) {
        self.versions.publish(&self.channel.header().version);
        self.channel.header().flag.notify_all(&self.channel);
    }
}

impl<M: Message + ?Sized> Drop for Writer<M> {
    fn drop(&mut self) {
        // A forked child leaves its parent's endpoint alone.
        if self.seat.is_mine() {
            self.versions.leave(&self.channel, self.seat.number());
        }
    }
}

impl<M: Message + ?Sized> fmt::Debug for Writer<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Writer");
        debug.field("name", self.name()).field("version", &self.version()).finish_non_exhaustive()
    }
}

/// The buffer of the next value of a [`Writer`], to write the value in place. [`publish`](Loan::publish)
/// replaces the value by it; dropping the loan changes nothing.
#[must_use = "dropping the loan changes nothing"]
pub struct Loan<'a, M: Message + ?Sized> {
    writer: &'a mut Writer<M>,
    position: u64,
}

impl<T: Plain> Loan<'_, T> {
    /// Writes the value into the buffer.
    pub fn write(&mut self, value: &T) {
        self.writer.channel.slots.memory.write(self.position, value);
    }

    /// Returns the address of the buffer. Its bytes are those of an older value at first.
    ///
    /// The pointer is aligned for `T`, and valid for reads and writes until the loan is published or
    /// dropped. Readers that began to copy the older value may still read the bytes, and then start over.
    /// Other processes can write to them if they break the rules of the channel, so that Rust code must not
    /// make a reference of the pointer unless all processes are trusted.
    pub fn as_mut_ptr(&mut self) -> *mut T {
        self.payload().cast()
    }

    /// Replaces the value by that in the buffer.
    ///
    /// # Errors
    ///
    /// [`Forked`](SendError::Forked): this process was forked from the one that has the loan.
    pub fn publish(self) -> std::result::Result<(), SendError> {
        self.writer.check_process()?;
        self.writer.publish();
        Ok(())
    }
}

impl<M: Message + ?Sized> Loan<'_, M> {
    /// Returns the length of the longest value that the buffer has room for, in bytes.
    pub fn max_len(&self) -> usize {
        self.writer.max_len()
    }

    /// Copies bytes into the value, from its byte `offset` on. The other bytes of the buffer are those of
    /// an older value.
    ///
    /// # Panics
    ///
    /// If `offset + bytes.len()` is more than [`max_len`](Loan::max_len).
    pub fn write_at(&mut self, offset: usize, bytes: &[u8]) {
        let channel = &self.writer.channel;
        let before = channel.slots.message_type.len_before_bytes();
        channel.slots.memory.write_bytes(self.position, before.saturating_add(offset), bytes);
    }

    /// Returns the address of the first byte of the value.
    fn payload(&mut self) -> *mut u8 {
        let channel = &self.writer.channel;
        let buffer = channel.slots.memory.payload(self.position).as_ptr();
        buffer.wrapping_add(channel.slots.message_type.len_before_bytes())
    }
}

impl Loan<'_, [u8]> {
    /// Returns the address of the buffer, which has room for [`max_len`](Loan::max_len) bytes. They are
    /// those of older values at first.
    ///
    /// The pointer is valid for reads and writes until the loan is published or dropped, with the limits
    /// that apply to a value of a [`Plain`] type.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.payload()
    }

    /// Replaces the value by the first `len` bytes of the buffer.
    ///
    /// # Errors
    ///
    /// - [`WrongLength`](SendError::WrongLength): `len` is more than [`max_len`](Loan::max_len), or is not
    ///   the length that all values of the channel have.
    /// - [`Forked`](SendError::Forked): this process was forked from the one that has the loan.
    pub fn publish(self, len: usize) -> std::result::Result<(), SendError> {
        self.writer.check_process()?;
        let channel = &self.writer.channel;
        let is_bytes = channel.slots.message_type.is_bytes();
        if len > self.max_len() || (!is_bytes && len != self.max_len()) {
            return Err(SendError::WrongLength);
        }
        if is_bytes {
            channel.slots.memory.write_bytes(self.position, 0, &(len as u64).to_ne_bytes());
        }
        self.writer.publish();
        Ok(())
    }
}

impl<M: Message + ?Sized> fmt::Debug for Loan<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loan").field("max_len", &self.max_len()).finish_non_exhaustive()
    }
}
