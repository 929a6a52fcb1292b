//! The errors that several calls return.

use std::os::fd::AsFd;

use rustix::io::Errno;

use crate::access::Access;
use crate::error::{Error, ErrorKind, Quoted};
use crate::name::Name;
use crate::sys::liveness::lock::{self, Holder};
use crate::sys::object::unix::location::file_location::FileLocation;

pub(crate) fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "no process holds it")
}

pub(crate) fn already_exists() -> Error {
    Error::new(ErrorKind::AlreadyExists, "some process already holds an object of this name")
}

/// Returns the error for an object whose name another program removed.
pub(crate) fn orphaned(location: &FileLocation) -> Error {
    let cause = format!(
        "another program removed {}, so that other processes no longer find this object; close every \
         handle to it and create it again ('pagemate doctor' names settings that remove objects)",
        location.path().display()
    );
    Error::new(ErrorKind::Orphaned, cause)
}

pub(crate) fn mirror_ended() -> Error {
    let cause = "the memory that it mirrors has ended, or the process that mirrored it; close it and \
                 open the name again";
    Error::new(ErrorKind::Orphaned, cause)
}

pub(crate) fn wrong_kind() -> Error {
    Error::new(ErrorKind::WrongKind, "the name belongs to an object of another kind")
}

pub(crate) fn too_long() -> Error {
    Error::new(ErrorKind::NoSpace, "its length is more than this system can address")
}

pub(crate) fn permission_denied(cause: &'static str) -> Error {
    Error::new(ErrorKind::PermissionDenied, cause)
}

/// The remedy for a directory of objects that this process sees read-only.
pub(crate) const MOUNT_IT: &str = "mount that file system for writing as well, or set PAGEMATE_DIR";

pub(crate) fn cannot_open(error: Errno) -> Error {
    Error::os("it cannot be opened", error.into())
}

/// Returns the error for an object's file that could not be opened for `access`.
pub(crate) fn open_failed(location: &FileLocation, access: Access, error: Errno) -> Error {
    match error {
        Errno::LOOP => not_an_object(location, "a symbolic link"),
        Errno::ISDIR => not_an_object(location, "a directory"),
        Errno::NXIO => not_an_object(location, "a socket"),
        Errno::ACCESS => not_shared(location, access),
        Errno::ROFS => {
            let cause = format!("it can only be opened for reading here; {MOUNT_IT}");
            Error::os_as(ErrorKind::Os, cause, error.into())
        }
        error => cannot_open(error),
    }
}

/// Returns the error for another user's object that does not grant `access`. For a dead object it
/// is `NotFound`.
fn not_shared(location: &FileLocation, access: Access) -> Error {
    let owner = match location.stat() {
        Ok(stat) => stat.st_uid,
        Err(error) => return cannot_open(error),
    };
    let cause = match (access, location.open(Access::Read)) {
        // The right to read is enough to test the lock.
        (Access::ReadWrite, Ok(fd)) if matches!(lock::ask(fd.as_fd()), Ok(Holder::Nobody)) => {
            return not_found();
        }
        (Access::ReadWrite, Ok(_)) => format!("user {owner} shares it for reading only"),
        _ => format!("user {owner} does not share it with this user"),
    };
    Error::os_as(ErrorKind::PermissionDenied, cause, Errno::ACCESS.into())
}

/// Returns the error for a directory entry that has the file name of an object, but is `found`
/// instead of an object.
pub(crate) fn not_an_object(location: &FileLocation, found: &str) -> Error {
    let path = location.path();
    let cause = format!("{} is not an object but {found}; remove it", path.display());
    Error::new(ErrorKind::Corrupted, cause)
}

/// Returns the error for a file that has the file name of one object and the trailer of `other`.
pub(crate) fn name_mismatch(other: &Name) -> Error {
    let cause = format!("its file belongs to another name, {}", Quoted(&other.to_string()));
    Error::new(ErrorKind::Corrupted, cause)
}
