//! Memory that has no name of ours: unnamed, or what others made.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::Mode;
use rustix::io::Errno;

use crate::access::{Access, Kind, Protection};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::object::Spec;
use crate::sys::object::unix::format::trailer::{self, Memory};
use crate::sys::object::unix::lifecycle::open::read_trailer;
use crate::sys::object::unix::lifecycle::staging;
use crate::sys::object::unix::memory::user_file::{self, access_of, len_of};
use crate::sys::object::unix::{Object, beside_the_streams, error, whole_pages};

impl Object {
    fn nameless(fd: OwnedFd, len: u64, protection: Protection, access: Access) -> Object {
        Object { fd: Some(fd), named: None, memory: None, len, protection, access, seats: None }
    }

    /// Makes memory without a name, sealed against changes of its length; or takes a file as such.
    pub(crate) fn unnamed(spec: &Spec<'_>) -> Result<Object> {
        let mut spec = *spec;
        if let Some(file) = spec.file {
            user_file::settle(file, &mut spec)?;
            let file = user_file::share(file)?;
            user_file::grow(file.as_fd(), spec.len)?;
            let (len, protection, access) = (spec.len, spec.protection, spec.access);
            let memory = Some(file);
            return Ok(Object {
                fd: None,
                named: None,
                memory,
                len,
                protection,
                access,
                seats: None,
            });
        }
        spec.len = whole_pages(spec.len)?;
        let fd = staging::unnamed(spec.len, spec.backing)?;
        staging::fill(fd.as_fd(), spec.content)?;
        let seats = if spec.seated {
            Some(crate::sys::object::unix::seat::first(fd.as_fd(), None)?)
        } else {
            None
        };
        let fd = staging::narrow(fd, spec.access)?;
        let mut object = Object::nameless(fd, spec.len, spec.protection, spec.access);
        object.seats = seats;
        Ok(object)
    }

    /// Takes a mappable descriptor from elsewhere, with the access it was opened with, as an object
    /// of `kind`. Of the file of a named object only the data is memory: the trailer behind it stays
    /// out of reach.
    pub(crate) fn from_raw(fd: OwnedFd, kind: Kind) -> Result<Object> {
        let len = len_of(fd.as_fd())?;
        if len == 0 {
            let cause = "the descriptor has no length: not memory, or not sized yet";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let access = access_of(fd.as_fd())?;
        let (len, protection) = match named_data(fd.as_fd(), kind)? {
            Some(data) => data,
            None => (len, Protection::ReadWrite),
        };
        Ok(Object::nameless(fd, len, protection, access))
    }

    /// Opens a foreign POSIX object by its `shm_open` name.
    pub(crate) fn posix(name: &str, access: Access) -> Result<Object> {
        let flags = match access {
            Access::Read => rustix::shm::OFlags::RDONLY,
            Access::ReadWrite => rustix::shm::OFlags::RDWR,
        };
        match rustix::shm::open(name, flags, Mode::empty()).and_then(beside_the_streams) {
            Ok(fd) => Object::from_raw(fd, Kind::Section),
            Err(Errno::NOENT) => {
                Err(Error::new(ErrorKind::NotFound, "no POSIX shared memory object has this name"))
            }
            Err(error) => Err(error::cannot_open(error)),
        }
    }
}

/// The length and the protection of the data, if this is the file of a named object.
fn named_data(fd: BorrowedFd<'_>, kind: Kind) -> Result<Option<(u64, Protection)>> {
    let stat = rustix::fs::fstat(fd).map_err(|e| Error::os("it cannot be looked at", e.into()))?;
    if !trailer::is_there(fd, &stat) {
        return Ok(None);
    }
    let mut bytes = trailer::ROOM;
    let (_, trailer) = read_trailer(fd, &mut bytes)?;
    if trailer.kind != kind {
        return Err(error::wrong_kind());
    }
    if trailer.memory != Memory::Here {
        let cause =
            "the descriptor only holds the name of a section over a file; hand on the file's too";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    Ok(Some((trailer.data_len, trailer.protection)))
}
