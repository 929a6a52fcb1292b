use std::fmt;
use std::time::Duration;

use super::connection::Connection;
use super::error::SendError;
use super::message::Message;
use super::message_type::MessageType;
use super::options::{Endpoint, How, Options, private::Join};
use super::peers::{all_left, had_peer, has_peer, wait_for_peer};
use super::protocol::{ClaimingSide as _, Kind, Producer as _};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::name::{Name, ToName};
use crate::sync::Ready;

/// The sending endpoint of a channel of kind `K` with messages of type `M`.
///
/// Programs use it by the name of the kind, such as [`spsc::Sender`](super::spsc::Sender). Dropping it
/// leaves the channel: receivers get all messages that were sent, and then `Disconnected`.
pub struct Sender<K: Kind, M: Message + ?Sized> {
    pub(super) connection: Connection<K::Producer, K::Header, M>,
}

impl<K: Kind, M: Message + ?Sized> Endpoint for Sender<K, M> {}

impl<K: Kind, M: Message + ?Sized> Join for Sender<K, M> {
    #[allow(private_interfaces, reason = "only this crate can name the trait")]
    fn join(name: &Name, options: &Options, how: How) -> Result<Sender<K, M>> {
        Ok(Sender { connection: Connection::join(name, options, how)? })
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
        self.connection.channel.name()
    }

    /// Returns whether this call created the channel; `false` if it opened an existing one.
    pub fn was_created(&self) -> bool {
        self.connection.channel.was_created()
    }

    /// Returns how many messages the channel has room for.
    pub fn capacity(&self) -> usize {
        self.connection.channel.capacity()
    }

    /// Returns the layout of the messages.
    pub fn message_type(&self) -> MessageType {
        self.connection.channel.slots.message_type
    }

    /// Returns the length of the longest message in bytes. It is the length of each message unless
    /// messages have different lengths.
    pub fn max_len(&self) -> usize {
        self.connection.channel.slots.max_len()
    }

    /// Returns how many messages were sent and not yet received.
    pub fn len(&self) -> usize {
        // Another program may have changed the numbers.
        usize::try_from(self.connection.side.pending(&self.connection.channel))
            .unwrap_or(usize::MAX)
            .min(self.capacity())
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
        let found = has_peer::<K::Producer, _, _>(&self.connection.channel);
        found.map_err(|error| self.connection.channel.context("find a receiver of", error))
    }

    /// Blocks for at most `time` until a live process has a receiver. Returns whether one has.
    ///
    /// # Errors
    ///
    /// [`Orphaned`](crate::ErrorKind::Orphaned): another program removed the name, so that no receiver
    /// can come. Otherwise the error of the operating system.
    pub fn wait_for_receiver(&self, time: Duration) -> Result<bool> {
        wait_for_peer(&self.connection.channel, &self.connection.side, Deadline::after(time))
            .map_err(|error| self.connection.channel.context("wait for a receiver of", error))
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
        message.check_len(&self.connection.channel.slots)?;
        if !self.connection.claim_at_hand()? {
            return self.look_and_send(message);
        }
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
        message.check_len(&self.connection.channel.slots)?;
        if !self.connection.claim_at_hand()? {
            return self.wait_and_send(message, deadline);
        }
        self.put(message);
        Ok(())
    }

    /// Sends a message if there is room, after a call that found none at hand.
    #[cold]
    #[inline(never)]
    fn look_and_send(&mut self, message: &M) -> std::result::Result<(), SendError> {
        if !self.connection.claim_again()? {
            return Err(self.connection.nothing_claimed());
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
        if !self.connection.claim_again()? {
            self.connection.wait_and_claim(1, deadline)?;
        }
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
        self.connection.wait_until_received(Deadline::after(time))
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
        self.connection.ready()
    }

    /// Returns whether a process that joined the channel with a seat is alive. This asks the kernel.
    pub(super) fn is_alive(&self, seat: u32) -> Result<bool> {
        self.connection.channel.is_alive(seat)
    }

    /// Returns whether every receiver was dropped. Killed ones count as receivers.
    pub(super) fn is_disconnected(&self) -> bool {
        all_left::<K::Producer, _, _>(&self.connection.channel)
    }

    /// Returns whether the channel has ever had a receiver.
    pub(super) fn had_receiver(&self) -> bool {
        had_peer::<K::Producer, _, _>(&self.connection.channel)
    }

    /// Sends a message by the claimed slot.
    #[inline]
    fn put(&mut self, message: &M) {
        message.write(&self.connection.channel.slots, self.connection.side.position(0));
        self.connection.side.publish(&self.connection.channel, 1);
    }
}

impl<K: Kind, M: Message + ?Sized> fmt::Debug for Sender<K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("name", self.name()).finish_non_exhaustive()
    }
}
