use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::time::Duration;

use super::ring::Consumer;
use crate::channel::core::{Channel, Peer};
use crate::channel::error::RecvError;
use crate::channel::header::ChannelKind;
use crate::channel::options::{Endpoint, How, Options, private::Join};
use crate::channel::waiting::{PeerTest, Waiter};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::name::{Name, ToName};
use crate::shareable::Plain;
use crate::sys::peers::Seat;

/// The receiving endpoint of an [`spsc`](super) channel with messages of type `T`.
///
/// Dropping it leaves the channel. Messages that it has not received stay for the next receiver.
pub struct Receiver<T: Plain> {
    channel: Channel<T>,
    seat: Seat,
    consumer: Consumer,
    waiter: Waiter,
    awaits_successor: bool,
    /// The number of polls since the last one that looked for a dead sender.
    empty_polls: u32,
}

/// The number of polls of an empty channel after which one reads the clock, and looks for a dead
/// sender if the last look is long ago.
const POLLS_BETWEEN_TESTS: u32 = 64;

impl<T: Plain> Endpoint for Receiver<T> {}

impl<T: Plain> Join for Receiver<T> {
    #[allow(private_interfaces, reason = "only this crate can name the trait")]
    fn join(name: &Name, options: &Options, how: How) -> Result<Receiver<T>> {
        Channel::join(name, ChannelKind::Spsc, options, how, |channel: Channel<T>| {
            let seat = channel.claim(&channel.header().receiver, "receiver")?;
            let consumer = Consumer::resume(&channel.memory);
            channel.header().sender_flag.notify(&channel);
            let waiter = Waiter::new(options.waiting);
            let awaits_successor = options.awaits_successor;
            Ok(Receiver { channel, seat, consumer, waiter, awaits_successor, empty_polls: 0 })
        })
    }
}

impl<T: Plain> Receiver<T> {
    /// Creates the channel `name` with the default [`Options`], and returns its receiver.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::create_new`].
    pub fn create_new(name: impl ToName) -> Result<Receiver<T>> {
        Options::new().create_new(name)
    }

    /// Opens the channel `name`, or creates it with the default [`Options`], and returns its receiver.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open_or_create`].
    pub fn open_or_create(name: impl ToName) -> Result<Receiver<T>> {
        Options::new().open_or_create(name)
    }

    /// Opens the channel `name`, and returns its receiver.
    ///
    /// # Errors
    ///
    /// The errors of [`Options::open`].
    pub fn open(name: impl ToName) -> Result<Receiver<T>> {
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

    /// Returns whether a live process has the sender. This asks the kernel.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn has_sender(&self) -> Result<bool> {
        let occupied = self.channel.is_occupied(&self.channel.header().sender);
        occupied.map_err(|error| self.channel.context("find the sender of", error))
    }

    /// Blocks for at most `time` until a live process has the sender. Returns whether one has.
    ///
    /// # Errors
    ///
    /// [`Orphaned`](crate::ErrorKind::Orphaned): another program removed the name, so that no sender can
    /// come. Otherwise the error of the operating system.
    pub fn wait_for_sender(&self, time: Duration) -> Result<bool> {
        let header = self.channel.header();
        self.channel
            .wait_until_occupied(&header.sender, &header.receiver_flag, Deadline::after(time))
            .map_err(|error| self.channel.context("wait for the sender of", error))
    }

    /// Receives a message, without blocking.
    ///
    /// # Errors
    ///
    /// - [`Empty`](RecvError::Empty): there is no message.
    /// - [`Disconnected`](RecvError::Disconnected): there is no message, and the sender was dropped or
    ///   its process ended.
    /// - [`Corrupted`](RecvError::Corrupted), [`Forked`](RecvError::Forked): see [`RecvError`].
    #[inline]
    pub fn try_recv(&mut self) -> std::result::Result<T, RecvError> {
        if !self.has_message()? {
            return Err(self.empty());
        }
        Ok(self.take())
    }

