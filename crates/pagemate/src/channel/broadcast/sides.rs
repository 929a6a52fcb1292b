//! The two sides of a broadcast channel: the ring, the places of all endpoints and their flags.

use super::consumer::Consumer;
use super::header::{BroadcastHeader, shape};
use super::producer::Producer;
use super::receiver_line::Line;
use super::words::Ring;
use crate::channel::core::Channel;
use crate::channel::error::{Corrupted, RecvError, SendError, WaitError};
use crate::channel::header::wrong_slots;
use crate::channel::place::{Occupant, Place};
use crate::channel::protocol::{self, ClaimingSide, Side};
use crate::channel::wake_flag::WakeFlag;
use crate::error::{Error, ErrorKind, Result};
use crate::primitive::Ordering;

impl Side<BroadcastHeader> for Producer {
    fn join<M: ?Sized>(channel: &Channel<BroadcastHeader, M>, seat: u32) -> Result<Producer> {
        let header = channel.header();
        let (shape, is_eager) = shape(&channel.slots.memory)?;
        header.sender.claim(seat, "sender", |other| channel.is_alive(other))?;
        let producer = Producer::resume(&channel.slots.memory, shape, is_eager);
        let producer = producer.map_err(|Corrupted| {
            header.sender.leave(seat);
            wrong_slots()
        })?;
        header.receiver_flag.notify_all(channel);
        Ok(producer)
    }

    fn leave<M: ?Sized>(&mut self, channel: &Channel<BroadcastHeader, M>, seat: u32) {
        channel.header().sender.leave(seat);
        channel.header().receiver_flag.notify_all(channel);
    }

    #[inline]
    fn is_ready<M: ?Sized>(&mut self, channel: &Channel<BroadcastHeader, M>) -> bool {
        self.has_room(&channel.slots.memory)
    }

    fn flag<'a>(&self, header: &'a BroadcastHeader) -> &'a WakeFlag {
        &header.sender_flag
    }

    fn peers(header: &BroadcastHeader) -> impl Iterator<Item = &Place> {
        header.used_lines().iter().map(|line| &line.place)
    }

    /// Frees the places of dead receivers that have not finished all messages, so that the sender no longer
    /// waits for them.
    fn repair<M: ?Sized>(
        &mut self,
        channel: &Channel<BroadcastHeader, M>,
    ) -> std::result::Result<(), WaitError> {
        if channel.awaits_successor {
            return Ok(());
        }
        // Also look at the receivers that have finished all messages. A dead one among them would block this
        // sender later, until the test after this one.
        for line in channel.slots.memory.lines() {
            if let Occupant::Seat(seat) = line.place.occupant()
                && !channel.is_alive(seat).map_err(|error| WaitError::of(&error))?
            {
                line.place.drop_dead(seat);
            }
        }
        Ok(())
    }
}

impl ClaimingSide<BroadcastHeader> for Producer {
    type Error = SendError;

    #[inline]
    fn claim<M: ?Sized>(
        &mut self,
        channel: &Channel<BroadcastHeader, M>,
        wanted: u64,
    ) -> std::result::Result<u64, Corrupted> {
        Producer::claim(self, &channel.slots.memory, wanted)
    }

    #[inline]
    fn position(&self, index: u64) -> u64 {
        Producer::position(self, index)
    }

    /// The next claim finds the same slots, or the same chunk.
    fn abandon<M: ?Sized>(&mut self, _: &Channel<BroadcastHeader, M>) {}
}

impl protocol::Producer<BroadcastHeader> for Producer {
    #[inline]
    fn publish<M: ?Sized>(&mut self, channel: &Channel<BroadcastHeader, M>, count: u64) {
        Producer::publish(self, &channel.slots.memory, count);
        channel.header().receiver_flag.notify_all(channel);
    }

    fn pending<M: ?Sized>(&self, channel: &Channel<BroadcastHeader, M>) -> u64 {
        Producer::pending(self, &channel.slots.memory)
    }
}

