//! Memory that has no name of ours: unnamed, files of the user's, what others made.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use super::super::Spec;
use super::refusal;
use super::{Object, unseen, whole_pages};
use crate::access::{Access, Protection};
use crate::error::{Error, ErrorKind, Result};

impl Object {
    /// Makes memory without a name, sealed against changes of its length.
    pub(crate) fn unnamed(spec: &Spec) -> Result<Object> {
        let len = whole_pages(spec.len)?;
        let fd = unseen::unnamed(len, spec.backing)?;
        Ok(Object {
            fd: Some(fd),
            named: None,
            len,
            protection: spec.protection,
            access: spec.access,
        })
    }

    /// Takes a file of the user's as memory, grown to `spec.len` if that is more than it has.
    pub(crate) fn over_file(file: File, spec: &Spec) -> Result<Object> {
        let fd = OwnedFd::from(file);
        let have = file_len(fd.as_fd())?;
        let len = if spec.len == 0 { have } else { spec.len };
        if len == 0 {
            let cause = "the file is empty; give a length to make it grow";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let may = access_of(fd.as_fd())?;
        if may == Access::Read
            && spec.access == Access::ReadWrite
            && spec.protection == Protection::ReadWrite
        {
            return Err(refusal::denied("the file is not open for writing"));
        }
        if len > have {
            if spec.protection == Protection::ReadOnly {
                let cause =
                    format!("the file has {have} bytes, and read-only it cannot grow to {len}");
                return Err(Error::new(ErrorKind::OutOfRange, cause));
            }
            grow(fd.as_fd(), have, len)?;
        }
        Ok(Object {
            fd: Some(fd),
            named: None,
            len,
            protection: spec.protection,
            access: spec.access,
        })
    }

    /// Takes a mappable descriptor that somebody handed us, with the access it was opened with.
    pub(crate) fn from_raw(fd: OwnedFd) -> Result<Object> {
        let len = file_len(fd.as_fd())?;
        if len == 0 {
            let cause = "the descriptor has no length: not memory, or not sized yet";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let access = access_of(fd.as_fd())?;
        Ok(Object { fd: Some(fd), named: None, len, protection: Protection::ReadWrite, access })
    }

    /// Opens a foreign POSIX object by its `shm_open` name.
    pub(crate) fn posix(name: &str, access: Access) -> Result<Object> {
        let flags = match access {
            Access::Read => rustix::shm::OFlags::RDONLY,
            Access::ReadWrite => rustix::shm::OFlags::RDWR,
        };
        match rustix::shm::open(name, flags, Mode::empty()) {
            Ok(fd) => Object::from_raw(fd),
            Err(Errno::NOENT) => {
                Err(Error::new(ErrorKind::NotFound, "no POSIX shared memory object has this name"))
            }
            Err(error) => Err(refusal::cannot_open(error)),
        }
    }
}

/// What a descriptor was opened for.
fn access_of(fd: BorrowedFd<'_>) -> Result<Access> {
    let flags = rustix::fs::fcntl_getfl(fd)
        .map_err(|e| Error::os("its access cannot be read", e.into()))?;
    match flags & OFlags::RWMODE {
        mode if mode == OFlags::RDWR => Ok(Access::ReadWrite),
        mode if mode == OFlags::RDONLY => Ok(Access::Read),
        _ => Err(refusal::denied("it is not open for reading")),
    }
}

/// Makes a file of the user's longer, or leaves it as it was.
fn grow(fd: BorrowedFd<'_>, have: u64, len: u64) -> Result<()> {
    let stat =
        rustix::fs::fstatvfs(fd).map_err(|e| Error::os("it cannot be looked at", e.into()))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if len - have > free {
        let more = len - have;
        let cause =
            format!("the file needs {more} more bytes, and its file system has {free} free");
        return Err(Error::new(ErrorKind::NoSpace, cause));
    }
    unseen::reserve(fd, have, len).map_err(|error| {
        // What was reserved before it failed goes back, unless somebody else uses it by now.
        if file_len(fd).is_ok_and(|now| now <= len) {
            _ = rustix::fs::ftruncate(fd, have);
        }
        match error {
            Errno::BADF | Errno::INVAL => refusal::denied("the file is not open for writing"),
            error => Error::os(format!("the file cannot grow to {len} bytes"), error.into()),
        }
    })
}

fn file_len(fd: BorrowedFd<'_>) -> Result<u64> {
    let stat = rustix::fs::fstat(fd).map_err(|e| Error::os("it cannot be looked at", e.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        let cause = "it is not a file or memory that can be mapped";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}
