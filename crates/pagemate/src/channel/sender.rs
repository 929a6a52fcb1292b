use std::fmt;
use std::time::Duration;

use super::core::Channel;
use super::error::SendError;
use super::message::{Message, private::Transfer as _};
use super::message_type::MessageType;
use super::options::{Endpoint, How, Options, private::Join};
use super::peers::{Awaiting, UntilReceived, had_peer, has_peer, wait_for_peer};
use super::protocol::{Kind, Producer, Side};
use super::ready::ready;
use super::waiting::{Awaited as _, Waiter};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::name::{Name, ToName};
use crate::shareable::Plain;
use crate::sync::Ready;
use crate::sys::peers::Seat;

/// The sending endpoint of a channel of kind `K` with messages of type `M`.
///
/// Programs use it by the name of the kind, such as [`spsc::Sender`](super::spsc::Sender). Dropping it
/// leaves the channel: receivers get all messages that were sent, and then `Disconnected`.
pub struct Sender<K: Kind, M: Message + ?Sized> {
    channel: Channel<K::Header, M>,
    side: K::Producer,
    seat: Seat,
    waiter: Waiter,
    awaits_successor: bool,
}

impl<K: Kind, M: Message + ?Sized> Endpoint for Sender<K, M> {}

impl<K: Kind, M: Message + ?Sized> Join for Sender<K, M> {
    #[allow(private_interfaces, reason = "only this crate can name the trait")]
    fn join(name: &Name, options: &Options, how: How) -> Result<Sender<K, M>> {
        Channel::join(name, options, how, |channel| {
            let seat = channel.take_seat()?;
            let side = K::Producer::join(&channel, seat.number())?;
            let waiter = Waiter::new(options.waiting);
            let awaits_successor = options.awaits_successor;
            Ok(Sender { channel, side, seat, waiter, awaits_successor })
        })
    }
}

impl<K: Kind, M: Message + ?Sized> Sender<K, M> {
    /// Creates the channel `name` with the default [`Options`], and returns its sender.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::create_new`].
    pub fn create_new(name: impl ToName) -> Result<Sender<K, M>> {
        Options::new().create_new(name)
    }

    /// Opens the channel `name`, or creates it with the default [`Options`], and returns its sender.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open_or_create`].
    pub fn open_or_create(name: impl ToName) -> Result<Sender<K, M>> {
        Options::new().open_or_create(name)
    }

    /// Opens the channel `name`, and returns its sender.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open`].
    pub fn open(name: impl ToName) -> Result<Sender<K, M>> {
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
        self.channel.capacity()
    }

    /// Returns the layout of the messages.
    pub fn message_type(&self) -> MessageType {
        self.channel.slots.message_type
    }

    /// Returns the length of the longest message in bytes. It is the length of each message unless
    /// messages have different lengths.
    pub fn max_len(&self) -> usize {
        self.channel.slots.max_len()
    }

    /// Returns how many messages were sent and not yet received.
    pub fn len(&self) -> usize {
        // Another program may have changed the numbers.
        usize::try_from(self.side.pending(&self.channel)).unwrap_or(usize::MAX).min(self.capacity())
    }

