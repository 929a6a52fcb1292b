//! Making objects where nobody sees them, and giving them their name in one step.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FallocateFlags, MemfdFlags, Mode, OFlags, SealFlags};
use rustix::io::Errno;

use super::super::Backing;
use super::{mapping, room};
use crate::error::{Error, Result};

/// How much is reserved in one call: a signal makes the kernel give a whole call's work back.
const STEP: u64 = 2 << 20;

/// A new file in `dir` that has no name yet.
pub(super) fn file(dir: &Path, mode: Mode) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let fd = rustix::fs::openat(CWD, dir, flags, mode)?;
    // The umask has no say in what was asked for by name.
    if mode != Mode::from_raw_mode(0o600) {
        rustix::fs::fchmod(&fd, mode)?;
    }
    Ok(fd)
}

/// Gives the file its name; `EXIST` if that is taken.
pub(super) fn name(fd: &OwnedFd, path: &Path) -> rustix::io::Result<()> {
    // Linux 6.10 lets whoever opened the file do this; before, it took a capability, and the way
    // that open(2) shows for everyone else.
    match rustix::fs::linkat(fd, c"", CWD, path, AtFlags::EMPTY_PATH) {
        Err(Errno::NOENT | Errno::PERM) => {
            use std::os::fd::AsRawFd;
            let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
            rustix::fs::linkat(CWD, link, CWD, path, AtFlags::SYMLINK_FOLLOW)
        }
        result => result,
    }
}

/// Backs the file with memory from `from` on, and makes it `to` bytes long.
pub(super) fn reserve(fd: BorrowedFd<'_>, from: u64, to: u64) -> rustix::io::Result<()> {
    let mut at = from;
    while at < to {
        let step = STEP.min(to - at);
        match rustix::fs::fallocate(fd, FallocateFlags::empty(), at, step) {
            Ok(()) => at += step,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Memory of `len` bytes without a name, whose length nobody can change.
pub(super) fn unnamed(len: u64, backing: Backing) -> Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let fd = rustix::fs::memfd_create(c"pagemate", flags)
        .map_err(|e| Error::os("no memory can be made", e.into()))?;
    let memory = Path::new("/dev/shm");
    let set = match backing {
        Backing::Sparse => rustix::fs::ftruncate(&fd, len),
        Backing::Reserved | Backing::Huge => {
            room::check(memory, len)?;
            if backing == Backing::Huge {
                mapping::gather_huge_pages(fd.as_fd(), len);
            }
            reserve(fd.as_fd(), 0, len)
        }
    };
    set.map_err(|error| match error {
        Errno::NOSPC | Errno::NOMEM => room::too_much(memory, len),
        error => Error::os(format!("{len} bytes cannot be set aside"), error.into()),
    })?;
    rustix::fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)
        .map_err(|e| Error::os("the memory cannot be sealed", e.into()))?;
    Ok(fd)
}
