//! Objects without a name: unnamed memory, and descriptors and POSIX objects of other programs.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::Mode;
use rustix::io::Errno;

use crate::access::{Access, Protection};
use crate::error::{Error, ErrorKind, Result};
use crate::kind::Kind;
use crate::sys::object::Spec;
use crate::sys::object::unix::format::trailer::{self, Memory};
use crate::sys::object::unix::lifecycle::open::read_trailer;
use crate::sys::object::unix::lifecycle::staging;
use crate::sys::object::unix::memory::user_file::{self, access_of, len_of};
use crate::sys::object::unix::{
    Object, descriptor::above_standard_streams, error, object_seats, whole_pages,
};

impl Object {
    fn from_descriptor(fd: OwnedFd, len: u64, protection: Protection, access: Access) -> Object {
        Object {
            fd: Some(fd),
            named: None,
            memory: None,
            len,
            asked_len: len,
            protection,
            access,
            seats: None,
        }
    }

    /// Creates memory without a name and seals its length, or uses the user's file as the memory.
    pub(crate) fn unnamed(spec: &Spec<'_>) -> Result<Object> {
        let mut spec = Spec { asked_len: spec.len, ..*spec };
        if let Some(file) = spec.file {
            user_file::resolve_spec(file, &mut spec)?;
            let file = user_file::duplicate(file)?;
            user_file::grow(file.as_fd(), spec.len)?;
            let (len, protection, access) = (spec.len, spec.protection, spec.access);
            let memory = Some(file);
            return Ok(Object {
                fd: None,
                named: None,
                memory,
                len,
                asked_len: len,
                protection,
                access,
                seats: None,
            });
        }
        spec.len = whole_pages(spec.len)?;
        let fd = staging::create_unnamed(spec.len, spec.backing)?;
        staging::write_content(fd.as_fd(), spec.content)?;
        let seats =
            if spec.seated { Some(object_seats::take_first(fd.as_fd(), None)?) } else { None };
        let fd = staging::restrict_access(fd, spec.access)?;
        let mut object = Object::from_descriptor(fd, spec.len, spec.protection, spec.access);
        object.seats = seats;
        object.asked_len = spec.asked_len;
        Ok(object)
    }

    /// Makes an object of `kind` from a descriptor of any origin, with the descriptor's access. If
    /// the descriptor is that of a named object's file, the new object has its data without the
    /// trailer.
    pub(crate) fn from_raw(fd: OwnedFd, kind: Kind) -> Result<Object> {
        let len = len_of(fd.as_fd())?;
        if len == 0 {
            let cause = "the descriptor's file is empty; set its length first (ftruncate)";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let access = access_of(fd.as_fd())?;
        let (len, asked_len, protection) = match named_data(fd.as_fd(), kind)? {
            Some(data) => data,
            None => (len, len, Protection::ReadWrite),
        };
        let mut object = Object::from_descriptor(fd, len, protection, access);
        object.asked_len = asked_len;
        Ok(object)
    }

    /// Opens a POSIX object of another program by its `shm_open` name.
    pub(crate) fn posix(name: &str, access: Access) -> Result<Object> {
        let flags = match access {
            Access::Read => rustix::shm::OFlags::RDONLY,
            Access::ReadWrite => rustix::shm::OFlags::RDWR,
        };
        match rustix::shm::open(name, flags, Mode::empty()).and_then(above_standard_streams) {
            Ok(fd) => Object::from_raw(fd, Kind::Section),
            Err(Errno::NOENT) => {
                Err(Error::new(ErrorKind::NotFound, "no POSIX shared memory object has this name"))
            }
            Err(error) => Err(error::cannot_open(error)),
        }
    }
}

/// Returns the length, the requested length and the protection of the data of a named object's
/// file. `None` for any other file.
fn named_data(fd: BorrowedFd<'_>, kind: Kind) -> Result<Option<(u64, u64, Protection)>> {
    let stat =
        rustix::fs::fstat(fd).map_err(|e| Error::os("its file cannot be inspected", e.into()))?;
    if !trailer::is_present(fd, &stat) {
        return Ok(None);
    }
    let mut bytes = trailer::EMPTY_BUFFER;
    let (_, trailer) = read_trailer(fd, &mut bytes)?;
    if trailer.kind != kind {
        return Err(error::wrong_kind());
    }
    if trailer.memory != Memory::SameFile {
        let cause = "the descriptor holds the name of a section over a user's file; pass that file's on instead";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    Ok(Some((trailer.data_len, trailer.asked_len, trailer.protection)))
}
