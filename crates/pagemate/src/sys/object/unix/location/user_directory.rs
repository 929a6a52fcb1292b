//! The directory of a user's own objects: the first of its possible names that is the user's.
//!
//! The directory that all of them stand in lets every user make entries, so that a stranger may have
//! `pagemate-UID` already, by malice or by accident. Ownership is the kernel's word: such an entry is
//! passed over for a directory `pagemate-UID.RANDOM`, whose name nobody can take in advance. All
//! processes of the user arrive at the same one, also while a stranger's comes and goes, because a
//! directory is made *pending* and *established* later:
//!
//! - A pending one is sticky, which no established one is. Nothing stands in it.
//! - A process that finds no established one locks every pending one of the user's (`flock(2)`), looks
//!   once more, and establishes the first if it still sees just those. Of two processes that make
//!   different ones at once, the one that looks later sees both, so that both lock a common one.
//! - Only the user can open a pending directory, so that nobody else can hold its lock.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, RawMode, Stat};
use rustix::io::Errno;

use crate::error::Result;
use crate::sys::fault;
use crate::sys::object::unix::beside_the_streams;
use crate::sys::object::unix::error::Patience;
use crate::sys::object::unix::location::directory::{Id, Missing, entries_of, refuse};
use crate::sys::object::unix::location::inspect::{self, LOOK};

const PRIVATE: RawMode = 0o700;
/// Marks a directory as pending. For its owner alone it means nothing.
const STICKY: RawMode = 0o1000;
/// Comes down from the parent, and gives nobody any right.
const SETGID: RawMode = 0o2000;

/// A directory that is the user's, open and checked.
pub(crate) struct Home {
    pub(crate) fd: OwnedFd,
    pub(crate) path: PathBuf,
    pub(crate) stat: Stat,
}

impl Home {
    fn is_pending(&self) -> bool {
        self.stat.st_mode & STICKY != 0
    }

    fn set_mode(&self, mode: RawMode) -> Result<()> {
        inspect::set_mode(self.fd.as_fd(), Mode::from_raw_mode(mode))
            .map_err(|error| refuse(&self.path, "cannot be given its mode", Some(error)))
    }

    /// Locks it against other processes that would establish one; `None` if one of them has the lock.
    fn lock(&self) -> Result<Option<Locked>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let locked = rustix::fs::openat(&self.fd, c".", flags, Mode::empty()).and_then(|fd| {
            rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive)?;
            Ok(Locked(fd))
        });
        match locked {
            Ok(locked) => Ok(Some(locked)),
            // Another process has it, or removed this one for another.
            Err(Errno::WOULDBLOCK | Errno::NOENT) => Ok(None),
            Err(error) => Err(refuse(&self.path, "cannot be locked", Some(error))),
        }
    }
}

/// The lock of a directory. A child forked meanwhile may have a copy of the descriptor, so that it is
/// unlocked and not only closed.
struct Locked(OwnedFd);

impl Drop for Locked {
    fn drop(&mut self) {
        _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
    }
}

/// The directory that all objects stand in, and the user that looks for a directory there.
pub(crate) struct Lookup<'a> {
    pub(crate) parent: BorrowedFd<'a>,
    pub(crate) path: &'a Path,
    pub(crate) user: u32,
}

