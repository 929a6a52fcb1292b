//! Everywhere else: a path, which may lead to another file from one moment to the next.

use std::ffi::OsStr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::Stat;

use super::{directory, open_file};
use crate::access::Access;

/// The path of a file that was looked at and not opened.
#[derive(Debug)]
pub(super) struct Seen(PathBuf);

impl Seen {
    /// Looks at what stands at `path`, a symbolic link included.
    pub(super) fn look(path: &Path) -> rustix::io::Result<(Seen, Stat)> {
        let stat = directory::stat_of(path)?;
        Ok((Seen(path.to_owned()), stat))
    }

    /// Opens what stands there now.
    pub(super) fn open(&self, access: Access) -> rustix::io::Result<OwnedFd> {
        open_file(&self.0, access)
    }
}

/// The path of an open file, as the kernel remembers it.
pub(super) fn path_of(file: BorrowedFd<'_>) -> std::io::Result<PathBuf> {
    let path = rustix::fs::getpath(file)?;
    Ok(PathBuf::from(OsStr::from_bytes(path.as_bytes())))
}
