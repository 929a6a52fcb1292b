//! Creation of objects. An object is built without a name, and gets its name in one atomic step.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rustix::fs::Mode;
use rustix::io::Errno;

use crate::access::{Access, Protection, Sharing};
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::fault;
use crate::sys::liveness::Seats;
use crate::sys::liveness::fork;
use crate::sys::liveness::lock::{self, Holder};
use crate::sys::object::unix::error;
use crate::sys::object::unix::format::file_record::{self, FileRecord};
use crate::sys::object::unix::format::trailer;
use crate::sys::object::unix::lifecycle::close::release_handle;
use crate::sys::object::unix::lifecycle::passing_sweep;
use crate::sys::object::unix::lifecycle::prune::prune;
use crate::sys::object::unix::lifecycle::staging::{self, Staged};
use crate::sys::object::unix::lifecycle::sweep::{self, Outcome, sweep};
use crate::sys::object::unix::location::directory::Directory;
use crate::sys::object::unix::location::file_id::{self, Id};
use crate::sys::object::unix::location::file_location::FileLocation;
use crate::sys::object::unix::location::resolve;
use crate::sys::object::unix::memory::{capacity, pages, reserve::reserve, user_file};
use crate::sys::object::unix::retry::{self, RetryLimiter};
use crate::sys::object::unix::{Named, Object, object_seats, whole_pages};
use crate::sys::object::{Backing, Existing, Init, Spec};

impl Object {
    /// Creates an object and publishes it under its name, complete or not at all. If the name is
    /// taken, opens that object or fails, depending on `existing`. Returns whether the object was
    /// created. `init` serves memory of pagemate, not files of the user.
    pub(crate) fn create(
        name: &Name,
        spec: &Spec<'_>,
        existing: Existing,
        mut init: Option<Init<'_>>,
    ) -> Result<(Object, bool)> {
        let has_init = init.is_some();
        let mut spec = Spec { asked_len: spec.len, ..*spec };
        match spec.file {
            Some(file) => {
                user_file::resolve_spec(file, &mut spec)?;
                if spec.origin.is_some() {
                    check_mirror(file, &spec)?;
                }
                spec.asked_len = spec.len;
            }
            None => spec.len = whole_pages(spec.len)?,
        }
        let mut location = resolve::shared_location(name)?;
        passing_sweep::sweep_in_passing(&location.dir);
        let before = fork::now();
        let mut retries = RetryLimiter::default();
        let mut unpublished: Option<Built> = None;
        let mut swept = false;
        loop {
            // Look for an existing object first, so that no memory is reserved if there is one.
            match Object::open_at(&location, name, spec.kind, spec.access) {
                Ok(Some(object)) if existing == Existing::Open => return Ok((object, false)),
                Ok(Some(_)) => return Err(error::already_exists()),
                Ok(None) if unpublished.is_some() => check_name_is_removable(&location)?,
                Ok(None) => {}
                Err(error)
                    if existing == Existing::Refuse && is_of_an_object(&error, &location) =>
                {
                    return Err(error::already_exists());
                }
                Err(error) => return Err(error),
            }
            let built = match unpublished.take() {
                Some(built) => Some(built),
                None => match build(&location.dir, name, &spec) {
                    // Freeing the memory of dead objects may make enough of it available, so sweep
                    // them and try once more.
                    Err(error) if error.kind() == ErrorKind::NoSpace && !swept => {
                        swept = true;
                        _ = prune();
                        continue;
                    }
                    built => built?,
                },
            };
            let Some(Built { staged, memory, grows, seats }) = built else {
                retries.back_off()?;
                location = resolve::shared_location(name)?;
                continue;
            };
            if let Some(init) = init.take() {
                init(memory_of(staged.fd().as_fd(), &spec)?)?;
            }
            fault::point("create-before-link");
            let id = staged.id;
            match staged.link(&location) {
                Ok(fd) => {
                    if let Some(file) = memory.as_ref().filter(|_| grows)
                        && let Err(error) = grow(fd.as_fd(), file.as_fd(), spec.len)
                    {
                        let is_private = before.has_not_forked_since();
                        release_handle(fd, Access::ReadWrite, &location, Some(id), is_private);
                        return Err(error);
                    }
                    fault::point("create-after-link");
                    // A read-only handle must not keep a descriptor that can write to the memory.
                    let opened_for = if memory.is_some() { Access::ReadWrite } else { spec.access };
                    let fd = restrict_access(fd, &location, opened_for, id, before)?;
                    let named = Named::new(location, opened_for, before, id);
                    // `init` may have kept a view, which shares the description and so the lock.
                    named.lent.store(has_init, Ordering::Relaxed);
                    let object = Object {
                        fd: Some(fd),
                        named: Some(named),
                        memory,
                        len: spec.len,
                        asked_len: spec.asked_len,
                        protection: spec.protection,
                        access: spec.access,
                        seats,
                    };
                    return Ok((object, true));
                }
                Err((staged, Errno::EXIST)) => {
                    unpublished = Some(Built { staged, memory, grows, seats });
                }
                // Another program removed the directory, or a sweep removed the file before it was
                // locked. Build the object again.
                Err((_, Errno::NOENT)) if !has_init => location = resolve::shared_location(name)?,
                Err((_, error)) => {
                    return Err(Error::os("its file cannot be linked to its name", error.into()));
                }
            }
            retries.back_off()?;
        }
    }
}

