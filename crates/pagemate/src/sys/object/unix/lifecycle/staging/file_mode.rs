//! The mode of a new file.

use std::os::fd::OwnedFd;

use rustix::fs::Mode;

use crate::sys::object::unix::location::file_id::Id;

/// Sets the mode of a new file regardless of the umask, and returns the file's identity.
pub(super) fn apply_mode(fd: &OwnedFd, mode: Mode) -> rustix::io::Result<Id> {
    let stat = rustix::fs::fstat(fd)?;
    if Mode::from_raw_mode(stat.st_mode) != mode {
        rustix::fs::fchmod(fd, mode)?;
    }
    Ok(Id::of(&stat))
}
