//! Access rights: enums of C and their conversions.

use super::argument::unknown;
use super::status::Outcome;
use super::word::{AccessWord, ProtectionWord, SharingWord};

/// Access of a handle or a view to the memory.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The default of the field or argument, which its documentation names.
    Default = 0,
    /// Read only. The kernel enforces it.
    Read = 1,
    /// Read and write.
    ReadWrite = 2,
    /// For views only: read and write. The first write to a page copies the page, and the copy
    /// belongs to this view alone (`FILE_MAP_COPY`, `MAP_PRIVATE`). For pages that this view has
    /// not written to, it is unspecified whether they show later writes of other views.
    CopyOnWrite = 3,
}

/// The upper limit for the access of views of an object, through any handle.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// PAGEMATE_PROTECTION_READ_WRITE.
    Default = 0,
    /// Views are read-only or copy-on-write (`PAGE_READONLY`). Use this over a file that has
    /// contents; without a file the memory stays zero.
    ReadOnly = 1,
    /// Views may be writable (`PAGE_READWRITE`).
    ReadWrite = 2,
}

/// The users who may open an object, in addition to the owner. The owner always has full access.
///
/// A user with read access can also keep the name alive. A user with write access can change any
/// byte at any time. On Unix such a user can also truncate the memory under your views, and an
/// access to a truncated page ends your process with SIGBUS. The sharing is the mode of a file on
/// Unix, and a security descriptor on Windows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// No other users.
    Owner = 0,
    /// The members of the creator's group; on Windows, of its primary group.
    Group = 1,
    /// All users of the machine.
    Everyone = 2,
}

/// Converts the access of a handle or a view; `None` stands for the default.
pub(super) fn access(
    call: &str,
    field: &str,
    word: AccessWord,
) -> Outcome<Option<pagemate::Access>> {
    const DEFAULT: u32 = Access::Default as u32;
    const READ: u32 = Access::Read as u32;
    const READ_WRITE: u32 = Access::ReadWrite as u32;
    match word {
        DEFAULT => Ok(None),
        READ => Ok(Some(pagemate::Access::Read)),
        READ_WRITE => Ok(Some(pagemate::Access::ReadWrite)),
        _ => Err(unknown(call, field, word)),
    }
}

/// Converts the protection of a new object.
pub(super) fn protection(call: &str, word: ProtectionWord) -> Outcome<pagemate::Protection> {
    const DEFAULT: u32 = Protection::Default as u32;
    const READ_ONLY: u32 = Protection::ReadOnly as u32;
    const READ_WRITE: u32 = Protection::ReadWrite as u32;
    match word {
        DEFAULT | READ_WRITE => Ok(pagemate::Protection::ReadWrite),
        READ_ONLY => Ok(pagemate::Protection::ReadOnly),
        _ => Err(unknown(call, "protection", word)),
    }
}

/// Converts the sharing of a new object, whose other users get the access `granted`.
pub(super) fn sharing(
    call: &str,
    word: SharingWord,
    granted: pagemate::Access,
) -> Outcome<pagemate::Sharing> {
    const OWNER: u32 = Sharing::Owner as u32;
    const GROUP: u32 = Sharing::Group as u32;
    const EVERYONE: u32 = Sharing::Everyone as u32;
    match word {
        OWNER => Ok(pagemate::Sharing::Owner),
        GROUP => Ok(pagemate::Sharing::Group(granted)),
        EVERYONE => Ok(pagemate::Sharing::Everyone(granted)),
        _ => Err(unknown(call, "sharing", word)),
    }
}

impl From<pagemate::Access> for Access {
    fn from(access: pagemate::Access) -> Access {
        match access {
            pagemate::Access::Read => Access::Read,
            pagemate::Access::ReadWrite => Access::ReadWrite,
            _ => unreachable!("this interface has an enum value for every access"),
        }
    }
}

impl From<pagemate::Protection> for Protection {
    fn from(protection: pagemate::Protection) -> Protection {
        match protection {
            pagemate::Protection::ReadOnly => Protection::ReadOnly,
            pagemate::Protection::ReadWrite => Protection::ReadWrite,
            _ => unreachable!("this interface has an enum value for every protection"),
        }
    }
}

/// Splits a sharing into the users and their access.
pub(super) fn split_sharing(sharing: pagemate::Sharing) -> (Sharing, Access) {
    match sharing {
        pagemate::Sharing::Owner => (Sharing::Owner, Access::Default),
        pagemate::Sharing::Group(access) => (Sharing::Group, access.into()),
        pagemate::Sharing::Everyone(access) => (Sharing::Everyone, access.into()),
        _ => unreachable!("this interface has an enum value for every sharing"),
    }
}
