//! The directories of objects. Each user's objects are in a directory of that user, and the
//! machine's objects are beside it.
//!
//! A process keeps a checked descriptor of each directory and opens objects through it. No path is
//! looked up between the check and the use, so no other user can redirect it.

use std::borrow::Cow;
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, RwLock, TryLockError};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, RawMode, Stat};
use rustix::io::Errno;

use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, Namespace};
use crate::sys::object::unix::descriptor::above_standard_streams;
use crate::sys::object::unix::location::default_dirs;
use crate::sys::object::unix::location::file_location::FileLocation;
use crate::sys::object::unix::location::inspect::INSPECT_FLAGS;
use crate::sys::object::unix::location::user_directory::Lookup;
use crate::sys::object::unix::memory::capacity;

/// The environment variable that replaces the parent directory of both namespaces.
const VARIABLE: &str = "PAGEMATE_DIR";

const STICKY: RawMode = 0o1000;
const OTHERS_WRITE: RawMode = 0o022;

/// The identity of a file: its device, in a type that fits all systems, and its inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Id(i128, u64);

impl Id {
    pub(crate) fn of(stat: &Stat) -> Id {
        Id(stat.st_dev.into(), stat.st_ino)
    }
}

/// Returns whether it is a plain file.
pub(crate) fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

/// Reads the entries of a directory. The descriptor may be one for inspection only.
pub(crate) fn entries_of(dir: BorrowedFd<'_>) -> rustix::io::Result<Dir> {
    Dir::new(reopened(dir)?)
}

/// Opens a directory again for reading.
fn reopened(dir: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(dir, c".", flags, Mode::empty())
}

/// A directory of objects that was checked and is safe to use.
#[derive(Debug)]
pub(crate) struct Directory {
    /// Its descriptor, unless the program closed that: see [`is_valid`](Directory::is_valid).
    /// `None` during `drop`.
    fd: Option<OwnedFd>,
    /// Whether this process found that the program had closed the descriptor. The number then
    /// belongs to the program, even if the program opens the same directory under it again.
    lost: AtomicBool,
    id: Id,
    path: PathBuf,
    key: DirectoryKey,
}

impl Directory {
    fn new(fd: OwnedFd, path: PathBuf, stat: &Stat, key: &DirectoryKey) -> Arc<Directory> {
        let (fd, lost) = (Some(fd), AtomicBool::new(false));
        Arc::new(Directory { fd, lost, id: Id::of(stat), path, key: key.clone() })
    }

    /// Returns its path, for messages and to test whether it still leads to this directory.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn namespace(&self) -> Namespace {
        self.key.namespace
    }

    /// Reads its entries.
    pub(crate) fn entries(&self) -> rustix::io::Result<Dir> {
        entries_of(self.as_fd())
    }

    /// Opens it again for reading.
    pub(crate) fn reopened(&self) -> rustix::io::Result<OwnedFd> {
        reopened(self.as_fd())
    }

    /// Returns whether `user` can own an object in it.
    pub(crate) fn admits_owner(&self, user: u32) -> bool {
        self.key.user.is_none_or(|owner| owner == user)
    }

    /// Returns whether the descriptor still refers to the directory, and the directory was not
    /// removed. A program that closes all descriptors, as daemons do, may have another file under
    /// the same number.
    fn is_valid(&self) -> bool {
        self.stat().is_some_and(|stat| stat.st_nlink > 0)
    }

    /// Inspects it through its descriptor. `None` if the program has closed that.
    fn stat(&self) -> Option<Stat> {
        let found = rustix::fs::fstat(self).ok().filter(|stat| Id::of(stat) == self.id);
        if found.is_none() {
            self.lost.store(true, Ordering::Relaxed);
        }
        found.filter(|_| !self.lost.load(Ordering::Relaxed))
    }

    /// Returns whether its path leads to it. Otherwise it was moved, or another file system is
    /// mounted over it, and other processes use another directory.
    fn is_reachable(&self) -> bool {
        let stat = match self.namespace() {
            Namespace::Local => rustix::fs::statat(CWD, &self.path, AtFlags::SYMLINK_NOFOLLOW),
            Namespace::Global => rustix::fs::stat(&self.path),
        };
        stat.is_ok_and(|stat| Id::of(&stat) == self.id)
    }

    /// Returns the same directory with a valid descriptor. `None` if it was removed.
    pub(crate) fn revalidated(self: &Arc<Self>) -> Option<Arc<Directory>> {
        if self.is_valid() {
            return Some(Arc::clone(self));
        }
        let found = find(&self.key, Missing::Ignore).ok().flatten()?;
        (found.id == self.id).then_some(found)
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_ref().expect("only `drop` takes it").as_fd()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let is_lost = self.stat().is_none();
        if let Some(fd) = self.fd.take()
            && is_lost
        {
            // The program may have reused the number, so do not close it.
            _ = fd.into_raw_fd();
        }
    }
}

