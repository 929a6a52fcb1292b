//! Batches of messages, which a receiver claims together.

use super::error::{Corrupted, RecvError};
use super::message::Message;
use super::protocol::{ClaimingSide as _, Kind};
use super::receiver::Receiver;
use crate::deadline::Deadline;

impl<K: Kind, M: Message + ?Sized> Receiver<K, M> {
    /// Appends the messages that are there to `messages`, at most `max` of them, without blocking.
    /// Returns how many it received.
    ///
    /// # Errors
    ///
    /// The errors of [`try_recv`](Receiver::try_recv), if it received none.
    pub fn try_recv_many(
        &mut self,
        messages: &mut Vec<M::Owned>,
        max: usize,
    ) -> std::result::Result<usize, RecvError> {
        if max == 0 {
            return Ok(0);
        }
        loop {
            let claimed = self.connection.try_claim(max as u64)?;
            let received = self.take_many(messages, claimed)?;
            if received > 0 {
                return Ok(received);
            }
        }
    }

    /// Appends messages to `messages`, at least one and at most `max` of them, and blocks while there is
    /// none. Returns how many it received.
    ///
    /// # Errors
    ///
    /// The errors of [`recv`](Receiver::recv).
    pub fn recv_many(
        &mut self,
        messages: &mut Vec<M::Owned>,
        max: usize,
    ) -> std::result::Result<usize, RecvError> {
        if max == 0 {
            return Ok(0);
        }
        loop {
            let claimed = self.connection.claim_before(max as u64, Deadline::Never)?;
            let received = self.take_many(messages, claimed)?;
            if received > 0 {
                return Ok(received);
            }
        }
    }

    /// Takes the claimed messages. Returns how many were not overwritten meanwhile.
    fn take_many(
        &mut self,
        messages: &mut Vec<M::Owned>,
        claimed: u64,
    ) -> std::result::Result<usize, RecvError> {
        let before = messages.len();
        let mut damaged = 0;
        for index in 0..claimed {
            match M::read(&self.connection.channel.slots, self.connection.side.position(index)) {
                Ok(message) => messages.push(message),
                Err(Corrupted) => damaged = index + 1,
            }
        }
        let whole = self.finish(claimed);
        // The overwritten messages are the first ones. More damaged messages than these are an error.
        if damaged > claimed - whole {
            messages.truncate(before);
            return Err(RecvError::Corrupted);
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most as many as are in the vector")]
        let overwritten = messages.len() - before - whole as usize;
        messages.drain(before..before + overwritten);
        Ok(messages.len() - before)
    }
}