/// Claims a line for the process with `seat`. Returns its number, and whether it was taken over.
fn claim_line<M: ?Sized>(
    channel: &Channel<BroadcastHeader, M>,
    seat: u32,
) -> Result<(usize, bool)> {
    let header = channel.header();
    let lines = &header.lines[..header.receivers()];
    let is_dead = |place: &Place| match place.occupant() {
        Occupant::Seat(other) if !channel.is_alive(other)? => Ok(Some(other)),
        _ => Ok::<_, Error>(None),
    };
    if channel.takes_over {
        for (number, line) in lines.iter().enumerate() {
            if let Some(dead) = is_dead(&line.place)?
                && line.place.take_over(dead, seat)
            {
                return Ok((number, true));
            }
        }
    }
    let begin = |number: usize, line: &Line, seen| {
        // The sender loads the words of this line from now on.
        header.used.fetch_max(u32::try_from(number).unwrap_or(0) + 1, Ordering::SeqCst);
        line.place.begin_to_join(seen, seat)
    };
    for (number, line) in lines.iter().enumerate() {
        let seen = line.place.occupant();
        if !matches!(seen, Occupant::Seat(_)) && begin(number, line, seen) {
            return Ok((number, false));
        }
    }
    for (number, line) in lines.iter().enumerate() {
        if let Some(dead) = is_dead(&line.place)?
            && begin(number, line, Occupant::Seat(dead))
        {
            return Ok((number, false));
        }
    }
    let cause = format!(
        "live processes have all {} receivers that the channel admits: create it with a greater \
         `Options::receivers`",
        lines.len()
    );
    Err(Error::new(ErrorKind::AlreadyExists, cause))
}

impl Side<BroadcastHeader> for Consumer {
    fn join<M: ?Sized>(channel: &Channel<BroadcastHeader, M>, seat: u32) -> Result<Consumer> {
        let header = channel.header();
        let (shape, _) = shape(&channel.slots.memory)?;
        header.receiver_flag.admit_crowd();
        let (number, taken_over) = claim_line(channel, seat)?;
        let consumer = if taken_over {
            Consumer::resume(&channel.slots.memory, shape, number)
        } else {
            let consumer = Consumer::join(&channel.slots.memory, shape, number);
            header.lines[number].place.complete(seat);
            consumer
        };
        header.sender_flag.notify(channel);
        Ok(consumer)
    }

    fn leave<M: ?Sized>(&mut self, channel: &Channel<BroadcastHeader, M>, seat: u32) {
        self.abandon(&channel.slots.memory);
        channel.header().lines[self.line()].place.leave(seat);
        channel.header().sender_flag.notify(channel);
    }

    #[inline]
    fn is_ready<M: ?Sized>(&mut self, channel: &Channel<BroadcastHeader, M>) -> bool {
        self.has_message(&channel.slots.memory)
    }

    fn flag<'a>(&self, header: &'a BroadcastHeader) -> &'a WakeFlag {
        &header.receiver_flag
    }

    fn peers(header: &BroadcastHeader) -> impl Iterator<Item = &Place> {
        std::iter::once(&header.sender)
    }
}

impl ClaimingSide<BroadcastHeader> for Consumer {
    type Error = RecvError;

    #[inline]
    fn claim<M: ?Sized>(
        &mut self,
        channel: &Channel<BroadcastHeader, M>,
        wanted: u64,
    ) -> std::result::Result<u64, Corrupted> {
        Consumer::claim(self, &channel.slots.memory, wanted)
    }

    #[inline]
    fn position(&self, index: u64) -> u64 {
        Consumer::position(self, index)
    }

    fn abandon<M: ?Sized>(&mut self, channel: &Channel<BroadcastHeader, M>) {
        Consumer::abandon(self, &channel.slots.memory);
    }
}

impl protocol::Consumer<BroadcastHeader> for Consumer {
    /// Copies a message of a lossy channel without chunks into the slot of this receiver.
    fn hold<M: ?Sized>(&mut self, channel: &Channel<BroadcastHeader, M>) -> bool {
        const PIECE: usize = 512;
        let memory = &channel.slots.memory;
        let Some(own) = self.own_slot() else { return true };
        let mut piece = [0; PIECE];
        for at in (0..memory.payload_len()).step_by(PIECE) {
            let piece = &mut piece[..PIECE.min(memory.payload_len() - at)];
            memory.read_bytes(Consumer::position(self, 0), at, piece);
            memory.write_bytes(own, at, piece);
        }
        Consumer::hold(self, memory)
    }

    #[inline]
    fn finish<M: ?Sized>(&mut self, channel: &Channel<BroadcastHeader, M>, count: u64) -> u64 {
        let whole = Consumer::finish(self, &channel.slots.memory, count);
        channel.header().sender_flag.notify(channel);
        whole
    }
}
