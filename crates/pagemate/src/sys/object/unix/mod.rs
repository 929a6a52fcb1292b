//! Objects as locked files, on Linux and on macOS.
//!
//! A handle is one open file description with a shared lock on byte 0. An object that no process
//! locks is dead. Only a process that holds the exclusive lock removes a name, and no process ever
//! replaces one. `docs/protocol.md` describes each step and the state that a death there leaves.
//!
//! - [`lifecycle`]: create, open, close and sweep
//! - [`mod@format`]: the bytes of an object's file
//! - [`location`]: the directories, and the files in them
//! - [`memory`]: reserved, limited and mapped memory
//! - [`inventory`] and [`holders`]: live objects, and the processes that hold them
//! - [`name_watch`]: notification of the creation of a name
//!
//! Each of the first four uses only those after it. The modules of this folder itself (`error`,
//! `retry`, `descriptor`) serve all of them.

mod descriptor;
mod error;
mod format;
mod holders;
mod inventory;
mod lifecycle;
mod location;
mod memory;
mod name_watch;
mod object_seats;
mod retry;
mod unnamed;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustix::fs::Stat;

use self::format::trailer::{self, Memory};
use self::lifecycle::close;
use self::location::file_id::Id;
use self::location::file_location::FileLocation;
use crate::access::{Access, Protection, Sharing};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::liveness::lock::{self, Holder};
use crate::sys::liveness::{Seats, fork};

pub(crate) use self::inventory::{find, list, names};
pub(crate) use self::lifecycle::prune::prune;
pub(crate) use self::memory::mapping::Mapping;
pub(crate) use self::name_watch::NameWatch;

/// Whether the content of a new object is complete when other processes can first open it. It
/// always is here, because an object is linked to its name last.
pub(crate) const CONTENT_APPEARS_WHOLE: bool = true;

/// Returns the granularity in bytes: the offset of each mapping is a multiple of it.
pub(crate) fn allocation_granularity() -> u64 {
    page_size()
}

fn page_size() -> u64 {
    // The value is stored, because each call of rustix asks the C library.
    static LEN: AtomicUsize = AtomicUsize::new(0);
    let mut len = LEN.load(Ordering::Relaxed);
    if len == 0 {
        len = rustix::param::page_size();
        LEN.store(len, Ordering::Relaxed);
    }
    len as u64
}

/// A handle to shared memory.
#[derive(Debug)]
pub(crate) struct Object {
    /// The descriptor of the object's own file. `None` for an unnamed section over a user's file,
    /// and during `drop`.
    fd: Option<OwnedFd>,
    /// The name, if the object has one. `fd` then holds the shared lock.
    named: Option<Named>,
    /// The user's file that is the memory. `None` if `fd` is the memory.
    memory: Option<OwnedFd>,
    len: u64,
    /// The length that the creator requested. If it is not known, the whole length.
    asked_len: u64,
    protection: Protection,
    access: Access,
    /// The seats of the creator, if it has taken the first seat.
    seats: Option<Seats>,
}

/// The data that are needed to close a handle to a named object.
#[derive(Debug)]
struct Named {
    location: FileLocation,
    /// The access of the object's descriptor.
    access: Access,
    /// A moment before the descriptor was opened. If the process has forked since, a child may
    /// share the descriptor.
    before: fork::Moment,
    /// The identity of the file that has the name.
    id: Id,
    /// Whether a caller has borrowed the descriptor, and may have passed it to another process.
    lent: AtomicBool,
    /// Whether this is an opened mirror, which does not hold its name.
    opened_mirror: bool,
}

impl Named {
    fn new(location: FileLocation, access: Access, before: fork::Moment, id: Id) -> Named {
        Named { location, access, before, id, lent: AtomicBool::new(false), opened_mirror: false }
    }
}

impl Object {
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn asked_len(&self) -> u64 {
        self.asked_len
    }

    pub(crate) fn protection(&self) -> Protection {
        self.protection
    }

