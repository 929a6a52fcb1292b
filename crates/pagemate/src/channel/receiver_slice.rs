//! Messages of bytes that a receiver copies to buffers of its caller.

use std::time::Duration;

use super::error::{Corrupted, RecvError};
use super::message::private::Transfer as _;
use super::protocol::{ClaimingSide as _, Consumer as _, Kind};
use super::receiver::Receiver;
use crate::deadline::Deadline;

/// Messages that are copied to buffers of the caller.
impl<K: Kind> Receiver<K, [u8]> {
    /// Receives a message to the start of `to`, and returns its length in bytes, without blocking. If the message is
    /// longer than `to`, it stays in the channel, and nothing is copied. In an mpmc channel it then counts as
    /// redelivered, and a newer message may come before it.
    ///
    /// # Errors
    ///
    /// The errors of [`try_recv`](Receiver::try_recv).
    pub fn try_recv_to_slice(&mut self, to: &mut [u8]) -> Result<usize, RecvError> {
        loop {
            self.connection.try_claim(1)?;
            if let Some(len) = self.take_to_slice(to)? {
                return Ok(len);
            }
        }
    }

    /// Receives a message to the start of `to`, and returns its length in bytes. Blocks while there is none. If the
    /// message is longer than `to`, it stays in the channel, and nothing is copied, as by
    /// [`try_recv_to_slice`](Receiver::try_recv_to_slice).
    ///
    /// # Errors
    ///
    /// The errors of [`recv`](Receiver::recv).
    pub fn recv_to_slice(&mut self, to: &mut [u8]) -> Result<usize, RecvError> {
        self.recv_to_slice_before(to, Deadline::Never)
    }

    /// As [`recv_to_slice`](Receiver::recv_to_slice), but blocks for at most `time`.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](RecvError::TimedOut), and the errors of [`recv`](Receiver::recv).
    pub fn recv_to_slice_timeout(
        &mut self,
        to: &mut [u8],
        time: Duration,
    ) -> Result<usize, RecvError> {
        self.recv_to_slice_before(to, Deadline::after(time))
    }

    fn recv_to_slice_before(
        &mut self,
        to: &mut [u8],
        deadline: Deadline,
    ) -> Result<usize, RecvError> {
        loop {
            self.connection.claim_before(1, deadline)?;
            if let Some(len) = self.take_to_slice(to)? {
                return Ok(len);
            }
            if deadline.has_passed() {
                return Err(RecvError::TimedOut);
            }
        }
    }

    /// Takes the claimed message. `None` if it was overwritten meanwhile.
    fn take_to_slice(&mut self, to: &mut [u8]) -> Result<Option<usize>, RecvError> {
        let copied = self.copy_to(0, to);
        if copied.is_ok_and(|len| len > to.len()) {
            return self.put_back_long(to.len());
        }
        // If the message was overwritten, its length may be invalid, which is no error then.
        if self.finish(1) == 1 { Ok(Some(copied?)) } else { Ok(None) }
    }

    /// Copies message `index` of the claim to the start of `to`, if it fits. Returns its length.
    fn copy_to(&self, index: u64, to: &mut [u8]) -> Result<usize, Corrupted> {
        let slots = &self.connection.channel.slots;
        let position = self.connection.side.position(index);
        let (offset, len) = <[u8]>::range(slots, position)?;
        if let Some(to) = to.get_mut(..len) {
            slots.memory.read_bytes(position, offset, to);
        }
        Ok(len)
    }

    /// Returns the length of the claimed message, which is longer than `room`, and returns the message to the channel.
    /// `None` if it was overwritten meanwhile.
    #[cold]
    fn put_back_long(&mut self, room: usize) -> Result<Option<usize>, RecvError> {
        // The length is that of the message only if the message is not overwritten meanwhile.
        if !self.connection.side.hold(&self.connection.channel) {
            return Ok(None);
        }
        let len = self.copy_to(0, &mut []);
        self.connection.side.abandon(&self.connection.channel);
        // No correct endpoint changes the length of a message that is held.
        let len = len?;
        if len > room { Ok(Some(len)) } else { Err(RecvError::Corrupted) }
    }

    /// Receives messages to the buffers in `to`, one for each element of `lens`, which gets the length of the message
    /// in bytes. Receives the messages that are there, without blocking, and returns their number. The buffers have
    /// the same length, and lie one after the other.
    ///
    /// # Errors
    ///
    /// The errors of [`try_recv`](Receiver::try_recv), if it received none.
    ///
    /// # Panics
    ///
    /// If a buffer is shorter than [`max_len`](Receiver::max_len).
    pub fn try_recv_to_slices(
        &mut self,
        to: &mut [u8],
        lens: &mut [usize],
    ) -> Result<usize, RecvError> {
        if lens.is_empty() {
            return Ok(0);
        }
        self.check_buffers(to.len() / lens.len());
        loop {
            let claimed = self.connection.try_claim(lens.len() as u64)?;
            let received = self.take_to_slices(to, lens, claimed)?;
            if received > 0 {
                return Ok(received);
            }
        }
    }

    /// As [`try_recv_to_slices`](Receiver::try_recv_to_slices), but blocks while there is no message.
    ///
    /// # Errors
    ///
    /// The errors of [`recv`](Receiver::recv).
    ///
    /// # Panics
    ///
    /// If a buffer is shorter than [`max_len`](Receiver::max_len).
    pub fn recv_to_slices(
        &mut self,
        to: &mut [u8],
        lens: &mut [usize],
    ) -> Result<usize, RecvError> {
        if lens.is_empty() {
            return Ok(0);
        }
        self.check_buffers(to.len() / lens.len());
        loop {
            let claimed = self.connection.claim_before(lens.len() as u64, Deadline::Never)?;
            let received = self.take_to_slices(to, lens, claimed)?;
            if received > 0 {
                return Ok(received);
            }
        }
    }

    #[track_caller]
    fn check_buffers(&self, size: usize) {
        let max_len = self.max_len();
        assert!(size >= max_len, "buffers of {size} bytes are too short for messages of {max_len}");
    }

    /// Takes the claimed messages. Returns how many were not overwritten meanwhile.
    fn take_to_slices(
        &mut self,
        to: &mut [u8],
        lens: &mut [usize],
        claimed: u64,
    ) -> Result<usize, RecvError> {
        let size = to.len() / lens.len();
        let mut damaged = 0;
        for (index, len) in (0..claimed).zip(&mut *lens) {
            #[allow(clippy::cast_possible_truncation, reason = "less than `lens.len()`")]
            let at = index as usize * size;
            match self.copy_to(index, &mut to[at..at + size]) {
                Ok(copied) => *len = copied,
                Err(Corrupted) => damaged = index + 1,
            }
        }
        let whole = self.finish(claimed);
        let overwritten = claimed - whole;
        // The overwritten messages are the first ones. More damaged messages than these are an error.
        if damaged > overwritten {
            return Err(RecvError::Corrupted);
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most `lens.len()`")]
        let (overwritten, whole) = (overwritten as usize, whole as usize);
        if overwritten > 0 {
            lens.copy_within(overwritten..overwritten + whole, 0);
            to.copy_within(overwritten * size..(overwritten + whole) * size, 0);
        }
        Ok(whole)
    }
}
