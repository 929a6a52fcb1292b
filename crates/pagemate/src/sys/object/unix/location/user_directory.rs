//! The directory of a user's own objects.
//!
//! Every user can create entries in the parent directory, so another user may already own
//! `pagemate-UID`, by malice or by accident. The kernel reports the owner of an entry. If another
//! user owns the entry, this user takes a directory `pagemate-UID.RANDOM` instead, whose name no
//! other user can take in advance.
//!
//! All processes of the user must use the same directory, even while other users create and remove
//! entries. Therefore a directory is first *pending* and then *established*:
//!
//! - A pending directory is sticky and empty. An established directory is not sticky.
//! - A process that finds no established directory locks every pending one of the user (`flock(2)`)
//!   and reads the parent again. If it finds the same set, it establishes the first one. If two
//!   processes create different directories at once, the one that reads the parent later finds
//!   both, so both processes lock a common directory.
//! - Only the user can open a pending directory, so no other user can hold its lock.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags, RawMode, Stat};
use rustix::io::Errno;

use crate::error::Result;
use crate::random::random_number;
use crate::sys::fault;
use crate::sys::object::unix::descriptor::{above_standard_streams, entries_of};
use crate::sys::object::unix::location::file_id::Id;
use crate::sys::object::unix::location::inspect::{self, INSPECT_FLAGS};
use crate::sys::object::unix::location::parent_directory::unusable;
use crate::sys::object::unix::location::user_namespace;
use crate::sys::object::unix::retry::RetryLimiter;

const PRIVATE: RawMode = 0o700;
/// Marks a directory as pending. The bit has no other effect on a directory that only its owner can
/// enter.
const STICKY: RawMode = 0o1000;
/// A new directory can inherit this bit from the parent. It grants no right.
const SETGID: RawMode = 0o2000;

/// A directory that the user owns, open and checked.
pub(crate) struct UserDirectory {
    pub(crate) fd: OwnedFd,
    pub(crate) path: PathBuf,
    pub(crate) stat: Stat,
}

impl UserDirectory {
    fn is_pending(&self) -> bool {
        self.stat.st_mode & STICKY != 0
    }

    fn set_mode(&self, mode: RawMode) -> Result<()> {
        inspect::set_mode(self.fd.as_fd(), Mode::from_raw_mode(mode))
            .map_err(|error| unusable(&self.path, "cannot be given its mode", Some(error)))
    }

    /// Locks the directory, so that no other process establishes one meanwhile. `None` if another
    /// process holds the lock or has removed the directory.
    fn lock(&self) -> Result<Option<Locked>> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let locked = rustix::fs::openat(&self.fd, c".", flags, Mode::empty()).and_then(|fd| {
            rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive)?;
            Ok(Locked(fd))
        });
        match locked {
            Ok(locked) => Ok(Some(locked)),
            // Another process holds the lock, or has established another directory and removed this
            // one.
            Err(Errno::WOULDBLOCK | Errno::NOENT) => Ok(None),
            Err(error) => Err(unusable(&self.path, "cannot be locked", Some(error))),
        }
    }
}

/// The lock of a directory. `drop` unlocks it explicitly: a child that was forked meanwhile may
/// hold a duplicate of the descriptor, so closing the descriptor would not release the lock.
struct Locked(OwnedFd);

impl Drop for Locked {
    fn drop(&mut self) {
        _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
    }
}

/// Selects the result of a lookup if the directory does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Create,
    Ignore,
}

/// The parent directory, and the user whose directory is looked up in it.
pub(crate) struct Lookup<'a> {
    pub(crate) parent: BorrowedFd<'a>,
    pub(crate) path: &'a Path,
    pub(crate) user: u32,
}

