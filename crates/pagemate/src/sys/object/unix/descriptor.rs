//! The numbers and the flags of descriptors, and directories read through them.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::fs::{Dir, Mode, OFlags};

use crate::access::Access;

/// Moves a descriptor to a number above the standard streams.
///
/// If the program has closed a standard stream, a new file gets its number. Output that the program
/// prints would then overwrite the object's memory.
pub(crate) fn above_standard_streams(fd: OwnedFd) -> rustix::io::Result<OwnedFd> {
    const FIRST: RawFd = 3;
    if fd.as_raw_fd() < FIRST { rustix::io::fcntl_dupfd_cloexec(fd, FIRST) } else { Ok(fd) }
}

/// Returns the flags that open a file for `access`.
pub(crate) fn open_flags(access: Access) -> OFlags {
    match access {
        Access::Read => OFlags::RDONLY,
        Access::ReadWrite => OFlags::RDWR,
    }
}

/// Reads the entries of a directory. The descriptor may be one for inspection only.
pub(crate) fn entries_of(dir: BorrowedFd<'_>) -> rustix::io::Result<Dir> {
    Dir::new(reopened(dir)?)
}

/// Opens a directory again for reading.
pub(crate) fn reopened(dir: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(dir, c".", flags, Mode::empty())
}
