//! The directory of a user's own objects.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, RawMode, Stat};
use rustix::io::Errno;

use super::beside_the_streams;
use super::directory::{Missing, refuse};
use super::seen::{self, LOOK};
use crate::error::Result;

const PRIVATE: RawMode = 0o700;
/// Comes down from the parent, and gives nobody any right.
const SETGID: RawMode = 0o2000;

/// A user's directory, open and checked.
pub(super) struct Home {
    pub(super) fd: OwnedFd,
    pub(super) path: PathBuf,
    pub(super) stat: Stat,
}

/// Finds the directory of `user` in `parent`, which stands at `path`.
pub(super) fn find(
    parent: BorrowedFd<'_>,
    path: &Path,
    user: u32,
    missing: Missing,
) -> Result<Option<Home>> {
    let name = format!("pagemate-{user}");
    let path = path.join(&name);
    if missing == Missing::Make {
        match rustix::fs::mkdirat(parent, &*name, Mode::from_raw_mode(PRIVATE)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(refuse(&path, "cannot be made", Some(error))),
        }
    }
    let fd = match open(parent, &name) {
        Ok(fd) => fd,
        Err(Errno::NOENT) if missing == Missing::Leave => return Ok(None),
        Err(error) => return Err(refuse(&path, "cannot be opened", Some(error))),
    };
    inspect(fd, path, user).map(Some)
}

/// Opens a directory to look at it, or the link or file that stands in its place.
fn open(parent: BorrowedFd<'_>, name: &str) -> rustix::io::Result<OwnedFd> {
    let flags = LOOK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    beside_the_streams(rustix::fs::openat(parent, name, flags, Mode::empty())?)
}

/// Refuses a directory that is not safe to use.
fn inspect(fd: OwnedFd, path: PathBuf, user: u32) -> Result<Home> {
    let refused = |why: &str, error| Err(refuse(&path, why, error));
    let stat = match rustix::fs::fstat(&fd) {
        Ok(stat) => stat,
        Err(error) => return refused("cannot be looked at", Some(error)),
    };
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return refused("is not a directory but a link or a file", None);
    }
    if stat.st_uid != user {
        return refused(&format!("belongs to user {}", stat.st_uid), None);
    }
    let found = stat.st_mode & 0o7777 & !SETGID;
    if found != PRIVATE {
        // The umask may have taken bits away from what we made; nothing but a stranger adds any.
        if found & !PRIVATE != 0 {
            return refused(&format!("has mode {found:04o} where {PRIVATE:04o} is safe"), None);
        }
        if let Err(error) = seen::set_mode(fd.as_fd(), Mode::from_raw_mode(PRIVATE)) {
            return refused("cannot be given its mode", Some(error));
        }
    }
    Ok(Home { fd, path, stat })
}
