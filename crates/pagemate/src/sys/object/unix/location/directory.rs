//! Where objects stand: the user's own in a directory of theirs, the machine's beside it.
//!
//! A directory is held by a descriptor that was checked, and objects are reached through that: no
//! path is looked up between the check and the use.

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
use crate::sys::object::unix::beside_the_streams;
use crate::sys::object::unix::location::default_dirs;
use crate::sys::object::unix::location::file_location::FileLocation;
use crate::sys::object::unix::location::inspect::LOOK;
use crate::sys::object::unix::location::user_directory::Lookup;
use crate::sys::object::unix::memory::capacity;

/// Moves both.
const VARIABLE: &str = "PAGEMATE_DIR";

const STICKY: RawMode = 0o1000;
const OTHERS_WRITE: RawMode = 0o022;

/// Which file it is, as the kernel knows it: its device, as wide as on any system, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Id(i128, u64);

impl Id {
    pub(crate) fn of(stat: &Stat) -> Id {
        Id(stat.st_dev.into(), stat.st_ino)
    }
}

/// Whether it is a plain file.
pub(crate) fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

/// Reads what stands in a directory that was opened in whatever way.
pub(crate) fn entries_of(dir: BorrowedFd<'_>) -> rustix::io::Result<Dir> {
    Dir::new(reopened(dir)?)
}

fn reopened(dir: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(dir, c".", flags, Mode::empty())
}

/// A directory of objects that was found safe to use.
#[derive(Debug)]
pub(crate) struct Directory {
    /// Its descriptor, unless the program closed that: see [`is_there`](Directory::is_there). `None`
    /// while it is dropped.
    fd: Option<OwnedFd>,
    /// Whether the program was seen to have closed that descriptor. From then on the number is
    /// somebody else's, even if the same directory is opened under it again.
    lost: AtomicBool,
    id: Id,
    path: PathBuf,
    wanted: Wanted,
}

impl Directory {
    fn new(fd: OwnedFd, path: PathBuf, stat: &Stat, wanted: &Wanted) -> Arc<Directory> {
        let (fd, lost) = (Some(fd), AtomicBool::new(false));
        Arc::new(Directory { fd, lost, id: Id::of(stat), path, wanted: wanted.clone() })
    }

    /// For messages, and to see whether it still leads here.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn namespace(&self) -> Namespace {
        self.wanted.namespace
    }

    /// Reads what stands in it.
    pub(crate) fn entries(&self) -> rustix::io::Result<Dir> {
        entries_of(self.as_fd())
    }

    /// A descriptor to read it through.
    pub(crate) fn reopened(&self) -> rustix::io::Result<OwnedFd> {
        reopened(self.as_fd())
    }

    /// Whether an object in it may be this user's.
    pub(crate) fn is_owner(&self, user: u32) -> bool {
        self.wanted.user.is_none_or(|own| own == user)
    }

    /// Whether the descriptor still is the directory's, and the directory was not removed. A program
    /// that closes all descriptors, as daemons do, may have another file under the same number.
    fn is_there(&self) -> bool {
        self.stat().is_some_and(|stat| stat.st_nlink > 0)
    }

    /// Looks at it through its descriptor, if the program has not closed that.
    fn stat(&self) -> Option<Stat> {
        let found = rustix::fs::fstat(self).ok().filter(|stat| Id::of(stat) == self.id);
        if found.is_none() {
            self.lost.store(true, Ordering::Relaxed);
        }
        found.filter(|_| !self.lost.load(Ordering::Relaxed))
    }

    /// Whether its path leads here. It may have been moved, or another file system mounted over it:
    /// then other processes look elsewhere.
    fn is_found(&self) -> bool {
        let stat = match self.namespace() {
            Namespace::Local => rustix::fs::statat(CWD, &self.path, AtFlags::SYMLINK_NOFOLLOW),
            Namespace::Global => rustix::fs::stat(&self.path),
        };
        stat.is_ok_and(|stat| Id::of(&stat) == self.id)
    }

    /// The same directory with a descriptor that is known to be its own.
    pub(crate) fn again(self: &Arc<Self>) -> Option<Arc<Directory>> {
        if self.is_there() {
            return Some(Arc::clone(self));
        }
        let found = find(&self.wanted, Missing::Leave).ok().flatten()?;
        (found.id == self.id).then_some(found)
    }
}

