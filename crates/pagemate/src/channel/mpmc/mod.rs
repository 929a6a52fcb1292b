//! Channels with any number of senders and receivers. Each message goes to one receiver, as in a work queue.
//!
//! A channel has at most 128 live senders and 128 live receivers. Any process can join and leave at any time.
//!
//! # Order
//!
//! A channel has one order of messages: the order in which senders claimed their slots. The messages of one
//! sender are in the order in which it sent them. A message that is sent after another sender's
//! [`send`](Sender::send) has returned comes after that sender's message. Each receiver takes the first message
//! that no receiver has taken. So a receiver gets the messages of each sender in order. Only messages that
//! are delivered again come late.
//!
//! A [`Loan`] has its place in the order from the moment that it is made. Receivers wait for it at its
//! place, so write large messages quickly or elsewhere. A loan that is dropped gives its place up.
//!
//! # Effects of a crash
//!
//! - A sender that is killed has sent every message for which [`send`](Sender::send) returned. A message
//!   that it was writing is not sent. Receivers that come to its slot wait until they know that the process is
//!   dead, for at most 100 ms, and then skip the slot.
//! - A receiver that is killed has received every message that [`recv`](Receiver::recv) returned. A message in
//!   a [`Sample`] is received when the sample is dropped, and the messages of a batch when the batch is
//!   returned. A message that it had not finished is delivered again to another receiver, for which
//!   [`Receiver::redelivered`] and [`Sample::redelivered`] return true. A receiver looks for such messages when
//!   it opens the channel, and takes them before newer ones. Later, it takes newer messages first, and finds
//!   messages of dead receivers within 100 ms when it waits.
//! - No other message is lost, repeated or reordered, and all slots can be used again.
//! - A process that is stopped, by SIGSTOP or by a debugger, is alive, and keeps its slot. If it was
//!   writing a message, receivers wait for that message. If it has a message in hand, the others go on until
//!   senders have used all other slots.
//! - A receiver whose last sender has ended gets the remaining messages and then `Disconnected`, or waits for
//!   the next sender: see [`Options::await_successor`](super::Options::await_successor). Senders that find no
//!   room and no receiver likewise.
//!
//! # Design
//!
//! A slot has a word with its state and the owner of the slot, directly before the message. A sender and a
//! receiver change it by one compare-exchange each, and share no other word on the fast path. The
//! kernel alone says which owners are dead. A batch claims up to 64 slots in one step, and at most
//! 64 messages are sent or received by one call of [`try_send_many`](super::Sender::try_send_many) or
//! [`recv_many`](super::Receiver::recv_many).
//!
//! # Examples
//!
//! ```
//! use pagemate::channel::mpmc;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let name = &format!("doc-mpmc-{}", std::process::id());
//! // In one process:
//! let mut tasks = mpmc::Sender::<u64>::open_or_create(name)?;
//! // In each of several others:
//! let mut worker = mpmc::Receiver::<u64>::open_or_create(name)?;
//!
//! tasks.send_all(&[1, 2])?;
//! // Finish a task when it is done: another worker gets it if this one is killed before.
//! let task = worker.sample()?;
//! assert_eq!((task.read(), task.redelivered()), (1, false));
//! drop(task);
//! assert_eq!(worker.recv()?, 2);
//! # Ok(())
//! # }
//! ```
//!
//! The example `work_queue.rs` is a program for three or more terminals:
//! `cargo run -p pagemate --example work_queue`. The example `several.rs` waits for two channels and
//! for an event in one thread.

pub(super) mod consumer;
pub(super) mod header;
pub(super) mod producer;
pub(super) mod ring;
mod sides;
#[cfg(all(test, loom))]
mod tests;
mod word;

use self::consumer::Consumer;
use self::header::MpmcHeader;
use self::producer::Producer;
pub(super) use self::word::SEAT_LIMIT;
use super::message::Message;
use super::protocol::{Kind, private::Protocol};

/// The kind of channel with any number of senders and receivers.
#[derive(Clone, Copy, Debug)]
pub struct Mpmc(());

impl Kind for Mpmc {}

#[allow(private_interfaces, reason = "only this crate can name the trait")]
impl Protocol for Mpmc {
    type Header = MpmcHeader;
    type Producer = Producer;
    type Consumer = Consumer;
}

/// A sending endpoint of an mpmc channel with messages of type `M`.
pub type Sender<M> = super::Sender<Mpmc, M>;

/// A receiving endpoint of an mpmc channel with messages of type `M`.
pub type Receiver<M> = super::Receiver<Mpmc, M>;

/// A free slot of an mpmc channel: see [`Sender::loan`](super::Sender::loan).
pub type Loan<'a, M> = super::Loan<'a, Mpmc, M>;

/// A message of an mpmc channel in its slot: see [`Receiver::sample`](super::Receiver::sample).
pub type Sample<'a, M> = super::Sample<'a, Mpmc, M>;

impl<M: Message + ?Sized> super::Receiver<Mpmc, M> {
    /// Returns whether another receiver had the last received message, or the last batch, and was killed
    /// before it finished it. That receiver may have acted on the message.
    pub fn redelivered(&self) -> bool {
        self.connection.side.is_redelivered()
    }

    /// Returns whether the channel has messages that no receiver has finished. The next one may be behind a
    /// message that is incomplete.
    pub(in crate::channel) fn has_messages(&self) -> bool {
        ring::count_messages(&self.connection.channel.slots.memory) > 0
    }
}

impl<M: Message + ?Sized> super::Sample<'_, Mpmc, M> {
    /// Returns whether another receiver had this message, and was killed before it finished it. That
    /// receiver may have acted on the message.
    pub fn redelivered(&self) -> bool {
        self.connection.side.is_redelivered()
    }
}
