use std::fmt;
use std::time::Duration;

use super::core::Channel;
use super::error::{Corrupted, RecvError};
use super::message::Message;
use super::message_type::MessageType;
use super::options::{Endpoint, How, Options, private::Join};
use super::peers::{Awaiting, has_peer, wait_for_peer};
use super::protocol::{Consumer, Kind, Side};
use super::ready::ready;
use super::waiting::{Awaited, Waiter};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::name::{Name, ToName};
use crate::shareable::Plain;
use crate::sync::Ready;
use crate::sys::peers::Seat;

/// The receiving endpoint of a channel of kind `K` with messages of type `M`.
///
/// Programs use it by the name of the kind, such as [`spsc::Receiver`](super::spsc::Receiver). Dropping
/// it leaves the channel.
pub struct Receiver<K: Kind, M: Message + ?Sized> {
    channel: Channel<K::Header, M>,
    pub(super) side: K::Consumer,
    seat: Seat,
    waiter: Waiter,
    awaits_successor: bool,
    /// The number of polls of the empty channel since the last test of the clock.
    empty_polls: u32,
}

/// The number of polls of an empty channel between two readings of the clock. If the last liveness test was
/// long ago then, the poll tests whether the senders are alive.
const POLLS_BETWEEN_TESTS: u32 = 64;

impl<K: Kind, M: Message + ?Sized> Endpoint for Receiver<K, M> {}

impl<K: Kind, M: Message + ?Sized> Join for Receiver<K, M> {
    #[allow(private_interfaces, reason = "only this crate can name the trait")]
    fn join(name: &Name, options: &Options, how: How) -> Result<Receiver<K, M>> {
        Channel::join(name, options, how, |channel| {
            let seat = channel.take_seat()?;
            let side = K::Consumer::join(&channel, seat.number())?;
            let waiter = Waiter::new(options.waiting);
            let awaits_successor = options.awaits_successor;
            Ok(Receiver { channel, side, seat, waiter, awaits_successor, empty_polls: 0 })
        })
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

    /// Returns whether a live process has a sender. This asks the kernel.
    ///
    /// # Errors
    ///
    /// The error of the operating system.
    pub fn has_sender(&self) -> Result<bool> {
        let found = has_peer::<K::Consumer, _, _>(&self.channel);
        found.map_err(|error| self.channel.context("find a sender of", error))
    }

    /// Blocks for at most `time` until a live process has a sender. Returns whether one has.
    ///
    /// # Errors
    ///
    /// [`Orphaned`](crate::ErrorKind::Orphaned): another program removed the name, so that no sender can
    /// come. Otherwise the error of the operating system.
    pub fn wait_for_sender(&self, time: Duration) -> Result<bool> {
        wait_for_peer(&self.channel, &self.side, Deadline::after(time))
            .map_err(|error| self.channel.context("wait for a sender of", error))
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
        loop {
            self.try_claim(1)?;
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
        if self.claim(1)? > 0
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
            self.claim_before(1, deadline)?;
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
            self.claim_before(1, Deadline::Never)?;
            let copied = M::read_into(&self.channel.slots, self.side.position(0), to);
            if self.finish(1) == 1 {
                return Ok(copied?);
            }
        }
    }

    /// Appends the messages that are there to `messages`, at most `max` of them, without blocking.
    /// Returns how many it received.
    ///
    /// # Errors
    ///
    /// The errors of [`try_recv`](Receiver::try_recv), if it received none.
    pub fn try_recv_many(
        &mut self,
        messages: &mut Vec<M::Owned>,
        max: usize,
    ) -> std::result::Result<usize, RecvError> {
        if max == 0 {
            return Ok(0);
        }
        loop {
            let claimed = self.try_claim(max as u64)?;
            let received = self.take_many(messages, claimed)?;
            if received > 0 {
                return Ok(received);
            }
        }
    }

    /// Appends messages to `messages`, at least one and at most `max` of them, and blocks while there is
    /// none. Returns how many it received.
    ///
    /// # Errors
    ///
    /// The errors of [`recv`](Receiver::recv).
    pub fn recv_many(
        &mut self,
        messages: &mut Vec<M::Owned>,
        max: usize,
    ) -> std::result::Result<usize, RecvError> {
        if max == 0 {
            return Ok(0);
        }
        loop {
            let claimed = self.claim_before(max as u64, Deadline::Never)?;
            let received = self.take_many(messages, claimed)?;
            if received > 0 {
                return Ok(received);
            }
        }
    }

    /// Lends the next message in place, without blocking.
    ///
    /// # Errors
    ///
    /// The errors of [`try_recv`](Receiver::try_recv).
    pub fn try_sample(&mut self) -> std::result::Result<Sample<'_, K, M>, RecvError> {
        loop {
            self.try_claim(1)?;
            if self.side.hold(&self.channel) {
                return Sample::of(self);
            }
        }
    }

