//! The children of this process that may have to be reaped.
//!
//! A child that has ended stays a zombie until its parent asks how it ended. A program that closes the
//! handle of a child never asks. So every start of a program reaps the children that have ended since:
//! there are never more zombies than there were children at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::object::Process;

pub(crate) type Children = Vec<Arc<Process>>;

static CHILDREN: Mutex<Children> = Mutex::new(Vec::new());

/// Locks the list. `fork` holds it, so that a forked child finds it unlocked.
pub(crate) fn locked() -> MutexGuard<'static, Children> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds a child that was started, and reaps those that have ended.
pub(super) fn add(child: Arc<Process>) {
    let mut children = locked();
    children.retain(|child| child.end().is_none());
    children.push(child);
}

/// Reaps the children that have ended.
pub(super) fn reap() {
    locked().retain(|child| child.end().is_none());
}

/// Finds a child by its number.
pub(super) fn find(id: u32) -> Option<Arc<Process>> {
    locked().iter().find(|child| child.id() == id).cloned()
}