    /// Returns whether all messages were received.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether a live process has a receiver. This asks the kernel.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn has_receiver(&self) -> Result<bool> {
        let found = has_peer::<K::Producer, _, _>(&self.channel);
        found.map_err(|error| self.channel.context("find a receiver of", error))
    }

    /// Blocks for at most `time` until a live process has a receiver. Returns whether one has.
    ///
    /// # Errors
    ///
    /// [`Orphaned`](crate::ErrorKind::Orphaned): another program removed the name, so that no receiver
    /// can come. Otherwise the error of the operating system.
    pub fn wait_for_receiver(&self, time: Duration) -> Result<bool> {
        wait_for_peer(&self.channel, &self.side, Deadline::after(time))
            .map_err(|error| self.channel.context("wait for a receiver of", error))
    }

    /// Sends a message, without blocking.
    ///
    /// Once this has returned `Ok`, the message is delivered although this process is killed.
    ///
    /// # Errors
    ///
    /// - [`Full`](SendError::Full): there is no room.
    /// - [`Disconnected`](SendError::Disconnected): there is no room, and every receiver was dropped.
    /// - [`WrongLength`](SendError::WrongLength): the message is longer than
    ///   [`max_len`](Sender::max_len).
    /// - [`Corrupted`](SendError::Corrupted), [`Forked`](SendError::Forked): see [`SendError`].
    #[inline]
    pub fn try_send(&mut self, message: &M) -> std::result::Result<(), SendError> {
        message.check_len(&self.channel.slots)?;
        self.try_claim(1)?;
        self.put(message);
        Ok(())
    }

    /// Sends a message, and blocks while there is no room.
    ///
    /// # Errors
    ///
    /// - [`Disconnected`](SendError::Disconnected): there is no room, and every receiver was dropped or
    ///   its process ended.
    /// - [`WrongLength`](SendError::WrongLength): the message is longer than
    ///   [`max_len`](Sender::max_len).
    /// - [`Corrupted`](SendError::Corrupted), [`Forked`](SendError::Forked),
    ///   [`Orphaned`](SendError::Orphaned), [`Os`](SendError::Os): see [`SendError`].
    #[inline]
    pub fn send(&mut self, message: &M) -> std::result::Result<(), SendError> {
        self.send_before(message, Deadline::Never)
    }

    /// Sends a message, and blocks for at most `time` while there is no room.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](SendError::TimedOut), and the errors of [`send`](Sender::send).
    #[inline]
    pub fn send_timeout(
        &mut self,
        message: &M,
        time: Duration,
    ) -> std::result::Result<(), SendError> {
        self.send_before(message, Deadline::after(time))
    }

    #[inline]
    fn send_before(
        &mut self,
        message: &M,
        deadline: Deadline,
    ) -> std::result::Result<(), SendError> {
        message.check_len(&self.channel.slots)?;
        if self.claim(1)? == 0 {
            return self.wait_and_send(message, deadline);
        }
        self.put(message);
        Ok(())
    }

    /// Sends a message as soon as there is room. It is a function of its own so that a call that finds room
    /// at once saves no registers. Such stores fill the store queue of the processor, and fewer messages are
    /// then on their way at the same time.
    #[cold]
    #[inline(never)]
    fn wait_and_send(
        &mut self,
        message: &M,
        deadline: Deadline,
    ) -> std::result::Result<(), SendError> {
        self.wait_and_claim(1, deadline)?;
        self.put(message);
        Ok(())
    }

    /// Blocks for at most `time` until all messages were received. Returns whether they were.
    ///
    /// # Errors
    ///
    /// - [`Disconnected`](SendError::Disconnected): messages are left, and every receiver was dropped or
    ///   its process ended. Without a receiver up to now this call waits for one.
    /// - [`Forked`](SendError::Forked), [`Orphaned`](SendError::Orphaned), [`Os`](SendError::Os): see
    ///   [`SendError`].
    pub fn wait_until_received(&mut self, time: Duration) -> std::result::Result<bool, SendError> {
        if !self.seat.is_mine() {
            return Err(SendError::Forked);
        }
        let Sender { channel, side, waiter, awaits_successor, .. } = self;
        let flag = side.flag(channel.header());
        let awaited = Awaiting { side, channel, awaits_successor: *awaits_successor };
        Ok(waiter.wait(Deadline::after(time), flag, channel, &mut UntilReceived(awaited))?)
    }

    /// Returns the state in which there is room for a message, for [`wait_any`](crate::sync::wait_any). It ends the wait too when
    /// the endpoint is disconnected.
    ///
    /// # Examples
    ///
    /// ```
    /// use pagemate::channel::spsc;
    /// use pagemate::sync::{EventOptions, Reset, wait_any};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let name = &format!("doc-ready-send-{}", std::process::id());
    /// let quit = EventOptions::new(Reset::Manual).create_unnamed()?;
    /// let mut sender = spsc::Sender::<u32>::open_or_create(name)?;
    /// let mut receiver = spsc::Receiver::<u32>::open(name)?;
    /// sender.send(&1)?;
    /// let ready = sender.ready();
    /// assert_eq!(wait_any(&[(&quit).into(), (&ready).into()])?.index, 1);
    /// # drop(ready);
    /// # assert_eq!(receiver.recv()?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn ready(&mut self) -> Ready<'_> {
        let Sender { channel, side, waiter, awaits_successor, .. } = self;
        ready(Awaiting { side, channel, awaits_successor: *awaits_successor }, waiter)
    }

    /// Lends a free slot, so that a message is written in place, without blocking.
    ///
    /// # Errors
    ///
    /// The errors of [`try_send`](Sender::try_send).
    pub fn try_loan(&mut self) -> std::result::Result<Loan<'_, K, M>, SendError> {
        self.try_claim(1)?;
        Ok(Loan { sender: self })
    }

    /// Lends a free slot, and blocks while there is none.
    ///
    /// # Errors
    ///
    /// The errors of [`send`](Sender::send).
    pub fn loan(&mut self) -> std::result::Result<Loan<'_, K, M>, SendError> {
        self.claim_before(1, Deadline::Never)?;
        Ok(Loan { sender: self })
    }

    /// Lends a free slot, and blocks for at most `time` while there is none.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](SendError::TimedOut), and the errors of [`send`](Sender::send).
    pub fn loan_timeout(
        &mut self,
        time: Duration,
    ) -> std::result::Result<Loan<'_, K, M>, SendError> {
        self.claim_before(1, Deadline::after(time))?;
        Ok(Loan { sender: self })
    }

    /// Returns whether a process that joined the channel with a seat is alive. This asks the kernel.
    pub(super) fn is_alive(&self, seat: u32) -> Result<bool> {
        self.channel.is_alive(seat)
    }

    /// Returns whether every receiver was dropped. Killed ones count as receivers.
    pub(super) fn is_disconnected(&mut self) -> bool {
        let Sender { channel, side, .. } = self;
        Awaiting { side, channel, awaits_successor: false }.test_places().is_err()
    }

    /// Returns whether the channel has ever had a receiver.
    pub(super) fn had_receiver(&self) -> bool {
        had_peer::<K::Producer, _, _>(&self.channel)
    }

    /// Claims slots for at most `wanted` messages, and returns their number.
    #[inline]
    fn claim(&mut self, wanted: u64) -> std::result::Result<u64, SendError> {
        if !self.seat.is_mine() {
            return Err(SendError::Forked);
        }
        Ok(self.side.claim(&self.channel, wanted)?)
    }

    /// Claims at least one slot and at most `wanted`, without blocking.
    #[inline]
    fn try_claim(&mut self, wanted: u64) -> std::result::Result<u64, SendError> {
        match self.claim(wanted)? {
            0 => Err(self.full()),
            count => Ok(count),
        }
    }

    /// Claims at least one slot and at most `wanted`, and waits for it until the deadline.
    #[inline]
    fn claim_before(
        &mut self,
        wanted: u64,
        deadline: Deadline,
    ) -> std::result::Result<u64, SendError> {
        match self.claim(wanted)? {
            0 => self.wait_and_claim(wanted, deadline),
            count => Ok(count),
        }
    }

    #[cold]
    fn wait_and_claim(
        &mut self,
        wanted: u64,
        deadline: Deadline,
    ) -> std::result::Result<u64, SendError> {
        loop {
            let Sender { channel, side, waiter, awaits_successor, .. } = self;
            let flag = side.flag(channel.header());
            let mut awaited = Awaiting { side, channel, awaits_successor: *awaits_successor };
            if !waiter.wait(deadline, flag, channel, &mut awaited)? {
                return Err(SendError::TimedOut);
            }
            let count = self.claim(wanted)?;
            if count > 0 {
                return Ok(count);
            }
            // Another sender has taken the room.
            if deadline.has_passed() {
                return Err(SendError::TimedOut);
            }
        }
    }

    /// Returns the error for a full channel. It looks for receivers that have left, and now and then for
    /// dead ones.
    #[cold]
    fn full(&mut self) -> SendError {
        let Sender { channel, side, waiter, awaits_successor, .. } = self;
        let mut awaited = Awaiting { side, channel, awaits_successor: *awaits_successor };
        match waiter.test(&mut awaited) {
            Ok(()) => SendError::Full,
            // A receiver may have made room before it left, or by leaving.
            Err(_) if awaited.is_ready() => SendError::Full,
            Err(error) => error.into(),
        }
    }

    /// Sends a message by the claimed slot.
    #[inline]
    fn put(&mut self, message: &M) {
        message.write(&self.channel.slots, self.side.position(0));
        self.side.publish(&self.channel, 1);
    }

    /// Sends messages by the claimed slots.
    fn put_many<B>(&mut self, messages: &[B], as_message: impl Fn(&B) -> &M) {
        for (index, message) in (0..).zip(messages) {
            as_message(message).write(&self.channel.slots, self.side.position(index));
        }
        self.side.publish(&self.channel, messages.len() as u64);
    }
}

