use std::fmt;
use std::time::Duration;

use super::connection::Connection;
use super::error::RecvError;
use super::message::Message;
use super::message_type::MessageType;
use super::options::{Endpoint, How, Options, private::Join};
use super::peers::{has_peer, wait_for_peer};
use super::protocol::{ClaimingSide as _, Consumer as _, Kind};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::name::{Name, ToName};
use crate::sync::Ready;

/// The receiving endpoint of a channel of kind `K` with messages of type `M`.
///
/// Programs use it by the name of the kind, such as [`spsc::Receiver`](super::spsc::Receiver). Dropping
/// it leaves the channel.
pub struct Receiver<K: Kind, M: Message + ?Sized> {
    pub(super) connection: Connection<K::Consumer, K::Header, M>,
}

impl<K: Kind, M: Message + ?Sized> Endpoint for Receiver<K, M> {}

impl<K: Kind, M: Message + ?Sized> Join for Receiver<K, M> {
    #[allow(private_interfaces, reason = "only this crate can name the trait")]
    fn join(name: &Name, options: &Options, how: How) -> Result<Receiver<K, M>> {
        Ok(Receiver { connection: Connection::join(name, options, how)? })
    }
}

impl<K: Kind, M: Message + ?Sized> Receiver<K, M> {
    /// Creates the channel `name` with the default [`Options`], and returns its receiver.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::create_new`].
    pub fn create_new(name: impl ToName) -> Result<Receiver<K, M>> {
        Options::new().create_new(name)
    }

    /// Opens the channel `name`, or creates it with the default [`Options`], and returns its receiver.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open_or_create`].
    pub fn open_or_create(name: impl ToName) -> Result<Receiver<K, M>> {
        Options::new().open_or_create(name)
    }

    /// Opens the channel `name`, and returns its receiver.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open`].
    pub fn open(name: impl ToName) -> Result<Receiver<K, M>> {
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

    /// Returns whether a live process has a sender. This asks the kernel.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn has_sender(&self) -> Result<bool> {
        let found = has_peer::<K::Consumer, _, _>(&self.connection.channel);
        found.map_err(|error| self.connection.channel.context("find a sender of", error))
    }

    /// Blocks for at most `time` until a live process has a sender. Returns whether one has.
    ///
    /// # Errors
    ///
    /// [`Orphaned`](crate::ErrorKind::Orphaned): another program removed the name, so that no sender can
    /// come. Otherwise the error of the operating system.
    pub fn wait_for_sender(&self, time: Duration) -> Result<bool> {
        wait_for_peer(&self.connection.channel, &self.connection.side, Deadline::after(time))
            .map_err(|error| self.connection.channel.context("wait for a sender of", error))
    }

    /// Receives a message, without blocking.
    ///
    /// # Errors
    ///
    /// - [`Empty`](RecvError::Empty): there is no message.
    /// - [`Disconnected`](RecvError::Disconnected): there is no message, and every sender was dropped or
    ///   its process ended.
    /// - [`Corrupted`](RecvError::Corrupted), [`Forked`](RecvError::Forked): see [`RecvError`].
    #[inline]
    pub fn try_recv(&mut self) -> std::result::Result<M::Owned, RecvError> {
        if self.connection.claim_at_hand()?
            && let Some(message) = self.take()?
        {
            return Ok(message);
        }
        self.look_and_take()
    }

    /// Receives a message if there is one, after a call that found none at hand.
    #[cold]
    #[inline(never)]
    fn look_and_take(&mut self) -> std::result::Result<M::Owned, RecvError> {
        loop {
            self.connection.try_claim(1)?;
            if let Some(message) = self.take()? {
                return Ok(message);
            }
        }
    }

    /// Receives a message, and blocks while there is none.
    ///
    /// # Errors
    ///
    /// - [`Disconnected`](RecvError::Disconnected): there is no message, and every sender was dropped or
    ///   its process ended. A receiver that comes before the first sender waits for it.
    /// - [`Corrupted`](RecvError::Corrupted), [`Forked`](RecvError::Forked),
    ///   [`Orphaned`](RecvError::Orphaned), [`Os`](RecvError::Os): see [`RecvError`].
    #[inline]
    pub fn recv(&mut self) -> std::result::Result<M::Owned, RecvError> {
        self.recv_before(Deadline::Never)
    }

