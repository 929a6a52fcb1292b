//! The child processes that this library must reap.
//!
//! A terminated child stays a zombie until its parent waits for it. A program that only closes the
//! handle of a child never waits. So each start of a program reaps the children that have
//! terminated, which bounds the number of zombies by the number of children that existed at the
//! same time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::object::Process;

pub(crate) type Children = Vec<Arc<Process>>;

static CHILDREN: Mutex<Children> = Mutex::new(Vec::new());

/// Locks the list. `fork` acquires this lock first, so that a forked child finds it unlocked.
pub(crate) fn locked() -> MutexGuard<'static, Children> {
    CHILDREN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds a started child, and reaps terminated children.
pub(super) fn add(child: Arc<Process>) {
    let mut children = locked();
    children.retain(|child| child.end().is_none());
    children.push(child);
}

/// Reaps terminated children.
pub(super) fn reap() {
    locked().retain(|child| child.end().is_none());
}

/// Returns the child with this number.
pub(super) fn find(id: u32) -> Option<Arc<Process>> {
    locked().iter().find(|child| child.id() == id).cloned()
}
