//! The access rights of handles, for each kind of object.
//!
//! The owner of an object may get every right of its kind. A call that opens an object fails if it
//! requests a right that the kind does not have. Calls that create an object or duplicate a handle
//! ignore such a right, as on Windows.

use crate::error::{ACCESS_DENIED, PRIVILEGE_NOT_HELD, Result};

/// `READ_CONTROL`, `STANDARD_RIGHTS_REQUIRED` and `SYNCHRONIZE`, which waiting requires.
const READ_CONTROL: u32 = 0x2_0000;
const STANDARD_RIGHTS: u32 = 0xF_0000;
pub(crate) const SYNCHRONIZE: u32 = 0x10_0000;

/// `ACCESS_SYSTEM_SECURITY`, the right to the audit list, which requires a privilege.
const SYSTEM_SECURITY: u32 = 0x0100_0000;
/// The pseudo-right that requests as many rights as the user may get.
pub(crate) const MAXIMUM_ALLOWED: u32 = 0x0200_0000;

/// `SECTION_QUERY`, `SECTION_MAP_WRITE`, `SECTION_MAP_READ`, `SECTION_MAP_EXECUTE`.
pub(crate) const QUERY: u32 = 0x1;
pub(crate) const MAP_WRITE: u32 = 0x2;
pub(crate) const MAP_READ: u32 = 0x4;
pub(crate) const MAP_EXECUTE: u32 = 0x8;

/// `FILE_READ_DATA`, `FILE_WRITE_DATA`, `FILE_APPEND_DATA`.
pub(crate) const READ_DATA: u32 = 0x1;
pub(crate) const WRITE_DATA: u32 = 0x2;
pub(crate) const APPEND_DATA: u32 = 0x4;

/// `..._QUERY_STATE`, and `EVENT_MODIFY_STATE`, which is `SEMAPHORE_MODIFY_STATE` too.
const QUERY_STATE: u32 = 0x1;
pub(crate) const MODIFY_STATE: u32 = 0x2;

/// `PROCESS_TERMINATE`, `PROCESS_QUERY_INFORMATION`, which implies the next right, and
/// `PROCESS_QUERY_LIMITED_INFORMATION`.
pub(crate) const TERMINATE: u32 = 0x1;
pub(crate) const QUERY_INFORMATION: u32 = 0x400;
pub(crate) const QUERY_LIMITED: u32 = 0x1000;

/// The rights of a kind of object.
#[derive(Debug)]
pub(crate) struct Rights {
    /// The meanings of `GENERIC_READ`, `GENERIC_WRITE` and `GENERIC_EXECUTE`.
    read: u32,
    write: u32,
    execute: u32,
    /// All rights of the kind: the meaning of `GENERIC_ALL`.
    pub(crate) all: u32,
}

pub(crate) const MAPPING: Rights = Rights {
    read: READ_CONTROL | QUERY | MAP_READ,
    write: READ_CONTROL | MAP_WRITE,
    execute: READ_CONTROL | MAP_EXECUTE,
    all: STANDARD_RIGHTS | 0x1F,
};
pub(crate) const FILE: Rights =
    Rights { read: 0x12_0089, write: 0x12_0116, execute: 0x12_00A0, all: 0x1F_01FF };
pub(crate) const MUTEX: Rights = Rights {
    read: READ_CONTROL | QUERY_STATE,
    write: READ_CONTROL,
    execute: READ_CONTROL | SYNCHRONIZE,
    all: STANDARD_RIGHTS | SYNCHRONIZE | QUERY_STATE,
};
/// The rights of events and semaphores.
pub(crate) const STATE: Rights = Rights {
    read: READ_CONTROL | QUERY_STATE,
    write: READ_CONTROL | MODIFY_STATE,
    execute: READ_CONTROL | SYNCHRONIZE,
    all: STANDARD_RIGHTS | SYNCHRONIZE | QUERY_STATE | MODIFY_STATE,
};
pub(crate) const THREAD: Rights =
    Rights { read: 0x2_0048, write: 0x2_0437, execute: 0x12_1800, all: 0x1F_FFFF };
pub(crate) const PROCESS: Rights =
    Rights { read: 0x2_0410, write: 0x2_0BEA, execute: 0x12_1001, all: 0x1F_FFFF };

impl Rights {
    /// Replaces the generic rights in `access` by their meaning. Keeps [`MAXIMUM_ALLOWED`].
    fn asked_for(&self, access: u32) -> u32 {
        let generic = [
            (0x8000_0000, self.read),
            (0x4000_0000, self.write),
            (0x2000_0000, self.execute),
            (0x1000_0000, self.all),
        ];
        let asked = generic.iter().filter(|(bit, _)| access & bit != 0);
        asked.fold(access & 0x0FFF_FFFF, |rights, (_, meaning)| rights | meaning)
    }

    /// Returns the rights of a handle that opens an object. Refuses rights that the kind does not
    /// have. The result may contain [`MAXIMUM_ALLOWED`].
    pub(crate) fn opened(&self, access: u32) -> Result<u32> {
        let asked = self.asked_for(access);
        if asked & SYSTEM_SECURITY != 0 {
            return Err(PRIVILEGE_NOT_HELD);
        }
        if asked == 0 || asked & !(self.all | MAXIMUM_ALLOWED) != 0 {
            return Err(ACCESS_DENIED);
        }
        Ok(asked)
    }

    /// Returns the rights of a handle to a new object.
    pub(crate) fn created(&self, access: u32) -> Result<u32> {
        let asked = self.asked_for(access);
        if asked & SYSTEM_SECURITY != 0 {
            return Err(PRIVILEGE_NOT_HELD);
        }
        Ok(self.intersect(asked))
    }

    /// Returns the rights of a duplicated handle. The result may contain [`MAXIMUM_ALLOWED`].
    pub(crate) fn duplicated(&self, access: u32) -> u32 {
        self.asked_for(access) & (self.all | MAXIMUM_ALLOWED)
    }

    /// Returns the rights in `asked` that the kind has, or all rights of the kind for
    /// [`MAXIMUM_ALLOWED`].
    pub(crate) fn intersect(&self, asked: u32) -> u32 {
        if asked & MAXIMUM_ALLOWED == 0 { asked & self.all } else { self.all }
    }
}

/// The rights to a mapping that `MAXIMUM_ALLOWED` grants to a user without write permission.
pub(crate) const MOST_OF_A_READER: u32 = READ_CONTROL | QUERY | MAP_READ;
/// The rights that `CreateFileMapping` always grants.
pub(crate) const CREATED_MAPPING: u32 = STANDARD_RIGHTS | QUERY | MAP_READ;
