//! Letting go, and removing the names of the dead.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Stat};
use rustix::io::Errno;

use super::directory::Id;
use super::{directory, fork, lock, open_file, trailer};
use crate::access::Access;
use crate::sys::fault;

/// Whether the descriptor of a handle that was opened after `before`, and lent to nobody, can
/// serve its own end: nobody else uses it.
pub(super) fn may_release(before: fork::Moment) -> bool {
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
pub(super) fn let_go(fd: OwnedFd, access: Access, path: &Path, id: Option<Id>, ours: bool) {
    fault::point("close-before-release");
    if ours && lock::release(fd.as_fd()).is_ok() {
        fault::point("close-after-release");
        if access == Access::ReadWrite {
            remove_if_dead(&fd, path, id);
            return;
        }
    }
    drop(fd);
    fault::point("close-after-close");
    sweep(path);
}

/// What became of a name that looked dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
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
pub(super) fn sweep(path: &Path) -> Outcome {
    let fd = match open_file(path, Access::ReadWrite) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Outcome::Absent,
        Err(_) => return Outcome::Stuck,
    };
    remove_if_dead(&fd, path, None)
}

/// Removes the name at `path` if nobody has a lock on `fd`, its object or one that had the name; `id`
/// tells which file that is, if that is known.
fn remove_if_dead(fd: &OwnedFd, path: &Path, id: Option<Id>) -> Outcome {
    fault::point("sweep-before-exclude");
    if !matches!(lock::try_exclude(fd.as_fd()), Ok(true)) {
        return Outcome::Kept;
    }
    fault::point("sweep-after-exclude");
    // The name may stand for another object by now: then this one has none, and ours is not it.
    let id = id.or_else(|| rustix::fs::fstat(fd).ok().map(|stat| Id::of(&stat)));
    let outcome = match id.map(|id| directory::standing_at(path, id)) {
        Some(None) => Outcome::Absent,
        Some(Some(stat))
            if directory::is_file(&stat)
                && is_ours(fd.as_fd(), path, &stat)
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

/// Whether a file that nobody holds is pagemate's to remove. In a directory of its own all are;
/// where others have files too, those with a trailer.
fn is_ours(fd: BorrowedFd<'_>, path: &Path, stat: &Stat) -> bool {
    !directory::is_common(path) || trailer::is_there(fd, stat)
}
