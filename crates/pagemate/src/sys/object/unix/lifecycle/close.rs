//! Letting go, and removing the names of the dead.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::Stat;
use rustix::io::Errno;

use crate::access::Access;
use crate::sys::fault;
use crate::sys::liveness::fork;
use crate::sys::liveness::lock;
use crate::sys::object::unix::format::trailer;
use crate::sys::object::unix::location::directory::{self, Id};
use crate::sys::object::unix::location::file_location::FileLocation;
use crate::sys::object::unix::memory::huge_pages;

/// Whether the descriptor of a handle that was opened after `before`, and lent to nobody, can
/// serve its own end: nobody else uses it.
pub(crate) fn may_release(before: fork::Moment) -> bool {
    before.has_not_forked_since()
}

/// Lets a handle go, and the name with it if it was the last.
///
/// Giving up the lock comes first and the question after. So whoever gives up last also asks last,
/// and somebody always sees that nobody is left. Where the descriptor is `ours` alone, it is unlocked
/// first: to close it would not do, because a child that is about to start another program has a
/// copy. It serves for the question too if it may take an exclusive lock. A forked child, or whoever
/// was handed the descriptor, shares the lock: to release it would end their hold, and to ask through
/// it would be to ask about others only. Then closing gives up our part of it, and the question goes
/// through a new descriptor.
pub(crate) fn let_go(
    fd: OwnedFd,
    access: Access,
    location: &FileLocation,
    id: Option<Id>,
    ours: bool,
) {
    fault::point("close-before-release");
    if ours && lock::release(fd.as_fd()).is_ok() {
        fault::point("close-after-release");
        if access == Access::ReadWrite {
            remove_if_dead(&fd, location, id.or_else(|| id_of(&fd)), id);
            return;
        }
    }
    drop(fd);
    fault::point("close-after-close");
    if let Some(location) = location.again() {
        sweep_known(&location, id);
    }
}

/// What became of a name that looked dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There was none.
    Absent,
    /// It was dead and is gone, with this many bytes.
    Removed(u64),
    /// It is alive, or somebody else is removing it.
    Kept,
    /// It is not ours to remove.
    Stuck,
}

/// Removes the name at `place` if nobody holds its object.
pub(crate) fn sweep(location: &FileLocation) -> Outcome {
    sweep_known(location, None)
}

/// The same where one file is known to be an object.
fn sweep_known(location: &FileLocation, known: Option<Id>) -> Outcome {
    let fd = match location.open(Access::ReadWrite) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Outcome::Absent,
        Err(_) => return Outcome::Stuck,
    };
    remove_if_dead(&fd, location, id_of(&fd), known)
}

fn id_of(fd: &OwnedFd) -> Option<Id> {
    rustix::fs::fstat(fd).ok().map(|stat| Id::of(&stat))
}

/// Removes the name at `place` if nobody has a lock on `fd`, its object or one that had the name.
/// `id` is that of `fd`; the file `known` is known to be an object.
fn remove_if_dead(
    fd: &OwnedFd,
    location: &FileLocation,
    id: Option<Id>,
    known: Option<Id>,
) -> Outcome {
    fault::point("sweep-before-exclude");
    if !matches!(lock::try_exclude(fd.as_fd()), Ok(true)) {
        return Outcome::Kept;
    }
    fault::point("sweep-after-exclude");
    let outcome = id.map_or(Outcome::Stuck, |id| remove(fd, location, id, known));
    fault::point("sweep-after-unlink");
    if outcome == Outcome::Stuck {
        // A view that is still mapped keeps the description, and would keep the lock with it.
        _ = lock::release(fd.as_fd());
    }
    outcome
}

/// Removes the name of a dead object, under its exclusive lock.
fn remove(fd: &OwnedFd, location: &FileLocation, id: Id, known: Option<Id>) -> Outcome {
    // The handle may be old, and the descriptor of its directory closed by the program.
    let Some(location) = location.again() else { return Outcome::Absent };
    // The name may stand for another object by now: then this one has none, and ours is not it.
    let Some(stat) = location.stat_if(id) else { return Outcome::Absent };
    if known != Some(id) && !is_object(fd.as_fd(), &location, &stat) {
        return Outcome::Stuck;
    }
    // An opener that asked while the object was alive may take its lock after this, and then sees
    // that it came too late, even if the file has another name.
    trailer::mark_removed(fd.as_fd(), &stat);
    fault::point("sweep-after-mark");
    if location.unlink().is_ok() {
        return Outcome::Removed(u64::try_from(stat.st_size).unwrap_or(0));
    }
    // In a sticky directory a file is its owner's to remove, whoever may write to it. The memory can
    // be given back even so, unless a view still shows it.
    if known.is_none() && matches!(lock::try_exclude_memory(fd.as_fd()), Ok(true)) {
        huge_pages::give_back(fd.as_fd(), trailer::begins_at(&stat));
    }
    Outcome::Stuck
}

/// Whether a file that nobody holds is an object that pagemate made, or began to make. Any other file
/// is left alone, wherever a mistake or a stranger put it or led us.
pub(crate) fn is_object(fd: BorrowedFd<'_>, location: &FileLocation, stat: &Stat) -> bool {
    // Only permissions to read and write are ever given.
    let mode = stat.st_mode & 0o7777;
    directory::is_file(stat)
        && mode & !0o666 == 0
        && location.dir.is_owner(stat.st_uid)
        && (location.file.is_unfinished() || trailer::is_there(fd, stat))
}
