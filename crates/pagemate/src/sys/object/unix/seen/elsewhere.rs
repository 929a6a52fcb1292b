//! Everywhere else: a path, which may lead to another file from one moment to the next.

use std::ffi::OsStr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat};

use super::{beside_the_streams, flags_of};
use crate::access::Access;

/// Opens a file to look at it, or as a directory to start from.
pub(super) const LOOK: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK);

/// Changes the mode of a file that was opened to look at it.
pub(super) fn set_mode(seen: BorrowedFd<'_>, mode: Mode) -> rustix::io::Result<()> {
    rustix::fs::fchmod(seen, mode)
}

/// The path of a file that was looked at and not opened.
#[derive(Debug)]
pub(super) struct Seen(PathBuf);

impl Seen {
    /// Looks at what stands at `path`, a symbolic link included.
    pub(super) fn look(path: &Path) -> rustix::io::Result<(Seen, Stat)> {
        let stat = rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok((Seen(path.to_owned()), stat))
    }

    /// Opens what stands there now.
    pub(super) fn open(&self, access: Access) -> rustix::io::Result<OwnedFd> {
        // NONBLOCK: what stands there may be a pipe that nobody reads.
        let flags = flags_of(access) | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        beside_the_streams(rustix::fs::openat(CWD, &self.0, flags | OFlags::NOCTTY, Mode::empty())?)
    }
}

/// The path of an open file, as the kernel remembers it.
pub(super) fn path_of(file: BorrowedFd<'_>) -> std::io::Result<PathBuf> {
    let path = rustix::fs::getpath(file)?;
    Ok(PathBuf::from(OsStr::from_bytes(path.as_bytes())))
}
