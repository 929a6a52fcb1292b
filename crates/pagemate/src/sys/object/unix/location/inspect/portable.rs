//! Inspection of files on other systems: by path, which may lead to another file at any moment.

use std::ffi::OsStr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat};

use crate::access::Access;
use crate::sys::object::unix::descriptor::{above_standard_streams, open_flags};

/// The flags that open a file for inspection, or a directory as a start of paths.
pub(crate) const INSPECT_FLAGS: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK);

/// Sets the mode of a file that was opened for inspection.
pub(crate) fn set_mode(inspected: BorrowedFd<'_>, mode: Mode) -> rustix::io::Result<()> {
    rustix::fs::fchmod(inspected, mode)
}

/// The path of a file that was inspected and not opened.
#[derive(Debug)]
pub(crate) struct Inspected(PathBuf);

impl Inspected {
    /// Inspects the entry at `path`. Does not follow a symbolic link.
    pub(crate) fn inspect(path: &Path) -> rustix::io::Result<(Inspected, Stat)> {
        let stat = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok((Inspected(path.to_owned()), stat))
    }

    /// Fails: no symbolic link leads to a descriptor of another process.
    pub(crate) fn inspect_target(_: &Path) -> rustix::io::Result<(Inspected, Stat)> {
        Err(rustix::io::Errno::NOTSUP)
    }

    /// Opens the file at the path. It may be another file than the one that was inspected.
    pub(crate) fn open(&self, access: Access) -> rustix::io::Result<OwnedFd> {
        // NONBLOCK: the file may be a pipe, whose open would block until another process opens it
        // too.
        let flags = open_flags(access) | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        above_standard_streams(rustix::fs::openat(
            CWD,
            &self.0,
            flags | OFlags::NOCTTY,
            Mode::empty(),
        )?)
    }
}

/// Returns the kernel's path of an open file.
pub(crate) fn path_of(file: BorrowedFd<'_>) -> std::io::Result<PathBuf> {
    let path = rustix::fs::getpath(file)?;
    Ok(PathBuf::from(OsStr::from_bytes(path.as_bytes())))
}
