//! Named memory as locked files: Linux natively, macOS by the same protocol.
//!
//! A handle is one open file description with a shared lock on byte 0. Nobody holds one: the
//! object is dead, whatever files lie about. Only who holds the exclusive lock removes a name, and
//! nobody ever replaces one. `ARCHITECTURE.md` walks through every step and what a death there
//! leaves.

mod base;
mod cgroup;
mod directory;
mod fork;
mod inventory;
mod lock;
mod mapping;
#[cfg_attr(target_os = "linux", path = "pages/linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "pages/elsewhere.rs")]
mod pages;
mod room;
mod spelling;
mod trailer;
mod unseen;

use std::fs::File;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use rustix::fs::{CWD, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

use self::lock::Holder;
use self::trailer::Trailer;
use self::unseen::Unseen;
use super::{Backing, Existing, PATIENCE, Spec};
use crate::access::{Access, Kind, Protection, Sharing};
use crate::error::{Error, ErrorKind, Quoted, Result};
use crate::name::Name;
use crate::sys::fault;

pub(crate) use self::inventory::{find, list, prune};
pub(crate) use self::mapping::Mapping;

/// What offsets of a mapping are a multiple of.
pub(crate) fn allocation_granularity() -> u64 {
    page_size()
}

fn page_size() -> u64 {
    rustix::param::page_size().try_into().expect("a page is small")
}

/// How long a caller has been waiting for others; the clock starts with the first setback.
#[derive(Debug, Default)]
struct Patience(Option<Instant>);

impl Patience {
    /// Counts a setback, and fails once it has gone on for too long.
    fn wear(&mut self) -> Result<()> {
        let start = *self.0.get_or_insert_with(Instant::now);
        if start.elapsed() > PATIENCE { Err(busy()) } else { Ok(()) }
    }
}

/// A handle to shared memory.
#[derive(Debug)]
pub(crate) struct Object {
    /// `None` only while it is let go.
    fd: Option<OwnedFd>,
    /// If it has a name; then `fd` has the shared lock.
    named: Option<Named>,
    len: u64,
    protection: Protection,
    access: Access,
}

/// What a handle to a named object knows for its end.
#[derive(Debug)]
struct Named {
    path: PathBuf,
    /// When its descriptor was not open yet.
    before: fork::Moment,
    /// Whether its descriptor was shown to somebody, who may have handed it on.
    lent: AtomicBool,
}

impl Named {
    fn new(path: PathBuf, before: fork::Moment) -> Named {
        Named { path, before, lent: AtomicBool::new(false) }
    }
}

impl Object {
    /// Makes an object and gives it its name, complete or not at all; true if it was made.
    pub(crate) fn create(name: &Name, spec: &Spec, existing: Existing) -> Result<(Object, bool)> {
        let mut spec = *spec;
        spec.len = whole_pages(spec.len)?;
        let path = directory::file(name)?;
        let dir = path.parent().expect("an object stands in a directory");
        inventory::sweep_in_passing(dir, name.namespace());
        let before = fork::now();
        let mut patience = Patience::default();
        let mut made: Option<Unseen> = None;
        loop {
            if existing == Existing::Open || made.is_some() {
                match Object::open_at(&path, name, spec.kind, spec.access) {
                    Ok(object) if existing == Existing::Open => return Ok((object, false)),
                    Ok(_) => return Err(already_exists()),
                    Err(error) if error.kind() == ErrorKind::NotFound => {
                        if made.is_some() {
                            not_in_the_way(&path)?;
                        }
                    }
                    Err(error)
                        if existing == Existing::Refuse && is_of_an_object(&error, &path) =>
                    {
                        return Err(already_exists());
                    }
                    Err(error) => return Err(error),
                }
            }
            let unseen = match made.take() {
                Some(unseen) => unseen,
                None => build(dir, name, &spec)?,
            };
            fault::point("create-before-link");
            match unseen.name(&path) {
                Ok(fd) => {
                    fault::point("create-after-link");
                    let fd = narrowed(fd, &path, spec.access, before)?;
                    let object = Object {
                        fd: Some(fd),
                        named: Some(Named::new(path, before)),
                        len: spec.len,
                        protection: spec.protection,
                        access: spec.access,
                    };
                    return Ok((object, true));
                }
                Err((unseen, Errno::EXIST)) => made = Some(unseen),
                Err((_, Errno::NOENT)) => {
                    // Somebody removed the directory, or the file took so long to get its lock that
                    // it was swept: the object is built anew.
                    directory::forget(dir);
                    directory::ready(dir, name.namespace())?;
                }
                Err((_, error)) => return Err(Error::os("its name cannot be made", error.into())),
            }
            patience.wear()?;
        }
    }

    /// Opens a live object.
    pub(crate) fn open(name: &Name, kind: Kind, access: Access) -> Result<Object> {
        Object::open_at(&directory::file(name)?, name, kind, access)
    }

    fn open_at(path: &Path, name: &Name, kind: Kind, access: Access) -> Result<Object> {
        let mut patience = Patience::default();
        let before = fork::now();
        loop {
            let fd = match open_file(path, access) {
                Ok(fd) => fd,
                Err(Errno::NOENT) => return Err(not_found()),
                Err(error) => return Err(stands_there(path, error)),
            };
            fault::point("open-before-ask");
            match lock::ask(fd.as_fd()).map_err(|e| Error::os("its lock cannot be read", e))? {
                Holder::Handles => {
                    fault::point("open-before-share");
                    let shared = lock::try_share(fd.as_fd());
                    if shared.map_err(|e| Error::os("its lock cannot be taken", e))? {
                        fault::point("open-after-share");
                        let mut bytes = trailer::ROOM;
                        let (stat, trailer) = match describe(fd.as_fd(), name, &mut bytes) {
                            Ok(described) => described,
                            // Our shared lock may have kept the last holder from removing it.
                            Err(error) => {
                                let_go(fd, path, may_release(access, before));
                                return Err(error);
                            }
                        };
                        // Without a name it died between the question and the lock.
                        if stat.st_nlink > 0 {
                            if trailer.kind != kind {
                                let_go(fd, path, may_release(access, before));
                                return Err(wrong_kind());
                            }
                            return Ok(Object {
                                fd: Some(fd),
                                named: Some(Named::new(path.to_owned(), before)),
                                len: trailer.data_len,
                                protection: trailer.protection,
                                access,
                            });
                        }
                    }
                }
                Holder::Nobody => {
                    drop(fd);
                    match sweep(path) {
                        // Somebody came to life, or is sweeping.
                        Outcome::Kept => {}
                        Outcome::Absent | Outcome::Removed(_) => return Err(not_found()),
                        Outcome::Stuck => {
                            is_object_file(path)?;
                            return Err(not_found());
                        }
                    }
                }
                Holder::Sweeper => std::thread::yield_now(),
            }
            patience.wear()?;
        }
    }

    /// Makes memory without a name, sealed against changes of its length.
    pub(crate) fn unnamed(spec: &Spec) -> Result<Object> {
        let len = whole_pages(spec.len)?;
        let fd = unseen::unnamed(len, spec.backing)?;
        Ok(Object {
            fd: Some(fd),
            named: None,
            len,
            protection: spec.protection,
            access: spec.access,
        })
    }

    /// Takes a file of the user's as memory, grown to `spec.len` if that is more than it has.
    pub(crate) fn over_file(file: File, spec: &Spec) -> Result<Object> {
        let fd = OwnedFd::from(file);
        let have = file_len(fd.as_fd())?;
        let len = if spec.len == 0 { have } else { spec.len };
        if len == 0 {
            let cause = "the file is empty; give a length to make it grow";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let may = access_of(fd.as_fd())?;
        if may == Access::Read
            && spec.access == Access::ReadWrite
            && spec.protection == Protection::ReadWrite
        {
            return Err(denied("the file is not open for writing"));
        }
        if len > have {
            if spec.protection == Protection::ReadOnly {
                let cause =
                    format!("the file has {have} bytes, and read-only it cannot grow to {len}");
                return Err(Error::new(ErrorKind::OutOfRange, cause));
            }
            grow(fd.as_fd(), have, len)?;
        }
        Ok(Object {
            fd: Some(fd),
            named: None,
            len,
            protection: spec.protection,
            access: spec.access,
        })
    }

    /// Takes a mappable descriptor that somebody handed us, with the access it was opened with.
    pub(crate) fn from_raw(fd: OwnedFd) -> Result<Object> {
        let len = file_len(fd.as_fd())?;
        if len == 0 {
            let cause = "the descriptor has no length: not memory, or not sized yet";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let access = access_of(fd.as_fd())?;
        Ok(Object { fd: Some(fd), named: None, len, protection: Protection::ReadWrite, access })
    }

    /// Opens a foreign POSIX object by its `shm_open` name.
    pub(crate) fn posix(name: &str, access: Access) -> Result<Object> {
        let flags = match access {
            Access::Read => rustix::shm::OFlags::RDONLY,
            Access::ReadWrite => rustix::shm::OFlags::RDWR,
        };
        match rustix::shm::open(name, flags, Mode::empty()) {
            Ok(fd) => Object::from_raw(fd),
            Err(Errno::NOENT) => {
                Err(Error::new(ErrorKind::NotFound, "no POSIX shared memory object has this name"))
            }
            Err(error) => Err(cannot_open(error)),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn protection(&self) -> Protection {
        self.protection
    }

    pub(crate) fn access(&self) -> Access {
        self.access
    }

    /// Its descriptor, for whoever wants to hand it on.
    pub(crate) fn lend(&self) -> BorrowedFd<'_> {
        if let Some(named) = &self.named {
            named.lent.store(true, Ordering::Relaxed);
        }
        self.fd()
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_ref().expect("a live object has its descriptor").as_fd()
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        let Some(fd) = self.fd.take() else { return };
        match &mut self.named {
            Some(Named { path, before, lent }) => {
                let_go(fd, path, may_release(self.access, *before) && !*lent.get_mut());
            }
            None => drop(fd),
        }
    }
}

/// Whether the descriptor of a handle that was opened after `before`, and lent to nobody, can
/// serve its own end: nobody else has it, and it can take an exclusive lock.
fn may_release(access: Access, before: fork::Moment) -> bool {
    access == Access::ReadWrite && before.has_not_forked_since()
}

/// Lets a handle go, and the name with it if it was the last.
///
/// Giving up the lock comes first and the question after. So whoever gives up last also asks last,
/// and somebody always sees that nobody is left. Where the descriptor is `ours` alone, it serves
/// for both. A forked child, or whoever was handed the descriptor, shares the lock too: to release
/// it would end their hold, and to ask through it would be to ask about others only. Then closing
/// gives up our part of it, and the question goes through a new descriptor.
fn let_go(fd: OwnedFd, path: &Path, ours: bool) {
    fault::point("close-before-release");
    if ours && lock::release(fd.as_fd()).is_ok() {
        fault::point("close-after-release");
        remove_if_dead(&fd, path);
        return;
    }
    drop(fd);
    fault::point("close-after-close");
    sweep(path);
}

/// What became of a name that looked dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// There was none.
    Absent,
    /// It was dead and is gone, with this many bytes.
    Removed(u64),
    /// It is alive, or somebody else is removing it.
    Kept,
    /// It is not ours to remove.
    Stuck,
}

/// Removes the name at `path` if nobody holds its object.
fn sweep(path: &Path) -> Outcome {
    let fd = match open_file(path, Access::ReadWrite) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Outcome::Absent,
        Err(_) => return Outcome::Stuck,
    };
    remove_if_dead(&fd, path)
}

/// Removes the name at `path` if nobody has a lock on `fd`, its object or one that had the name.
fn remove_if_dead(fd: &OwnedFd, path: &Path) -> Outcome {
    fault::point("sweep-before-exclude");
    if !matches!(lock::try_exclude(fd.as_fd()), Ok(true)) {
        return Outcome::Kept;
    }
    fault::point("sweep-after-exclude");
    // The name may stand for another object by now: then this one has none, and ours is not it.
    let outcome = match rustix::fs::fstat(fd) {
        Ok(stat) if stat.st_nlink == 0 => Outcome::Absent,
        Ok(stat)
            if directory::is_file(&stat)
                && rustix::fs::unlinkat(CWD, path, rustix::fs::AtFlags::empty()).is_ok() =>
        {
            Outcome::Removed(u64::try_from(stat.st_size).unwrap_or(0))
        }
        // In a sticky directory a file is its owner's to remove, whoever may write to it.
        _ => Outcome::Stuck,
    };
    fault::point("sweep-after-unlink");
    outcome
}

/// Says what to do about a dead object's name that is taken for good, because this user cannot
/// remove it.
fn not_in_the_way(path: &Path) -> Result<()> {
    let Ok(fd) = open_file(path, Access::Read) else { return Ok(()) };
    if !matches!(lock::ask(fd.as_fd()), Ok(Holder::Nobody)) || sweep(path) != Outcome::Stuck {
        return Ok(());
    }
    let Ok(stat) = rustix::fs::fstat(&fd) else { return Ok(()) };
    let cause = format!(
        "no process holds it, but its file {} is left and only user {} can remove it, by listing or pruning",
        path.display(),
        stat.st_uid
    );
    Err(Error::new(ErrorKind::PermissionDenied, cause))
}

/// Whether `error` is about a live object at `path` that is there all the same.
fn is_of_an_object(error: &Error, path: &Path) -> bool {
    use ErrorKind::{Corrupted, PermissionDenied, WrongKind, WrongVersion};
    matches!(error.kind(), Corrupted | PermissionDenied | WrongKind | WrongVersion)
        && directory::stat_of(path).is_ok_and(|stat| directory::is_file(&stat))
}

/// Refuses what is no file.
fn is_object_file(path: &Path) -> Result<()> {
    match directory::stat_of(path).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
        Ok(FileType::Directory) => Err(no_object(path, "a directory")),
        Ok(FileType::RegularFile) | Err(_) => Ok(()),
        Ok(_) => Err(no_object(path, "a pipe, a socket or a device")),
    }
}

fn open_file(path: &Path, access: Access) -> rustix::io::Result<OwnedFd> {
    let mode = match access {
        Access::Read => OFlags::RDONLY,
        Access::ReadWrite => OFlags::RDWR,
    };
    // NONBLOCK: what stands there may be a pipe that nobody reads.
    let flags = mode | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    rustix::fs::openat(CWD, path, flags, Mode::empty())
}

/// Builds the object where nobody sees it, with its shared lock.
fn build(dir: &Path, name: &Name, spec: &Spec) -> Result<Unseen> {
    let total = spec.len.checked_add(trailer::LEN).ok_or_else(too_long)?;
    room::check(dir, if spec.backing == Backing::Sparse { trailer::LEN } else { total })?;
    let no_room = |error: Errno| match error {
        Errno::NOSPC | Errno::DQUOT | Errno::NOMEM => room::too_much(dir, total),
        Errno::FBIG => room::too_large(total),
        Errno::INVAL => too_long(),
        error => Error::os(format!("{total} bytes cannot be set aside"), error.into()),
    };
    let unseen = locked_file(dir, name, mode_of(spec.sharing))?;
    let fd = unseen.fd();
    fault::point("create-after-share");
    if spec.backing == Backing::Huge {
        pages::gather(fd.as_fd(), spec.len);
    }
    let from = if spec.backing == Backing::Sparse { spec.len } else { 0 };
    unseen::reserve(fd.as_fd(), from, total).map_err(no_room)?;
    let creator = rustix::process::getpid().as_raw_nonzero().get().unsigned_abs();
    let bytes = trailer::encode(name, spec, creator);
    let written = rustix::io::pwrite(fd, &bytes, spec.len).map_err(no_room)?;
    if written != bytes.len() {
        return Err(room::too_much(dir, total));
    }
    Ok(unseen)
}

/// A new file that nobody sees, with the shared lock of a handle.
fn locked_file(dir: &Path, name: &Name, mode: Mode) -> Result<Unseen> {
    let mut patience = Patience::default();
    loop {
        let mut file = Unseen::new(dir, mode);
        if file.as_ref().is_err_and(|error| *error == Errno::NOENT) {
            // Somebody removed the directory since it was checked.
            directory::forget(dir);
            directory::ready(dir, name.namespace())?;
            file = Unseen::new(dir, mode);
        }
        let unseen = file.map_err(|error| {
            let cause = format!("no file can be made in {}", dir.display());
            match error {
                Errno::ACCESS => Error::os(cause, error.into()),
                Errno::NOSPC | Errno::DQUOT => room::no_file(dir, error),
                error => Error::os_as(ErrorKind::Os, cause, error.into()),
            }
        })?;
        fault::point("create-after-file");
        // First of all: where the file has a name already, an unlocked one is a dead one, and a
        // sweeper may just be there.
        let shared = lock::try_share(unseen.fd().as_fd());
        if shared.map_err(|e| Error::os("its lock cannot be taken", e))? {
            return Ok(unseen);
        }
        patience.wear()?;
    }
}

/// The creator's handle with no more access than it asked for.
fn narrowed(fd: OwnedFd, path: &Path, access: Access, before: fork::Moment) -> Result<OwnedFd> {
    if access == Access::ReadWrite {
        return Ok(fd);
    }
    let open = || {
        let narrow = open_file(path, access).map_err(cannot_open)?;
        let shared = lock::try_share(narrow.as_fd());
        if shared.map_err(|e| Error::os("its lock cannot be taken", e))? {
            Ok(narrow)
        } else {
            Err(busy())
        }
    };
    let narrow = open();
    // The shared lock of the wide handle held the name until the narrow one had its own.
    match narrow {
        Ok(narrow) => Ok(narrow),
        Err(error) => {
            let_go(fd, path, may_release(Access::ReadWrite, before));
            Err(error)
        }
    }
}

fn describe<'a>(
    fd: BorrowedFd<'_>,
    name: &Name,
    bytes: &'a mut [MaybeUninit<u8>],
) -> Result<(Stat, Trailer<'a>)> {
    let (stat, trailer) = read_trailer(fd, bytes)?;
    if trailer.bare != name.as_str() {
        let other = trailer.name(name.namespace())?;
        let other = Quoted(&other.to_string());
        let cause = format!("its file belongs to another name, {other}");
        return Err(Error::new(ErrorKind::Corrupted, cause));
    }
    Ok((stat, trailer))
}

