//! New files on Linux: they have no name (`O_TMPFILE`) until they are linked to one.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, MemfdFlags, Mode, OFlags, SealFlags};
use rustix::io::Errno;

use crate::sys::object::unix::descriptor::above_standard_streams;
use crate::sys::object::unix::lifecycle::staging::file_mode::apply_mode;
use crate::sys::object::unix::location::directory::Directory;
use crate::sys::object::unix::location::file_id::Id;
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
        let fd = above_standard_streams(rustix::fs::openat(dir, c".", flags, mode)?)?;
        let id = apply_mode(&fd, mode)?;
        Ok(Staged { fd, id })
    }

    pub(crate) fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Links the file to its name. Fails with `EXIST` and returns the file if the name is taken.
    pub(crate) fn link(self, location: &FileLocation) -> Result<OwnedFd, (Staged, Errno)> {
        // Since Linux 6.10 the process that opened the file may link it by its descriptor. Before,
        // that needed a capability, and open(2) documents the link through /proc for processes
        // without it.
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

/// The directory of a file system from whose size limit unnamed memory is taken too.
pub(crate) const UNNAMED_MEMORY_DIR: &str = "/dev/shm";

/// Creates an empty file without a name.
pub(crate) fn create_unnamed_file() -> rustix::io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    above_standard_streams(rustix::fs::memfd_create(c"pagemate", flags)?)
}

/// Opens the same memory read-only.
pub(crate) fn reopen_read_only(fd: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    rustix::fs::openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
}

/// Seals the length of the memory.
pub(crate) fn seal(fd: &OwnedFd) -> rustix::io::Result<()> {
    rustix::fs::fcntl_add_seals(fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)
}
