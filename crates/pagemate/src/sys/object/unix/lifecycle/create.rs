//! Making an object where nobody sees it, and giving it its name in one step.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::fs::Mode;
use rustix::io::Errno;

use crate::access::{Access, Sharing};
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::fault;
use crate::sys::liveness::Seats;
use crate::sys::liveness::fork;
use crate::sys::liveness::lock::{self, Holder};
use crate::sys::object::unix::error::{self, Patience};
use crate::sys::object::unix::format::file_record::{self, FileRecord};
use crate::sys::object::unix::format::trailer;
use crate::sys::object::unix::lifecycle::close::{self, Outcome, let_go, may_release, sweep};
use crate::sys::object::unix::lifecycle::passing_sweep;
use crate::sys::object::unix::lifecycle::staging::{self, Staged};
use crate::sys::object::unix::location::directory::{self, Directory, Id};
use crate::sys::object::unix::location::file_location::FileLocation;
use crate::sys::object::unix::memory::{capacity, huge_pages, user_file};
use crate::sys::object::unix::{Named, Object, inventory, seat, whole_pages};
use crate::sys::object::{Backing, Existing, Spec};

impl Object {
    /// Makes an object and gives it its name, complete or not at all; true if it was made.
    pub(crate) fn create(
        name: &Name,
        spec: &Spec<'_>,
        existing: Existing,
    ) -> Result<(Object, bool)> {
        let mut spec = *spec;
        match spec.file {
            Some(file) => user_file::settle(file, &mut spec)?,
            None => spec.len = whole_pages(spec.len)?,
        }
        let mut location = directory::common_place(name)?;
        passing_sweep::sweep_in_passing(&location.dir);
        let before = fork::now();
        let mut patience = Patience::default();
        let mut made: Option<Built> = None;
        let mut swept = false;
        loop {
            // The name comes first: memory is reserved only for an object that is not there yet.
            match Object::open_at(&location, name, spec.kind, spec.access) {
                Ok(object) if existing == Existing::Open => return Ok((object, false)),
                Ok(_) => return Err(error::already_exists()),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    if made.is_some() {
                        not_in_the_way(&location)?;
                    }
                }
                Err(error)
                    if existing == Existing::Refuse && is_of_an_object(&error, &location) =>
                {
                    return Err(error::already_exists());
                }
                Err(error) => return Err(error),
            }
            let built = match made.take() {
                Some(built) => Some(built),
                None => match build(&location.dir, name, &spec) {
                    // What the dead have may be enough.
                    Err(error) if error.kind() == ErrorKind::NoSpace && !swept => {
                        swept = true;
                        _ = inventory::prune();
                        continue;
                    }
                    built => built?,
                },
            };
            let Some(Built { staged, memory, grows, seats }) = built else {
                patience.wear()?;
                location = directory::common_place(name)?;
                continue;
            };
            fault::point("create-before-link");
            let id = staged.id;
            match staged.name(&location) {
                Ok(fd) => {
                    if let Some(file) = memory.as_ref().filter(|_| grows)
                        && let Err(error) = grow(fd.as_fd(), file.as_fd(), spec.len)
                    {
                        let_go(fd, Access::ReadWrite, &location, Some(id), may_release(before));
                        return Err(error);
                    }
                    fault::point("create-after-link");
                    // Who only reads gets no more than that, where the memory is here.
                    let opened_for = if memory.is_some() { Access::ReadWrite } else { spec.access };
                    let fd = narrowed(fd, &location, opened_for, id, before)?;
                    let object = Object {
                        fd: Some(fd),
                        named: Some(Named::new(location, opened_for, before, id)),
                        memory,
                        len: spec.len,
                        protection: spec.protection,
                        access: spec.access,
                        seats,
                    };
                    return Ok((object, true));
                }
                Err((staged, Errno::EXIST)) => {
                    made = Some(Built { staged, memory, grows, seats });
                }
                // Somebody removed the directory, or the file took so long to get its lock that it
                // was swept: the object is built anew.
                Err((_, Errno::NOENT)) => location = directory::common_place(name)?,
                Err((_, error)) => return Err(Error::os("its name cannot be made", error.into())),
            }
            patience.wear()?;
        }
    }
}