/// Reads the trailer of an open file of ours into `bytes`, and checks it.
fn read_trailer<'a>(
    fd: BorrowedFd<'_>,
    bytes: &'a mut [MaybeUninit<u8>],
) -> Result<(Stat, Trailer<'a>)> {
    let stat = rustix::fs::fstat(fd).map_err(|e| Error::os("it cannot be looked at", e.into()))?;
    if !directory::is_file(&stat) {
        return Err(Error::new(ErrorKind::Corrupted, "what stands in its place is not a file"));
    }
    let file_len = u64::try_from(stat.st_size).unwrap_or(0);
    let at = file_len.saturating_sub(trailer::LEN);
    let (read, _) = rustix::io::pread(fd, bytes, at)
        .map_err(|e| Error::os("its trailer cannot be read", e.into()))?;
    let trailer = trailer::decode(read, file_len)?;
    Ok((stat, trailer))
}

/// What a descriptor was opened for.
fn access_of(fd: BorrowedFd<'_>) -> Result<Access> {
    let flags = rustix::fs::fcntl_getfl(fd)
        .map_err(|e| Error::os("its access cannot be read", e.into()))?;
    match flags & OFlags::RWMODE {
        mode if mode == OFlags::RDWR => Ok(Access::ReadWrite),
        mode if mode == OFlags::RDONLY => Ok(Access::Read),
        _ => Err(denied("it is not open for reading")),
    }
}