/// The directory that a namespace's objects have at the moment: the key of the cache.
#[derive(Clone, Debug)]
pub(crate) struct DirectoryKey {
    pub(crate) namespace: Namespace,
    /// The directory that contains the directories of all users.
    pub(crate) parent: Cow<'static, Path>,
    /// The user, if each user has a directory. A server may act for one client after another, so
    /// each call reads the user ID again.
    pub(crate) user: Option<u32>,
}

impl DirectoryKey {
    fn current(namespace: Namespace) -> Result<DirectoryKey> {
        let user = match namespace {
            Namespace::Local => Some(rustix::process::geteuid().as_raw()),
            Namespace::Global => None,
        };
        Ok(DirectoryKey { namespace, parent: parent(namespace)?, user })
    }

    fn matches(&self, other: &DirectoryKey) -> bool {
        // Compare bytes: to compare paths would split both into components.
        (self.namespace, self.user) == (other.namespace, other.user)
            && self.parent.as_os_str() == other.parent.as_os_str()
    }
}

/// Returns the value of `PAGEMATE_DIR`. A program that runs with more rights than its caller
/// ignores it, because the caller controls the environment.
fn configured_parent() -> Option<OsString> {
    std::env::var_os(VARIABLE).filter(|dir| !dir.is_empty() && !default_dirs::is_privileged())
}

/// Returns the parent directory of a namespace's objects.
fn parent(namespace: Namespace) -> Result<Cow<'static, Path>> {
    let Some(dir) = configured_parent().map(PathBuf::from) else {
        return Ok(default_dirs::default(namespace));
    };
    // A relative path leads to another directory after each change of the working directory.
    if dir.is_relative() {
        let cause = format!("{VARIABLE} is {}, but it has to be an absolute path", dir.display());
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    Ok(Cow::Owned(dir))
}

/// The cached directories.
///
/// No thread blocks on this lock. A child that was forked while another thread held it would block
/// for ever. A thread that does not acquire it opens its directory again.
static CACHE: RwLock<Vec<Arc<Directory>>> = RwLock::new(Vec::new());

/// The maximum number of cached directories, and so of their descriptors. A server that acts for
/// more users opens the directories of the others each time.
const MAX_CACHED: usize = 8;

/// Returns the location of the object `name`, in a valid directory.
pub(crate) fn location(name: &Name) -> Result<FileLocation> {
    usable(name.namespace()).map(|dir| FileLocation::of(dir, name))
}

/// Returns the directory of the user's own objects. Creates it if it is missing.
pub(crate) fn user_directory() -> Result<Arc<Directory>> {
    usable(Namespace::Local)
}

/// Returns the valid directory of a namespace. Creates it if it is missing.
fn usable(namespace: Namespace) -> Result<Arc<Directory>> {
    let key = DirectoryKey::current(namespace)?;
    match cached(&key).filter(|dir| dir.is_valid()) {
        Some(dir) => Ok(dir),
        None => find_and_cache(&key),
    }
}

/// Returns the location of the object `name` in a directory that its path leads to. An object must
/// not be created in any other directory, where other processes would not find it.
pub(crate) fn shared_location(name: &Name) -> Result<FileLocation> {
    let key = DirectoryKey::current(name.namespace())?;
    let dir = match cached(&key).filter(|dir| dir.is_valid() && dir.is_reachable()) {
        Some(dir) => dir,
        None => find_and_cache(&key)?,
    };
    Ok(FileLocation::of(dir, name))
}

/// Returns the location of the object `name` in another directory than that of `location`, if the
/// path leads to another one by now.
pub(crate) fn moved_location(location: &FileLocation, name: &Name) -> Result<Option<FileLocation>> {
    if location.dir.is_reachable() {
        return Ok(None);
    }
    shared_location(name).map(|found| (found.dir.id != location.dir.id).then_some(found))
}

/// Returns the directory of a namespace. `None` if it does not exist.
pub(crate) fn existing(namespace: Namespace) -> Result<Option<Arc<Directory>>> {
    let key = DirectoryKey::current(namespace)?;
    match cached(&key).filter(|dir| dir.is_valid() && dir.is_reachable()) {
        Some(dir) => Ok(Some(dir)),
        None => find(&key, Missing::Ignore),
    }
}

/// Removes the user's pending directories that dead processes left.
pub(crate) fn remove_abandoned() -> Result<()> {
    let key = DirectoryKey::current(Namespace::Local)?;
    let (parent, _) = open_parent(&key.parent)?;
    let Some(user) = key.user else { return Ok(()) };
    Lookup { parent: parent.as_fd(), path: &key.parent, user }.remove_abandoned()
}

