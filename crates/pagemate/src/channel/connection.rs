//! The connection of a sender or a receiver to its channel. Both sides claim slots and wait in the same way.

use super::core::Channel;
use super::error::{ClaimError as _, SendError};
use super::header::Header;
use super::message::Message;
use super::options::{How, Options};
use super::peers::{Awaiting, UntilReceived};
use super::protocol::{ClaimingSide, Producer, Side};
use super::ready::ready;
use super::waiting::{Awaited as _, Waiter};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::name::Name;
use crate::sync::Ready;
use crate::sys::peers::Seat;

/// The channel of an endpoint, the endpoint's side of the protocol, and the state of its waits.
pub(super) struct Connection<S: Side<H>, H: Header, M: ?Sized> {
    pub(super) channel: Channel<H, M>,
    pub(super) side: S,
    seat: Seat,
    waiter: Waiter,
}

impl<S: Side<H>, H: Header, M: Message + ?Sized> Connection<S, H, M> {
    /// Opens or creates the channel `name`, and takes an endpoint of it.
    pub(super) fn join(name: &Name, options: &Options, how: How) -> Result<Connection<S, H, M>> {
        Channel::join(name, options, how, |channel| {
            let seat = channel.take_seat()?;
            let side = S::join(&channel, seat.number())?;
            Ok(Connection { channel, side, seat, waiter: Waiter::new(options.waiting) })
        })
    }
}

impl<S: Side<H>, H: Header, M: ?Sized> Connection<S, H, M> {
    /// Returns whether this process opened the endpoint. It is false in a forked child.
    #[inline]
    pub(super) fn is_mine(&self) -> bool {
        self.seat.is_mine()
    }

    /// Returns the number of the seat with which this process joined the channel.
    pub(super) fn seat(&self) -> u32 {
        self.seat.number()
    }

    /// Returns the state in which a claim succeeds or the endpoint is disconnected.
    pub(super) fn ready(&mut self) -> Ready<'_> {
        let is_mine = self.is_mine();
        let Connection { channel, side, waiter, .. } = self;
        ready(Awaiting { side, channel }, waiter, is_mine)
    }
}

impl<S: ClaimingSide<H>, H: Header, M: ?Sized> Connection<S, H, M> {
    /// Claims at most `wanted` slots, and returns their number.
    #[inline]
    pub(super) fn claim(&mut self, wanted: u64) -> std::result::Result<u64, S::Error> {
        if !self.seat.is_mine() {
            return Err(S::Error::FORKED);
        }
        Ok(self.side.claim(&self.channel, wanted)?)
    }

    /// Claims one slot, and returns whether it did. [`claim_again`](Connection::claim_again) completes a call
    /// that failed.
    #[inline]
    pub(super) fn claim_at_hand(&mut self) -> std::result::Result<bool, S::Error> {
        if !self.seat.is_mine() {
            return Err(S::Error::FORKED);
        }
        Ok(self.side.claim_at_hand(&self.channel)?)
    }

    /// Claims one slot after a call of [`claim_at_hand`](Connection::claim_at_hand) that failed. Returns whether
    /// it did.
    pub(super) fn claim_again(&mut self) -> std::result::Result<bool, S::Error> {
        Ok(S::CLAIMS_AGAIN && self.claim(1)? > 0)
    }

    /// Claims at least one slot and at most `wanted`, without blocking.
    #[inline]
    pub(super) fn try_claim(&mut self, wanted: u64) -> std::result::Result<u64, S::Error> {
        match self.claim(wanted)? {
            0 => Err(self.nothing_claimed()),
            count => Ok(count),
        }
    }

    /// Claims at least one slot and at most `wanted`, and waits for it until the deadline.
    #[inline]
    pub(super) fn claim_before(
        &mut self,
        wanted: u64,
        deadline: Deadline,
    ) -> std::result::Result<u64, S::Error> {
        match self.claim(wanted)? {
            0 => self.wait_and_claim(wanted, deadline),
            count => Ok(count),
        }
    }

    #[cold]
    pub(super) fn wait_and_claim(
        &mut self,
        wanted: u64,
        deadline: Deadline,
    ) -> std::result::Result<u64, S::Error> {
        loop {
            let Connection { channel, side, waiter, .. } = self;
            let flag = side.flag(channel.header());
            if !waiter.wait(deadline, flag, channel, &mut Awaiting { side, channel })? {
                return Err(S::Error::TIMED_OUT);
            }
            let count = self.claim(wanted)?;
            if count > 0 {
                return Ok(count);
            }
            // Another endpoint of this side has claimed the slot.
            if deadline.has_passed() {
                return Err(S::Error::TIMED_OUT);
            }
        }
    }

    /// Returns the error for a channel without a slot to claim. It looks for peers that have left, and now and
    /// then for dead ones.
    #[cold]
    #[inline(never)]
    pub(super) fn nothing_claimed(&mut self) -> S::Error {
        let Connection { channel, side, waiter, .. } = self;
        let mut awaited = Awaiting { side, channel };
        match waiter.poll(&mut awaited) {
            Ok(()) => S::Error::NOTHING,
            // A peer may have made progress before it left, or by leaving.
            Err(_) if awaited.is_ready() => S::Error::NOTHING,
            Err(error) => error.into(),
        }
    }
}

impl<S: Producer<H>, H: Header, M: ?Sized> Connection<S, H, M> {
    /// Waits until all messages were received, or until the deadline. Returns whether they were.
    pub(super) fn wait_until_received(
        &mut self,
        deadline: Deadline,
    ) -> std::result::Result<bool, SendError> {
        if !self.seat.is_mine() {
            return Err(SendError::Forked);
        }
        let Connection { channel, side, waiter, .. } = self;
        let flag = side.flag(channel.header());
        let mut awaited = UntilReceived(Awaiting { side, channel });
        let was_received = waiter.wait(deadline, flag, channel, &mut awaited)?;
        if was_received {
            // The wake-up may have been meant for another sender that sleeps on the same flag.
            flag.notify(channel);
        }
        Ok(was_received)
    }
}

impl<S: Side<H>, H: Header, M: ?Sized> Drop for Connection<S, H, M> {
    fn drop(&mut self) {
        // A forked child leaves its parent's endpoint alone.
        if self.seat.is_mine() {
            self.side.leave(&self.channel, self.seat.number());
        }
    }
}