/// Makes a file of the user's longer, or leaves it as it was.
fn grow(fd: BorrowedFd<'_>, have: u64, len: u64) -> Result<()> {
    let stat =
        rustix::fs::fstatvfs(fd).map_err(|e| Error::os("it cannot be looked at", e.into()))?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if len - have > free {
        let more = len - have;
        let cause =
            format!("the file needs {more} more bytes, and its file system has {free} free");
        return Err(Error::new(ErrorKind::NoSpace, cause));
    }
    unseen::reserve(fd, have, len).map_err(|error| {
        // What was reserved before it failed goes back, unless somebody else uses it by now.
        if file_len(fd).is_ok_and(|now| now <= len) {
            _ = rustix::fs::ftruncate(fd, have);
        }
        match error {
            Errno::BADF | Errno::INVAL => denied("the file is not open for writing"),
            error => Error::os(format!("the file cannot grow to {len} bytes"), error.into()),
        }
    })
}

fn file_len(fd: BorrowedFd<'_>) -> Result<u64> {
    let stat = rustix::fs::fstat(fd).map_err(|e| Error::os("it cannot be looked at", e.into()))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        let cause = "it is not a file or memory that can be mapped";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    Ok(u64::try_from(stat.st_size).unwrap_or(0))
}

fn whole_pages(len: u64) -> Result<u64> {
    if len == 0 {
        let cause = "a section has at least one byte; set its length with len()";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    len.checked_next_multiple_of(page_size())
        .filter(|len| i64::try_from(len.saturating_add(trailer::LEN)).is_ok())
        .ok_or_else(too_long)
}

fn mode_of(sharing: Sharing) -> Mode {
    Mode::from_raw_mode(match sharing {
        Sharing::Owner => 0o600,
        Sharing::Group(Access::Read) => 0o640,
        Sharing::Group(Access::ReadWrite) => 0o660,
        Sharing::Everyone(Access::Read) => 0o644,
        Sharing::Everyone(Access::ReadWrite) => 0o666,
    })
}

fn sharing_of(stat: &Stat) -> Sharing {
    match stat.st_mode & 0o066 {
        mode if mode & 0o006 == 0o006 => Sharing::Everyone(Access::ReadWrite),
        mode if mode & 0o004 != 0 => Sharing::Everyone(Access::Read),
        mode if mode & 0o060 == 0o060 => Sharing::Group(Access::ReadWrite),
        mode if mode & 0o040 != 0 => Sharing::Group(Access::Read),
        _ => Sharing::Owner,
    }
}

fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "no process holds it")
}

fn already_exists() -> Error {
    Error::new(ErrorKind::AlreadyExists, "some process already holds an object of this name")
}

fn wrong_kind() -> Error {
    Error::new(ErrorKind::WrongKind, "the name belongs to an object of another kind")
}

fn busy() -> Error {
    Error::new(ErrorKind::TimedOut, "another process is busy with it and does not finish")
}

fn too_long() -> Error {
    Error::new(ErrorKind::NoSpace, "so many bytes are more than this system can address")
}

fn denied(cause: &'static str) -> Error {
    Error::new(ErrorKind::PermissionDenied, cause)
}

fn cannot_open(error: Errno) -> Error {
    Error::os("it cannot be opened", error.into())
}

/// Why the file of an object could not be opened.
fn stands_there(path: &Path, error: Errno) -> Error {
    match error {
        Errno::LOOP => no_object(path, "a symbolic link"),
        Errno::ISDIR => no_object(path, "a directory"),
        Errno::NXIO => no_object(path, "a socket"),
        error => cannot_open(error),
    }
}

fn no_object(path: &Path, what: &str) -> Error {
    let cause = format!("{what} stands in its place; remove {}", path.display());
    Error::new(ErrorKind::Corrupted, cause)
}