/// Says what to do about a dead object's name that is taken for good, because this user cannot
/// remove it.
fn not_in_the_way(location: &FileLocation) -> Result<()> {
    let Ok(fd) = location.open(Access::Read) else { return Ok(()) };
    if !matches!(lock::ask(fd.as_fd()), Ok(Holder::Nobody)) || sweep(location) != Outcome::Stuck {
        return Ok(());
    }
    let Ok(stat) = rustix::fs::fstat(&fd) else { return Ok(()) };
    if !close::is_object(fd.as_fd(), location, &stat) {
        return Err(error::no_object(location, "a file that is none of ours"));
    }
    let cause = format!(
        "no process holds it, but its file {} is left and only user {} can remove it, by listing or pruning",
        location.path().display(),
        stat.st_uid
    );
    Err(Error::new(ErrorKind::PermissionDenied, cause))
}

/// Whether `error` is about a live object at `place` that is there all the same.
fn is_of_an_object(error: &Error, location: &FileLocation) -> bool {
    use ErrorKind::{Corrupted, PermissionDenied, WrongKind, WrongVersion};
    matches!(error.kind(), Corrupted | PermissionDenied | WrongKind | WrongVersion)
        && location.stat().is_ok_and(|stat| directory::is_file(&stat))
}

/// An object that has no name yet.
struct Built {
    staged: Staged,
    /// The user's file that is its memory.
    memory: Option<OwnedFd>,
    /// Whether that file is too short. Then the lock is an exclusive one.
    grows: bool,
    /// What has the first seat, if that is taken.
    seats: Option<Seats>,
}

/// Builds the object where nobody sees it, with its lock; `None` if the directory was removed.
fn build(dir: &Arc<Directory>, name: &Name, spec: &Spec<'_>) -> Result<Option<Built>> {
    let Some(file) = spec.file else {
        let Some(staged) = build_here(dir, name, spec)? else { return Ok(None) };
        let mut seats = None;
        if spec.seated {
            let origin = seat::origin(FileLocation::of(Arc::clone(dir), name));
            seats = Some(seat::first(staged.fd().as_fd(), Some(origin))?);
        }
        return Ok(Some(Built { staged, memory: None, grows: false, seats }));
    };
    let memory = user_file::share(file)?;
    let grows = user_file::has_to_grow(memory.as_fd(), spec.len)?;
    let record = FileRecord::of(memory.as_fd(), spec.len)?;
    let Some(staged) = build_here(dir, name, spec)? else { return Ok(None) };
    let written = rustix::io::pwrite(staged.fd(), &record.encode(), 0);
    written.map_err(|e| Error::os("its record of the file cannot be written", e.into()))?;
    // The file is nobody's to grow before the name is, and nobody's to map before it has grown.
    // Meanwhile the name is as busy as in a sweep.
    let locked = if grows { lock::try_exclude(staged.fd().as_fd()) } else { Ok(true) };
    if !locked.map_err(|e| Error::os("its lock cannot be taken", e))? {
        return Err(error::busy());
    }
    Ok(Some(Built { staged, memory: Some(memory), grows, seats: None }))
}

/// Makes the user's file grow, under the exclusive lock of an object that has its name already, and
/// then leaves the object the shared one.
fn grow(object: BorrowedFd<'_>, file: BorrowedFd<'_>, len: u64) -> Result<()> {
    fault::point("grow-before");
    user_file::grow(file, len)?;
    fault::point("grow-after");
    match lock::try_share(object) {
        Ok(true) => Ok(()),
        Ok(false) => Err(error::busy()),
        Err(error) => Err(Error::os("its lock cannot be taken", error)),
    }
}

