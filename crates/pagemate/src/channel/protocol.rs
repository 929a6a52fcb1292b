//! The traits that a kind of channel implements for the common [`Sender`](super::Sender) and
//! [`Receiver`](super::Receiver).
//!
//! A side claims slots, the endpoint copies messages to or from them, and the side then publishes or
//! finishes the slots. Each kind implements these steps on its own header. The endpoints
//! implement the copies, the waits and the public functions for all kinds.

use super::core::Channel;
use super::error::{ClaimError, Corrupted, RecvError, SendError, WaitError};
use super::header::Header;
use super::place::Place;
use super::wake_flag::WakeFlag;
use crate::error::Result;

/// A kind of channel, such as [`Spsc`](super::spsc::Spsc).
pub trait Kind: private::Protocol {}

pub(super) mod private {
    use super::{Consumer, Header, Producer};

    /// The parts of the protocol of a kind of channel.
    #[allow(private_bounds, private_interfaces, reason = "only this crate can name the trait")]
    pub trait Protocol: Sized + 'static {
        type Header: Header;
        type Producer: Producer<Self::Header>;
        type Consumer: Consumer<Self::Header>;
    }
}

/// The functions that both sides have. `M` is the type of the messages, which the protocol does not access.
pub(super) trait Side<H: Header>: Send + Sized {
    /// Takes the endpoint for the process with `seat`, and notifies its peers.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the kind of channel has no free endpoint for this process.
    fn join<M: ?Sized>(channel: &Channel<H, M>, seat: u32) -> Result<Self>;

    /// Releases the endpoint, and notifies its peers.
    fn leave<M: ?Sized>(&mut self, channel: &Channel<H, M>, seat: u32);

    /// Returns whether a claim would find at least one slot. An error also ends the wait.
    fn is_ready<M: ?Sized>(&mut self, channel: &Channel<H, M>) -> bool;

    /// Returns the flag on which this endpoint sleeps.
    fn flag<'a>(&self, header: &'a H) -> &'a WakeFlag;

    /// Returns the places of the endpoints that this one depends on.
    fn peers(header: &H) -> impl Iterator<Item = &Place>;

    /// Repairs the state that dead processes have left, if this endpoint waits for it. A waiting endpoint calls
    /// this function once in each check interval.
    ///
    /// # Errors
    ///
    /// An error of the operating system.
    fn repair<M: ?Sized>(&mut self, channel: &Channel<H, M>) -> std::result::Result<(), WaitError> {
        _ = channel;
        Ok(())
    }
}

/// A side that claims slots. A sender claims slots for messages, and a receiver slots with messages.
pub(super) trait ClaimingSide<H: Header>: Side<H> {
    /// The error of an endpoint that claims nothing.
    type Error: ClaimError;

    /// Claims at most `wanted` slots, and returns their number. 0 means that the channel is full, or that it is
    /// empty. The endpoint uses or abandons the claim before it claims again.
    fn claim<M: ?Sized>(
        &mut self,
        channel: &Channel<H, M>,
        wanted: u64,
    ) -> std::result::Result<u64, Corrupted>;

    /// Whether [`claim_at_hand`](ClaimingSide::claim_at_hand) may fail although [`claim`](ClaimingSide::claim)
    /// finds a slot.
    const CLAIMS_AGAIN: bool = false;

    /// Claims one slot, and returns whether it did. It is the short first step of a call. If
    /// [`CLAIMS_AGAIN`](ClaimingSide::CLAIMS_AGAIN) is true, the endpoint calls `claim` after it fails.
    #[inline]
    fn claim_at_hand<M: ?Sized>(
        &mut self,
        channel: &Channel<H, M>,
    ) -> std::result::Result<bool, Corrupted> {
        Ok(self.claim(channel, 1)? > 0)
    }

    /// Returns the position of slot `index` of the claim.
    fn position(&self, index: u64) -> u64;

    /// Releases the claimed slots as they are: without a message in them, or with messages that were not
    /// received.
    fn abandon<M: ?Sized>(&mut self, channel: &Channel<H, M>);
}

/// The sending side of a channel.
pub(super) trait Producer<H: Header>: ClaimingSide<H, Error = SendError> {
    /// Publishes the claimed messages, whose payloads the endpoint has written, and notifies receivers.
    fn publish<M: ?Sized>(&mut self, channel: &Channel<H, M>, count: u64);

    /// Returns the number of messages that were sent and not yet received. It may be out of date.
    fn pending<M: ?Sized>(&self, channel: &Channel<H, M>) -> u64;

    /// Returns whether a message was sent and not yet received. A sender that waits for its messages to be received
    /// polls this function.
    fn has_pending<M: ?Sized>(&mut self, channel: &Channel<H, M>) -> bool {
        self.pending(channel) > 0
    }
}

/// The receiving side of a channel.
pub(super) trait Consumer<H: Header>: ClaimingSide<H, Error = RecvError> {
    /// Keeps the claimed message from being overwritten until it is finished or abandoned. Returns false if it
    /// was overwritten already, and finishes it then.
    fn hold<M: ?Sized>(&mut self, channel: &Channel<H, M>) -> bool {
        _ = channel;
        true
    }

    /// Finishes the claimed messages, which the endpoint has copied, and notifies senders. Returns the
    /// number of the last copies that are consistent. The copies before them were overwritten meanwhile.
    fn finish<M: ?Sized>(&mut self, channel: &Channel<H, M>, count: u64) -> u64;
}
