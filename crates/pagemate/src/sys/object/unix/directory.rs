//! Where objects stand: the user's own in a directory of theirs, the machine's beside it.

use std::ffi::OsString;
use std::fmt::Write;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{RwLock, TryLockError};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawMode, Stat};
use rustix::io::Errno;

use super::{base, room};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, Namespace};

/// Moves both.
const VARIABLE: &str = "PAGEMATE_DIR";

const PRIVATE: RawMode = 0o700;
/// Comes down from the parent, and gives nobody any right.
const SETGID: RawMode = 0o2000;
const STICKY: RawMode = 0o1000;
const OTHERS_WRITE: RawMode = 0o022;

/// Begins the file names of the machine's objects, after the slash. They have no directory of their
/// own: whoever made that first could remove everybody's. No spelling of a name has a colon.
const COMMON: &str = "/pagemate:";

/// Room for what most paths add to the directory they stand in, so that they are built in one go.
const LIKELY_LEN: usize = 64;

/// The directories that were found good. Who may write beside them cannot rename or replace them,
/// because what they stand in is sticky.
///
/// Nobody waits for it: in a child forked while another thread had it, nobody ever gives it back.
/// Who does not get it inspects the directory once more.
static CHECKED: RwLock<Vec<PathBuf>> = RwLock::new(Vec::new());

/// The directory of a namespace, which may not exist yet.
fn path(namespace: Namespace) -> Result<PathBuf> {
    let parent = parent(namespace)?;
    if namespace == Namespace::Global {
        return Ok(parent);
    }
    let mut path = parent.into_os_string();
    path.reserve(LIKELY_LEN);
    write!(path, "/pagemate-{}", rustix::process::geteuid().as_raw())
        .expect("an OsString takes all");
    Ok(PathBuf::from(path))
}

/// Where objects are moved to, if they are.
fn moved() -> Option<OsString> {
    std::env::var_os(VARIABLE).filter(|dir| !dir.is_empty())
}

fn parent(namespace: Namespace) -> Result<PathBuf> {
    let Some(dir) = moved().map(PathBuf::from) else { return Ok(base::default(namespace)) };
    // A relative one is another place after every change of the working directory.
    if dir.is_relative() {
        let cause = format!("{VARIABLE} is {}, but it has to be an absolute path", dir.display());
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    Ok(dir)
}

/// The file of the object `name` in a directory that was checked.
pub(super) fn file(name: &Name) -> Result<PathBuf> {
    let dir = path(name.namespace())?;
    ready(&dir, name.namespace())?;
    Ok(file_in(dir, name.namespace(), name.as_str()))
}

/// The file of the object named `bare` in its namespace's directory.
pub(super) fn file_in(dir: PathBuf, namespace: Namespace, bare: &str) -> PathBuf {
    let mut path = dir.into_os_string();
    path.push(match namespace {
        Namespace::Local => "/",
        Namespace::Global => COMMON,
    });
    path.push(super::spelling::file_name(bare));
    PathBuf::from(path)
}

/// Whether a file in the directory of this namespace is, by its name, that of an object.
pub(super) fn is_objects(path: &Path, namespace: Namespace) -> bool {
    match namespace {
        Namespace::Local => path.file_name().is_some_and(|name| !name.as_bytes().starts_with(b".")),
        Namespace::Global => is_common(path),
    }
}

/// Whether this is the file of one of the machine's objects, where others have files too.
pub(super) fn is_common(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_bytes().starts_with(&COMMON.as_bytes()[1..]))
}

/// Makes sure that the directory exists and is safe to use.
pub(super) fn ready(dir: &Path, namespace: Namespace) -> Result<()> {
    if gained(CHECKED.try_read()).is_some_and(|checked| is_among(&checked, dir)) {
        return Ok(());
    }
    renew(dir, namespace)?;
    if let Some(mut checked) = gained(CHECKED.try_write())
        && !is_among(&checked, dir)
    {
        checked.push(dir.to_owned());
    }
    Ok(())
}

/// The same for a directory that was found good and may be gone by now.
pub(super) fn renew(dir: &Path, namespace: Namespace) -> Result<()> {
    inspect_parent(parent_of(dir, namespace))?;
    if namespace == Namespace::Local {
        match rustix::fs::mkdirat(CWD, dir, Mode::from_raw_mode(PRIVATE)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(refuse(dir, "cannot be made", Some(error))),
        }
        let mut opened = open(dir);
        if opened.as_ref().is_err_and(|error| *error == Errno::ACCESS) && is_too_narrow(dir) {
            rustix::fs::chmodat(CWD, dir, Mode::from_raw_mode(PRIVATE), AtFlags::empty())
                .map_err(|error| refuse(dir, "cannot be given its mode", Some(error)))?;
            opened = open(dir);
        }
        let opened = opened.map_err(|error| refuse(dir, "cannot be opened", Some(error)))?;
        inspect(dir, opened)?;
    }
    Ok(())
}

/// Whether this is a directory of this user's that the umask left without its owner's rights. What
/// it stands in keeps others from putting something else there.
fn is_too_narrow(dir: &Path) -> bool {
    stat_of(dir).is_ok_and(|stat| {
        FileType::from_raw_mode(stat.st_mode) == FileType::Directory
            && stat.st_uid == rustix::process::geteuid().as_raw()
            && stat.st_mode & 0o7777 & !SETGID & !PRIVATE == 0
    })
}

