//! Linux: a descriptor that only looks, and `/proc`, which leads from a descriptor to its file.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::access::Access;
use crate::sys::object::unix::{beside_the_streams, flags_of};

/// Opens a file to look at it, or as a directory to start from: no right to it is needed, and its
/// device does nothing.
pub(crate) const LOOK: OFlags = OFlags::PATH;

/// Changes the mode of a file that was opened to look at it.
pub(crate) fn set_mode(inspected: BorrowedFd<'_>, mode: Mode) -> rustix::io::Result<()> {
    match rustix::fs::chmodat(CWD, path_to(inspected), mode, AtFlags::empty()) {
        // It is /proc that is missing.
        Err(Errno::NOENT) => Err(Errno::NOTSUP),
        result => result,
    }
}

/// A file that was looked at and not opened.
#[derive(Debug)]
pub(crate) struct Inspected(OwnedFd);

impl Inspected {
    /// Looks at what stands at `path`, a symbolic link included.
    pub(crate) fn look(path: &Path) -> rustix::io::Result<(Inspected, Stat)> {
        let flags = LOOK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let inspected = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&inspected)?;
        Ok((Inspected(inspected), stat))
    }

    /// Opens just what was seen, wherever the path leads by now.
    pub(crate) fn open(&self, access: Access) -> rustix::io::Result<OwnedFd> {
        // NONBLOCK: a lease on the file is its owner's to give up, and not ours to wait for.
        let flags = flags_of(access) | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::openat(CWD, path_to(self.0.as_fd()), flags, Mode::empty()) {
            // It is /proc that is missing, and not the file.
            Err(Errno::NOENT) => Err(Errno::NOTSUP),
            opened => beside_the_streams(opened?),
        }
    }
}

/// The path of an open file, as the kernel remembers it.
pub(crate) fn path_of(file: BorrowedFd<'_>) -> std::io::Result<PathBuf> {
    std::fs::read_link(path_to(file))
}

fn path_to(file: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}
