//! What a file of the user's has to be to become memory, and how it grows.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use crate::access::{Access, Protection};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::object::Spec;
use crate::sys::object::unix::error;
use crate::sys::object::unix::lifecycle::staging;

/// Settles the length and the protection of a section over `file`, or says why there can be none.
/// Nothing is changed yet.
pub(crate) fn settle(file: &File, spec: &mut Spec<'_>) -> Result<()> {
    let have = len_of(file.as_fd())?;
    if spec.len == 0 {
        spec.len = have;
    }
    let len = spec.len;
    if len == 0 {
        let cause = "the file is empty; give a length to make it grow";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    if i64::try_from(len).is_err() {
        return Err(error::too_long());
    }
    if spec.access == Access::Read {
        spec.protection = Protection::ReadOnly;
    }
    let may = access_of(file.as_fd())?;
    match spec.protection {
        Protection::ReadWrite if may == Access::Read => {
            Err(error::denied("the file is not open for writing"))
        }
        Protection::ReadOnly if len > have => {
            let cause = format!("the file has {have} bytes, and read-only it cannot grow to {len}");
            Err(Error::new(ErrorKind::OutOfRange, cause))
        }
        _ => Ok(()),
    }
}

/// A descriptor of our own of the user's open file.
pub(crate) fn share(file: &File) -> Result<OwnedFd> {
    let file = file.try_clone();
    file.map(OwnedFd::from).map_err(|e| Error::os("the file's descriptor cannot be cloned", e))
}

/// Whether the file is too short for `len` bytes; refused if its file system has no room for them.
pub(crate) fn has_to_grow(fd: BorrowedFd<'_>, len: u64) -> Result<bool> {
    let have = len_of(fd)?;
    if len <= have {
        return Ok(false);
    }
    let stat =
        rustix::fs::fstatvfs(fd).map_err(|e| Error::os("it cannot be looked at", e.into()))?;
    let (more, free) = (len - have, stat.f_bavail.saturating_mul(stat.f_frsize));
    if more > free {
        let cause =
            format!("the file needs {more} more bytes, and its file system has {free} free");
        return Err(Error::new(ErrorKind::NoSpace, cause));
    }
    Ok(true)
}

/// Makes the file `len` bytes long if it is shorter, or leaves it as it was.
pub(crate) fn grow(fd: BorrowedFd<'_>, len: u64) -> Result<()> {
    if !has_to_grow(fd, len)? {
        return Ok(());
    }
    let have = len_of(fd)?;
    staging::reserve(fd, have, len).map_err(|error| {
        // What was reserved before it failed goes back, unless somebody else uses it by now.
        if len_of(fd).is_ok_and(|now| now <= len) {
            _ = rustix::fs::ftruncate(fd, have);
        }
        match error {
            Errno::BADF | Errno::INVAL => error::denied("the file is not open for writing"),
            error => Error::os(format!("the file cannot grow to {len} bytes"), error.into()),
        }
    })
}

/// What a descriptor was opened for.
pub(crate) fn access_of(fd: BorrowedFd<'_>) -> Result<Access> {
    let flags = rustix::fs::fcntl_getfl(fd)
        .map_err(|e| Error::os("its access cannot be read", e.into()))?;
    match flags & OFlags::RWMODE {
        mode if mode == OFlags::RDWR => Ok(Access::ReadWrite),
        mode if mode == OFlags::RDONLY => Ok(Access::Read),
        _ => Err(error::denied("it is not open for reading")),
    }
}

/// The length of what can be mapped.
pub(crate) fn len_of(fd: BorrowedFd<'_>) -> Result<u64> {
    let stat = rustix::fs::fstat(fd).map_err(|e| Error::os("it cannot be looked at", e.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        let cause = "it is not a file or memory that can be mapped";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}