impl AsFd for Directory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_ref().expect("only a drop takes it").as_fd()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let is_lost = self.stat().is_none();
        if let Some(fd) = self.fd.take()
            && is_lost
        {
            // The number is not ours to close.
            _ = fd.into_raw_fd();
        }
    }
}

/// Where the objects of a namespace are to be found, and for which user.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) namespace: Namespace,
    /// The directory that all objects stand in.
    pub(crate) parent: Cow<'static, Path>,
    /// The user, where each has a directory. A server may act for one client after another, so that
    /// each call asks anew.
    pub(crate) user: Option<u32>,
}

impl Wanted {
    fn now(namespace: Namespace) -> Result<Wanted> {
        let user = match namespace {
            Namespace::Local => Some(rustix::process::geteuid().as_raw()),
            Namespace::Global => None,
        };
        Ok(Wanted { namespace, parent: parent(namespace)?, user })
    }

    fn is(&self, other: &Wanted) -> bool {
        // Byte by byte: to compare as paths would mean to take both apart.
        (self.namespace, self.user) == (other.namespace, other.user)
            && self.parent.as_os_str() == other.parent.as_os_str()
    }
}

/// Where objects are moved to, if they are. A program that runs with more rights than its caller
/// takes no orders from the caller's environment.
fn moved() -> Option<OsString> {
    std::env::var_os(VARIABLE).filter(|dir| !dir.is_empty() && !default_dirs::is_privileged())
}

fn parent(namespace: Namespace) -> Result<Cow<'static, Path>> {
    let Some(dir) = moved().map(PathBuf::from) else { return Ok(default_dirs::default(namespace)) };
    // A relative one is another place after every change of the working directory.
    if dir.is_relative() {
        let cause = format!("{VARIABLE} is {}, but it has to be an absolute path", dir.display());
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    Ok(Cow::Owned(dir))
}

/// The directories in use.
///
/// Nobody waits for the lock: in a child forked while another thread had it, nobody ever gives it
/// back. A thread that does not get it looks for its directory once more.
static KEPT: RwLock<Vec<Arc<Directory>>> = RwLock::new(Vec::new());

/// How many directories, and descriptors, are kept. A server that acts for many users looks for
/// those of the others anew.
const MOST_KEPT: usize = 8;

/// The place of the object `name`, in a directory that is there.
pub(crate) fn location(name: &Name) -> Result<FileLocation> {
    ready(name.namespace()).map(|dir| FileLocation::of(dir, name))
}

/// The directory of the user's own objects.
pub(crate) fn home() -> Result<Arc<Directory>> {
    ready(Namespace::Local)
}

fn ready(namespace: Namespace) -> Result<Arc<Directory>> {
    let wanted = Wanted::now(namespace)?;
    match kept(&wanted).filter(|dir| dir.is_there()) {
        Some(dir) => Ok(dir),
        None => renew(&wanted),
    }
}

/// The same in a directory that other processes find as well: what they would not find must not be
/// made.
pub(crate) fn common_place(name: &Name) -> Result<FileLocation> {
    let wanted = Wanted::now(name.namespace())?;
    let dir = match kept(&wanted).filter(|dir| dir.is_there() && dir.is_found()) {
        Some(dir) => dir,
        None => renew(&wanted)?,
    };
    Ok(FileLocation::of(dir, name))
}

/// The place of the object `name`, if other processes look for it in another directory than `place`.
pub(crate) fn elsewhere(location: &FileLocation, name: &Name) -> Result<Option<FileLocation>> {
    if location.dir.is_found() {
        return Ok(None);
    }
    common_place(name).map(|found| (found.dir.id != location.dir.id).then_some(found))
}

/// The directory of a namespace, if there is one.
pub(crate) fn existing(namespace: Namespace) -> Result<Option<Arc<Directory>>> {
    let wanted = Wanted::now(namespace)?;
    match kept(&wanted).filter(|dir| dir.is_there() && dir.is_found()) {
        Some(dir) => Ok(Some(dir)),
        None => find(&wanted, Missing::Leave),
    }
}

/// Removes directories of the user's that a process made, and died before it chose one of them.
pub(crate) fn tidy() -> Result<()> {
    let wanted = Wanted::now(Namespace::Local)?;
    let (parent, _) = open_parent(&wanted.parent)?;
    let Some(user) = wanted.user else { return Ok(()) };
    Lookup { parent: parent.as_fd(), path: &wanted.parent, user }.tidy()
}

