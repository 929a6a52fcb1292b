use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::time::Duration;

use super::ring::Producer;
use crate::channel::core::{Channel, Peer};
use crate::channel::error::SendError;
use crate::channel::header::ChannelKind;
use crate::channel::options::{Endpoint, How, Options, private::Join};
use crate::channel::waiting::Waiter;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::name::{Name, ToName};
use crate::shareable::Plain;
use crate::sys::peers::Seat;

/// The sending endpoint of an [`spsc`](super) channel with messages of type `T`.
///
/// Dropping it leaves the channel: the receiver gets all messages that were sent, and then
/// `Disconnected`.
pub struct Sender<T: Plain> {
    channel: Channel<T>,
    seat: Seat,
    producer: Producer,
    waiter: Waiter,
    awaits_successor: bool,
}

impl<T: Plain> Endpoint for Sender<T> {}

impl<T: Plain> Join for Sender<T> {
    #[allow(private_interfaces, reason = "only this crate can name the trait")]
    fn join(name: &Name, options: &Options, how: How) -> Result<Sender<T>> {
        Channel::join(name, ChannelKind::Spsc, options, how, |channel: Channel<T>| {
            let seat = channel.claim(&channel.header().sender, "sender")?;
            let producer = Producer::resume(&channel.memory);
            channel.header().receiver_flag.notify(&channel);
            let waiter = Waiter::new(options.waiting);
            let awaits_successor = options.awaits_successor;
            Ok(Sender { channel, seat, producer, waiter, awaits_successor })
        })
    }
}

impl<T: Plain> Sender<T> {
    /// Creates the channel `name` with the default [`Options`], and returns its sender.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::create_new`].
    pub fn create_new(name: impl ToName) -> Result<Sender<T>> {
        Options::new().create_new(name)
    }

    /// Opens the channel `name`, or creates it with the default [`Options`], and returns its sender.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open_or_create`].
    pub fn open_or_create(name: impl ToName) -> Result<Sender<T>> {
        Options::new().open_or_create(name)
    }

    /// Opens the channel `name`, and returns its sender.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open`].
    pub fn open(name: impl ToName) -> Result<Sender<T>> {
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

    /// Returns how many messages the channel has room for.
    pub fn capacity(&self) -> usize {
        super::capacity(&self.channel)
    }

    /// Returns how many messages were sent and not yet received.
    pub fn len(&self) -> usize {
        super::depth(&self.channel, self.producer.next())
    }

    /// Returns whether all messages were received.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether a live process has the receiver. This asks the kernel.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn has_receiver(&self) -> Result<bool> {
        let occupied = self.channel.is_occupied(&self.channel.header().receiver);
        occupied.map_err(|error| self.channel.context("find the receiver of", error))
    }

    /// Blocks for at most `time` until a live process has the receiver. Returns whether one has.
    ///
    /// # Errors
    ///
    /// [`Orphaned`](crate::ErrorKind::Orphaned): another program removed the name, so that no receiver
    /// can come. Otherwise the error of the operating system.
    pub fn wait_for_receiver(&self, time: Duration) -> Result<bool> {
        let header = self.channel.header();
        self.channel
            .wait_until_occupied(&header.receiver, &header.sender_flag, Deadline::after(time))
            .map_err(|error| self.channel.context("wait for the receiver of", error))
    }

    /// Sends a message, without blocking.
    ///
    /// Once this has returned `Ok`, the message is delivered although this process is killed.
    ///
    /// # Errors
    ///
    /// - [`Full`](SendError::Full): there is no room.
    /// - [`Disconnected`](SendError::Disconnected): there is no room, and the receiver was dropped.
    /// - [`Corrupted`](SendError::Corrupted), [`Forked`](SendError::Forked): see [`SendError`].
    #[inline]
    pub fn try_send(&mut self, message: &T) -> std::result::Result<(), SendError> {
        if self.room(1)? == 0 {
            return Err(self.full());
        }
        self.put(message);
        Ok(())
    }

    /// Sends a message, and blocks while there is no room.
    ///
    /// # Errors
    ///
    /// - [`Disconnected`](SendError::Disconnected): there is no room, and the receiver was dropped or
    ///   its process ended.
    /// - [`Corrupted`](SendError::Corrupted), [`Forked`](SendError::Forked),
    ///   [`Orphaned`](SendError::Orphaned), [`Os`](SendError::Os): see [`SendError`].
    #[inline]
    pub fn send(&mut self, message: &T) -> std::result::Result<(), SendError> {
        if self.room(1)? == 0 {
            self.wait_for_room(Deadline::Never)?;
        }
        self.put(message);
        Ok(())
    }

    /// Sends a message, and blocks for at most `time` while there is no room.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](SendError::TimedOut), and the errors of [`send`](Sender::send).
    #[inline]
    pub fn send_timeout(
        &mut self,
        message: &T,
        time: Duration,
    ) -> std::result::Result<(), SendError> {
        if self.room(1)? == 0 {
            self.wait_for_room(Deadline::after(time))?;
        }
        self.put(message);
        Ok(())
    }