/// Batches of messages of one length.
impl<K: Kind, T: Plain> Sender<K, T> {
    /// Sends as many of the messages as there is room for, in order, without blocking. Returns how many
    /// it sent. Receivers find these together: if this process is killed meanwhile, they find none.
    ///
    /// # Errors
    ///
    /// The errors of [`try_send`](Sender::try_send), if it sent none.
    pub fn try_send_many(&mut self, messages: &[T]) -> std::result::Result<usize, SendError> {
        if messages.is_empty() {
            return Ok(0);
        }
        let claimed = self.try_claim(messages.len() as u64)?;
        #[allow(clippy::cast_possible_truncation, reason = "at most `messages.len()`")]
        let sent = &messages[..claimed as usize];
        self.put_many(sent, |message| message);
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
            let claimed = self.claim_before(messages.len() as u64, Deadline::Never)?;
            #[allow(clippy::cast_possible_truncation, reason = "at most `messages.len()`")]
            let (sent, rest) = messages.split_at(claimed as usize);
            self.put_many(sent, |message| message);
            messages = rest;
        }
        Ok(())
    }
}

/// Batches of messages of different lengths.
impl<K: Kind> Sender<K, [u8]> {
    /// Sends as many of the messages as there is room for, in order, without blocking. Returns how many
    /// it sent. Receivers find these together: if this process is killed meanwhile, they find none.
    ///
    /// # Errors
    ///
    /// The errors of [`try_send`](Sender::try_send), if it sent none.
    pub fn try_send_many(
        &mut self,
        messages: &[impl AsRef<[u8]>],
    ) -> std::result::Result<usize, SendError> {
        let fitting = self.count_fitting(messages)?;
        if fitting == 0 {
            return Ok(0);
        }
        let claimed = self.try_claim(fitting as u64)?;
        #[allow(clippy::cast_possible_truncation, reason = "at most `messages.len()`")]
        let sent = &messages[..claimed as usize];
        self.put_many(sent, AsRef::as_ref);
        Ok(sent.len())
    }