/// Builds the part of the object that stands in its own file, with its shared lock; `None` if the
/// directory was removed.
fn build_here(dir: &Arc<Directory>, name: &Name, spec: &Spec<'_>) -> Result<Option<Staged>> {
    let data_len = trailer::data_len(spec);
    let backing = if spec.file.is_some() { Backing::Reserved } else { spec.backing };
    let total = data_len.checked_add(trailer::LEN).ok_or_else(error::too_long)?;
    let path = dir.path();
    capacity::check(path, if backing == Backing::Sparse { trailer::LEN } else { total })?;
    let no_room = |error: Errno| match error {
        Errno::NOSPC | Errno::DQUOT | Errno::NOMEM => capacity::too_much(path, total),
        Errno::FBIG => capacity::too_large(total),
        Errno::INVAL => error::too_long(),
        Errno::OPNOTSUPP => capacity::not_reserved(path, error),
        error => Error::os(format!("{total} bytes cannot be set aside"), error.into()),
    };
    let Some(staged) = locked_file(dir, mode_of(spec))? else { return Ok(None) };
    let fd = staged.fd();
    fault::point("create-after-share");
    if backing == Backing::Huge {
        huge_pages::gather(fd.as_fd(), data_len);
    }
    let from = if backing == Backing::Sparse { data_len } else { 0 };
    staging::reserve(fd.as_fd(), from, total).map_err(no_room)?;
    let creator = rustix::process::getpid().as_raw_nonzero().get().unsigned_abs();
    let bytes = trailer::encode(name, spec, creator);
    let written = rustix::io::pwrite(fd, &bytes, data_len).map_err(no_room)?;
    if written != bytes.len() {
        return Err(capacity::too_much(path, total));
    }
    staging::fill(fd.as_fd(), spec.content)?;
    Ok(Some(staged))
}

/// A new file that nobody sees, with the shared lock of a handle; `None` if the directory was removed.
fn locked_file(dir: &Arc<Directory>, mode: Mode) -> Result<Option<Staged>> {
    let mut patience = Patience::default();
    loop {
        let staged = match Staged::new(dir, mode) {
            Ok(staged) => staged,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(no_file(dir, error)),
        };
        fault::point("create-after-file");
        // First of all: where the file has a name already, an unlocked one is a dead one, and a
        // sweeper may just be there.
        let shared = lock::try_share(staged.fd().as_fd());
        if shared.map_err(|e| Error::os("its lock cannot be taken", e))? {
            return Ok(Some(staged));
        }
        patience.wear()?;
    }
}

/// Why no file can be made.
fn no_file(dir: &Directory, error: Errno) -> Error {
    let cause = format!("no file can be made in {}", dir.path().display());
    match error {
        Errno::ACCESS => Error::os(cause, error.into()),
        Errno::NOSPC | Errno::DQUOT => capacity::no_file(dir.path(), error),
        error => Error::os_as(ErrorKind::Os, cause, error.into()),
    }
}

/// The creator's handle with no more access than it asked for.
fn narrowed(
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
        let narrow = location.open(access).map_err(error::cannot_open)?;
        let shared = lock::try_share(narrow.as_fd());
        if shared.map_err(|e| Error::os("its lock cannot be taken", e))? {
            Ok(narrow)
        } else {
            Err(error::busy())
        }
    };
    let narrow = open();
    // The shared lock of the wide handle held the name until the narrow one had its own.
    match narrow {
        Ok(narrow) => {
            // A child that is about to start another program may have a copy, which must not hold
            // the name when the narrow one is gone. Where it stays locked, closing it has to do.
            if may_release(before) {
                _ = lock::release(fd.as_fd());
            }
            Ok(narrow)
        }
        Err(error) => {
            let_go(fd, Access::ReadWrite, location, Some(id), may_release(before));
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
    // Who could write to a record could send its readers to any file.
    Mode::from_raw_mode(if spec.file.is_some() { mode & !file_record::OTHERS_WRITE } else { mode })
}