    /// Lends the next message in place, and blocks while there is none.
    ///
    /// # Errors
    ///
    /// The errors of [`recv`](Receiver::recv).
    pub fn sample(&mut self) -> std::result::Result<Sample<'_, K, M>, RecvError> {
        self.sample_before(Deadline::Never)
    }

    /// Lends the next message in place, and blocks for at most `time` while there is none.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](RecvError::TimedOut), and the errors of [`recv`](Receiver::recv).
    pub fn sample_timeout(
        &mut self,
        time: Duration,
    ) -> std::result::Result<Sample<'_, K, M>, RecvError> {
        self.sample_before(Deadline::after(time))
    }

    fn sample_before(
        &mut self,
        deadline: Deadline,
    ) -> std::result::Result<Sample<'_, K, M>, RecvError> {
        loop {
            self.claim_before(1, deadline)?;
            if self.side.hold(&self.channel) {
                return Sample::of(self);
            }
            if deadline.has_passed() {
                return Err(RecvError::TimedOut);
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
        let Receiver { channel, side, waiter, awaits_successor, .. } = self;
        ready(Awaiting { side, channel, awaits_successor: *awaits_successor }, waiter)
    }

    /// Returns an iterator over the messages, which blocks while there is none. It ends at the first
    /// error, such as `Disconnected`.
    pub fn iter(&mut self) -> Iter<'_, K, M> {
        Iter { receiver: self }
    }

    /// Returns an iterator over the messages that the channel has now. It does not block.
    pub fn try_iter(&mut self) -> TryIter<'_, K, M> {
        TryIter { receiver: self }
    }

    /// Returns the number of the seat with which this process joined the channel.
    pub(super) fn seat(&self) -> u32 {
        self.seat.number()
    }

    /// Claims at most `wanted` messages, and returns their number.
    #[inline]
    fn claim(&mut self, wanted: u64) -> std::result::Result<u64, RecvError> {
        if !self.seat.is_mine() {
            return Err(RecvError::Forked);
        }
        Ok(self.side.claim(&self.channel, wanted)?)
    }

    /// Claims at least one message and at most `wanted`, without blocking.
    #[inline]
    fn try_claim(&mut self, wanted: u64) -> std::result::Result<u64, RecvError> {
        match self.claim(wanted)? {
            0 => Err(self.empty()),
            count => Ok(count),
        }
    }

    /// Claims at least one message and at most `wanted`, and waits for it until the deadline.
    #[inline]
    fn claim_before(
        &mut self,
        wanted: u64,
        deadline: Deadline,
    ) -> std::result::Result<u64, RecvError> {
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
    ) -> std::result::Result<u64, RecvError> {
        loop {
            let Receiver { channel, side, waiter, awaits_successor, .. } = self;
            let flag = side.flag(channel.header());
            let mut awaited = Awaiting { side, channel, awaits_successor: *awaits_successor };
            if !waiter.wait(deadline, flag, channel, &mut awaited)? {
                return Err(RecvError::TimedOut);
            }
            let count = self.claim(wanted)?;
            if count > 0 {
                return Ok(count);
            }
            // Another receiver has taken the message.
            if deadline.has_passed() {
                return Err(RecvError::TimedOut);
            }
        }
    }

    /// Takes the claimed message. `None` if it was overwritten meanwhile.
    #[inline]
    fn take(&mut self) -> std::result::Result<Option<M::Owned>, RecvError> {
        let message = M::read(&self.channel.slots, self.side.position(0));
        // If the message was overwritten, its length may be invalid, which is no error then.
        if self.finish(1) == 1 { Ok(Some(message?)) } else { Ok(None) }
    }

    /// Takes the claimed messages. Returns how many were not overwritten meanwhile.
    fn take_many(
        &mut self,
        messages: &mut Vec<M::Owned>,
        claimed: u64,
    ) -> std::result::Result<usize, RecvError> {
        let before = messages.len();
        let mut damaged = 0;
        for index in 0..claimed {
            match M::read(&self.channel.slots, self.side.position(index)) {
                Ok(message) => messages.push(message),
                Err(Corrupted) => damaged = index + 1,
            }
        }
        let whole = self.finish(claimed);
        // The overwritten messages are the first ones. More damaged messages than these are an error.
        if damaged > claimed - whole {
            messages.truncate(before);
            return Err(RecvError::Corrupted);
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most as many as are in the vector")]
        let overwritten = messages.len() - before - whole as usize;
        messages.drain(before..before + overwritten);
        Ok(messages.len() - before)
    }

    #[inline]
    fn finish(&mut self, count: u64) -> u64 {
        self.side.finish(&self.channel, count)
    }

    /// Returns the error for an empty channel. It looks for senders that have left, and now and then for
    /// dead ones.
    #[cold]
    #[inline(never)]
    fn empty(&mut self) -> RecvError {
        let Receiver { channel, side, waiter, awaits_successor, empty_polls, .. } = self;
        *empty_polls += 1;
        let mut awaited = Awaiting { side, channel, awaits_successor: *awaits_successor };
        let tested = if *empty_polls < POLLS_BETWEEN_TESTS {
            awaited.test_places()
        } else {
            *empty_polls = 0;
            waiter.test(&mut awaited)
        };
        match tested {
            Ok(()) => RecvError::Empty,
            // A sender may have sent before it left.
            Err(_) if awaited.is_ready() => RecvError::Empty,
            Err(error) => error.into(),
        }
    }
}