    /// Receives a message, and blocks for at most `time` while there is none.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](RecvError::TimedOut), and the errors of [`recv`](Receiver::recv).
    pub fn recv_timeout(&mut self, time: Duration) -> std::result::Result<M::Owned, RecvError> {
        self.recv_before(Deadline::after(time))
    }

    #[inline]
    fn recv_before(&mut self, deadline: Deadline) -> std::result::Result<M::Owned, RecvError> {
        if self.connection.claim_at_hand()?
            && let Some(message) = self.take()?
        {
            return Ok(message);
        }
        self.wait_and_take(deadline)
    }

    /// Receives a message as soon as there is one. It is a function of its own so that a call that finds a
    /// message at once is short.
    #[cold]
    #[inline(never)]
    fn wait_and_take(&mut self, deadline: Deadline) -> std::result::Result<M::Owned, RecvError> {
        loop {
            self.connection.claim_before(1, deadline)?;
            if let Some(message) = self.take()? {
                return Ok(message);
            }
            if deadline.has_passed() {
                return Err(RecvError::TimedOut);
            }
        }
    }

    /// Receives a message into `to`, and blocks while there is none. A large value is not copied through
    /// the stack, and a vector keeps its memory.
    ///
    /// # Errors
    ///
    /// The errors of [`recv`](Receiver::recv).
    pub fn recv_into(&mut self, to: &mut M::Owned) -> std::result::Result<(), RecvError> {
        loop {
            self.connection.claim_before(1, Deadline::Never)?;
            let copied =
                M::read_into(&self.connection.channel.slots, self.connection.side.position(0), to);
            if self.finish(1) == 1 {
                return Ok(copied?);
            }
        }
    }

    /// Returns the state in which a message is there, for [`wait_any`](crate::sync::wait_any). It ends the wait too when
    /// the endpoint is disconnected.
    ///
    /// The wait takes no message. If the channel has several receivers, another one may take the message first, and
    /// then [`try_recv`](Receiver::try_recv) returns `Empty`.
    ///
    /// # Examples
    ///
    /// ```
    /// use pagemate::channel::spsc;
    /// use pagemate::sync::{EventOptions, Reset, wait_any};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let name = &format!("doc-ready-recv-{}", std::process::id());
    /// let quit = EventOptions::new(Reset::Manual).create_unnamed()?;
    /// let mut sender = spsc::Sender::<u32>::open_or_create(name)?;
    /// let mut receiver = spsc::Receiver::<u32>::open(name)?;
    /// sender.send(&1)?;
    /// let ready = receiver.ready();
    /// assert_eq!(wait_any(&[(&quit).into(), (&ready).into()])?.index, 1);
    /// # drop(ready);
    /// # assert_eq!(receiver.recv()?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn ready(&mut self) -> Ready<'_> {
        self.connection.ready()
    }

    /// Returns the number of the seat with which this process joined the channel.
    pub(super) fn seat(&self) -> u32 {
        self.connection.seat()
    }

    /// Takes the claimed message. `None` if it was overwritten meanwhile.
    #[inline]
    fn take(&mut self) -> std::result::Result<Option<M::Owned>, RecvError> {
        let message = M::read(&self.connection.channel.slots, self.connection.side.position(0));
        // If the message was overwritten, its length may be invalid, which is no error then.
        if self.finish(1) == 1 { Ok(Some(message?)) } else { Ok(None) }
    }

    #[inline]
    pub(super) fn finish(&mut self, count: u64) -> u64 {
        self.connection.side.finish(&self.connection.channel, count)
    }
}

impl<K: Kind, M: Message + ?Sized> fmt::Debug for Receiver<K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("name", self.name()).finish_non_exhaustive()
    }
}
