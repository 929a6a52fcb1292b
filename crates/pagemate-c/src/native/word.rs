//! Integer types for the enums of C.
//!
//! C code may store any number in an enum, and an invalid value of a Rust enum is undefined
//! behaviour. Fields and arguments that C fills therefore have these integer types, and are checked
//! before they are converted to enums. In the header they have the names of the enums. For this
//! purpose this module must not be among the sources from which the header is generated.

pub(super) type StatusWord = u32;
pub(super) type AccessWord = u32;
pub(super) type ProtectionWord = u32;
pub(super) type SharingWord = u32;
pub(super) type ResetWord = u32;
pub(super) type ChannelKindWord = u32;
pub(super) type WaitingWord = u32;

/// A descriptor, or a Windows handle, in an options struct.
pub(super) type FileWord = isize;
