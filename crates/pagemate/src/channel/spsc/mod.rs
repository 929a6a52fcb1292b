//! Channels with one sender and one receiver.
//!
//! At most one live process has the sender, and at most one has the receiver. Opening a second one
//! fails with [`AlreadyExists`](crate::ErrorKind::AlreadyExists). After a process has dropped its
//! endpoint or ended, another process can open a new one.
//!
//! # Crashes
//!
//! - A sender that is killed has sent every message for which [`send`](Sender::send) returned. A message
//!   that it was writing is not sent, and the next sender writes the same slot again.
//! - A receiver that is killed has received every message that [`recv`](Receiver::recv) returned. The
//!   next receiver gets the following one. A message in a [`Sample`] is received when the sample is
//!   dropped, and the messages of a batch when the batch is returned.
//! - The peer of a killed process detects the death within 100 ms if it waits. It then gets
//!   `Disconnected`, or waits for the next peer: see
//!   [`Options::await_successor`](super::Options::await_successor). A process that was stopped, by
//!   SIGSTOP or by a debugger, is alive.
//! - The channel itself, with its unreceived messages, lives as long as one process has an endpoint.
//!
//! # Design
//!
//! The receiver polls the sequence word in the next slot, directly before the message. The sender
//! loads the receiver's position only when the ring seems full. So only one cache line moves
//! between the processors for each short message. While the other side is awake, neither side makes
//! a system call or a full memory barrier.
//!
//! # Examples
//!
//! ```
//! use pagemate::channel::spsc;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let name = &format!("doc-spsc-{}", std::process::id());
//! // In one process:
//! let mut sender = spsc::Sender::<u64>::open_or_create(name)?;
//! // In another process, started before or after:
//! let mut receiver = spsc::Receiver::<u64>::open_or_create(name)?;
//!
//! sender.send(&1)?;
//! sender.send_all(&[2, 3])?;
//! drop(sender);
//! assert_eq!(receiver.recv()?, 1);
//! assert_eq!(receiver.iter().collect::<Vec<_>>(), [2, 3]);
//! # Ok(())
//! # }
//! ```
//!
//! The example `messages.rs` is a program for two terminals: `cargo run -p pagemate --example messages`.

pub(super) mod header;
pub(super) mod ring;
mod sides;

use self::header::SpscHeader;
use self::ring::{Consumer, Producer};
use super::protocol::{Kind, private::Protocol};

/// The kind of channel with one sender and one receiver.
#[derive(Clone, Copy, Debug)]
pub struct Spsc(());

impl Kind for Spsc {}

#[allow(private_interfaces, reason = "only this crate can name the trait")]
impl Protocol for Spsc {
    type Header = SpscHeader;
    type Producer = Producer;
    type Consumer = Consumer;
}

/// The sending endpoint of an spsc channel with messages of type `M`.
pub type Sender<M> = super::Sender<Spsc, M>;

/// The receiving endpoint of an spsc channel with messages of type `M`. If it is dropped, the next receiver
/// gets the messages that it has not received.
pub type Receiver<M> = super::Receiver<Spsc, M>;

/// A free slot of an spsc channel: see [`Sender::loan`](super::Sender::loan).
pub type Loan<'a, M> = super::Loan<'a, Spsc, M>;

/// A message of an spsc channel in its slot: see [`Receiver::sample`](super::Receiver::sample).
pub type Sample<'a, M> = super::Sample<'a, Spsc, M>;
