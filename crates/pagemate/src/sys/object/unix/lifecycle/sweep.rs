//! Removal of the names of dead objects.

use std::borrow::Cow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::Stat;
use rustix::io::Errno;

use crate::access::Access;
use crate::sys::fault;
use crate::sys::liveness::lock::{self, Holder};
use crate::sys::object::Swept;
use crate::sys::object::unix::format::trailer;
use crate::sys::object::unix::location::file_id::{self, Id};
use crate::sys::object::unix::location::file_location::FileLocation;
use crate::sys::object::unix::memory::pages;

/// The result of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The name does not exist, or belongs to another file.
    Absent,
    /// The object was dead. Its name is removed, and its file had this many bytes.
    Removed(u64),
    /// The object is live, or another process is sweeping it.
    InUse,
    /// The file is not an object, or this user has no right to remove it.
    NotRemovable,
}

/// Removes the name at `location` if its object is dead.
pub(crate) fn sweep(location: &FileLocation) -> Outcome {
    sweep_file(location, None)
}

/// Sweeps the object at `location` if it is dead, and counts it in `swept`.
pub(crate) fn sweep_if_dead(location: &FileLocation, swept: &mut Swept) {
    let Ok(fd) = location.open(Access::Read) else { return };
    if matches!(lock::ask(fd.as_fd()), Ok(Holder::Nobody))
        && let Outcome::Removed(bytes) = sweep(location)
    {
        swept.objects += 1;
        swept.bytes += bytes;
    }
}

/// Removes the name at `location` if its object is dead. If the file is `known`, it is an object,
/// so its trailer is not checked again.
pub(super) fn sweep_file(location: &FileLocation, known: Option<Id>) -> Outcome {
    let fd = match location.open(Access::ReadWrite) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Outcome::Absent,
        Err(_) => return Outcome::NotRemovable,
    };
    remove_if_dead(&fd, location, id_of(&fd), known)
}

pub(super) fn id_of(fd: &OwnedFd) -> Option<Id> {
    rustix::fs::fstat(fd).ok().map(|stat| Id::of(&stat))
}

/// Removes the name at `location` if no process holds a lock on `fd`, which has or had that name.
/// `id` is the identity of `fd`. If it is `known`, the file is an object, so its trailer is not
/// checked.
pub(super) fn remove_if_dead(
    fd: &OwnedFd,
    location: &FileLocation,
    id: Option<Id>,
    known: Option<Id>,
) -> Outcome {
    fault::point("sweep-before-exclude");
    if !matches!(lock::try_exclude(fd.as_fd()), Ok(true)) {
        return Outcome::InUse;
    }
    fault::point("sweep-after-exclude");
    let outcome = id.map_or(Outcome::NotRemovable, |id| remove(fd, location, id, known));
    fault::point("sweep-after-unlink");
    if outcome == Outcome::NotRemovable {
        // Unlock explicitly: a mapped view keeps the description open, and the lock with it.
        _ = lock::release(fd.as_fd());
    }
    outcome
}

/// Removes the name of a dead object. The caller holds its exclusive lock.
fn remove(fd: &OwnedFd, location: &FileLocation, id: Id, known: Option<Id>) -> Outcome {
    let Some((location, stat)) = find(location, id) else { return Outcome::Absent };
    if known != Some(id) && !is_object(fd.as_fd(), &location, &stat) {
        return Outcome::NotRemovable;
    }
    // An opener may have tested the lock while the object was live, and take its shared lock after
    // this sweep. The mark in the trailer then tells the opener that the name is removed, even if
    // the file has a second link.
    trailer::mark_removed(fd.as_fd(), &stat);
    fault::point("sweep-after-mark");
    if location.unlink().is_ok() {
        return Outcome::Removed(u64::try_from(stat.st_size).unwrap_or(0));
    }
    // In a sticky directory only the owner can remove a file, even if other users may write to it.
    // A user with the right to write can still free its memory, unless a view maps it.
    if known.is_none() && matches!(lock::try_exclude_memory(fd.as_fd()), Ok(true)) {
        pages::free_pages(fd.as_fd(), trailer::offset_in(&stat));
    }
    Outcome::NotRemovable
}

/// Returns the location of the file `id`, with a valid directory, and the file's properties. `None` if the
/// name does not exist or refers to another file, which must not be removed.
fn find(location: &FileLocation, id: Id) -> Option<(Cow<'_, FileLocation>, Stat)> {
    // If the name leads to the file, the descriptor of the directory is that of its directory, and
    // needs no check of its own.
    if let Some(stat) = location.stat_if(id) {
        return Some((Cow::Borrowed(location), stat));
    }
    // The program may have closed the descriptor of the directory since the handle was opened.
    let location = location.revalidated()?;
    let stat = location.stat_if(id)?;
    Some((Cow::Owned(location), stat))
}

/// Returns whether a file without a holder is an object that pagemate created or began to create. A
/// sweep must not remove any other file, even if a mistake or another user put it in the directory.
pub(crate) fn is_object(fd: BorrowedFd<'_>, location: &FileLocation, stat: &Stat) -> bool {
    // The mode of an object's file has only bits for reading and writing.
    let mode = stat.st_mode & 0o7777;
    file_id::is_file(stat)
        && mode & !0o666 == 0
        && location.dir.admits_owner(stat.st_uid)
        && (location.file.is_unfinished() || trailer::is_present(fd, stat))
}
