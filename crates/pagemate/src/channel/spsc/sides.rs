//! The two sides of an spsc channel: the ring, the places of both endpoints and their flags.

use super::header::SpscHeader;
use super::ring::{Consumer, Producer, Ring};
use crate::channel::core::Channel;
use crate::channel::error::{Corrupted, RecvError, SendError};
use crate::channel::place::Place;
use crate::channel::protocol::{self, ClaimingSide, Side};
use crate::channel::wake_flag::WakeFlag;
use crate::error::Result;
use crate::primitive::{AtomicU64, Ordering};
use crate::sys::region::SlotRegion;

impl<M: ?Sized> Ring for SlotRegion<SpscHeader, M> {
    #[inline]
    fn count(&self) -> u64 {
        SlotRegion::count(self)
    }

    #[inline]
    fn sequence(&self, position: u64) -> &AtomicU64 {
        SlotRegion::sequence(self, position)
    }

    #[inline]
    fn prefetch_to_read(&self, position: u64) {
        SlotRegion::prefetch_to_read(self, position);
    }

    #[inline]
    fn received(&self) -> &AtomicU64 {
        &self.header().received
    }

    #[inline]
    fn batch_end(&self) -> &AtomicU64 {
        &self.header().batch_end
    }

    #[inline]
    fn sent(&self) -> &AtomicU64 {
        &self.header().sent
    }
}

impl Side<SpscHeader> for Producer {
    fn join<M: ?Sized>(channel: &Channel<SpscHeader, M>, seat: u32) -> Result<Producer> {
        let header = channel.header();
        header.sender.claim(seat, "sender", |other| channel.is_alive(other))?;
        let producer = Producer::resume(&channel.slots.memory);
        header.receiver_flag.notify(channel);
        Ok(producer)
    }

    fn leave<M: ?Sized>(&mut self, channel: &Channel<SpscHeader, M>, seat: u32) {
        channel.header().sender.leave(seat);
        channel.header().receiver_flag.notify(channel);
    }

    #[inline]
    fn is_ready<M: ?Sized>(&mut self, channel: &Channel<SpscHeader, M>) -> bool {
        self.has_room(&channel.slots.memory) != Ok(false)
    }

    fn flag<'a>(&self, header: &'a SpscHeader) -> &'a WakeFlag {
        &header.sender_flag
    }

    fn peers(header: &SpscHeader) -> impl Iterator<Item = &Place> {
        std::iter::once(&header.receiver)
    }
}

impl ClaimingSide<SpscHeader> for Producer {
    type Error = SendError;

    const CLAIMS_AGAIN: bool = true;

    #[inline]
    fn claim<M: ?Sized>(
        &mut self,
        channel: &Channel<SpscHeader, M>,
        wanted: u64,
    ) -> std::result::Result<u64, Corrupted> {
        self.room(&channel.slots.memory, wanted)
    }

    #[inline]
    fn claim_at_hand<M: ?Sized>(
        &mut self,
        _: &Channel<SpscHeader, M>,
    ) -> std::result::Result<bool, Corrupted> {
        Ok(self.knows_room())
    }

    #[inline]
    fn position(&self, index: u64) -> u64 {
        self.next().wrapping_add(index)
    }

    /// Does nothing, because a claim changes nothing in the channel.
    fn abandon<M: ?Sized>(&mut self, _: &Channel<SpscHeader, M>) {}
}

impl protocol::Producer<SpscHeader> for Producer {
    #[inline]
    fn publish<M: ?Sized>(&mut self, channel: &Channel<SpscHeader, M>, count: u64) {
        Producer::publish(self, &channel.slots.memory, count);
        channel.header().receiver_flag.notify(channel);
    }

    fn pending<M: ?Sized>(&self, channel: &Channel<SpscHeader, M>) -> u64 {
        self.next().wrapping_sub(channel.header().received.load(Ordering::Relaxed))
    }
}

impl Side<SpscHeader> for Consumer {
    fn join<M: ?Sized>(channel: &Channel<SpscHeader, M>, seat: u32) -> Result<Consumer> {
        let header = channel.header();
        header.receiver.claim(seat, "receiver", |other| channel.is_alive(other))?;
        let consumer = Consumer::resume(&channel.slots.memory);
        header.sender_flag.notify(channel);
        Ok(consumer)
    }

    fn leave<M: ?Sized>(&mut self, channel: &Channel<SpscHeader, M>, seat: u32) {
        channel.header().receiver.leave(seat);
        channel.header().sender_flag.notify(channel);
    }

    #[inline]
    fn is_ready<M: ?Sized>(&mut self, channel: &Channel<SpscHeader, M>) -> bool {
        self.has_message(&channel.slots.memory) != Ok(false)
    }

    fn flag<'a>(&self, header: &'a SpscHeader) -> &'a WakeFlag {
        &header.receiver_flag
    }

    fn peers(header: &SpscHeader) -> impl Iterator<Item = &Place> {
        std::iter::once(&header.sender)
    }
}

impl ClaimingSide<SpscHeader> for Consumer {
    type Error = RecvError;

    const CLAIMS_AGAIN: bool = true;

    #[inline]
    fn claim<M: ?Sized>(
        &mut self,
        channel: &Channel<SpscHeader, M>,
        wanted: u64,
    ) -> std::result::Result<u64, Corrupted> {
        self.available(&channel.slots.memory, wanted)
    }

    #[inline]
    fn claim_at_hand<M: ?Sized>(
        &mut self,
        channel: &Channel<SpscHeader, M>,
    ) -> std::result::Result<bool, Corrupted> {
        Ok(self.is_at_hand(&channel.slots.memory))
    }

    #[inline]
    fn position(&self, index: u64) -> u64 {
        self.next().wrapping_add(index)
    }

    /// Does nothing, because a claim changes nothing in the channel.
    fn abandon<M: ?Sized>(&mut self, _: &Channel<SpscHeader, M>) {}
}

impl protocol::Consumer<SpscHeader> for Consumer {
    #[inline]
    fn finish<M: ?Sized>(&mut self, channel: &Channel<SpscHeader, M>, count: u64) -> u64 {
        Consumer::finish(self, &channel.slots.memory, count);
        channel.header().sender_flag.notify(channel);
        count
    }
}
