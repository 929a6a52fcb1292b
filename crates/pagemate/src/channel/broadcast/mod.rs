//! Channels with one sender and several receivers, each of which gets every message.
//!
//! At most one live process has the sender. A second sender is refused with
//! [`AlreadyExists`](crate::ErrorKind::AlreadyExists). The number of receivers at one time is limited:
//! see [`Options::receivers`](super::Options::receivers). A receiver gets the messages that are sent after it
//! joined, in order. If the channel has no receiver, messages are lost and the sender does not block.
//!
//! # Lossless or lossy
//!
//! The creator decides how the sender treats a receiver that is behind by the capacity of the channel:
//!
//! - In a lossless channel, the default, the sender waits for the slowest live receiver.
//! - In a lossy channel (see [`Options::lossy`](super::Options::lossy)) the sender never waits, and overwrites
//!   the oldest message. The receiver continues at the oldest message that is still there.
//!   [`Receiver::missed`](super::Receiver::missed) and [`Sample::missed`](super::Sample::missed) count the
//!   messages that it did not get. Received and missed messages together are all messages, exactly.
//!
//! A message in a [`Sample`] is never overwritten, also in a lossy channel. A receiver that holds a sample of a
//! lossy channel does not delay the sender.
//!
//! # Crashes
//!
//! - A sender that is killed has sent every message for which [`send`](super::Sender::send) returned. A
//!   message that it was writing is not sent, and the next sender writes it again. Of an unfinished batch a
//!   lossless channel delivers nothing, and a lossy one may deliver the first messages.
//! - A sender that waits for a receiver notices within 100 ms that the receiver was killed, and goes on without it.
//!   With [`await_successor`](super::Options::await_successor) it waits until another process takes the place
//!   over. A process that was stopped, by SIGSTOP or by a debugger, is alive.
//! - A receiver that opens the channel with [`take_over`](super::Options::take_over) takes the place of a killed
//!   one, and continues where the finished messages of that one end. It gets a message again that the other one
//!   had in a [`Sample`] or in an unfinished batch. A receiver without that option begins with the next message, and
//!   so does every receiver after the sender gave the killed one up.
//! - A receiver that waits notices within 100 ms that the sender was killed. It then gets `Disconnected`, or
//!   waits for the next sender.
//! - The channel itself lives as long as one process has an endpoint.
//!
//! # Design
//!
//! Each receiver tests the sequence word of the next slot, and stores its position in a cache line of its own.
//! The sender looks at these positions only when the ring seems full. Messages of at least 4 KiB lie in chunks
//! beside the ring. A lossy channel has one chunk more for each receiver that it admits, so that every receiver
//! can hold one. The sender writes to the chunk that was freed last, which is most likely still in the cache.
//! Batches of such messages are sent and received one by one.
//!
//! # Examples
//!
//! ```
//! use pagemate::channel::{Options, broadcast};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let name = &format!("doc-broadcast-{}", std::process::id());
//! // In one process:
//! let mut sender: broadcast::Sender<u64> =
//!     Options::new().capacity(4).lossy(true).create_new(name)?;
//! // In other processes:
//! let mut quick = broadcast::Receiver::<u64>::open(name)?;
//! let mut slow = broadcast::Receiver::<u64>::open(name)?;
//!
//! for number in 0..6 {
//!     sender.send(&number)?;
//!     assert_eq!(quick.recv()?, number);
//! }
//! assert_eq!(slow.try_iter().collect::<Vec<_>>(), [2, 3, 4, 5]);
//! assert_eq!((quick.missed(), slow.missed()), (0, 2));
//! # Ok(())
//! # }
//! ```
//!
//! The example `camera.rs` sends frames of 8 MiB to viewers that read them in place:
//! `cargo run -p pagemate --example camera`.

mod consumer;
pub(super) mod header;
mod pool;
mod producer;
mod receiver_line;
mod sides;
#[cfg(all(test, loom))]
mod tests;
mod words;

use self::consumer::Consumer;
use self::header::BroadcastHeader;
use self::producer::Producer;
use super::message::Message;
use super::protocol::{Kind, private::Protocol};

/// The kind of channel with one sender and several receivers, each of which gets every message.
#[derive(Clone, Copy, Debug)]
pub struct Broadcast(());

impl Kind for Broadcast {}

#[allow(private_interfaces, reason = "only this crate can name the trait")]
impl Protocol for Broadcast {
    type Header = BroadcastHeader;
    type Producer = Producer;
    type Consumer = Consumer;
}

/// The sending endpoint of a broadcast channel with messages of type `M`.
pub type Sender<M> = super::Sender<Broadcast, M>;

/// A receiving endpoint of a broadcast channel with messages of type `M`.
pub type Receiver<M> = super::Receiver<Broadcast, M>;

/// A free slot of a broadcast channel: see [`Sender::loan`](super::Sender::loan).
pub type Loan<'a, M> = super::Loan<'a, Broadcast, M>;

/// A message of a broadcast channel in its slot: see [`Receiver::sample`](super::Receiver::sample).
pub type Sample<'a, M> = super::Sample<'a, Broadcast, M>;

impl<M: Message + ?Sized> super::Receiver<Broadcast, M> {
    /// Returns how many messages this receiver has missed since it joined, because they were overwritten
    /// before it received them. They all precede the next message. A lossless channel loses none.
    pub fn missed(&self) -> u64 {
        self.connection.side.missed()
    }
}

impl<M: Message + ?Sized> super::Sample<'_, Broadcast, M> {
    /// Returns how many messages were overwritten directly before this one.
    pub fn missed(&self) -> u64 {
        self.connection.side.gap()
    }
}
