//! A directory of objects. The objects of each user are in a directory of that user. The machine's
//! objects are in the common parent directory.
//!
//! A process keeps a checked descriptor of each directory and opens objects through it. No path is
//! looked up between the check and the use, so no other user can redirect it.

use std::borrow::Cow;
use std::os::fd::{AsFd, BorrowedFd, IntoRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, CWD, Dir, Stat};

use crate::error::Result;
use crate::name::Namespace;
use crate::sys::object::unix::descriptor::{entries_of, reopened};
use crate::sys::object::unix::location::file_id::Id;
use crate::sys::object::unix::location::parent_directory;
use crate::sys::object::unix::location::user_directory::{Lookup, Missing};

/// A directory of objects that was checked and is safe to use.
#[derive(Debug)]
pub(crate) struct Directory {
    /// Its descriptor. The program may have closed it: see [`is_valid`](Directory::is_valid).
    /// `None` during `drop`.
    fd: Option<OwnedFd>,
    /// Whether this process found that the program had closed the descriptor. The number then
    /// belongs to the program, even if the program opens the same directory again and gets the same
    /// number.
    lost: AtomicBool,
    id: Id,
    path: PathBuf,
    key: DirectoryKey,
}

impl Directory {
    /// Opens and checks the directory of a namespace.
    pub(crate) fn find(key: &DirectoryKey, missing: Missing) -> Result<Option<Arc<Directory>>> {
        let (parent, stat) = parent_directory::open(&key.parent)?;
        match key.user {
            None => Ok(Some(Directory::new(parent, key.parent.to_path_buf(), &stat, key))),
            Some(user) => {
                let lookup = Lookup { parent: parent.as_fd(), path: &key.parent, user };
                let found = lookup.find(missing)?;
                Ok(found.map(|dir| Directory::new(dir.fd, dir.path, &dir.stat, key)))
            }
        }
    }

    fn new(fd: OwnedFd, path: PathBuf, stat: &Stat, key: &DirectoryKey) -> Arc<Directory> {
        let (fd, lost) = (Some(fd), AtomicBool::new(false));
        Arc::new(Directory { fd, lost, id: Id::of(stat), path, key: key.clone() })
    }

    /// Returns the path of the directory, for messages and to test whether the path still leads to it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn id(&self) -> Id {
        self.id
    }

    pub(crate) fn key(&self) -> &DirectoryKey {
        &self.key
    }

    pub(crate) fn namespace(&self) -> Namespace {
        self.key.namespace
    }

    /// Reads the entries of the directory.
    pub(crate) fn entries(&self) -> rustix::io::Result<Dir> {
        entries_of(self.as_fd())
    }

    /// Opens the directory again for reading.
    pub(crate) fn reopened(&self) -> rustix::io::Result<OwnedFd> {
        reopened(self.as_fd())
    }

    /// Returns whether `user` can own an object in it.
    pub(crate) fn admits_owner(&self, user: u32) -> bool {
        self.key.user.is_none_or(|owner| owner == user)
    }

    /// Returns whether the descriptor still refers to the directory, and the directory was not
    /// removed. If the program has closed all descriptors, as daemons do, the number may refer to
    /// another file.
    pub(crate) fn is_valid(&self) -> bool {
        self.stat().is_some_and(|stat| stat.st_nlink > 0)
    }

    /// Inspects the directory through its descriptor. `None` if the program has closed the descriptor.
    fn stat(&self) -> Option<Stat> {
        let found = rustix::fs::fstat(self).ok().filter(|stat| Id::of(stat) == self.id);
        if found.is_none() {
            self.lost.store(true, Ordering::Relaxed);
        }
        found.filter(|_| !self.lost.load(Ordering::Relaxed))
    }

    /// Returns whether the path of the directory leads to it. If not, the directory was moved, or
    /// another file system is mounted over it, and other processes use another directory.
    pub(crate) fn is_reachable(&self) -> bool {
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
        let found = Directory::find(&self.key, Missing::Ignore).ok().flatten()?;
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

/// The directory in which a namespace has its objects at the moment. It is the key of the cache.
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
    pub(crate) fn current(namespace: Namespace) -> Result<DirectoryKey> {
        let user = match namespace {
            Namespace::Local => Some(rustix::process::geteuid().as_raw()),
            Namespace::Global => None,
        };
        Ok(DirectoryKey { namespace, parent: parent_directory::path(namespace)?, user })
    }

    pub(crate) fn matches(&self, other: &DirectoryKey) -> bool {
        // Compare the bytes: a comparison of paths would split both into components first.
        (self.namespace, self.user) == (other.namespace, other.user)
            && self.parent.as_os_str() == other.parent.as_os_str()
    }
}
