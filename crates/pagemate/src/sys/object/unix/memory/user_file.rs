//! Checks a user's file that becomes the memory of a section, and extends it.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use crate::access::{Access, Protection};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::object::Spec;
use crate::sys::object::unix::error;
use crate::sys::object::unix::memory::reserve::reserve;

const NOT_WRITABLE: &str = "the file is not open for writing; open it for reading and writing";

/// Determines the length and the protection of a section over `file`. Fails if such a section is
/// impossible. Does not change the file.
pub(crate) fn resolve_spec(file: &File, spec: &mut Spec<'_>) -> Result<()> {
    let file_len = len_of(file.as_fd())?;
    if spec.len == 0 {
        spec.len = file_len;
    }
    let len = spec.len;
    if len == 0 {
        let cause = "the file is empty; set a length (len) to extend it";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    if i64::try_from(len).is_err() {
        return Err(error::too_long());
    }
    if spec.access == Access::Read {
        spec.protection = Protection::ReadOnly;
    }
    let access = access_of(file.as_fd())?;
    match spec.protection {
        Protection::ReadWrite if access == Access::Read => {
            Err(error::permission_denied(NOT_WRITABLE))
        }
        Protection::ReadOnly if len > file_len => {
            let cause = format!(
                "the file has {file_len} bytes, and a read-only section cannot extend it to {len}"
            );
            Err(Error::new(ErrorKind::OutOfRange, cause))
        }
        _ => Ok(()),
    }
}

/// Duplicates the descriptor of the user's open file.
pub(crate) fn duplicate(file: &File) -> Result<OwnedFd> {
    let file = file.try_clone();
    file.map(OwnedFd::from).map_err(|e| Error::os("the file's descriptor cannot be cloned", e))
}

/// Returns whether the file is shorter than `len` bytes. Fails if its file system has too little
/// free space to extend it.
pub(crate) fn needs_growth(fd: BorrowedFd<'_>, len: u64) -> Result<bool> {
    let file_len = len_of(fd)?;
    if len <= file_len {
        return Ok(false);
    }
    let stat = rustix::fs::fstatvfs(fd)
        .map_err(|e| Error::os("its file system cannot be inspected", e.into()))?;
    let (more, free) = (len - file_len, stat.f_bavail.saturating_mul(stat.f_frsize));
    if more > free {
        let cause =
            format!("the file needs {more} more bytes, and its file system has {free} free");
        return Err(Error::new(ErrorKind::NoSpace, cause));
    }
    Ok(true)
}

/// Extends the file to `len` bytes if it is shorter. A failure leaves its length unchanged.
pub(crate) fn grow(fd: BorrowedFd<'_>, len: u64) -> Result<()> {
    if !needs_growth(fd, len)? {
        return Ok(());
    }
    let old_len = len_of(fd)?;
    reserve(fd, old_len, len).map_err(|error| {
        // Free the part that was reserved, unless another process has made the file longer than
        // `len` meanwhile.
        if len_of(fd).is_ok_and(|now| now <= len) {
            _ = rustix::fs::ftruncate(fd, old_len);
        }
        match error {
            Errno::BADF | Errno::INVAL => error::permission_denied(NOT_WRITABLE),
            error => Error::os(format!("the file cannot grow to {len} bytes"), error.into()),
        }
    })
}

/// Returns the access of a descriptor.
pub(crate) fn access_of(fd: BorrowedFd<'_>) -> Result<Access> {
    let flags = rustix::fs::fcntl_getfl(fd)
        .map_err(|e| Error::os("its access cannot be read", e.into()))?;
    match flags & OFlags::RWMODE {
        mode if mode == OFlags::RDWR => Ok(Access::ReadWrite),
        mode if mode == OFlags::RDONLY => Ok(Access::Read),
        _ => Err(error::permission_denied("it is not open for reading; open it for reading too")),
    }
}

/// Returns the length of a file. Fails if it is not a regular file: no other file can be mapped.
pub(crate) fn len_of(fd: BorrowedFd<'_>) -> Result<u64> {
    let stat =
        rustix::fs::fstat(fd).map_err(|e| Error::os("its file cannot be inspected", e.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        let cause = "it is not a file or memory that can be mapped";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}
