//! Finds the location of a name: the directory of its namespace, and the file in it. Keeps the
//! directories of recent calls.

use std::os::fd::AsFd;
use std::sync::{Arc, RwLock, TryLockError};

use crate::error::Result;
use crate::name::{Name, Namespace};
use crate::sys::object::unix::location::directory::{Directory, DirectoryKey};
use crate::sys::object::unix::location::file_location::FileLocation;
use crate::sys::object::unix::location::parent_directory;
use crate::sys::object::unix::location::user_directory::{Lookup, Missing};

/// The cached directories.
///
/// No thread blocks on this lock: a child that was forked while another thread held the lock would
/// block forever. A thread that cannot acquire the lock at once opens its directory again.
static CACHE: RwLock<Vec<Arc<Directory>>> = RwLock::new(Vec::new());

/// The maximum number of cached directories, and so of their descriptors. A server that acts for
/// more users opens the directories of the other users at each call.
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

/// Returns the location of the object `name` in the directory to which the path leads now. An
/// object must not be created in a directory that was moved, where other processes would not find
/// it.
pub(crate) fn shared_location(name: &Name) -> Result<FileLocation> {
    let key = DirectoryKey::current(name.namespace())?;
    let dir = match cached(&key).filter(|dir| dir.is_valid() && dir.is_reachable()) {
        Some(dir) => dir,
        None => find_and_cache(&key)?,
    };
    Ok(FileLocation::of(dir, name))
}

/// Returns the location of the object `name` in the directory to which the path leads now. `None`
/// if that is the directory of `location`.
pub(crate) fn moved_location(location: &FileLocation, name: &Name) -> Result<Option<FileLocation>> {
    if location.dir.is_reachable() {
        return Ok(None);
    }
    shared_location(name).map(|found| (found.dir.id() != location.dir.id()).then_some(found))
}

/// Returns the directory of a namespace. `None` if it does not exist.
pub(crate) fn existing(namespace: Namespace) -> Result<Option<Arc<Directory>>> {
    let key = DirectoryKey::current(namespace)?;
    match cached(&key).filter(|dir| dir.is_valid() && dir.is_reachable()) {
        Some(dir) => Ok(Some(dir)),
        None => Directory::find(&key, Missing::Ignore),
    }
}

/// Removes the user's pending directories whose creators have died.
pub(crate) fn remove_abandoned() -> Result<()> {
    let key = DirectoryKey::current(Namespace::Local)?;
    let (parent, _) = parent_directory::open(&key.parent)?;
    let Some(user) = key.user else { return Ok(()) };
    Lookup { parent: parent.as_fd(), path: &key.parent, user }.remove_abandoned()
}

/// Returns the cached directory of `key`. `None` also if another thread holds the lock.
fn cached(key: &DirectoryKey) -> Option<Arc<Directory>> {
    uncontended(CACHE.try_read())?.iter().find(|dir| dir.key().matches(key)).cloned()
}

/// Opens a directory and caches it. Creates it if it is missing.
fn find_and_cache(key: &DirectoryKey) -> Result<Arc<Directory>> {
    let found = Directory::find(key, Missing::Create)?.expect("a missing directory was created");
    if let Some(mut cache) = uncontended(CACHE.try_write()) {
        cache.retain(|dir| !dir.key().matches(key));
        if cache.len() >= MAX_CACHED {
            // Keep a directory that a handle uses: later calls then notice if the program has
            // closed its descriptor.
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
