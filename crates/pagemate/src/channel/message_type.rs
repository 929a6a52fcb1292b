use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::shareable::Plain;

/// The layout of the messages of a channel. All processes of the channel have to use the same one.
///
/// A program that knows the layout at run time only, such as a bridge to another language, passes it to
/// [`Options::message_type`](super::Options::message_type) and uses an endpoint with messages of type `[u8]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageType {
    pub(super) len: u64,
    pub(super) align: u64,
    pub(super) fingerprint: u64,
}

/// The fingerprint of messages of different lengths.
const BYTES: u64 = 0x9b4e_2038_2fc2_93c4;

/// The length of the field that precedes a message if messages have different lengths. The field contains the
/// length of the message.
pub(super) const LEN_FIELD: usize = 8;

impl MessageType {
    /// Returns the layout with these properties: the length and the alignment in bytes, and the
    /// [fingerprint](crate::Shareable::FINGERPRINT).
    pub const fn new(len: usize, align: usize, fingerprint: u64) -> MessageType {
        MessageType { len: len as u64, align: align as u64, fingerprint }
    }

    /// Returns the layout of `T`.
    pub const fn of<T: Plain>() -> MessageType {
        MessageType::new(size_of::<T>(), align_of::<T>(), T::FINGERPRINT)
    }

    /// Returns the layout of slots for messages of at most `max` bytes.
    pub(super) fn of_bytes(max: usize) -> MessageType {
        let len = (max as u64).saturating_add(LEN_FIELD as u64);
        MessageType { len, align: LEN_FIELD as u64, fingerprint: BYTES }
    }

    /// Returns the length in bytes.
    #[allow(
        clippy::len_without_is_empty,
        clippy::cast_possible_truncation,
        reason = "`new` took a usize"
    )]
    pub const fn len(&self) -> usize {
        self.len as usize
    }

    /// Returns the alignment in bytes.
    #[allow(clippy::cast_possible_truncation, reason = "`new` took a usize")]
    pub const fn align(&self) -> usize {
        self.align as usize
    }

    /// Returns the [fingerprint](crate::Shareable::FINGERPRINT).
    pub const fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// Returns whether messages are bytes of different lengths.
    pub fn is_bytes(&self) -> bool {
        self.fingerprint == BYTES
    }

    /// Returns the length of the field that precedes the bytes of a message.
    #[inline]
    pub(super) fn len_before_bytes(&self) -> usize {
        if self.is_bytes() { LEN_FIELD } else { 0 }
    }

    /// Returns the error for a channel whose messages have this type instead of the type `expected`.
    pub(super) fn mismatch(&self, name: &str, expected: &MessageType) -> Error {
        let cause = format!(
            "it has messages of another type: {self}, where {name} was expected: {expected}; use one \
             type in all processes"
        );
        Error::new(ErrorKind::WrongKind, cause)
    }

    pub(super) fn check(&self, name: &str, expected: &MessageType) -> Result<()> {
        if self == expected { Ok(()) } else { Err(self.mismatch(name, expected)) }
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_bytes() {
            let max = self.len.saturating_sub(LEN_FIELD as u64);
            return write!(f, "different lengths of at most {max} bytes");
        }
        let MessageType { len, align, fingerprint } = self;
        write!(f, "{len} bytes, aligned to {align}, with layout {fingerprint:016x}")
    }
}
