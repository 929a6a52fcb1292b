//! Everywhere else: a path, which may lead to another file from one moment to the next.

use std::ffi::OsStr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat};

use crate::access::Access;
use crate::sys::object::unix::{beside_the_streams, flags_of};

/// Opens a file to look at it, or as a directory to start from.
pub(crate) const LOOK: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK);

/// Changes the mode of a file that was opened to look at it.
pub(crate) fn set_mode(inspected: BorrowedFd<'_>, mode: Mode) -> rustix::io::Result<()> {
    rustix::fs::fchmod(inspected, mode)
}

/// The path of a file that was looked at and not opened.
#[derive(Debug)]
pub(crate) struct Inspected(PathBuf);

impl Inspected {
    /// Looks at what stands at `path`, a symbolic link included.
    pub(crate) fn look(path: &Path) -> rustix::io::Result<(Inspected, Stat)> {
        let stat = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok((Inspected(path.to_owned()), stat))
    }

    /// Opens what stands there now.
    pub(crate) fn open(&self, access: Access) -> rustix::io::Result<OwnedFd> {
        // NONBLOCK: what stands there may be a pipe that nobody reads.
        let flags = flags_of(access) | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        beside_the_streams(rustix::fs::openat(CWD, &self.0, flags | OFlags::NOCTTY, Mode::empty())?)
    }
}

/// The path of an open file, as the kernel remembers it.
pub(crate) fn path_of(file: BorrowedFd<'_>) -> std::io::Result<PathBuf> {
    let path = rustix::fs::getpath(file)?;
    Ok(PathBuf::from(OsStr::from_bytes(path.as_bytes())))
}
