//! Batches of messages, which a sender publishes together.

use super::error::SendError;
use super::message::{Message, private::Transfer as _};
use super::protocol::{ClaimingSide as _, Kind, Producer as _};
use super::sender::Sender;
use crate::deadline::Deadline;
use crate::shareable::Plain;

impl<K: Kind, M: Message + ?Sized> Sender<K, M> {
    /// Sends messages by the claimed slots.
    fn put_many<B>(&mut self, messages: &[B], as_message: impl Fn(&B) -> &M) {
        for (index, message) in (0..).zip(messages) {
            as_message(message)
                .write(&self.connection.channel.slots, self.connection.side.position(index));
        }
        self.connection.side.publish(&self.connection.channel, messages.len() as u64);
    }
}

/// Batches of messages of one length.
impl<K: Kind, T: Plain> Sender<K, T> {
    /// Sends as many of the messages as there is room for, in order, without blocking. Returns how many
    /// it sent. Receivers find these together: if this process is killed meanwhile, they find none.
    ///
    /// # Errors
    ///
    /// The errors of [`try_send`](Sender::try_send), if it sent none.
    pub fn try_send_many(&mut self, messages: &[T]) -> std::result::Result<usize, SendError> {
        if messages.is_empty() {
            return Ok(0);
        }
        let claimed = self.connection.try_claim(messages.len() as u64)?;
        #[allow(clippy::cast_possible_truncation, reason = "at most `messages.len()`")]
        let sent = &messages[..claimed as usize];
        self.put_many(sent, |message| message);
        Ok(sent.len())
    }

    /// Sends all the messages in order, and blocks while there is no room.
    ///
    /// # Errors
    ///
    /// The errors of [`send`](Sender::send). Some of the messages may have been sent then;
    /// [`try_send_many`](Sender::try_send_many) reports how many.
    pub fn send_all(&mut self, mut messages: &[T]) -> std::result::Result<(), SendError> {
        while !messages.is_empty() {
            let claimed = self.connection.claim_before(messages.len() as u64, Deadline::Never)?;
            #[allow(clippy::cast_possible_truncation, reason = "at most `messages.len()`")]
            let (sent, rest) = messages.split_at(claimed as usize);
            self.put_many(sent, |message| message);
            messages = rest;
        }
        Ok(())
    }
}

/// Batches of messages of different lengths.
impl<K: Kind> Sender<K, [u8]> {
    /// Sends as many of the messages as there is room for, in order, without blocking. Returns how many
    /// it sent. Receivers find these together: if this process is killed meanwhile, they find none.
    ///
    /// # Errors
    ///
    /// The errors of [`try_send`](Sender::try_send), if it sent none.
    pub fn try_send_many(
        &mut self,
        messages: &[impl AsRef<[u8]>],
    ) -> std::result::Result<usize, SendError> {
        let fitting = self.count_fitting(messages)?;
        if fitting == 0 {
            return Ok(0);
        }
        let claimed = self.connection.try_claim(fitting as u64)?;
        #[allow(clippy::cast_possible_truncation, reason = "at most `messages.len()`")]
        let sent = &messages[..claimed as usize];
        self.put_many(sent, AsRef::as_ref);
        Ok(sent.len())
    }

    /// Sends all the messages in order, and blocks while there is no room.
    ///
    /// # Errors
    ///
    /// The errors of [`send`](Sender::send). The messages before the failed one have been sent then;
    /// [`try_send_many`](Sender::try_send_many) reports how many.
    pub fn send_all(
        &mut self,
        mut messages: &[impl AsRef<[u8]>],
    ) -> std::result::Result<(), SendError> {
        while !messages.is_empty() {
            let fitting = self.count_fitting(messages)?;
            let claimed = self.connection.claim_before(fitting as u64, Deadline::Never)?;
            #[allow(clippy::cast_possible_truncation, reason = "at most `messages.len()`")]
            let (sent, rest) = messages.split_at(claimed as usize);
            self.put_many(sent, AsRef::as_ref);
            messages = rest;
        }
        Ok(())
    }

    /// Returns how many messages come before the first one with a wrong length.
    ///
    /// # Errors
    ///
    /// `WrongLength` if that is the first message.
    fn count_fitting(
        &self,
        messages: &[impl AsRef<[u8]>],
    ) -> std::result::Result<usize, SendError> {
        let fits = |message: &[u8]| message.check_len(&self.connection.channel.slots);
        let wrong = messages.iter().position(|message| fits(message.as_ref()).is_err());
        match wrong {
            Some(0) => Err(SendError::WrongLength),
            Some(count) => Ok(count),
            None => Ok(messages.len()),
        }
    }
}
