//! Inspection of files on Linux, with `O_PATH` and with `/proc`, which has a path for every
//! descriptor.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, Stat};
use rustix::io::Errno;

use crate::access::Access;
use crate::sys::object::unix::descriptor::{above_standard_streams, open_flags};

/// The flags that open a file for inspection, or a directory as a start of paths. They need no
/// right to the file, and opening a device with them has no effect on the device.
pub(crate) const INSPECT_FLAGS: OFlags = OFlags::PATH;

/// Sets the mode of a file that was opened for inspection.
pub(crate) fn set_mode(inspected: BorrowedFd<'_>, mode: Mode) -> rustix::io::Result<()> {
    match rustix::fs::chmodat(CWD, path_to(inspected), mode, AtFlags::empty()) {
        // `NOENT` means that /proc is missing: the file exists, because it is open.
        Err(Errno::NOENT) => Err(Errno::NOTSUP),
        result => result,
    }
}

/// A file that was inspected and not opened.
#[derive(Debug)]
pub(crate) struct Inspected(OwnedFd);

impl Inspected {
    /// Inspects the entry at `path`. Does not follow a symbolic link.
    pub(crate) fn inspect(path: &Path) -> rustix::io::Result<(Inspected, Stat)> {
        let flags = INSPECT_FLAGS | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let inspected = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&inspected)?;
        Ok((Inspected(inspected), stat))
    }

    /// Inspects the file to which the symbolic link `path` leads.
    pub(crate) fn inspect_target(path: &Path) -> rustix::io::Result<(Inspected, Stat)> {
        let flags = INSPECT_FLAGS | OFlags::CLOEXEC;
        let inspected = rustix::fs::openat(CWD, path, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&inspected)?;
        Ok((Inspected(inspected), stat))
    }

    /// Opens the inspected file, even if its path leads to another file by now.
    pub(crate) fn open(&self, access: Access) -> rustix::io::Result<OwnedFd> {
        // NONBLOCK: another process may hold a lease on the file, and the open must not wait for
        // it.
        let flags = open_flags(access) | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::openat(CWD, path_to(self.0.as_fd()), flags, Mode::empty()) {
            // `NOENT` means that /proc is missing: the file exists, because it is open.
            Err(Errno::NOENT) => Err(Errno::NOTSUP),
            opened => above_standard_streams(opened?),
        }
    }
}

/// Returns the kernel's path of an open file.
pub(crate) fn path_of(file: BorrowedFd<'_>) -> std::io::Result<PathBuf> {
    std::fs::read_link(path_to(file))
}

fn path_to(file: BorrowedFd<'_>) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}