fn kept(wanted: &Wanted) -> Option<Arc<Directory>> {
    gained(KEPT.try_read())?.iter().find(|dir| dir.wanted.is(wanted)).cloned()
}

/// Looks for a directory and keeps it.
fn renew(wanted: &Wanted) -> Result<Arc<Directory>> {
    let found = find(wanted, Missing::Make)?.expect("it was made if it was missing");
    if let Some(mut kept) = gained(KEPT.try_write()) {
        kept.retain(|dir| !dir.wanted.is(wanted));
        if kept.len() >= MOST_KEPT {
            // One that a handle uses stays, so that it is noticed here when its descriptor is lost.
            kept.retain(|dir| Arc::strong_count(dir) > 1);
        }
        kept.push(Arc::clone(&found));
    }
    Ok(found)
}

/// What a lock guards, if it was free.
fn gained<T>(lock: std::sync::TryLockResult<T>) -> Option<T> {
    match lock {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// What to do about a directory that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Make,
    Leave,
}

/// Opens and checks the directory of a namespace.
fn find(wanted: &Wanted, missing: Missing) -> Result<Option<Arc<Directory>>> {
    let (parent, stat) = open_parent(&wanted.parent)?;
    match wanted.user {
        None => Ok(Some(Directory::new(parent, wanted.parent.to_path_buf(), &stat, wanted))),
        Some(user) => {
            let lookup = Lookup { parent: parent.as_fd(), path: &wanted.parent, user };
            let home = lookup.find(missing)?;
            Ok(home.map(|home| Directory::new(home.fd, home.path, &home.stat, wanted)))
        }
    }
}

/// Opens the directory that all objects stand in. Refuses one where others could rename or remove
/// files that are not theirs.
fn open_parent(dir: &Path) -> Result<(OwnedFd, Stat)> {
    let refused = |error| refuse(dir, "cannot be used", Some(error));
    let flags = LOOK | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(CWD, dir, flags, Mode::empty()).and_then(beside_the_streams);
    let opened = opened.map_err(refused)?;
    let stat = rustix::fs::fstat(&opened).map_err(refused)?;
    if stat.st_mode & OTHERS_WRITE != 0 && stat.st_mode & STICKY == 0 {
        let mode = stat.st_mode & 0o7777;
        let why = format!("has mode {mode:04o}, so that others can remove what stands in it");
        return Err(refuse(dir, &(why + " (chmod +t mends that)"), None));
    }
    Ok((opened, stat))
}

/// Why a directory cannot be used, and what to do about it.
pub(crate) fn refuse(dir: &Path, why: &str, source: Option<Errno>) -> Error {
    let whose = moved().map(|_| format!(" (by {VARIABLE})")).unwrap_or_default();
    let what = format!("the directory {}{whose} {why}", dir.display());
    if let Some(errno @ (Errno::MFILE | Errno::NFILE)) = source {
        return Error::os(what, errno.into());
    }
    let parent = dir.parent().unwrap_or(dir);
    let room = matches!(source, Some(Errno::NOSPC | Errno::DQUOT))
        .then(|| capacity::of(parent))
        .flatten()
        .map(|room| format!(" ({room} free in {})", parent.display()))
        .unwrap_or_default();
    let remedy = if default_dirs::is_privileged() {
        format!(
            "; put that right: this program runs with more rights than its caller, so that it \
             ignores {VARIABLE}"
        )
    } else {
        format!("; put that right, or set {VARIABLE} to a directory that all who share can use")
    };
    let cause = format!("{what}{room}{remedy}");
    match source {
        // A missing directory is not a missing object.
        Some(Errno::NOENT) => Error::os_as(ErrorKind::Os, cause, Errno::NOENT.into()),
        Some(errno) => Error::os(cause, errno.into()),
        None => Error::new(ErrorKind::PermissionDenied, cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_the_thread_that_had_the_lock_at_a_fork() {
        let held = KEPT.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (done, outcome) = std::sync::mpsc::channel();
        std::thread::spawn(move || done.send(location(&Name::new("x").unwrap()).is_ok()));
        let outcome = outcome.recv_timeout(std::time::Duration::from_secs(30));
        drop(held);
        assert!(outcome.expect("it waits"));
    }
}
