//! Samples: messages that a program reads in place.

use std::fmt;
use std::time::Duration;

use super::connection::Connection;
use super::error::RecvError;
use super::message::Message;
use super::protocol::{ClaimingSide as _, Consumer as _, Kind};
use super::receiver::Receiver;
use crate::deadline::Deadline;
use crate::shareable::Plain;

impl<K: Kind, M: Message + ?Sized> Receiver<K, M> {
    /// Lends the next message in place, without blocking.
    ///
    /// # Errors
    ///
    /// The errors of [`try_recv`](Receiver::try_recv).
    pub fn try_sample(&mut self) -> std::result::Result<Sample<'_, K, M>, RecvError> {
        loop {
            self.connection.try_claim(1)?;
            if self.connection.side.hold(&self.connection.channel) {
                return Sample::of(&mut self.connection);
            }
        }
    }

    /// Lends the next message in place, and blocks while there is none.
    ///
    /// # Errors
    ///
    /// The errors of [`recv`](Receiver::recv).
    pub fn sample(&mut self) -> std::result::Result<Sample<'_, K, M>, RecvError> {
        self.sample_before(Deadline::Never)
    }

    /// Lends the next message in place, and blocks for at most `time` while there is none.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](RecvError::TimedOut), and the errors of [`recv`](Receiver::recv).
    pub fn sample_timeout(
        &mut self,
        time: Duration,
    ) -> std::result::Result<Sample<'_, K, M>, RecvError> {
        self.sample_before(Deadline::after(time))
    }

    pub(super) fn sample_before(
        &mut self,
        deadline: Deadline,
    ) -> std::result::Result<Sample<'_, K, M>, RecvError> {
        loop {
            self.connection.claim_before(1, deadline)?;
            if self.connection.side.hold(&self.connection.channel) {
                return Sample::of(&mut self.connection);
            }
            if deadline.has_passed() {
                return Err(RecvError::TimedOut);
            }
        }
    }
}

/// A message in its slot. Dropping it finishes the message, so that a sender can use the slot again.
///
/// If the process is killed while it has the sample, the next receiver gets the message again.
#[must_use = "dropping the sample finishes its message"]
pub struct Sample<'a, K: Kind, M: Message + ?Sized> {
    pub(super) connection: &'a mut Connection<K::Consumer, K::Header, M>,
    /// The offset of the message in its slot, in bytes.
    offset: usize,
    len: usize,
}

#[allow(clippy::len_without_is_empty, reason = "a message is not a collection")]
impl<'a, K: Kind, M: Message + ?Sized> Sample<'a, K, M> {
    /// Makes a sample of the claimed message.
    fn of(
        connection: &'a mut Connection<K::Consumer, K::Header, M>,
    ) -> std::result::Result<Sample<'a, K, M>, RecvError> {
        match M::range(&connection.channel.slots, connection.side.position(0)) {
            Ok((offset, len)) => Ok(Sample { connection, offset, len }),
            Err(error) => {
                connection.side.abandon(&connection.channel);
                Err(error.into())
            }
        }
    }

    fn position(&self) -> u64 {
        self.connection.side.position(0)
    }

    /// Returns the length of the message in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Copies bytes out of the message, from its byte `offset` on.
    ///
    /// # Panics
    ///
    /// If `offset + to.len()` is more than [`len`](Sample::len).
    pub fn read_at(&self, offset: usize, to: &mut [u8]) {
        let fits = offset.checked_add(to.len()).is_some_and(|end| end <= self.len);
        assert!(
            fits,
            "{} bytes at {offset} do not lie in a message of {} bytes",
            to.len(),
            self.len
        );
        self.connection.channel.slots.memory.read_bytes(self.position(), self.offset + offset, to);
    }

    /// Finishes the message, as dropping the sample does, and reports whether it did.
    ///
    /// # Errors
    ///
    /// [`Forked`](RecvError::Forked): this process was forked from the one that has the sample, and the
    /// message is still lent to that process.
    pub fn finish(self) -> std::result::Result<(), RecvError> {
        if self.connection.is_mine() { Ok(()) } else { Err(RecvError::Forked) }
    }

    /// Returns the message to the channel, as if this process had been killed: the next receiver gets it
    /// again.
    pub fn put_back(self) {
        // A forked child leaves its parent's slot alone.
        if self.connection.is_mine() {
            self.connection.side.abandon(&self.connection.channel);
        }
        // The slot is not the sample's any more.
        std::mem::forget(self);
    }

    /// Returns the address of the first byte of the message.
    fn payload(&self) -> *const u8 {
        let slot = self.connection.channel.slots.memory.payload(self.position()).as_ptr();
        slot.wrapping_add(self.offset).cast_const()
    }
}

impl<K: Kind, T: Plain> Sample<'_, K, T> {
    /// Returns a copy of the message.
    pub fn read(&self) -> T {
        self.connection.channel.slots.memory.read(self.position())
    }

    /// Copies the message into `to`. A large value is not copied through the stack.
    pub fn read_into(&self, to: &mut T) {
        self.connection.channel.slots.memory.read_into(self.position(), to);
    }

    /// Returns the address of the message.
    ///
    /// The pointer is aligned for `T`, and valid for reads until the sample is dropped. Other processes
    /// can change the bytes at any time if they break the rules of the channel, so that Rust code must
    /// not make a reference of it unless all processes are trusted.
    pub fn as_ptr(&self) -> *const T {
        self.payload().cast()
    }
}

impl<K: Kind> Sample<'_, K, [u8]> {
    /// Returns a copy of the message.
    pub fn read(&self) -> Vec<u8> {
        let mut bytes = vec![0; self.len];
        self.read_at(0, &mut bytes);
        bytes
    }

    /// Returns the address of the message, which has [`len`](Sample::len) bytes.
    ///
    /// The pointer is valid for reads until the sample is dropped. Other processes can change the bytes
    /// at any time if they break the rules of the channel, so that Rust code must not make a reference
    /// of it unless all processes are trusted.
    pub fn as_ptr(&self) -> *const u8 {
        self.payload()
    }
}

impl<K: Kind, M: Message + ?Sized> Drop for Sample<'_, K, M> {
    fn drop(&mut self) {
        // A forked child leaves its parent's slot alone.
        if self.connection.is_mine() {
            self.connection.side.finish(&self.connection.channel, 1);
        }
    }
}

impl<K: Kind, M: Message + ?Sized> fmt::Debug for Sample<'_, K, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sample").field("len", &self.len).finish_non_exhaustive()
    }
}
