//! Linux: files that have no name until they are linked to one.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, MemfdFlags, Mode, OFlags, SealFlags};
use rustix::io::Errno;

use crate::sys::object::unix::beside_the_streams;
use crate::sys::object::unix::lifecycle::staging::grant;
use crate::sys::object::unix::location::directory::{Directory, Id};
use crate::sys::object::unix::location::file_location::FileLocation;

/// A new file that has no name yet.
#[derive(Debug)]
pub(crate) struct Staged {
    fd: OwnedFd,
    pub(crate) id: Id,
}

impl Staged {
    pub(crate) fn new(dir: &Arc<Directory>, mode: Mode) -> rustix::io::Result<Staged> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let fd = beside_the_streams(rustix::fs::openat(dir, c".", flags, mode)?)?;
        let id = grant(&fd, mode)?;
        Ok(Staged { fd, id })
    }

    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Gives the file its name; `EXIST` and the file back if that is taken.
    pub(crate) fn name(self, location: &FileLocation) -> Result<OwnedFd, (Staged, Errno)> {
        // Linux 6.10 lets whoever opened the file do this; before, it took a capability, and the
        // way that open(2) shows for everyone else.
        let (dir, file) = (&*location.dir, location.file.as_c_str());
        let linked = match rustix::fs::linkat(&self.fd, c"", dir, file, AtFlags::EMPTY_PATH) {
            Err(Errno::NOENT | Errno::PERM) => {
                let link = format!("/proc/self/fd/{}", self.fd.as_raw_fd());
                rustix::fs::linkat(CWD, link, dir, file, AtFlags::SYMLINK_FOLLOW)
            }
            result => result,
        };
        match linked {
            Ok(()) => Ok(self.fd),
            Err(error) => Err((self, error)),
        }
    }
}

/// Where memory without a name counts.
pub(crate) const SCRATCH: &str = "/dev/shm";

/// Memory without a name and a length.
pub(crate) fn scratch() -> rustix::io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    beside_the_streams(rustix::fs::memfd_create(c"pagemate", flags)?)
}

/// The same memory, to be read only.
pub(crate) fn narrowed(fd: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    rustix::fs::openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

/// Fixes its length for ever.
pub(crate) fn seal(fd: &OwnedFd) -> rustix::io::Result<()> {
    rustix::fs::fcntl_add_seals(fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)
}