impl Lookup<'_> {
    /// Finds the user's established directory. If there is none, establishes one or returns `None`.
    pub(crate) fn find(&self, missing: Missing) -> Result<Option<UserDirectory>> {
        let preferred = self.preferred_name();
        if let Some(dir) = self.open(preferred.as_bytes())?.filter(|dir| !dir.is_pending()) {
            return Ok(Some(dir));
        }
        let mut retries = RetryLimiter::default();
        loop {
            let mut found = self.scan(&preferred)?;
            if let Some(at) = found.iter().position(|dir| !dir.is_pending()) {
                let established = found.swap_remove(at);
                self.remove_pending(&found);
                return Ok(Some(established));
            }
            if missing == Missing::Ignore {
                return Ok(None);
            }
            if found.is_empty() {
                self.create_pending(&preferred)?;
            } else if !self.establish(&preferred, &found)? {
                retries.back_off()?;
            }
        }
    }

    /// Creates a pending directory under the preferred name, or under a random one if that is
    /// taken.
    fn create_pending(&self, preferred: &str) -> Result<()> {
        let pending = Mode::from_raw_mode(PRIVATE | STICKY);
        let mut created = rustix::fs::mkdirat(self.parent, preferred, pending);
        if created == Err(Errno::EXIST) {
            let random = random_number();
            let name = format!("{preferred}.{random:016x}");
            created = rustix::fs::mkdirat(self.parent, name, pending);
        }
        match created {
            Ok(()) | Err(Errno::EXIST) => {
                fault::point("user-dir-after-create");
                Ok(())
            }
            Err(error) => {
                Err(unusable(&self.path.join(preferred), "cannot be created", Some(error)))
            }
        }
    }

    /// Establishes the first of these pending directories and removes the others. Returns false if
    /// another process holds a lock, or if the set of directories has changed.
    fn establish(&self, preferred: &str, pending: &[UserDirectory]) -> Result<bool> {
        fault::point("user-dir-before-lock");
        let mut locks = Vec::new();
        for dir in pending {
            // The creator's umask may have cleared bits that are needed to open the directory.
            if dir.stat.st_mode & PRIVATE != PRIVATE {
                dir.set_mode(PRIVATE | STICKY)?;
            }
            let Some(lock) = dir.lock()? else { return Ok(false) };
            locks.push(lock);
        }
        fault::point("user-dir-after-lock");
        let now = self.scan(preferred)?;
        let is_same = |(a, b): (&UserDirectory, &UserDirectory)| {
            a.path == b.path && Id::of(&a.stat) == Id::of(&b.stat)
        };
        let are_same = now.len() == pending.len() && now.iter().zip(pending).all(is_same);
        if !are_same || now.iter().any(|dir| !dir.is_pending()) {
            return Ok(false);
        }
        now[0].set_mode(PRIVATE)?;
        fault::point("user-dir-after-establish");
        self.remove_pending(&now[1..]);
        Ok(true)
    }

    /// Removes the pending directories in this list. One directory must be established: a process
    /// that holds the lock of a removed directory finds the established one when it reads the
    /// parent again. A failure is harmless, and leaves an empty directory.
    fn remove_pending(&self, dirs: &[UserDirectory]) {
        for dir in dirs.iter().filter(|dir| dir.is_pending()) {
            if let Some(name) = dir.path.file_name() {
                _ = rustix::fs::unlinkat(self.parent, name, AtFlags::REMOVEDIR);
            }
        }
    }

    /// Removes the pending directories that killed processes left beside an established one.
    pub(crate) fn remove_abandoned(&self) -> Result<()> {
        let found = self.scan(&self.preferred_name())?;
        if found.iter().any(|dir| !dir.is_pending()) {
            self.remove_pending(&found);
        }
        Ok(())
    }

    /// Returns the preferred name of the directory, `pagemate-UID`.
    fn preferred_name(&self) -> String {
        format!("pagemate-{}", self.user)
    }

    /// Returns all pending and established directories of the user, in the order of their names.
    fn scan(&self, preferred: &str) -> Result<Vec<UserDirectory>> {
        let failed = |error| unusable(self.path, "cannot be read", Some(error));
        let mut found = Vec::new();
        for entry in entries_of(self.parent).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_bytes();
            let rest = name.strip_prefix(preferred.as_bytes());
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b".")) {
                found.extend(self.open(name)?);
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Opens the user's directory of this name. `None` if it does not exist or belongs to another
    /// user. Fails if it belongs to the user and is not safe to use.
    fn open(&self, name: &[u8]) -> Result<Option<UserDirectory>> {
        match self.examine(name) {
            Ok(None) => Ok(None),
            // Another user with the same reported id could change the mode later, and then use the
            // directory.
            examined if user_namespace::is_ambiguous(self.user) => Ok(examined
                .ok()
                .flatten()
                .filter(|found| user_namespace::owns_directory(found.fd.as_fd()))),
            examined => examined,
        }
    }

    /// Opens the directory of this name if its owner has the id of the user.
    fn examine(&self, name: &[u8]) -> Result<Option<UserDirectory>> {
        let path = self.path.join(std::ffi::OsStr::from_bytes(name));
        let fail = |why: &str, error| Err(unusable(&path, why, error));
        let stat = match rustix::fs::statat(self.parent, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if stat.st_uid == self.user => stat,
            Ok(_) | Err(Errno::NOENT) => return Ok(None),
            Err(error) => return fail("cannot be inspected", Some(error)),
        };
        if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
            return fail("is not a directory but a link or a file", None);
        }
        let added = stat.st_mode & 0o7777 & !(PRIVATE | SETGID | STICKY);
        if added != 0 {
            let mode = stat.st_mode & 0o7777 & !SETGID;
            return fail(&format!("has mode {mode:04o} where {PRIVATE:04o} is safe"), None);
        }
        let fd = match self.open_inspected(name, &stat) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return fail("cannot be opened", Some(error)),
        };
        // After the inspection the entry may have been removed, and its name taken by another file.
        let stat = match rustix::fs::fstat(&fd) {
            Ok(now) if Id::of(&now) == Id::of(&stat) => now,
            Ok(_) => return Ok(None),
            Err(error) => return fail("cannot be inspected", Some(error)),
        };
        let dir = UserDirectory { fd, path, stat };
        // The creator's umask, or a mistake, may have cleared bits of the mode.
        if !dir.is_pending() && dir.stat.st_mode & PRIVATE != PRIVATE {
            dir.set_mode(PRIVATE)?;
        }
        Ok(Some(dir))
    }

    /// Opens an entry of the user for inspection.
    fn open_inspected(&self, name: &[u8], stat: &Stat) -> rustix::io::Result<OwnedFd> {
        let flags = INSPECT_FLAGS | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || rustix::fs::openat(self.parent, name, flags, Mode::empty());
        let opened = match open() {
            // On some systems inspection needs the right to read. The parent is sticky, so no other
            // user can replace the entry before its mode is set.
            Err(Errno::ACCESS) => {
                let mode = Mode::from_raw_mode(PRIVATE | stat.st_mode & STICKY);
                rustix::fs::chmodat(self.parent, name, mode, AtFlags::SYMLINK_NOFOLLOW)?;
                open()
            }
            opened => opened,
        };
        above_standard_streams(opened?)
    }
}
