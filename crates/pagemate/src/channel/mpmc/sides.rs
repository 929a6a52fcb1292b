//! The two sides of an mpmc channel: the ring, the places of the endpoints and their flags.

use super::consumer::Consumer;
use super::header::{MpmcHeader, PLACES};
use super::producer::Producer;
use super::ring::{self, Ring, RingSide};
use super::word::SEAT_LIMIT;
use crate::channel::core::Channel;
use crate::channel::error::{ClaimError, Corrupted, RecvError, SendError, WaitError};
use crate::channel::place::Place;
use crate::channel::protocol::{self, ClaimingSide, Side};
use crate::channel::wake_flag::{ALL, WakeFlag};
use crate::error::{Error, ErrorKind, Result};
use crate::primitive::AtomicU64;
use crate::sys::region::SlotRegion;

impl<M: ?Sized> Ring for SlotRegion<MpmcHeader, M> {
    #[inline]
    fn count(&self) -> u64 {
        SlotRegion::count(self)
    }

    #[inline]
    fn word(&self, position: u64) -> &AtomicU64 {
        SlotRegion::sequence(self, position)
    }

    #[inline]
    fn prefetch(&self, position: u64) {
        SlotRegion::prefetch_to_write(self, position);
    }

    #[inline]
    fn sent(&self) -> &AtomicU64 {
        &self.header().sent
    }

    #[inline]
    fn received(&self) -> &AtomicU64 {
        &self.header().received
    }

    #[inline]
    fn returns(&self) -> &AtomicU64 {
        &self.header().returns
    }
}

/// A side of a channel with its part of the header.
pub(in crate::channel) trait Role: RingSide + Send {
    /// The name of the endpoint.
    const NAME: &'static str;

    type Error: ClaimError;

    /// Returns the places of this side.
    fn places(header: &MpmcHeader) -> &[Place; PLACES];

    /// Returns the places of the other side.
    fn peers(header: &MpmcHeader) -> &[Place; PLACES];

    /// Returns the flag on which endpoints of this side sleep.
    fn flag(header: &MpmcHeader) -> &WakeFlag;
}

impl Role for Producer {
    const NAME: &'static str = "sender";

    type Error = SendError;

    fn places(header: &MpmcHeader) -> &[Place; PLACES] {
        &header.senders
    }

    fn peers(header: &MpmcHeader) -> &[Place; PLACES] {
        &header.receivers
    }

    #[inline]
    fn flag(header: &MpmcHeader) -> &WakeFlag {
        &header.sender_flag
    }
}

impl Role for Consumer {
    const NAME: &'static str = "receiver";

    type Error = RecvError;

    fn places(header: &MpmcHeader) -> &[Place; PLACES] {
        &header.receivers
    }

    fn peers(header: &MpmcHeader) -> &[Place; PLACES] {
        &header.senders
    }

    #[inline]
    fn flag(header: &MpmcHeader) -> &WakeFlag {
        &header.receiver_flag
    }
}

/// Claims a place of the side `R` for the process with `seat`.
fn claim_place<R: Role, M: ?Sized>(channel: &Channel<MpmcHeader, M>, seat: u32) -> Result<()> {
    if seat >= SEAT_LIMIT {
        let cause = "another user's process has locked the numbers of its seats; end that process, or \
                     share the channel with fewer users";
        return Err(Error::new(ErrorKind::TimedOut, cause));
    }
    let header = channel.header();
    header.sender_flag.admit_many();
    header.receiver_flag.admit_many();
    // To test whether a place's process is alive takes a system call, so first try the places that no process
    // has.
    for place in R::places(header) {
        if place.try_claim(seat, |_| Ok(true))? {
            return Ok(());
        }
    }
    for place in R::places(header) {
        if place.try_claim(seat, |other| channel.is_alive(other))? {
            return Ok(());
        }
    }
    let name = R::NAME;
    let cause =
        format!("it has {PLACES} live {name}s, and this kind of channel has room for no more");
    Err(Error::new(ErrorKind::AlreadyExists, cause))
}

