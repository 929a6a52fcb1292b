//! Loans: free slots of a channel, in which a program writes a message in place.

use std::fmt;
use std::time::Duration;

use super::connection::Connection;
use super::error::SendError;
use super::message::{Message, private::Transfer as _};
use super::protocol::{ClaimingSide as _, Kind, Producer as _};
use super::sender::Sender;
use crate::deadline::Deadline;
use crate::shareable::Plain;

impl<K: Kind, M: Message + ?Sized> Sender<K, M> {
    /// Lends a free slot, so that a message is written in place, without blocking.
    ///
    /// # Errors
    ///
    /// The errors of [`try_send`](Sender::try_send).
    pub fn try_loan(&mut self) -> std::result::Result<Loan<'_, K, M>, SendError> {
        self.connection.try_claim(1)?;
        Ok(Loan { connection: &mut self.connection })
    }

    /// Lends a free slot, and blocks while there is none.
    ///
    /// # Errors
    ///
    /// The errors of [`send`](Sender::send).
    pub fn loan(&mut self) -> std::result::Result<Loan<'_, K, M>, SendError> {
        self.loan_before(Deadline::Never)
    }

    /// Lends a free slot, and blocks for at most `time` while there is none.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](SendError::TimedOut), and the errors of [`send`](Sender::send).
    pub fn loan_timeout(
        &mut self,
        time: Duration,
    ) -> std::result::Result<Loan<'_, K, M>, SendError> {
        self.loan_before(Deadline::after(time))
    }

    pub(super) fn loan_before(
        &mut self,
        deadline: Deadline,
    ) -> std::result::Result<Loan<'_, K, M>, SendError> {
        self.connection.claim_before(1, deadline)?;
        Ok(Loan { connection: &mut self.connection })
    }
}

/// A free slot of a channel, to write a message in place. [`send`](Loan::send) sends the message;
/// dropping the loan sends nothing.
#[must_use = "dropping the loan sends nothing"]
pub struct Loan<'a, K: Kind, M: Message + ?Sized> {
    connection: &'a mut Connection<K::Producer, K::Header, M>,
}

impl<K: Kind, M: Message + ?Sized> Loan<'_, K, M> {
    fn position(&self) -> u64 {
        self.connection.side.position(0)
    }

    /// Returns the length of the longest message that the slot has room for, in bytes.
    pub fn max_len(&self) -> usize {
        self.connection.channel.slots.max_len()
    }

    /// Copies bytes into the message, from its byte `offset` on. The other bytes of the slot are those of
    /// an older message.
    ///
    /// # Panics
    ///
    /// If `offset + bytes.len()` is more than [`max_len`](Loan::max_len).
    pub fn write_at(&mut self, offset: usize, bytes: &[u8]) {
        let channel = &self.connection.channel;
        let before = channel.slots.message_type.len_before_bytes();
        channel.slots.memory.write_bytes(self.position(), before.saturating_add(offset), bytes);
    }

    /// Returns the address of the first byte of the message.
    fn payload(&mut self) -> *mut u8 {
        let channel = &self.connection.channel;
        let slot = channel.slots.memory.payload(self.position()).as_ptr();
        slot.wrapping_add(channel.slots.message_type.len_before_bytes())
    }

    /// Publishes the message, unless this process is a forked child, which leaves its parent's slot alone.
    fn publish(self) -> std::result::Result<(), SendError> {
        if !self.connection.is_mine() {
            return Err(SendError::Forked);
        }
        self.connection.side.publish(&self.connection.channel, 1);
        // The slot is not the loan's any more.
        std::mem::forget(self);
        Ok(())
    }
}

impl<K: Kind, T: Plain> Loan<'_, K, T> {
    /// Writes the message.
    pub fn write(&mut self, message: &T) {
        message.write(&self.connection.channel.slots, self.position());
    }

    /// Returns the address of the message. Its bytes are those of an older message at first.
    ///
    /// The pointer is aligned for `T`, and valid for reads and writes until the loan is sent or dropped.
    /// Other processes can access the bytes at any time if they break the rules of the channel, so that
    /// Rust code must not make a reference of it unless all processes are trusted.
    pub fn as_mut_ptr(&mut self) -> *mut T {
        self.payload().cast()
    }

    /// Sends the message that the slot has.
    ///
    /// # Errors
    ///
    /// [`Forked`](SendError::Forked): this process was forked from the one that has the loan, and the slot is
    /// still lent to that process.
    pub fn send(self) -> std::result::Result<(), SendError> {
        self.publish()
    }
}

impl<K: Kind> Loan<'_, K, [u8]> {
    /// Returns the address of the message, which has room for [`max_len`](Loan::max_len) bytes. They are
    /// those of older messages at first.
    ///
    /// The pointer is valid for reads and writes until the loan is sent or dropped. Other processes can
    /// access the bytes at any time if they break the rules of the channel, so that Rust code must not
    /// make a reference of it unless all processes are trusted.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.payload()
    }

    /// Sends the first `len` bytes that the slot has.
    ///
    /// # Errors
    ///
    /// - [`WrongLength`](SendError::WrongLength): `len` is more than [`max_len`](Loan::max_len), or is not
    ///   the length that all messages of the channel have.
    /// - [`Forked`](SendError::Forked): this process was forked from the one that has the loan, and the slot
    ///   is still lent to that process.
    pub fn send(self, len: usize) -> std::result::Result<(), SendError> {
        if !self.connection.is_mine() {
            return Err(SendError::Forked);
        }
        let channel = &self.connection.channel;
        let is_bytes = channel.slots.message_type.is_bytes();
        if len > self.max_len() || (!is_bytes && len != self.max_len()) {
            return Err(SendError::WrongLength);
        }
        if is_bytes {
            channel.slots.memory.write_bytes(self.position(), 0, &(len as u64).to_ne_bytes());
        }
        self.publish()
    }
}

impl<K: Kind, M: Message + ?Sized> Drop for Loan<'_, K, M> {
    fn drop(&mut self) {
        // A forked child leaves its parent's slot alone.
        if self.connection.is_mine() {
            self.connection.side.abandon(&self.connection.channel);
        }
    }
}

impl<K: Kind, M: Message + ?Sized> fmt::Debug for Loan<'_, K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loan").field("max_len", &self.max_len()).finish_non_exhaustive()
    }
}