    /// Sends as many of the messages as there is room for, in order, without blocking. Returns how many
    /// it sent. The receiver finds these together: if this process is killed meanwhile, it finds none.
    ///
    /// # Errors
    ///
    /// The errors of [`try_send`](Sender::try_send), if it sent none.
    pub fn try_send_many(&mut self, messages: &[T]) -> std::result::Result<usize, SendError> {
        if messages.is_empty() {
            return Ok(0);
        }
        let room = self.room(messages.len() as u64)?;
        if room == 0 {
            return Err(self.full());
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most `messages.len()`")]
        let sent = &messages[..room as usize];
        for (position, message) in (self.producer.next()..).zip(sent) {
            self.channel.memory.write(position, message);
        }
        self.producer.publish_batch(&self.channel.memory, room);
        self.channel.header().receiver_flag.notify(&self.channel);
        Ok(sent.len())
    }

    /// Sends all the messages in order, and blocks while there is no room.
    ///
    /// # Errors
    ///
    /// The errors of [`send`](Sender::send). Some of the messages may have been sent then;
    /// [`try_send_many`](Sender::try_send_many) reports how many.
    pub fn send_all(&mut self, mut messages: &[T]) -> std::result::Result<(), SendError> {
        while !messages.is_empty() {
            match self.try_send_many(messages) {
                Ok(sent) => messages = &messages[sent..],
                Err(SendError::Full) => self.wait_for_room(Deadline::Never)?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Lends the next free slot, so that a message is written in place, without blocking.
    ///
    /// # Errors
    ///
    /// The errors of [`try_send`](Sender::try_send).
    pub fn try_loan(&mut self) -> std::result::Result<Loan<'_, T>, SendError> {
        if self.room(1)? == 0 {
            return Err(self.full());
        }
        Ok(Loan { sender: self })
    }

    /// Lends the next free slot, and blocks while there is none.
    ///
    /// # Errors
    ///
    /// The errors of [`send`](Sender::send).
    pub fn loan(&mut self) -> std::result::Result<Loan<'_, T>, SendError> {
        if self.room(1)? == 0 {
            self.wait_for_room(Deadline::Never)?;
        }
        Ok(Loan { sender: self })
    }

    /// Returns how many messages fit, of at most `wanted`.
    #[inline]
    fn room(&mut self, wanted: u64) -> std::result::Result<u64, SendError> {
        if !self.seat.is_mine() {
            return Err(SendError::Forked);
        }
        self.producer.room(&self.channel.memory, wanted).map_err(|_| SendError::Corrupted)
    }

    /// Sends a message, for which there is room.
    #[inline]
    fn put(&mut self, message: &T) {
        self.channel.memory.write(self.producer.next(), message);
        self.publish();
    }

    #[inline]
    fn publish(&mut self) {
        self.producer.publish(&self.channel.memory);
        self.channel.header().receiver_flag.notify(&self.channel);
    }

    /// Returns the error for a full channel. It looks for a receiver that has left, and now and then for
    /// a dead one.
    #[cold]
    fn full(&mut self) -> SendError {
        let peer = Peer {
            channel: &self.channel,
            place: &self.channel.header().receiver,
            awaits_successor: self.awaits_successor,
        };
        self.waiter.test(&peer).map_or_else(SendError::from, |()| SendError::Full)
    }

    #[cold]
    fn wait_for_room(&mut self, deadline: Deadline) -> std::result::Result<(), SendError> {
        let Sender { channel, producer, waiter, awaits_successor, .. } = self;
        let header = channel.header();
        let peer = Peer { channel, place: &header.receiver, awaits_successor: *awaits_successor };
        // A corrupted number ends the wait, and the caller finds it again.
        let is_ready = || producer.room(&channel.memory, 1) != Ok(0);
        match waiter.wait(deadline, &header.sender_flag, channel, is_ready, &peer) {
            Ok(true) if self.room(1)? > 0 => Ok(()),
            Ok(true) => Err(SendError::Full),
            Ok(false) => Err(SendError::TimedOut),
            Err(error) => Err(error.into()),
        }
    }
}

impl<T: Plain> Drop for Sender<T> {
    fn drop(&mut self) {
        // A forked child leaves its parent's place alone.
        if self.seat.is_mine() {
            self.channel.header().sender.leave(self.seat.number());
            self.channel.header().receiver_flag.notify(&self.channel);
        }
    }
}

impl<T: Plain> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Sender");
        debug.field("name", self.name()).field("next", &self.producer.next());
        debug.finish_non_exhaustive()
    }
}

/// A free slot of a channel, to write a message in place. [`send`](Loan::send) sends the message;
/// dropping the loan sends nothing.
#[must_use = "dropping the loan sends nothing"]
pub struct Loan<'a, T: Plain> {
    sender: &'a mut Sender<T>,
}

impl<T: Plain> Loan<'_, T> {
    /// Writes the message.
    pub fn write(&mut self, message: &T) {
        self.sender.channel.memory.write(self.sender.producer.next(), message);
    }

    /// Returns the address of the message. Its bytes are those of an older message at first.
    ///
    /// The pointer is aligned for `T`, and valid for reads and writes until the loan is sent or dropped.
    /// Other processes can access the bytes at any time if they break the rules of the channel, so that
    /// Rust code must not make a reference of it unless all processes are trusted.
    pub fn as_mut_ptr(&mut self) -> *mut T {
        let at: NonNull<T> = self.sender.channel.memory.payload(self.sender.producer.next()).cast();
        at.as_ptr()
    }

    /// Sends the message that the slot has.
    pub fn send(self) {
        self.sender.publish();
    }
}

impl<T: Plain> fmt::Debug for Loan<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Loan").field(&PhantomData::<T>).finish()
    }
}