    pub(crate) fn access(&self) -> Access {
        self.access
    }

    /// Returns the descriptor of its memory, which the caller may pass to another process.
    pub(crate) fn lend(&self) -> BorrowedFd<'_> {
        match &self.memory {
            Some(file) => file.as_fd(),
            None => self.lend_name().unwrap_or_else(|| self.memory()),
        }
    }

    /// Returns the descriptor that holds its name, which the caller may pass to another process.
    pub(crate) fn lend_name(&self) -> Option<BorrowedFd<'_>> {
        let named = self.named.as_ref()?;
        named.lent.store(true, Ordering::Relaxed);
        self.fd.as_ref().map(AsFd::as_fd)
    }

    /// Returns whether the memory of the object is a user's file.
    pub(crate) fn is_over_file(&self) -> bool {
        self.memory.is_some()
    }

    /// Fails if another program removed the object's name, so that no other process finds it.
    pub(crate) fn check_name(&self) -> Result<()> {
        let (Some(named), Some(fd)) = (&self.named, &self.fd) else { return Ok(()) };
        let stat = rustix::fs::fstat(fd)
            .map_err(|e| Error::os("its file cannot be inspected", e.into()))?;
        let has_name = match stat.st_nlink {
            0 => false,
            // Other programs rarely link the file to a second name, so the only link is assumed to
            // be the object's name.
            1 => true,
            // Another program has linked the file to a second name, so the count does not show
            // whether the object's name exists.
            _ => named
                .location
                .revalidated()
                .is_some_and(|location| location.stat_if(named.id).is_some()),
        };
        match has_name {
            true if named.opened_mirror && matches!(lock::ask(fd.as_fd())?, Holder::Nobody) => {
                Err(error::mirror_ended())
            }
            true => Ok(()),
            false if named.opened_mirror => Err(error::mirror_ended()),
            false => Err(error::orphaned(&named.location)),
        }
    }

    /// Returns whether no other handle holds the name. A test through the own description does not see
    /// its own lock.
    pub(crate) fn is_sole_holder(&self) -> Result<bool> {
        let (Some(_), Some(fd)) = (&self.named, &self.fd) else { return Ok(true) };
        Ok(matches!(lock::ask(fd.as_fd())?, Holder::Nobody))
    }

    /// Returns the descriptor of its memory.
    pub(crate) fn memory(&self) -> BorrowedFd<'_> {
        let fd = self.memory.as_ref().or(self.fd.as_ref());
        fd.expect("a live object has its descriptor").as_fd()
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        let Some(fd) = self.fd.take() else { return };
        match &mut self.named {
            Some(Named { location, access, before, id, lent, opened_mirror: _ }) => {
                let is_private = before.has_not_forked_since() && !*lent.get_mut();
                close::release_handle(fd, *access, location, Some(*id), is_private);
            }
            None => drop(fd),
        }
    }
}

fn whole_pages(len: u64) -> Result<u64> {
    if len == 0 {
        let cause = "a section needs at least one byte; set its length (len)";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    len.checked_next_multiple_of(page_size())
        .filter(|len| i64::try_from(len.saturating_add(trailer::LEN)).is_ok())
        .ok_or_else(error::too_long)
}

/// Returns the access that an object's file and its trailer grant to other users.
fn sharing_of(stat: &Stat, memory: Memory) -> Sharing {
    let write_bits = if memory == (Memory::UserFile { others_write: true }) { 0o022 } else { 0 };
    // The right to write counts only together with the right to read.
    let granted = stat.st_mode & 0o066;
    match granted | (granted >> 1) & write_bits {
        mode if mode & 0o006 == 0o006 => Sharing::Everyone(Access::ReadWrite),
        mode if mode & 0o004 != 0 => Sharing::Everyone(Access::Read),
        mode if mode & 0o060 == 0o060 => Sharing::Group(Access::ReadWrite),
        mode if mode & 0o040 != 0 => Sharing::Group(Access::Read),
        _ => Sharing::Owner,
    }
}