impl<K: Kind, M: Message + ?Sized> Drop for Receiver<K, M> {
    fn drop(&mut self) {
        // A forked child leaves its parent's endpoint alone.
        if self.seat.is_mine() {
            self.side.leave(&self.channel, self.seat.number());
        }
    }
}

impl<K: Kind, M: Message + ?Sized> fmt::Debug for Receiver<K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").field("name", self.name()).finish_non_exhaustive()
    }
}

#[allow(clippy::into_iter_without_iter, reason = "`iter` borrows the receiver mutably already")]
impl<'a, K: Kind, M: Message + ?Sized> IntoIterator for &'a mut Receiver<K, M> {
    type Item = M::Owned;
    type IntoIter = Iter<'a, K, M>;

    fn into_iter(self) -> Iter<'a, K, M> {
        self.iter()
    }
}

/// An iterator over the messages of a channel: see [`Receiver::iter`].
#[derive(Debug)]
#[must_use = "the iterator receives nothing until it is used"]
pub struct Iter<'a, K: Kind, M: Message + ?Sized> {
    receiver: &'a mut Receiver<K, M>,
}

impl<K: Kind, M: Message + ?Sized> Iterator for Iter<'_, K, M> {
    type Item = M::Owned;

    fn next(&mut self) -> Option<M::Owned> {
        self.receiver.recv().ok()
    }
}

/// An iterator over the present messages of a channel: see [`Receiver::try_iter`].
#[derive(Debug)]
#[must_use = "the iterator receives nothing until it is used"]
pub struct TryIter<'a, K: Kind, M: Message + ?Sized> {
    receiver: &'a mut Receiver<K, M>,
}

impl<K: Kind, M: Message + ?Sized> Iterator for TryIter<'_, K, M> {
    type Item = M::Owned;

    fn next(&mut self) -> Option<M::Owned> {
        self.receiver.try_recv().ok()
    }
}

/// A message in its slot. Dropping it finishes the message, so that a sender can use the slot again.
///
/// If the process is killed while it has the sample, the next receiver gets the message again.
#[must_use = "dropping the sample finishes its message"]
pub struct Sample<'a, K: Kind, M: Message + ?Sized> {
    pub(super) receiver: &'a mut Receiver<K, M>,
    /// The offset of the message in its slot, in bytes.
    offset: usize,
    len: usize,
}