/// Fails if a mirror of this file is impossible: its file must not grow, and only its own user reaches
/// the descriptor of its creator.
fn check_mirror(file: &File, spec: &Spec<'_>) -> Result<()> {
    let len = user_file::len_of(file.as_fd())?;
    if spec.len > len {
        let cause = format!("a mirror cannot be longer than its file, which has {len} bytes");
        return Err(Error::new(ErrorKind::OutOfRange, cause));
    }
    if spec.sharing != Sharing::Owner {
        let cause = "a mirror is for its own user; leave the sharing at its default";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    Ok(())
}

/// Fails if the name belongs to a dead object that this user cannot remove, or to a file that
/// pagemate did not create.
fn check_name_is_removable(location: &FileLocation) -> Result<()> {
    let Ok(fd) = location.open(Access::Read) else { return Ok(()) };
    if !matches!(lock::ask(fd.as_fd()), Ok(Holder::Nobody))
        || sweep(location) != Outcome::NotRemovable
    {
        return Ok(());
    }
    let Ok(stat) = rustix::fs::fstat(&fd) else { return Ok(()) };
    if !sweep::is_object(fd.as_fd(), location, &stat) {
        return Err(error::not_an_object(location, "a file that pagemate did not create"));
    }
    let cause = format!(
        "no process holds it, but its file {} is left and only user {} can remove it, by listing or pruning",
        location.path().display(),
        stat.st_uid
    );
    Err(Error::new(ErrorKind::PermissionDenied, cause))
}

/// Returns whether `error` means that there is a live object at `location`, which could not be
/// opened.
fn is_of_an_object(error: &Error, location: &FileLocation) -> bool {
    use ErrorKind::{Corrupted, PermissionDenied, WrongKind, WrongVersion};
    matches!(error.kind(), Corrupted | PermissionDenied | WrongKind | WrongVersion)
        && location.stat().is_ok_and(|stat| file_id::is_file(&stat))
}

/// An object that is not linked to its name yet.
struct Built {
    staged: Staged,
    /// The user's file that is its memory.
    memory: Option<OwnedFd>,
    /// Whether that file has to grow. The object's own file is then locked exclusively until it has
    /// grown.
    grows: bool,
    /// The creator's seats, if it has taken the first seat.
    seats: Option<Seats>,
}

/// Returns the memory of an object without a name, for writing its content.
fn memory_of(file: BorrowedFd<'_>, spec: &Spec<'_>) -> Result<Object> {
    let fd = rustix::io::fcntl_dupfd_cloexec(file, 0)
        .map_err(|e| Error::os("its descriptor cannot be duplicated", e.into()))?;
    Ok(Object {
        fd: Some(fd),
        named: None,
        memory: None,
        len: spec.len,
        asked_len: spec.asked_len,
        protection: Protection::ReadWrite,
        access: Access::ReadWrite,
        seats: None,
    })
}

/// Builds a locked object without a name. `None` if the directory was removed.
fn build(dir: &Arc<Directory>, name: &Name, spec: &Spec<'_>) -> Result<Option<Built>> {
    let Some(file) = spec.file else {
        let Some(staged) = build_own_file(dir, name, spec)? else { return Ok(None) };
        let mut seats = None;
        if spec.seated {
            let origin = object_seats::origin(FileLocation::of(Arc::clone(dir), name));
            seats = Some(object_seats::take_first(staged.fd().as_fd(), Some(origin))?);
        }
        return Ok(Some(Built { staged, memory: None, grows: false, seats }));
    };
    let memory = user_file::duplicate(file)?;
    let grows = user_file::needs_growth(memory.as_fd(), spec.len)?;
    let record = match spec.origin {
        None => FileRecord::of(memory.as_fd(), spec.len)?,
        Some(origin) => FileRecord::of_mirror(memory.as_fd(), spec.len, origin)?,
    };
    let Some(staged) = build_own_file(dir, name, spec)? else { return Ok(None) };
    let written = rustix::io::pwrite(staged.fd(), &record.encode(), 0);
    written.map_err(|e| Error::os("its record of the file cannot be written", e.into()))?;
    // The file must not grow before this process has linked the name, and no process may map the
    // section before the file has grown. The exclusive lock makes openers retry in between, as
    // during a sweep.
    if grows && !lock::try_exclude(staged.fd().as_fd())? {
        return Err(retry::busy());
    }
    Ok(Some(Built { staged, memory: Some(memory), grows, seats: None }))
}

/// Extends the user's file under the exclusive lock of an object that has its name already. Then
/// replaces the exclusive lock by the shared one.
fn grow(object: BorrowedFd<'_>, file: BorrowedFd<'_>, len: u64) -> Result<()> {
    fault::point("grow-before");
    user_file::grow(file, len)?;
    fault::point("grow-after");
    if lock::try_share(object)? { Ok(()) } else { Err(retry::busy()) }
}

/// Builds the object's own file, with its shared lock. `None` if the directory was removed.
fn build_own_file(dir: &Arc<Directory>, name: &Name, spec: &Spec<'_>) -> Result<Option<Staged>> {
    let data_len = trailer::data_len(spec);
    let backing = if spec.file.is_some() { Backing::Reserved } else { spec.backing };
    let total = data_len.checked_add(trailer::LEN).ok_or_else(error::too_long)?;
    let path = dir.path();
    capacity::check(path, if backing == Backing::Sparse { trailer::LEN } else { total })?;
    let reserve_error = |error: Errno| match error {
        Errno::NOSPC | Errno::DQUOT | Errno::NOMEM => capacity::exceeds_free_space(path, total),
        Errno::FBIG => capacity::exceeds_file_limit(total),
        Errno::INVAL => error::too_long(),
        Errno::OPNOTSUPP => capacity::cannot_reserve(path, error),
        error => Error::os(format!("{total} bytes cannot be reserved"), error.into()),
    };
    let Some(staged) = locked_file(dir, mode_of(spec))? else { return Ok(None) };
    let fd = staged.fd();
    fault::point("create-after-share");
    if backing == Backing::Huge {
        pages::allocate_huge(fd.as_fd(), data_len);
    }
    let from = if backing == Backing::Sparse { data_len } else { 0 };
    reserve(fd.as_fd(), from, total).map_err(reserve_error)?;
    let trailer = trailer::encode(name, spec, fork::pid());
    let bytes = trailer.as_bytes();
    let written = rustix::io::pwrite(fd, bytes, data_len).map_err(reserve_error)?;
    if written != bytes.len() {
        return Err(capacity::exceeds_free_space(path, total));
    }
    staging::write_content(fd.as_fd(), spec.content)?;
    Ok(Some(staged))
}

/// Creates a file that is not linked to the name of an object, and takes its shared lock. `None` if
/// the directory was removed.
fn locked_file(dir: &Arc<Directory>, mode: Mode) -> Result<Option<Staged>> {
    let mut retries = RetryLimiter::default();
    loop {
        let staged = match Staged::new(dir, mode) {
            Ok(staged) => staged,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(cannot_create_file(dir, error)),
        };
        fault::point("create-after-file");
        // Lock the file before anything else. If the file has a hidden name, a sweep treats the
        // unlocked file as dead, and may hold its exclusive lock now.
        if lock::try_share(staged.fd().as_fd())? {
            return Ok(Some(staged));
        }
        retries.back_off()?;
    }
}

/// Returns the error for a file that could not be created.
fn cannot_create_file(dir: &Directory, errno: Errno) -> Error {
    let cause = format!("no file can be created in {}", dir.path().display());
    match errno {
        Errno::ACCESS => Error::os(cause, errno.into()),
        Errno::NOSPC | Errno::DQUOT => capacity::no_free_inode(dir.path(), errno),
        Errno::ROFS => {
            let cause = format!("{cause}; {}", error::MOUNT_IT);
            Error::os_as(ErrorKind::Os, cause, errno.into())
        }
        Errno::NOTSUP => {
            let cause = format!(
                "{cause}, because its file system lacks files without a name (O_TMPFILE); set \
                 PAGEMATE_DIR to a directory on a tmpfs"
            );
            Error::os_as(ErrorKind::Unsupported, cause, errno.into())
        }
        errno => Error::os_as(ErrorKind::Os, cause, errno.into()),
    }
}

/// Replaces the creator's descriptor by one that has no more than the requested access.
fn restrict_access(
    fd: OwnedFd,
    location: &FileLocation,
    access: Access,
    id: Id,
    before: fork::Moment,
) -> Result<OwnedFd> {
    if access == Access::ReadWrite {
        return Ok(fd);
    }
    let open = || {
        let restricted = location.open(access).map_err(error::cannot_open)?;
        if lock::try_share(restricted.as_fd())? { Ok(restricted) } else { Err(retry::busy()) }
    };
    // The shared lock of `fd` keeps the object live until the new descriptor has its own lock.
    match open() {
        Ok(restricted) => {
            // A child between `fork` and `exec` may hold a duplicate of `fd`, which must not hold
            // the object after the new descriptor is closed. Unlock it, unless the process has
            // forked since: then the child shares the description and holds the object itself.
            if before.has_not_forked_since() {
                _ = lock::release(fd.as_fd());
            }
            Ok(restricted)
        }
        Err(error) => {
            let is_private = before.has_not_forked_since();
            release_handle(fd, Access::ReadWrite, location, Some(id), is_private);
            Err(error)
        }
    }
}

fn mode_of(spec: &Spec<'_>) -> Mode {
    let mode = match spec.sharing {
        Sharing::Owner => 0o600,
        Sharing::Group(Access::Read) => 0o640,
        Sharing::Group(Access::ReadWrite) => 0o660,
        Sharing::Everyone(Access::Read) => 0o644,
        Sharing::Everyone(Access::ReadWrite) => 0o666,
    };
    // Other users must not write to the record: they could make its readers open any file.
    Mode::from_raw_mode(if spec.file.is_some() { mode & !file_record::OTHERS_WRITE } else { mode })
}