impl Lookup<'_> {
    /// Finds the user's directory.
    pub(crate) fn find(&self, missing: Missing) -> Result<Option<Home>> {
        let first = self.first();
        if let Some(home) = self.open(first.as_bytes())?.filter(|home| !home.is_pending()) {
            return Ok(Some(home));
        }
        let mut patience = Patience::default();
        loop {
            let mut found = self.scan(&first)?;
            if let Some(at) = found.iter().position(|home| !home.is_pending()) {
                let home = found.swap_remove(at);
                self.remove_pending(&found);
                return Ok(Some(home));
            }
            if missing == Missing::Leave {
                return Ok(None);
            }
            if found.is_empty() {
                self.make(&first)?;
            } else if !self.establish(&first, &found)? {
                patience.wear()?;
            }
        }
    }

    /// Makes a pending directory under the first name, or under a random one if that is taken.
    fn make(&self, first: &str) -> Result<()> {
        let pending = Mode::from_raw_mode(PRIVATE | STICKY);
        let mut made = rustix::fs::mkdirat(self.parent, first, pending);
        if made == Err(Errno::EXIST) {
            let random = RandomState::new().build_hasher().finish();
            made = rustix::fs::mkdirat(self.parent, format!("{first}.{random:016x}"), pending);
        }
        match made {
            Ok(()) | Err(Errno::EXIST) => {
                fault::point("home-after-make");
                Ok(())
            }
            Err(error) => Err(refuse(&self.path.join(first), "cannot be made", Some(error))),
        }
    }

    /// Establishes the first of these pending directories and removes the others; false if another
    /// process is about to, or there are others by now.
    fn establish(&self, first: &str, pending: &[Home]) -> Result<bool> {
        fault::point("home-before-lock");
        let mut locks = Vec::new();
        for home in pending {
            // The umask may have taken bits away that it takes to open it.
            if home.stat.st_mode & PRIVATE != PRIVATE {
                home.set_mode(PRIVATE | STICKY)?;
            }
            let Some(lock) = home.lock()? else { return Ok(false) };
            locks.push(lock);
        }
        fault::point("home-after-lock");
        let now = self.scan(first)?;
        let is_same =
            |(a, b): (&Home, &Home)| a.path == b.path && Id::of(&a.stat) == Id::of(&b.stat);
        let are_same = now.len() == pending.len() && now.iter().zip(pending).all(is_same);
        if !are_same || now.iter().any(|home| !home.is_pending()) {
            return Ok(false);
        }
        now[0].set_mode(PRIVATE)?;
        fault::point("home-after-establish");
        self.remove_pending(&now[1..]);
        Ok(true)
    }

    /// Removes the pending ones of these, where one is established: a process that has one of them
    /// locked finds the established one when it looks once more. Should it fail, they stay, which
    /// does no harm.
    fn remove_pending(&self, homes: &[Home]) {
        for home in homes.iter().filter(|home| home.is_pending()) {
            if let Some(name) = home.path.file_name() {
                _ = rustix::fs::unlinkat(self.parent, name, AtFlags::REMOVEDIR);
            }
        }
    }

    /// Removes the pending directories that a killed process left beside an established one.
    pub(crate) fn tidy(&self) -> Result<()> {
        let found = self.scan(&self.first())?;
        if found.iter().any(|home| !home.is_pending()) {
            self.remove_pending(&found);
        }
        Ok(())
    }

    /// The first name that the directory can have.
    fn first(&self) -> String {
        format!("pagemate-{}", self.user)
    }

    /// All directories of the user's that can be the one, in the order of their names.
    fn scan(&self, first: &str) -> Result<Vec<Home>> {
        let refused = |error| refuse(self.path, "cannot be read", Some(error));
        let mut found = Vec::new();
        for entry in entries_of(self.parent).map_err(refused)? {
            let entry = entry.map_err(refused)?;
            let name = entry.file_name().to_bytes();
            let rest = name.strip_prefix(first.as_bytes());
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b".")) {
                found.extend(self.open(name)?);
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Opens the user's directory of this name; `None` if there is none, or if it is another user's.
    /// Refuses one of the user's own that is not safe to use.
    fn open(&self, name: &[u8]) -> Result<Option<Home>> {
        let path = self.path.join(std::ffi::OsStr::from_bytes(name));
        let refused = |why: &str, error| Err(refuse(&path, why, error));
        let stat = match rustix::fs::statat(self.parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if stat.st_uid == self.user => stat,
            Ok(_) | Err(Errno::NOENT) => return Ok(None),
            Err(error) => return refused("cannot be looked at", Some(error)),
        };
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            return refused("is not a directory but a link or a file", None);
        }
        let added = stat.st_mode & 0o7777 & !(PRIVATE | SETGID | STICKY);
        if added != 0 {
            let mode = stat.st_mode & 0o7777 & !SETGID;
            return refused(&format!("has mode {mode:04o} where {PRIVATE:04o} is safe"), None);
        }
        let fd = match self.look(name, &stat) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return refused("cannot be opened", Some(error)),
        };
        // Between the two looks it may have been removed and its name taken.
        let stat = match rustix::fs::fstat(&fd) {
            Ok(now) if Id::of(&now) == Id::of(&stat) => now,
            Ok(_) => return Ok(None),
            Err(error) => return refused("cannot be looked at", Some(error)),
        };
        let home = Home { fd, path, stat };
        // The umask of the process that made it, or a mistake, may have taken bits away.
        if !home.is_pending() && home.stat.st_mode & PRIVATE != PRIVATE {
            home.set_mode(PRIVATE)?;
        }
        Ok(Some(home))
    }

    fn look(&self, name: &[u8], stat: &Stat) -> rustix::io::Result<OwnedFd> {
        let flags = LOOK | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || rustix::fs::openat(self.parent, name, flags, Mode::empty());
        let opened = match open() {
            // Where looking takes the right to read. Nobody but the user can replace the entry.
            Err(Errno::ACCESS) => {
                let mode = Mode::from_raw_mode(PRIVATE | stat.st_mode & STICKY);
                rustix::fs::chmodat(self.parent, name, mode, AtFlags::SYMLINK_NOFOLLOW)?;
                open()
            }
            opened => opened,
        };
        beside_the_streams(opened?)
    }
}
