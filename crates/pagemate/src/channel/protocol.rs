//! The two traits by which a kind of channel joins the common [`Sender`](super::Sender) and
//! [`Receiver`](super::Receiver).
//!
//! A side claims slots, the endpoint copies messages to or from them, and the side then publishes or
//! finishes the slots. Each kind implements the steps on its own header, and leaves the copies, the waits
//! and the calls of users to the endpoints.

use super::core::Channel;
use super::error::{Corrupted, WaitError};
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

/// The parts that both sides have. `M` is the type of the messages, which the protocol does not access.
pub(super) trait Side<H: Header>: Sized {
    /// Takes the endpoint for the process with `seat`, and notifies its peers.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if the kind of channel has no free endpoint for this process.
    fn join<M: ?Sized>(channel: &Channel<H, M>, seat: u32) -> Result<Self>;

    /// Leaves the endpoint, and notifies its peers.
    fn leave<M: ?Sized>(&mut self, channel: &Channel<H, M>, seat: u32);

    /// Returns whether a claim would find at least one slot, or an error that ends the wait too.
    fn is_ready<M: ?Sized>(&mut self, channel: &Channel<H, M>) -> bool;

    /// Returns the flag on which this endpoint sleeps.
    fn flag<'a>(&self, header: &'a H) -> &'a WakeFlag;

    /// Returns the places of the endpoints that this one depends on.
    fn peers(header: &H) -> impl Iterator<Item = &Place>;

    /// Repairs the traces of dead processes that this endpoint waits for. A waiting endpoint calls it
    /// once in each check interval.
    ///
    /// # Errors
    ///
    /// An error of the operating system.
    fn repair<M: ?Sized>(&mut self, channel: &Channel<H, M>) -> std::result::Result<(), WaitError> {
        _ = channel;
        Ok(())
    }
}

/// The sending side of a channel.
pub(super) trait Producer<H: Header>: Side<H> {
    /// Claims slots for at most `wanted` messages, and returns their number. 0 means that the channel is
    /// full. The endpoint publishes or abandons the claim before it claims again.
    fn claim<M: ?Sized>(
        &mut self,
        channel: &Channel<H, M>,
        wanted: u64,
    ) -> std::result::Result<u64, Corrupted>;

    /// Returns the position of the slot for message `index` of the claim.
    fn position(&self, index: u64) -> u64;

    /// Publishes the claimed messages, whose payloads the endpoint has written, and notifies receivers.
    fn publish<M: ?Sized>(&mut self, channel: &Channel<H, M>, count: u64);

    /// Returns the claimed slots to the channel, with no message in them.
    fn abandon<M: ?Sized>(&mut self, channel: &Channel<H, M>);

    /// Returns how many messages were sent and not yet received. It may be out of date.
    fn pending<M: ?Sized>(&self, channel: &Channel<H, M>) -> u64;
}

/// The receiving side of a channel.
pub(super) trait Consumer<H: Header>: Side<H> {
    /// Claims at most `wanted` messages, and returns their number. 0 means that the channel is empty. The
    /// endpoint finishes or abandons the claim before it claims again.
    fn claim<M: ?Sized>(
        &mut self,
        channel: &Channel<H, M>,
        wanted: u64,
    ) -> std::result::Result<u64, Corrupted>;

    /// Returns the position of the slot of message `index` of the claim.
    fn position(&self, index: u64) -> u64;

    /// Finishes the claimed messages, which the endpoint has copied, and notifies senders. Returns how
    /// many of the copies are whole. The others, which come first, were overwritten meanwhile.
    fn finish<M: ?Sized>(&mut self, channel: &Channel<H, M>, count: u64) -> u64;

    /// Returns the claimed messages to the channel.
    fn abandon<M: ?Sized>(&mut self, channel: &Channel<H, M>);
}