/// Returns the cached directory of `key`. `None` also if another thread holds the lock.
fn cached(key: &DirectoryKey) -> Option<Arc<Directory>> {
    uncontended(CACHE.try_read())?.iter().find(|dir| dir.key.matches(key)).cloned()
}

/// Opens a directory and caches it. Creates it if it is missing.
fn find_and_cache(key: &DirectoryKey) -> Result<Arc<Directory>> {
    let found = find(key, Missing::Create)?.expect("a missing directory was created");
    if let Some(mut cache) = uncontended(CACHE.try_write()) {
        cache.retain(|dir| !dir.key.matches(key));
        if cache.len() >= MAX_CACHED {
            // Keep a directory that a handle uses, so that later calls notice the loss of its
            // descriptor.
            cache.retain(|dir| Arc::strong_count(dir) > 1);
        }
        cache.push(Arc::clone(&found));
    }
    Ok(found)
}

/// Returns the guard of a lock, poisoned or not. `None` if another thread holds the lock.
fn uncontended<T>(lock: std::sync::TryLockResult<T>) -> Option<T> {
    match lock {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Selects the result of a lookup if the directory does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Create,
    Ignore,
}

/// Opens and checks the directory of a namespace.
fn find(key: &DirectoryKey, missing: Missing) -> Result<Option<Arc<Directory>>> {
    let (parent, stat) = open_parent(&key.parent)?;
    match key.user {
        None => Ok(Some(Directory::new(parent, key.parent.to_path_buf(), &stat, key))),
        Some(user) => {
            let lookup = Lookup { parent: parent.as_fd(), path: &key.parent, user };
            let found = lookup.find(missing)?;
            Ok(found.map(|dir| Directory::new(dir.fd, dir.path, &dir.stat, key)))
        }
    }
}

/// Opens the parent directory of all objects. Fails if it lets users rename or remove the files of
/// other users.
fn open_parent(dir: &Path) -> Result<(OwnedFd, Stat)> {
    let failed = |error| unusable(dir, "cannot be used", Some(error));
    let flags = INSPECT_FLAGS | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened =
        rustix::fs::openat(CWD, dir, flags, Mode::empty()).and_then(above_standard_streams);
    let opened = opened.map_err(failed)?;
    let stat = rustix::fs::fstat(&opened).map_err(failed)?;
    if stat.st_mode & OTHERS_WRITE != 0 && stat.st_mode & STICKY == 0 {
        let mode = stat.st_mode & 0o7777;
        let why = format!(
            "has mode {mode:04o}, so that other users can remove files in it (chmod +t prevents that)"
        );
        return Err(unusable(dir, &why, None));
    }
    Ok((opened, stat))
}

/// Returns the error for a directory that cannot be used, with the remedy.
pub(crate) fn unusable(dir: &Path, why: &str, source: Option<Errno>) -> Error {
    let origin = configured_parent().map(|_| format!(" (by {VARIABLE})")).unwrap_or_default();
    let problem = format!("the directory {}{origin} {why}", dir.display());
    if let Some(errno @ (Errno::MFILE | Errno::NFILE)) = source {
        return Error::os(problem, errno.into());
    }
    let parent = dir.parent().unwrap_or(dir);
    let free = matches!(source, Some(Errno::NOSPC | Errno::DQUOT))
        .then(|| capacity::free_space(parent))
        .flatten()
        .map(|free| format!(" ({free} free in {})", parent.display()))
        .unwrap_or_default();
    let remedy = if default_dirs::is_privileged() {
        format!(
            "; correct that: this program runs with more rights than its caller, so that it ignores \
             {VARIABLE}"
        )
    } else {
        format!("; correct that, or set {VARIABLE} to a directory that all processes can use")
    };
    let cause = format!("{problem}{free}{remedy}");
    match source {
        // A missing directory must not be reported as a missing object.
        Some(Errno::NOENT) => Error::os_as(ErrorKind::Os, cause, Errno::NOENT.into()),
        Some(errno) => Error::os(cause, errno.into()),
        None => Error::new(ErrorKind::PermissionDenied, cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_thread_blocks_on_the_lock_of_the_cache() {
        let held = CACHE.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (done, outcome) = std::sync::mpsc::channel();
        std::thread::spawn(move || done.send(location(&Name::new("x").unwrap()).is_ok()));
        let outcome = outcome.recv_timeout(std::time::Duration::from_secs(30));
        drop(held);
        assert!(outcome.expect("the call blocks on the lock"));
    }
}