/// What a lock guards, if it was free.
fn gained<T>(lock: std::sync::TryLockResult<T>) -> Option<T> {
    match lock {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

fn is_among(checked: &[PathBuf], dir: &Path) -> bool {
    // Byte by byte: to compare as paths would mean to take both apart.
    checked.iter().any(|good| good.as_os_str() == dir.as_os_str())
}

/// The directory of a namespace if there is one, and only if it is safe to use: dead files in it
/// are swept, which must not happen where a stranger's link leads.
pub(super) fn existing(namespace: Namespace) -> Result<Option<PathBuf>> {
    let dir = path(namespace)?;
    inspect_parent(parent_of(&dir, namespace))?;
    if namespace == Namespace::Global {
        return Ok(Some(dir));
    }
    match open(&dir) {
        Ok(opened) => inspect(&dir, opened).map(|()| Some(dir)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(refuse(&dir, "cannot be opened", Some(error))),
    }
}

/// What the directory of a namespace stands in; the machine's objects stand there themselves.
fn parent_of(dir: &Path, namespace: Namespace) -> &Path {
    match namespace {
        Namespace::Local => dir.parent().unwrap_or(dir),
        Namespace::Global => dir,
    }
}

/// Opens the directory; `None` if what stands there is none.
fn open(dir: &Path) -> rustix::io::Result<Option<OwnedFd>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(CWD, dir, flags, Mode::empty()) {
        // Unless it is its parent that is none.
        Err(Errno::LOOP | Errno::NOTDIR) => stat_of(dir).map(|_| None),
        opened => opened.map(Some),
    }
}

/// Refuses a place where others could rename or remove what is not theirs.
fn inspect_parent(dir: &Path) -> Result<()> {
    let stat = rustix::fs::stat(dir).map_err(|e| refuse(dir, "cannot be looked at", Some(e)))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
        return Err(refuse(dir, "cannot be used", Some(Errno::NOTDIR)));
    }
    if stat.st_mode & OTHERS_WRITE != 0 && stat.st_mode & STICKY == 0 {
        let mode = stat.st_mode & 0o7777;
        let why = format!("has mode {mode:04o}, so that others can remove what stands in it");
        return Err(refuse(dir, &(why + " (chmod +t mends that)"), None));
    }
    Ok(())
}

/// Refuses a user's directory that is not safe to use.
fn inspect(dir: &Path, opened: Option<OwnedFd>) -> Result<()> {
    let opened =
        opened.ok_or_else(|| refuse(dir, "is not a directory but a link or a file", None))?;
    let stat =
        rustix::fs::fstat(&opened).map_err(|e| refuse(dir, "cannot be looked at", Some(e)))?;
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(refuse(dir, &format!("belongs to user {}", stat.st_uid), None));
    }
    let found = stat.st_mode & 0o7777 & !SETGID;
    if found == PRIVATE {
        return Ok(());
    }
    // The umask may have taken bits away from what we made; nothing but a stranger adds any.
    if found & !PRIVATE == 0 {
        return rustix::fs::fchmod(&opened, Mode::from_raw_mode(PRIVATE))
            .map_err(|e| refuse(dir, "cannot be given its mode", Some(e)));
    }
    Err(refuse(dir, &format!("has mode {found:04o} where {PRIVATE:04o} is safe"), None))
}

fn refuse(dir: &Path, why: &str, source: Option<Errno>) -> Error {
    let whose = moved().map(|_| format!(" (by {VARIABLE})")).unwrap_or_default();
    let what = format!("the directory {}{whose} {why}", dir.display());
    if let Some(errno @ (Errno::MFILE | Errno::NFILE)) = source {
        return Error::os(what, errno.into());
    }
    let parent = dir.parent().unwrap_or(dir);
    let room = matches!(source, Some(Errno::NOSPC | Errno::DQUOT))
        .then(|| room::of(parent))
        .flatten()
        .map(|room| format!(" ({room} free in {})", parent.display()))
        .unwrap_or_default();
    let cause = format!(
        "{what}{room}; put that right, or set {VARIABLE} to a directory that all who share can use"
    );
    match source {
        // A missing directory is not a missing object.
        Some(Errno::NOENT) => Error::os_as(ErrorKind::Os, cause, Errno::NOENT.into()),
        Some(errno) => Error::os(cause, errno.into()),
        None => Error::new(ErrorKind::PermissionDenied, cause),
    }
}

/// What an object's file says of itself.
pub(super) fn stat_of(path: &Path) -> rustix::io::Result<Stat> {
    rustix::fs::statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)
}

/// Which file it is, as the kernel knows it: its device, as wide as on any system, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Id(i128, u64);

impl Id {
    pub(super) fn of(stat: &Stat) -> Id {
        Id(stat.st_dev.into(), stat.st_ino)
    }
}

/// What the file says of itself, if `path` is a name of this very one. Its count of links alone does
/// not tell: somebody may have given it another name, or moved the directory away and made a new one.
pub(super) fn standing_at(path: &Path, id: Id) -> Option<Stat> {
    stat_of(path).ok().filter(|there| Id::of(there) == id)
}

/// Whether it is a plain file.
pub(super) fn is_file(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_the_thread_that_had_the_lock_at_a_fork() {
        let dir = std::env::temp_dir().join(format!("pagemate-ready-{}", std::process::id()));
        let held = CHECKED.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (done, outcome) = std::sync::mpsc::channel();
        let path = dir.clone();
        std::thread::spawn(move || done.send(ready(&path, Namespace::Local)));
        let outcome = outcome.recv_timeout(std::time::Duration::from_secs(30));
        drop(held);
        outcome.expect("it waits").unwrap();
        std::fs::remove_dir(dir).unwrap();
    }
}