    /// Sends all the messages in order, and blocks while there is no room.
    ///
    /// # Errors
    ///
    /// The errors of [`send`](Sender::send). The messages before the failed one have been sent then;
    /// [`try_send_many`](Sender::try_send_many) reports how many.
    pub fn send_all(
        &mut self,
        mut messages: &[impl AsRef<[u8]>],
    ) -> std::result::Result<(), SendError> {
        while !messages.is_empty() {
            let fitting = self.count_fitting(messages)?;
            let claimed = self.claim_before(fitting as u64, Deadline::Never)?;
            #[allow(clippy::cast_possible_truncation, reason = "at most `messages.len()`")]
            let (sent, rest) = messages.split_at(claimed as usize);
            self.put_many(sent, AsRef::as_ref);
            messages = rest;
        }
        Ok(())
    }

    /// Returns how many messages come before the first one with a wrong length.
    ///
    /// # Errors
    ///
    /// `WrongLength` if that is the first message.
    fn count_fitting(
        &self,
        messages: &[impl AsRef<[u8]>],
    ) -> std::result::Result<usize, SendError> {
        let fits = |message: &[u8]| message.check_len(&self.channel.slots);
        let wrong = messages.iter().position(|message| fits(message.as_ref()).is_err());
        match wrong {
            Some(0) => Err(SendError::WrongLength),
            Some(count) => Ok(count),
            None => Ok(messages.len()),
        }
    }
}

impl<K: Kind, M: Message + ?Sized> Drop for Sender<K, M> {
    fn drop(&mut self) {
        // A forked child leaves its parent's endpoint alone.
        if self.seat.is_mine() {
            self.side.leave(&self.channel, self.seat.number());
        }
    }
}

impl<K: Kind, M: Message + ?Sized> fmt::Debug for Sender<K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("name", self.name()).finish_non_exhaustive()
    }
}

