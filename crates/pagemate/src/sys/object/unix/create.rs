//! Making an object where nobody sees it, and giving it its name in one step.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::Mode;
use rustix::io::Errno;

use super::super::{Backing, Existing, Spec};
use super::close::{Outcome, let_go, may_release, sweep};
use super::lock::{self, Holder};
use super::refusal::{self, Patience};
use super::unseen::{self, Unseen};
use super::{
    Named, Object, directory, fork, inventory, open_file, pages, room, trailer, whole_pages,
};
use crate::access::{Access, Sharing};
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::fault;

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
                    Ok(_) => return Err(refusal::already_exists()),
                    Err(error) if error.kind() == ErrorKind::NotFound => {
                        if made.is_some() {
                            not_in_the_way(&path)?;
                        }
                    }
                    Err(error)
                        if existing == Existing::Refuse && is_of_an_object(&error, &path) =>
                    {
                        return Err(refusal::already_exists());
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
                    directory::renew(dir, name.namespace())?;
                }
                Err((_, error)) => return Err(Error::os("its name cannot be made", error.into())),
            }
            patience.wear()?;
        }
    }
}

/// Says what to do about a dead object's name that is taken for good, because this user cannot
/// remove it.
fn not_in_the_way(path: &Path) -> Result<()> {
    let Ok(fd) = open_file(path, Access::Read) else { return Ok(()) };
    if !matches!(lock::ask(fd.as_fd()), Ok(Holder::Nobody)) || sweep(path) != Outcome::Stuck {
        return Ok(());
    }
    let Ok(stat) = rustix::fs::fstat(&fd) else { return Ok(()) };
    if !trailer::is_there(fd.as_fd(), &stat) {
        return Err(refusal::no_object(path, "a file that is none of ours"));
    }
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

/// Builds the object where nobody sees it, with its shared lock.
fn build(dir: &Path, name: &Name, spec: &Spec) -> Result<Unseen> {
    let total = spec.len.checked_add(trailer::LEN).ok_or_else(refusal::too_long)?;
    room::check(dir, if spec.backing == Backing::Sparse { trailer::LEN } else { total })?;
    let no_room = |error: Errno| match error {
        Errno::NOSPC | Errno::DQUOT | Errno::NOMEM => room::too_much(dir, total),
        Errno::FBIG => room::too_large(total),
        Errno::INVAL => refusal::too_long(),
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
            directory::renew(dir, name.namespace())?;
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
        let narrow = open_file(path, access).map_err(refusal::cannot_open)?;
        let shared = lock::try_share(narrow.as_fd());
        if shared.map_err(|e| Error::os("its lock cannot be taken", e))? {
            Ok(narrow)
        } else {
            Err(refusal::busy())
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
            let_go(fd, Access::ReadWrite, path, may_release(before));
            Err(error)
        }
    }
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
