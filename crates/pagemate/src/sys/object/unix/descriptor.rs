//! The numbers and the flags of descriptors.

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use rustix::fs::OFlags;

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
