//! Closing of handles. The last one removes the name.

use std::os::fd::{AsFd, OwnedFd};

use crate::access::Access;
use crate::sys::fault;
use crate::sys::liveness::lock;
use crate::sys::object::unix::lifecycle::sweep::{id_of, remove_if_dead, sweep_file};
use crate::sys::object::unix::location::file_id::Id;
use crate::sys::object::unix::location::file_location::FileLocation;

/// Closes a handle, and removes the name if it was the last one.
///
/// The handle releases its shared lock before it tries the exclusive lock. The last process to
/// release is therefore also the last to try, so one process always finds that no holder is left.
///
/// If no other process shares the open file description (`is_private`), it is unlocked explicitly:
/// a child between `fork` and `exec` may hold a duplicate of the descriptor, and closing this one
/// would leave the lock in place. A description opened for writing then also tries the exclusive
/// lock.
///
/// If a forked child or a recipient of the descriptor shares the description, unlocking would end
/// the hold of that process. A description also never conflicts with its own lock, so a test
/// through it would not see that process. The descriptor is then only closed, and a new one tries
/// the lock.
pub(crate) fn release_handle(
    fd: OwnedFd,
    access: Access,
    location: &FileLocation,
    id: Option<Id>,
    is_private: bool,
) {
    fault::point("close-before-release");
    if is_private && lock::release(fd.as_fd()).is_ok() {
        fault::point("close-after-release");
        if access == Access::ReadWrite {
            remove_if_dead(&fd, location, id.or_else(|| id_of(&fd)), id);
            return;
        }
    }
    drop(fd);
    fault::point("close-after-close");
    if let Some(location) = location.revalidated() {
        sweep_file(&location, id);
    }
}
