//! Numbers that C names after an enum.
//!
//! C may store any number in an enum, which in Rust would be undefined behaviour. So fields and arguments
//! that C fills have these types, and are checked before they become enums. The header calls them by the
//! names of the enums, for which this module must not be among the sources of the header.

pub(super) type StatusWord = u32;
pub(super) type AccessWord = u32;
pub(super) type ProtectionWord = u32;
pub(super) type SharingWord = u32;
pub(super) type ResetWord = u32;

/// A descriptor, or a Windows handle, in an options struct.
pub(super) type FileWord = isize;