/// Wakes all endpoints, because slots changed in a way that concerns both sides.
fn notify_all<M: ?Sized>(channel: &Channel<MpmcHeader, M>) {
    channel.header().receiver_flag.notify_many(channel, ALL);
    channel.header().sender_flag.notify_many(channel, ALL);
}

/// Returns the number of sleepers to wake for so many messages.
#[inline]
fn sleepers(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(ALL)
}

impl<R: Role> Side<MpmcHeader> for R {
    fn join<M: ?Sized>(channel: &Channel<MpmcHeader, M>, seat: u32) -> Result<R> {
        claim_place::<R, M>(channel, seat)?;
        let mut side: R = RingSide::join(&channel.slots.memory, seat);
        // A dead endpoint may have left messages or slots for this one.
        RingSide::repair(&mut side, &channel.slots.memory, |seat| channel.is_alive(seat))?;
        notify_all(channel);
        Ok(side)
    }

    fn leave<M: ?Sized>(&mut self, channel: &Channel<MpmcHeader, M>, seat: u32) {
        RingSide::leave(self, &channel.slots.memory);
        for place in R::places(channel.header()) {
            place.leave(seat);
        }
        notify_all(channel);
    }

    #[inline]
    fn is_ready<M: ?Sized>(&mut self, channel: &Channel<MpmcHeader, M>) -> bool {
        RingSide::is_ready(self, &channel.slots.memory) != Ok(false)
    }

    fn flag<'a>(&self, header: &'a MpmcHeader) -> &'a WakeFlag {
        <R as Role>::flag(header)
    }

    fn peers(header: &MpmcHeader) -> impl Iterator<Item = &Place> {
        <R as Role>::peers(header).iter()
    }

    fn repair<M: ?Sized>(
        &mut self,
        channel: &Channel<MpmcHeader, M>,
    ) -> std::result::Result<(), WaitError> {
        let is_alive = |seat| channel.is_alive(seat);
        let repaired = RingSide::repair(self, &channel.slots.memory, is_alive);
        if repaired.map_err(|error| WaitError::of(&error))? {
            notify_all(channel);
        }
        Ok(())
    }
}

impl<R: Role> ClaimingSide<MpmcHeader> for R {
    type Error = <R as Role>::Error;

    #[inline]
    fn claim<M: ?Sized>(
        &mut self,
        channel: &Channel<MpmcHeader, M>,
        wanted: u64,
    ) -> std::result::Result<u64, Corrupted> {
        let claimed = RingSide::claim(self, &channel.slots.memory, wanted)?;
        // This endpoint may have been woken, and another one may sleep although there are more slots.
        let flag = <R as Role>::flag(channel.header());
        if claimed > 0 && flag.has_sleeper() && self.has_more(&channel.slots.memory) {
            flag.notify(channel);
        }
        Ok(claimed)
    }

    #[inline]
    fn position(&self, index: u64) -> u64 {
        RingSide::position(self, index)
    }

    fn abandon<M: ?Sized>(&mut self, channel: &Channel<MpmcHeader, M>) {
        RingSide::abandon(self, &channel.slots.memory);
        // Receivers may wait for this slot although there are messages in later slots, and senders for the
        // slot of the next lap.
        notify_all(channel);
    }
}

impl protocol::Producer<MpmcHeader> for Producer {
    #[inline]
    fn publish<M: ?Sized>(&mut self, channel: &Channel<MpmcHeader, M>, count: u64) {
        Producer::publish(self, &channel.slots.memory, count);
        channel.header().receiver_flag.notify_many(channel, sleepers(count));
    }

    fn pending<M: ?Sized>(&self, channel: &Channel<MpmcHeader, M>) -> u64 {
        ring::count_messages(&channel.slots.memory)
    }

    fn has_pending<M: ?Sized>(&mut self, channel: &Channel<MpmcHeader, M>) -> bool {
        self.has_unfinished(&channel.slots.memory)
    }
}

impl protocol::Consumer<MpmcHeader> for Consumer {
    #[inline]
    fn finish<M: ?Sized>(&mut self, channel: &Channel<MpmcHeader, M>, count: u64) -> u64 {
        Consumer::finish(self, &channel.slots.memory);
        channel.header().sender_flag.notify_many(channel, sleepers(count));
        count
    }
}