    /// Receives a message, and blocks while there is none.
    ///
    /// # Errors
    ///
    /// - [`Disconnected`](RecvError::Disconnected): there is no message, and the sender was dropped or
    ///   its process ended. A receiver that comes before the first sender waits for it.
    /// - [`Corrupted`](RecvError::Corrupted), [`Forked`](RecvError::Forked),
    ///   [`Orphaned`](RecvError::Orphaned), [`Os`](RecvError::Os): see [`RecvError`].
    #[inline]
    pub fn recv(&mut self) -> std::result::Result<T, RecvError> {
        if !self.has_message()? {
            self.wait_for_message(Deadline::Never)?;
        }
        Ok(self.take())
    }

    /// Receives a message, and blocks for at most `time` while there is none.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](RecvError::TimedOut), and the errors of [`recv`](Receiver::recv).
    pub fn recv_timeout(&mut self, time: Duration) -> std::result::Result<T, RecvError> {
        if !self.has_message()? {
            self.wait_for_message(Deadline::after(time))?;
        }
        Ok(self.take())
    }

    /// Appends the messages that are there to `messages`, at most `max` of them, without blocking.
    /// Returns how many it received.
    ///
    /// # Errors
    ///
    /// The errors of [`try_recv`](Receiver::try_recv), if it received none.
    pub fn try_recv_many(
        &mut self,
        messages: &mut Vec<T>,
        max: usize,
    ) -> std::result::Result<usize, RecvError> {
        if max == 0 {
            return Ok(0);
        }
        if !self.has_message()? {
            return Err(self.empty());
        }
        Ok(self.take_many(messages, max))
    }

    /// Appends messages to `messages`, at least one and at most `max` of them, and blocks while there is
    /// none. Returns how many it received.
    ///
    /// # Errors
    ///
    /// The errors of [`recv`](Receiver::recv).
    pub fn recv_many(
        &mut self,
        messages: &mut Vec<T>,
        max: usize,
    ) -> std::result::Result<usize, RecvError> {
        if max == 0 {
            return Ok(0);
        }
        if !self.has_message()? {
            self.wait_for_message(Deadline::Never)?;
        }
        Ok(self.take_many(messages, max))
    }

    /// Lends the next message in place, without blocking.
    ///
    /// # Errors
    ///
    /// The errors of [`try_recv`](Receiver::try_recv).
    pub fn try_sample(&mut self) -> std::result::Result<Sample<'_, T>, RecvError> {
        if !self.has_message()? {
            return Err(self.empty());
        }
        Ok(Sample { receiver: self })
    }

    /// Lends the next message in place, and blocks while there is none.
    ///
    /// # Errors
    ///
    /// The errors of [`recv`](Receiver::recv).
    pub fn sample(&mut self) -> std::result::Result<Sample<'_, T>, RecvError> {
        if !self.has_message()? {
            self.wait_for_message(Deadline::Never)?;
        }
        Ok(Sample { receiver: self })
    }

    /// Returns an iterator over the messages, which blocks while there is none. It ends at the first
    /// error, such as `Disconnected`.
    pub fn iter(&mut self) -> Iter<'_, T> {
        Iter { receiver: self }
    }

    /// Returns an iterator over the messages that are there. It does not block.
    pub fn try_iter(&mut self) -> TryIter<'_, T> {
        TryIter { receiver: self }
    }

    #[inline]
    fn has_message(&self) -> std::result::Result<bool, RecvError> {
        if !self.seat.is_mine() {
            return Err(RecvError::Forked);
        }
        self.consumer.has(&self.channel.memory, 0).map_err(|_| RecvError::Corrupted)
    }

    /// Takes the next message, which is there.
    #[inline]
    fn take(&mut self) -> T {
        let message = self.channel.memory.read(self.consumer.next());
        self.finish(1);
        message
    }

    /// Takes the messages that are there, at most `max`. The first one is there.
    fn take_many(&mut self, messages: &mut Vec<T>, max: usize) -> usize {
        let memory = &self.channel.memory;
        let max = memory.count().min(max as u64);
        let mut count = 0;
        while count < max && self.consumer.has(memory, count) == Ok(true) {
            messages.push(memory.read(self.consumer.next().wrapping_add(count)));
            count += 1;
        }
        self.finish(count);
        #[allow(clippy::cast_possible_truncation, reason = "at most `max`, a usize")]
        let count = count as usize;
        count
    }

    /// Finishes messages that were copied.
    #[inline]
    fn finish(&mut self, count: u64) {
        self.consumer.finish(&self.channel.memory, count);
        self.channel.header().sender_flag.notify(&self.channel);
    }

    /// Returns the error for an empty channel. It looks for a sender that has left, and now and then for
    /// a dead one.
    #[cold]
    #[inline(never)]
    fn empty(&mut self) -> RecvError {
        self.empty_polls += 1;
        let peer = Peer {
            channel: &self.channel,
            place: &self.channel.header().sender,
            awaits_successor: self.awaits_successor,
        };
        let tested = if self.empty_polls < POLLS_BETWEEN_TESTS {
            peer.test_place()
        } else {
            self.empty_polls = 0;
            self.waiter.test(&peer)
        };
        match tested {
            Ok(()) => RecvError::Empty,
            // The sender may have sent before it left.
            Err(_) if self.consumer.has(&self.channel.memory, 0) == Ok(true) => RecvError::Empty,
            Err(error) => error.into(),
        }
    }

    #[cold]
    fn wait_for_message(&mut self, deadline: Deadline) -> std::result::Result<(), RecvError> {
        let Receiver { channel, consumer, waiter, awaits_successor, .. } = self;
        let header = channel.header();
        let peer = Peer { channel, place: &header.sender, awaits_successor: *awaits_successor };
        // A corrupted word ends the wait, and the caller finds it again.
        let is_ready = || consumer.has(&channel.memory, 0) != Ok(false);
        match waiter.wait(deadline, &header.receiver_flag, channel, is_ready, &peer) {
            Ok(true) if self.has_message()? => Ok(()),
            Ok(true) => Err(RecvError::Empty),
            Ok(false) => Err(RecvError::TimedOut),
            Err(error) => Err(error.into()),
        }
    }
}