/// A free slot of a channel, to write a message in place. [`send`](Loan::send) sends the message;
/// dropping the loan sends nothing.
#[must_use = "dropping the loan sends nothing"]
pub struct Loan<'a, K: Kind, M: Message + ?Sized> {
    sender: &'a mut Sender<K, M>,
}

impl<K: Kind, M: Message + ?Sized> Loan<'_, K, M> {
    fn position(&self) -> u64 {
        self.sender.side.position(0)
    }

    /// Returns the length of the longest message that the slot has room for, in bytes.
    pub fn max_len(&self) -> usize {
        self.sender.max_len()
    }

    /// Copies bytes into the message, from its byte `offset` on. The other bytes of the slot are those of
    /// an older message.
    ///
    /// # Panics
    ///
    /// If `offset + bytes.len()` is more than [`max_len`](Loan::max_len).
    pub fn write_at(&mut self, offset: usize, bytes: &[u8]) {
        let channel = &self.sender.channel;
        let before = channel.slots.message_type.len_before_bytes();
        channel.slots.memory.write_bytes(self.position(), before.saturating_add(offset), bytes);
    }

    /// Returns the address of the first byte of the message.
    fn payload(&mut self) -> *mut u8 {
        let channel = &self.sender.channel;
        let slot = channel.slots.memory.payload(self.position()).as_ptr();
        slot.wrapping_add(channel.slots.message_type.len_before_bytes())
    }

    /// Publishes the message. A forked child leaves its parent's slot alone.
    fn publish(self) {
        if self.sender.seat.is_mine() {
            self.sender.side.publish(&self.sender.channel, 1);
        }
        // The slot is not the loan's any more.
        std::mem::forget(self);
    }
}

impl<K: Kind, T: Plain> Loan<'_, K, T> {
    /// Writes the message.
    pub fn write(&mut self, message: &T) {
        message.write(&self.sender.channel.slots, self.position());
    }

    /// Returns the address of the message. Its bytes are those of an older message at first.
    ///
    /// The pointer is aligned for `T`, and valid for reads and writes until the loan is sent or dropped.
    /// Other processes can access the bytes at any time if they break the rules of the channel, so that
    /// Rust code must not make a reference of it unless all processes are trusted.
    pub fn as_mut_ptr(&mut self) -> *mut T {
        self.payload().cast()
    }

    /// Sends the message that the slot has.
    ///
    /// In a process that was forked from the one that has the loan, this call sends nothing, because the slot
    /// is still lent to that process.
    pub fn send(self) {
        self.publish();
    }
}

impl<K: Kind> Loan<'_, K, [u8]> {
    /// Returns the address of the message, which has room for [`max_len`](Loan::max_len) bytes. They are
    /// those of older messages at first.
    ///
    /// The pointer is valid for reads and writes until the loan is sent or dropped. Other processes can
    /// access the bytes at any time if they break the rules of the channel, so that Rust code must not
    /// make a reference of it unless all processes are trusted.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.payload()
    }

    /// Sends the first `len` bytes that the slot has.
    ///
    /// # Errors
    ///
    /// - [`WrongLength`](SendError::WrongLength): `len` is more than [`max_len`](Loan::max_len), or is not
    ///   the length that all messages of the channel have.
    /// - [`Forked`](SendError::Forked): this process was forked from the one that has the loan, and the slot
    ///   is still lent to that process.
    pub fn send(self, len: usize) -> std::result::Result<(), SendError> {
        if !self.sender.seat.is_mine() {
            return Err(SendError::Forked);
        }
        let channel = &self.sender.channel;
        let is_bytes = channel.slots.message_type.is_bytes();
        if len > self.max_len() || (!is_bytes && len != self.max_len()) {
            return Err(SendError::WrongLength);
        }
        if is_bytes {
            channel.slots.memory.write_bytes(self.position(), 0, &(len as u64).to_ne_bytes());
        }
        self.publish();
        Ok(())
    }
}

impl<K: Kind, M: Message + ?Sized> Drop for Loan<'_, K, M> {
    fn drop(&mut self) {
        // A forked child leaves its parent's slot alone.
        if self.sender.seat.is_mine() {
            self.sender.side.abandon(&self.sender.channel);
        }
    }
}

impl<K: Kind, M: Message + ?Sized> fmt::Debug for Loan<'_, K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loan").field("max_len", &self.max_len()).finish_non_exhaustive()
    }
}