#[allow(clippy::len_without_is_empty, reason = "a message is not a collection")]
impl<'a, K: Kind, M: Message + ?Sized> Sample<'a, K, M> {
    /// Makes a sample of the claimed message.
    fn of(receiver: &'a mut Receiver<K, M>) -> std::result::Result<Sample<'a, K, M>, RecvError> {
        match M::range(&receiver.channel.slots, receiver.side.position(0)) {
            Ok((offset, len)) => Ok(Sample { receiver, offset, len }),
            Err(error) => {
                receiver.side.abandon(&receiver.channel);
                Err(error.into())
            }
        }
    }

    fn position(&self) -> u64 {
        self.receiver.side.position(0)
    }

    /// Returns the length of the message in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Copies bytes out of the message, from its byte `offset` on.
    ///
    /// # Panics
    ///
    /// If `offset + to.len()` is more than [`len`](Sample::len).
    pub fn read_at(&self, offset: usize, to: &mut [u8]) {
        let fits = offset.checked_add(to.len()).is_some_and(|end| end <= self.len);
        assert!(
            fits,
            "{} bytes at {offset} do not lie in a message of {} bytes",
            to.len(),
            self.len
        );
        self.receiver.channel.slots.memory.read_bytes(self.position(), self.offset + offset, to);
    }

    /// Finishes the message, as dropping the sample does, and reports whether it did.
    ///
    /// # Errors
    ///
    /// [`Forked`](RecvError::Forked): this process was forked from the one that has the sample, and the
    /// message is still lent to that process.
    pub fn finish(self) -> std::result::Result<(), RecvError> {
        if self.receiver.seat.is_mine() { Ok(()) } else { Err(RecvError::Forked) }
    }

    /// Returns the message to the channel, as if this process had been killed: the next receiver gets it
    /// again.
    pub fn put_back(self) {
        // A forked child leaves its parent's slot alone.
        if self.receiver.seat.is_mine() {
            self.receiver.side.abandon(&self.receiver.channel);
        }
        // The slot is not the sample's any more.
        std::mem::forget(self);
    }

    /// Returns the address of the first byte of the message.
    fn payload(&self) -> *const u8 {
        let slot = self.receiver.channel.slots.memory.payload(self.position()).as_ptr();
        slot.wrapping_add(self.offset).cast_const()
    }
}

impl<K: Kind, T: Plain> Sample<'_, K, T> {
    /// Returns a copy of the message.
    pub fn read(&self) -> T {
        self.receiver.channel.slots.memory.read(self.position())
    }

    /// Copies the message into `to`. A large value is not copied through the stack.
    pub fn read_into(&self, to: &mut T) {
        self.receiver.channel.slots.memory.read_into(self.position(), to);
    }

    /// Returns the address of the message.
    ///
    /// The pointer is aligned for `T`, and valid for reads until the sample is dropped. Other processes
    /// can change the bytes at any time if they break the rules of the channel, so that Rust code must
    /// not make a reference of it unless all processes are trusted.
    pub fn as_ptr(&self) -> *const T {
        self.payload().cast()
    }
}

impl<K: Kind> Sample<'_, K, [u8]> {
    /// Returns a copy of the message.
    pub fn read(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len];
        self.read_at(0, &mut bytes);
        bytes
    }

    /// Returns the address of the message, which has [`len`](Sample::len) bytes.
    ///
    /// The pointer is valid for reads until the sample is dropped. Other processes can change the bytes
    /// at any time if they break the rules of the channel, so that Rust code must not make a reference
    /// of it unless all processes are trusted.
    pub fn as_ptr(&self) -> *const u8 {
        self.payload()
    }
}

impl<K: Kind, M: Message + ?Sized> Drop for Sample<'_, K, M> {
    fn drop(&mut self) {
        // A forked child leaves its parent's slot alone.
        if self.receiver.seat.is_mine() {
            self.receiver.finish(1);
        }
    }
}

impl<K: Kind, M: Message + ?Sized> fmt::Debug for Sample<'_, K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sample").field("len", &self.len).finish_non_exhaustive()
    }
}
