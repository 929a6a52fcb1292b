//! Making objects where nobody sees them, and giving them their name in one step.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{FallocateFlags, Mode};
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

use crate::access::Access;
use crate::error::{Error, Result};
use crate::sys::object::Backing;
use crate::sys::object::unix::location::directory::Id;
use crate::sys::object::unix::memory::{capacity, huge_pages};

#[cfg(any(not(target_os = "linux"), pagemate_force_tempname))]
mod hidden_name;
#[cfg(all(target_os = "linux", not(pagemate_force_tempname)))]
mod unlinked;

#[cfg(any(not(target_os = "linux"), pagemate_force_tempname))]
use hidden_name as platform;
#[cfg(all(target_os = "linux", not(pagemate_force_tempname)))]
use unlinked as platform;

pub(crate) use platform::Staged;
use platform::{SCRATCH, scratch, seal};

/// The descriptor of memory without a name that `access` alone can be had by.
pub(crate) fn narrow(fd: OwnedFd, access: Access) -> Result<OwnedFd> {
    match access {
        Access::ReadWrite => Ok(fd),
        Access::Read => platform::narrowed(&fd)
            .map_err(|e| Error::os("it cannot be opened for reading alone", e.into())),
    }
}

/// Begins the name of a file that is being made where it cannot be made without one.
pub(crate) const PREFIX: &str = ".pagemate:new-";

/// How much is reserved in one call: a signal makes the kernel give a whole call's work back.
const STEP: u64 = 2 << 20;

/// Backs the file with memory from `from` on, and makes it `to` bytes long.
pub(crate) fn reserve(fd: BorrowedFd<'_>, from: u64, to: u64) -> rustix::io::Result<()> {
    allowed(to)?;
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

/// Refuses a length above this process' limit for files, which the kernel would answer with SIGXFSZ.
fn allowed(len: u64) -> rustix::io::Result<()> {
    match getrlimit(Resource::Fsize).current {
        Some(limit) if limit < len => Err(Errno::FBIG),
        _ => Ok(()),
    }
}

/// Writes what the memory begins with; it has been set aside.
pub(crate) fn fill(fd: BorrowedFd<'_>, content: &[u8]) -> Result<()> {
    if content.is_empty() {
        return Ok(());
    }
    let written = rustix::io::pwrite(fd, content, 0);
    written.map_err(|e| Error::os("its content cannot be written", e.into()))?;
    Ok(())
}

/// Memory of `len` bytes without a name, whose length nobody can change where the system can
/// promise that.
pub(crate) fn unnamed(len: u64, backing: Backing) -> Result<OwnedFd> {
    let fd = scratch().map_err(|e| Error::os("no memory can be made", e.into()))?;
    let memory = Path::new(SCRATCH);
    let set = match backing {
        Backing::Sparse => allowed(len).and_then(|()| rustix::fs::ftruncate(&fd, len)),
        Backing::Reserved | Backing::Huge => {
            capacity::check(memory, len)?;
            if backing == Backing::Huge {
                huge_pages::gather(fd.as_fd(), len);
            }
            reserve(fd.as_fd(), 0, len)
        }
    };
    set.map_err(|error| match error {
        Errno::NOSPC | Errno::NOMEM => capacity::too_much(memory, len),
        Errno::FBIG => capacity::too_large(len),
        error => Error::os(format!("{len} bytes cannot be set aside"), error.into()),
    })?;
    seal(&fd).map_err(|e| Error::os("the memory cannot be sealed", e.into()))?;
    Ok(fd)
}

/// Gives a new file its mode, in which the umask has no say, and tells which file it is.
fn grant(fd: &OwnedFd, mode: Mode) -> rustix::io::Result<Id> {
    let stat = rustix::fs::fstat(fd)?;
    if Mode::from_raw_mode(stat.st_mode) != mode {
        rustix::fs::fchmod(fd, mode)?;
    }
    Ok(Id::of(&stat))
}