impl<T: Plain> Drop for Receiver<T> {
    fn drop(&mut self) {
        // A forked child leaves its parent's place alone.
        if self.seat.is_mine() {
            self.channel.header().receiver.leave(self.seat.number());
            self.channel.header().sender_flag.notify(&self.channel);
        }
    }
}

impl<T: Plain> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Receiver");
        debug.field("name", self.name()).field("next", &self.consumer.next());
        debug.finish_non_exhaustive()
    }
}

#[allow(clippy::into_iter_without_iter, reason = "`iter` borrows the receiver mutably already")]
impl<'a, T: Plain> IntoIterator for &'a mut Receiver<T> {
    type Item = T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// An iterator over the messages of a channel: see [`Receiver::iter`].
#[derive(Debug)]
pub struct Iter<'a, T: Plain> {
    receiver: &'a mut Receiver<T>,
}

impl<T: Plain> Iterator for Iter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.recv().ok()
    }
}

/// An iterator over the present messages of a channel: see [`Receiver::try_iter`].
#[derive(Debug)]
pub struct TryIter<'a, T: Plain> {
    receiver: &'a mut Receiver<T>,
}

impl<T: Plain> Iterator for TryIter<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.receiver.try_recv().ok()
    }
}

/// A message in its slot. Dropping it finishes the message, so that the sender can use the slot again.
///
/// If the process is killed while it has the sample, the next receiver gets the message again.
pub struct Sample<'a, T: Plain> {
    receiver: &'a mut Receiver<T>,
}

impl<T: Plain> Sample<'_, T> {
    /// Returns a copy of the message.
    pub fn read(&self) -> T {
        self.receiver.channel.memory.read(self.receiver.consumer.next())
    }

    /// Returns the address of the message.
    ///
    /// The pointer is aligned for `T`, and valid for reads until the sample is dropped. Other processes
    /// can change the bytes at any time if they break the rules of the channel, so that Rust code must
    /// not make a reference of it unless all processes are trusted.
    pub fn as_ptr(&self) -> *const T {
        let at: NonNull<T> =
            self.receiver.channel.memory.payload(self.receiver.consumer.next()).cast();
        at.as_ptr()
    }
}

impl<T: Plain> Drop for Sample<'_, T> {
    fn drop(&mut self) {
        self.receiver.finish(1);
    }
}

impl<T: Plain> fmt::Debug for Sample<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sample").field(&PhantomData::<T>).finish()
    }
}
