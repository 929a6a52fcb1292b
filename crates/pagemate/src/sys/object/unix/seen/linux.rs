//! Linux: a descriptor that only looks, and `/proc`, which leads from a descriptor to its file.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat};
use rustix::io::Errno;

use super::{beside_the_streams, flags_of};
use crate::access::Access;

/// Opens a file to look at it, or as a directory to start from: no right to it is needed, and its
/// device does nothing.
pub(super) const LOOK: OFlags = OFlags::PATH;

/// Changes the mode of a file that was opened to look at it.
pub(super) fn set_mode(seen: BorrowedFd<'_>, mode: Mode) -> rustix::io::Result<()> {
    match rustix::fs::chmodat(CWD, path_to(seen), mode, AtFlags::empty()) {
        // It is /proc that is missing.
        Err(Errno::NOENT) => Err(Errno::NOTSUP),
        result => result,
    }
}

/// A file that was looked at and not opened.
#[derive(Debug)]
pub(super) struct Seen(OwnedFd);

impl Seen {
    /// Looks at what stands at `path`, a symbolic link included.
    pub(super) fn look(path: &Path) -> rustix::io::Result<(Seen, Stat)> {
        let flags = LOOK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let seen = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&seen)?;
        Ok((Seen(seen), stat))
    }

    /// Opens just what was seen, wherever the path leads by now.
    pub(super) fn open(&self, access: Access) -> rustix::io::Result<OwnedFd> {
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
pub(super) fn path_of(file: BorrowedFd<'_>) -> std::io::Result<PathBuf> {
    std::fs::read_link(path_to(file))
}

fn path_to(file: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}
