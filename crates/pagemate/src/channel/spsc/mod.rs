//! Channels with one sender and one receiver.
//!
//! A live process can have the sender, and a live process can have the receiver. A second one is refused
//! with [`AlreadyExists`](crate::ErrorKind::AlreadyExists). When the process of an endpoint has ended or
//! dropped it, another process can take the endpoint over.
//!
//! # What a crash does
//!
//! - A sender that is killed has sent every message for which [`send`](Sender::send) returned. A message
//!   that it was writing is not sent, and the next sender writes the same slot again.
//! - A receiver that is killed has received every message that [`recv`](Receiver::recv) returned. The
//!   next receiver gets the following one. A message in a [`Sample`] is received when the sample is
//!   dropped, and the messages of a batch when the batch is returned.
//! - The peer of a killed process notices it within 100 ms if it waits. It then gets `Disconnected`, or
//!   waits for the next peer: see [`Options::await_successor`](super::Options::await_successor). A peer
//!   that was stopped, by SIGSTOP or by a debugger, is alive.
//! - The channel itself, with its unreceived messages, lives as long as one process has an endpoint.
//!
//! # Design
//!
//! The receiver looks at the sequence word in the next slot, directly before the message, and the sender
//! looks at the receiver's position only when the ring seems full. So one cache line travels for each
//! short message. Neither side makes a system call or a full memory barrier while the other one is
//! awake.
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

mod receiver;
pub(super) mod ring;
mod sender;

pub use self::receiver::{Iter, Receiver, Sample, TryIter};
pub use self::sender::{Loan, Sender};

use self::ring::Ring;
use super::core::Channel;
use super::header::Header;
use crate::primitive::{AtomicU64, Ordering};
use crate::sys::region::SlotRegion;

impl<T> Ring for SlotRegion<Header, T> {
    #[inline]
    fn count(&self) -> u64 {
        SlotRegion::count(self)
    }

    #[inline]
    fn sequence(&self, position: u64) -> &AtomicU64 {
        SlotRegion::sequence(self, position)
    }

    #[inline]
    fn received(&self) -> &AtomicU64 {
        &self.header().received
    }

    #[inline]
    fn sent(&self) -> &AtomicU64 {
        &self.header().sent
    }
}

/// Returns how many messages the channel has room for.
fn capacity<T>(channel: &Channel<T>) -> usize {
    usize::try_from(channel.memory.count()).expect("the messages lie in memory")
}

/// Returns how many messages before number `next` are not finished.
fn depth<T>(channel: &Channel<T>, next: u64) -> usize {
    let depth = next.wrapping_sub(channel.header().received.load(Ordering::Relaxed));
    // Another program may have changed the number.
    usize::try_from(depth.min(channel.memory.count())).expect("the messages lie in memory")
}
