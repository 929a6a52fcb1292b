use std::fmt;
use std::io;

use crate::error::{Error, ErrorKind};

/// The reason why a message was not sent. Creating this value allocates no memory.
///
/// In every case the caller still owns the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendError {
    /// The channel has no free slot at present.
    Full,
    /// The channel had no free slot until the timeout.
    TimedOut,
    /// The channel has no free slot, and its receiver was dropped or its process ended. Sending
    /// succeeds again after a new receiver has freed a slot.
    Disconnected,
    /// The channel has bytes that no sender or receiver writes. Another program changed them. Drop this
    /// endpoint.
    Corrupted,
    /// This process was forked from the process that opened the endpoint. Open an endpoint in this
    /// process.
    Forked,
    /// The channel has no free slot and no receiver, and no process can open a receiver, because
    /// another program removed the channel's name.
    Orphaned,
    /// The message is longer than the longest one that the channel admits, or does not have the one
    /// length that all messages of the channel have. See [`Sender::max_len`](super::Sender::max_len).
    WrongLength,
    /// The operating system refused a call, with this code.
    Os(i32),
}

/// The reason why no message was received. Creating this value allocates no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecvError {
    /// The channel has no message at present.
    Empty,
    /// No message arrived until the timeout.
    TimedOut,
    /// The channel is empty and has no live sender: the sender was dropped or its process ended.
    /// After a new sender has sent a message, the next call succeeds.
    Disconnected,
    /// The channel has bytes that no sender or receiver writes. Another program changed them. Drop this
    /// endpoint.
    Corrupted,
    /// This process was forked from the process that opened the endpoint. Open an endpoint in this
    /// process.
    Forked,
    /// The channel is empty and has no sender, and no process can open a sender, because another
    /// program removed the channel's name.
    Orphaned,
    /// The operating system refused a call, with this code.
    Os(i32),
}

const CORRUPTED: &str = "another program changed the bytes of the channel; drop this endpoint";
const FORKED: &str =
    "this process was forked from the one that opened the endpoint; open one of its own";
const ORPHANED: &str =
    "there is no peer, and none can come: another program removed the channel's name";

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SendError::Full => "the channel is full",
            SendError::TimedOut => "the channel stayed full",
            SendError::Disconnected => "the channel is full and has no receiver",
            SendError::Corrupted => CORRUPTED,
            SendError::Forked => FORKED,
            SendError::Orphaned => ORPHANED,
            SendError::WrongLength => {
                "the message is longer than `max_len`, or does not have the one length of all messages"
            }
            SendError::Os(code) => return write_os(f, *code),
        })
    }
}

impl fmt::Display for RecvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RecvError::Empty => "the channel is empty",
            RecvError::TimedOut => "no message came in time",
            RecvError::Disconnected => "the channel is empty and has no sender",
            RecvError::Corrupted => CORRUPTED,
            RecvError::Forked => FORKED,
            RecvError::Orphaned => ORPHANED,
            RecvError::Os(code) => return write_os(f, *code),
        })
    }
}

fn write_os(f: &mut fmt::Formatter<'_>, code: i32) -> fmt::Result {
    write!(f, "the channel cannot be waited for: {}", io::Error::from_raw_os_error(code))
}

impl std::error::Error for SendError {}
impl std::error::Error for RecvError {}

impl From<SendError> for io::Error {
    fn from(error: SendError) -> io::Error {
        let kind = match error {
            SendError::Full => io::ErrorKind::WouldBlock,
            SendError::TimedOut => io::ErrorKind::TimedOut,
            SendError::Disconnected => io::ErrorKind::BrokenPipe,
            SendError::Corrupted | SendError::Orphaned => io::ErrorKind::InvalidData,
            SendError::WrongLength => io::ErrorKind::InvalidInput,
            SendError::Forked => io::ErrorKind::Other,
            SendError::Os(code) => return io::Error::from_raw_os_error(code),
        };
        io::Error::new(kind, error)
    }
}

impl From<RecvError> for io::Error {
    fn from(error: RecvError) -> io::Error {
        let kind = match error {
            RecvError::Empty => io::ErrorKind::WouldBlock,
            RecvError::TimedOut => io::ErrorKind::TimedOut,
            RecvError::Disconnected => io::ErrorKind::BrokenPipe,
            RecvError::Corrupted | RecvError::Orphaned => io::ErrorKind::InvalidData,
            RecvError::Forked => io::ErrorKind::Other,
            RecvError::Os(code) => return io::Error::from_raw_os_error(code),
        };
        io::Error::new(kind, error)
    }
}

/// The reason why a wait of a sender or a receiver ended without a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitError {
    Disconnected,
    Orphaned,
    Os(i32),
}

impl WaitError {
    /// Converts the error of a liveness test or of a test of the name.
    pub(super) fn of(error: &Error) -> WaitError {
        match error.kind() {
            ErrorKind::Orphaned => WaitError::Orphaned,
            _ => WaitError::Os(error.raw_os_error().unwrap_or(0)),
        }
    }
}

/// An error of an endpoint that claimed no slot.
pub(super) trait ClaimError: From<Corrupted> + From<WaitError> {
    /// There is no slot to claim at present.
    const NOTHING: Self;
    /// There was no slot to claim until the deadline.
    const TIMED_OUT: Self;
    /// Another process opened the endpoint.
    const FORKED: Self;
}

impl ClaimError for SendError {
    const NOTHING: SendError = SendError::Full;
    const TIMED_OUT: SendError = SendError::TimedOut;
    const FORKED: SendError = SendError::Forked;
}

impl ClaimError for RecvError {
    const NOTHING: RecvError = RecvError::Empty;
    const TIMED_OUT: RecvError = RecvError::TimedOut;
    const FORKED: RecvError = RecvError::Forked;
}

/// The channel has bytes that neither side writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Corrupted;

impl From<Corrupted> for SendError {
    fn from(_: Corrupted) -> SendError {
        SendError::Corrupted
    }
}

impl From<Corrupted> for RecvError {
    fn from(_: Corrupted) -> RecvError {
        RecvError::Corrupted
    }
}

impl From<WaitError> for SendError {
    fn from(error: WaitError) -> SendError {
        match error {
            WaitError::Disconnected => SendError::Disconnected,
            WaitError::Orphaned => SendError::Orphaned,
            WaitError::Os(code) => SendError::Os(code),
        }
    }
}

impl From<WaitError> for RecvError {
    fn from(error: WaitError) -> RecvError {
        match error {
            WaitError::Disconnected => RecvError::Disconnected,
            WaitError::Orphaned => RecvError::Orphaned,
            WaitError::Os(code) => RecvError::Os(code),
        }
    }
}
