//! Objects as locked files: Linux natively, macOS by the same protocol.
//!
//! A handle is one open file description with a shared lock on byte 0. An object that no process
//! locks is dead. Only a process that holds the exclusive lock removes a name, and no process ever
//! replaces one. `ARCHITECTURE.md` describes each step and the state that a death there leaves.
//!
//! - [`lifecycle`]: create, open, close and sweep
//! - [`format`]: the bytes of an object's file
//! - [`location`]: the directories, and the files in them
//! - [`memory`]: reserved, limited and mapped memory
//! - [`inventory`] and [`holders`]: live objects, and the processes that hold them

mod error;
mod format;
mod holders;
mod inventory;
mod lifecycle;
mod location;
mod memory;
mod seat;
mod unnamed;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{OFlags, Stat};

use self::format::trailer::{self, Memory};
use self::lifecycle::close;
use self::location::directory::Id;
use self::location::file_location::FileLocation;
use crate::access::{Access, Protection, Sharing};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::liveness::{Seats, fork};

pub(crate) use self::inventory::{find, list, prune, unreachable};
pub(crate) use self::memory::mapping::Mapping;

/// What offsets of a mapping are a multiple of.
pub(crate) fn allocation_granularity() -> u64 {
    page_size()
}

fn page_size() -> u64 {
    rustix::param::page_size().try_into().expect("a page is small")
}

/// A handle to shared memory.
#[derive(Debug)]
pub(crate) struct Object {
    /// `None` for a file of the user's without a name of ours, and while it is let go.
    fd: Option<OwnedFd>,
    /// If it has a name; then `fd` has the shared lock.
    named: Option<Named>,
    /// The file that is its memory, if that is not `fd`.
    memory: Option<OwnedFd>,
    len: u64,
    protection: Protection,
    access: Access,
    /// Those of its maker, who has the first one.
    seats: Option<Seats>,
}

/// What a handle to a named object knows for its end.
#[derive(Debug)]
struct Named {
    location: FileLocation,
    /// What its descriptor was opened for.
    access: Access,
    /// When its descriptor was not open yet.
    before: fork::Moment,
    /// Which file has the name.
    id: Id,
    /// Whether its descriptor was shown to somebody, who may have handed it on.
    lent: AtomicBool,
}

impl Named {
    fn new(location: FileLocation, access: Access, before: fork::Moment, id: Id) -> Named {
        Named { location, access, before, id, lent: AtomicBool::new(false) }
    }
}

impl Object {
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn protection(&self) -> Protection {
        self.protection
    }

    pub(crate) fn access(&self) -> Access {
        self.access
    }

    /// The descriptor of its memory, for whoever wants to hand it on.
    pub(crate) fn lend(&self) -> BorrowedFd<'_> {
        match &self.memory {
            Some(file) => file.as_fd(),
            None => self.lend_name().unwrap_or_else(|| self.memory()),
        }
    }

    /// The descriptor that holds its name, for whoever wants to hand it on.
    pub(crate) fn lend_name(&self) -> Option<BorrowedFd<'_>> {
        let named = self.named.as_ref()?;
        named.lent.store(true, Ordering::Relaxed);
        self.fd.as_ref().map(AsFd::as_fd)
    }

    /// Whether its memory is a file that somebody else made.
    pub(crate) fn is_over_file(&self) -> bool {
        self.memory.is_some()
    }

    /// Fails if another program removed the object's name, so that no other process finds it.
    pub(crate) fn check_name(&self) -> Result<()> {
        let (Some(named), Some(fd)) = (&self.named, &self.fd) else { return Ok(()) };
        let stat =
            rustix::fs::fstat(fd).map_err(|e| Error::os("it cannot be looked at", e.into()))?;
        let has_name = match stat.st_nlink {
            0 => false,
            // Nobody but pagemate gives an object a name, as a rule: then it is its own.
            1 => true,
            // One of the links is somebody else's.
            _ => {
                named.location.again().is_some_and(|location| location.stat_if(named.id).is_some())
            }
        };
        if has_name { Ok(()) } else { Err(error::orphaned(&named.location)) }
    }

    /// The descriptor of its memory.
    pub(crate) fn memory(&self) -> BorrowedFd<'_> {
        let fd = self.memory.as_ref().or(self.fd.as_ref());
        fd.expect("a live object has its descriptor").as_fd()
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        let Some(fd) = self.fd.take() else { return };
        match &mut self.named {
            Some(Named { location, access, before, id, lent }) => {
                let ours = close::may_release(*before) && !*lent.get_mut();
                close::let_go(fd, *access, location, Some(*id), ours);
            }
            None => drop(fd),
        }
    }
}

/// The same file under a number that is no standard stream's: where one of these is closed, what the
/// program prints would stand in the memory.
fn beside_the_streams(fd: OwnedFd) -> rustix::io::Result<OwnedFd> {
    const FIRST: RawFd = 3;
    if fd.as_raw_fd() < FIRST { rustix::io::fcntl_dupfd_cloexec(fd, FIRST) } else { Ok(fd) }
}

fn flags_of(access: Access) -> OFlags {
    match access {
        Access::Read => OFlags::RDONLY,
        Access::ReadWrite => OFlags::RDWR,
    }
}

fn whole_pages(len: u64) -> Result<u64> {
    if len == 0 {
        let cause = "a section has at least one byte; set its length (len)";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    len.checked_next_multiple_of(page_size())
        .filter(|len| i64::try_from(len.saturating_add(trailer::LEN)).is_ok())
        .ok_or_else(error::too_long)
}

/// What an object's file and its trailer grant to others.
fn sharing_of(stat: &Stat, memory: Memory) -> Sharing {
    let wide = if memory == (Memory::Elsewhere { others_write: true }) { 0o022 } else { 0 };
    // Nobody is let in to write who is not let in to read.
    let granted = stat.st_mode & 0o066;
    match granted | (granted >> 1) & wide {
        mode if mode & 0o006 == 0o006 => Sharing::Everyone(Access::ReadWrite),
        mode if mode & 0o004 != 0 => Sharing::Everyone(Access::Read),
        mode if mode & 0o060 == 0o060 => Sharing::Group(Access::ReadWrite),
        mode if mode & 0o040 != 0 => Sharing::Group(Access::Read),
        _ => Sharing::Owner,
    }
}
