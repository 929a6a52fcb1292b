//! Memory that has no name of ours: unnamed, or what others made.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::Mode;
use rustix::io::Errno;

use super::super::Spec;
use super::seat::Seats;
use super::user_file::{self, access_of, len_of};
use super::{Object, beside_the_streams, refusal, unseen, whole_pages};
use crate::access::{Access, Protection};
use crate::error::{Error, ErrorKind, Result};

impl Object {
    fn nameless(fd: OwnedFd, len: u64, protection: Protection, access: Access) -> Object {
        Object {
            fd: Some(fd),
            named: None,
            memory: None,
            len,
            protection,
            access,
            seats: Seats::default(),
        }
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
                seats: Seats::default(),
            });
        }
        spec.len = whole_pages(spec.len)?;
        let fd = unseen::unnamed(spec.len, spec.backing)?;
        unseen::fill(fd.as_fd(), spec.content)?;
        let seats = if spec.seated { Seats::first(fd.as_fd())? } else { Seats::default() };
        let fd = unseen::narrow(fd, spec.access)?;
        let mut object = Object::nameless(fd, spec.len, spec.protection, spec.access);
        object.seats = seats;
        Ok(object)
    }

    /// Takes a mappable descriptor that somebody handed us, with the access it was opened with.
    pub(crate) fn from_raw(fd: OwnedFd) -> Result<Object> {
        let len = len_of(fd.as_fd())?;
        if len == 0 {
            let cause = "the descriptor has no length: not memory, or not sized yet";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let access = access_of(fd.as_fd())?;
        Ok(Object::nameless(fd, len, Protection::ReadWrite, access))
    }

    /// Opens a foreign POSIX object by its `shm_open` name.
    pub(crate) fn posix(name: &str, access: Access) -> Result<Object> {
        let flags = match access {
            Access::Read => rustix::shm::OFlags::RDONLY,
            Access::ReadWrite => rustix::shm::OFlags::RDWR,
        };
        match rustix::shm::open(name, flags, Mode::empty()).and_then(beside_the_streams) {
            Ok(fd) => Object::from_raw(fd),
            Err(Errno::NOENT) => {
                Err(Error::new(ErrorKind::NotFound, "no POSIX shared memory object has this name"))
            }
            Err(error) => Err(refusal::cannot_open(error)),
        }
    }
}
