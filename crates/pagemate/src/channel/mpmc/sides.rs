//! The two sides of an mpmc channel: the ring, the places of the endpoints and their flags.

use super::consumer::Consumer;
use super::header::{MpmcHeader, PLACES};
use super::producer::Producer;
use super::ring::{self, Ring};
use super::word::SEAT_LIMIT;
use crate::channel::core::Channel;
use crate::channel::error::{Corrupted, RecvError, SendError, WaitError};
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

/// Claims one of `places` for the process with `seat`. `what` names the endpoint.
fn claim_place<M: ?Sized>(
    channel: &Channel<MpmcHeader, M>,
    places: &[Place],
    seat: u32,
    what: &str,
) -> Result<()> {
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
    for place in places {
        if place.try_claim(seat, |_| Ok(true))? {
            return Ok(());
        }
    }
    for place in places {
        if place.try_claim(seat, |other| channel.is_alive(other))? {
            return Ok(());
        }
    }
    let cause =
        format!("it has {PLACES} live {what}s, and this kind of channel has room for no more");
    Err(Error::new(ErrorKind::AlreadyExists, cause))
}

/// Leaves the place of the process with `seat`.
fn leave_place(places: &[Place], seat: u32) {
    for place in places {
        place.leave(seat);
    }
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

impl Side<MpmcHeader> for Producer {
    fn join<M: ?Sized>(channel: &Channel<MpmcHeader, M>, seat: u32) -> Result<Producer> {
        claim_place(channel, &channel.header().senders, seat, "sender")?;
        notify_all(channel);
        Ok(Producer::join(&channel.slots.memory, seat))
    }

    fn leave<M: ?Sized>(&mut self, channel: &Channel<MpmcHeader, M>, seat: u32) {
        Producer::leave(self, &channel.slots.memory);
        leave_place(&channel.header().senders, seat);
        notify_all(channel);
    }

    #[inline]
    fn is_ready<M: ?Sized>(&mut self, channel: &Channel<MpmcHeader, M>) -> bool {
        Producer::is_ready(self, &channel.slots.memory) != Ok(false)
    }

    fn flag<'a>(&self, header: &'a MpmcHeader) -> &'a WakeFlag {
        &header.sender_flag
    }

    fn peers(header: &MpmcHeader) -> impl Iterator<Item = &Place> {
        header.receivers.iter()
    }

    fn repair<M: ?Sized>(
        &mut self,
        channel: &Channel<MpmcHeader, M>,
    ) -> std::result::Result<(), WaitError> {
        let repaired = Producer::repair(self, &channel.slots.memory, |seat| channel.is_alive(seat));
        if repaired.map_err(|error| WaitError::of(&error))? {
            notify_all(channel);
        }
        Ok(())
    }
}

impl ClaimingSide<MpmcHeader> for Producer {
    type Error = SendError;

    #[inline]
    fn claim<M: ?Sized>(
        &mut self,
        channel: &Channel<MpmcHeader, M>,
        wanted: u64,
    ) -> std::result::Result<u64, Corrupted> {
        let claimed = Producer::claim(self, &channel.slots.memory, wanted)?;
        // This sender may have been woken, and another one may sleep although there is more room.
        let flag = &channel.header().sender_flag;
        if claimed > 0 && flag.has_sleeper() && self.has_more(&channel.slots.memory) {
            flag.notify(channel);
        }
        Ok(claimed)
    }

    #[inline]
    fn position(&self, index: u64) -> u64 {
        Producer::position(self, index)
    }

    fn abandon<M: ?Sized>(&mut self, channel: &Channel<MpmcHeader, M>) {
        Producer::publish(self, &channel.slots.memory, 0);
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

impl Side<MpmcHeader> for Consumer {
    fn join<M: ?Sized>(channel: &Channel<MpmcHeader, M>, seat: u32) -> Result<Consumer> {
        claim_place(channel, &channel.header().receivers, seat, "receiver")?;
        let mut consumer = Consumer::join(&channel.slots.memory, seat);
        // A dead receiver may have left messages for this one.
        Consumer::repair(&mut consumer, &channel.slots.memory, |seat| channel.is_alive(seat))?;
        notify_all(channel);
        Ok(consumer)
    }

    fn leave<M: ?Sized>(&mut self, channel: &Channel<MpmcHeader, M>, seat: u32) {
        Consumer::leave(self, &channel.slots.memory);
        leave_place(&channel.header().receivers, seat);
        notify_all(channel);
    }

    #[inline]
    fn is_ready<M: ?Sized>(&mut self, channel: &Channel<MpmcHeader, M>) -> bool {
        Consumer::is_ready(self, &channel.slots.memory) != Ok(false)
    }

    fn flag<'a>(&self, header: &'a MpmcHeader) -> &'a WakeFlag {
        &header.receiver_flag
    }

    fn peers(header: &MpmcHeader) -> impl Iterator<Item = &Place> {
        header.senders.iter()
    }

    fn repair<M: ?Sized>(
        &mut self,
        channel: &Channel<MpmcHeader, M>,
    ) -> std::result::Result<(), WaitError> {
        let repaired = Consumer::repair(self, &channel.slots.memory, |seat| channel.is_alive(seat));
        if repaired.map_err(|error| WaitError::of(&error))? {
            notify_all(channel);
        }
        Ok(())
    }
}

impl ClaimingSide<MpmcHeader> for Consumer {
    type Error = RecvError;

    #[inline]
    fn claim<M: ?Sized>(
        &mut self,
        channel: &Channel<MpmcHeader, M>,
        wanted: u64,
    ) -> std::result::Result<u64, Corrupted> {
        let claimed = Consumer::claim(self, &channel.slots.memory, wanted)?;
        // This receiver may have been woken, and another one may sleep although there are more messages.
        let flag = &channel.header().receiver_flag;
        if claimed > 0 && flag.has_sleeper() && self.has_more(&channel.slots.memory) {
            flag.notify(channel);
        }
        Ok(claimed)
    }

    #[inline]
    fn position(&self, index: u64) -> u64 {
        Consumer::position(self, index)
    }

    fn abandon<M: ?Sized>(&mut self, channel: &Channel<MpmcHeader, M>) {
        self.give_back(&channel.slots.memory);
        notify_all(channel);
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
