//! New files that other processes do not find, and the step that links one to its name.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::io::Errno;

use crate::access::Access;
use crate::error::{Error, Result};
use crate::sys::object::Backing;
use crate::sys::object::unix::memory::reserve::{check_file_limit, reserve};
use crate::sys::object::unix::memory::{capacity, pages};

mod file_mode;
#[cfg(any(not(target_os = "linux"), pagemate_force_tempname))]
mod hidden_name;
#[cfg(all(target_os = "linux", not(pagemate_force_tempname)))]
mod unlinked;

#[cfg(any(not(target_os = "linux"), pagemate_force_tempname))]
use hidden_name as platform;
#[cfg(all(target_os = "linux", not(pagemate_force_tempname)))]
use unlinked as platform;

pub(crate) use platform::Staged;
use platform::{UNNAMED_MEMORY_DIR, create_unnamed_file, seal};

/// Replaces the descriptor of unnamed memory by one that has no more than `access`.
pub(crate) fn restrict_access(fd: OwnedFd, access: Access) -> Result<OwnedFd> {
    match access {
        Access::ReadWrite => Ok(fd),
        Access::Read => platform::reopen_read_only(&fd)
            .map_err(|e| Error::os("it cannot be opened read-only", e.into())),
    }
}

/// Writes the initial content into memory that is already reserved.
pub(crate) fn write_content(fd: BorrowedFd<'_>, content: &[u8]) -> Result<()> {
    if content.is_empty() {
        return Ok(());
    }
    let written = rustix::io::pwrite(fd, content, 0);
    written.map_err(|e| Error::os("its content cannot be written", e.into()))?;
    Ok(())
}

/// Creates unnamed memory of `len` bytes. On Linux its length is sealed.
pub(crate) fn create_unnamed(len: u64, backing: Backing) -> Result<OwnedFd> {
    let fd = create_unnamed_file()
        .map_err(|e| Error::os("no file for unnamed memory can be created", e.into()))?;
    let dir = Path::new(UNNAMED_MEMORY_DIR);
    let reserved = match backing {
        Backing::Sparse => check_file_limit(len).and_then(|()| rustix::fs::ftruncate(&fd, len)),
        Backing::Reserved | Backing::Huge => {
            capacity::check(dir, len)?;
            if backing == Backing::Huge {
                pages::allocate_huge(fd.as_fd(), len);
            }
            reserve(fd.as_fd(), 0, len)
        }
    };
    reserved.map_err(|error| match error {
        Errno::NOSPC | Errno::NOMEM => capacity::exceeds_free_space(dir, len),
        Errno::FBIG => capacity::exceeds_file_limit(len),
        error => Error::os(format!("{len} bytes cannot be reserved"), error.into()),
    })?;
    seal(&fd).map_err(|e| Error::os("the length of the memory cannot be sealed", e.into()))?;
    Ok(fd)
}
