//! The child processes that this library must reap.
//!
//! A terminated child stays a zombie until its parent waits for it. A program that only closes the
//! handle of a child never waits. So each start of a program reaps the children that have
//! terminated, which bounds the number of zombies by the number of children that existed at the
//! same time.

use std::sync::Arc;

use super::object::Process;
use crate::locks::{Protected, Rank};

static CHILDREN: Protected<Vec<Arc<Process>>> = Protected::new(Rank::Children, Vec::new());

/// Adds a started child, and reaps terminated children.
pub(super) fn add(child: Arc<Process>) {
    let mut children = CHILDREN.lock();
    children.retain(|child| child.end().is_none());
    children.push(child);
}

/// Reaps terminated children.
pub(super) fn reap() {
    CHILDREN.lock().retain(|child| child.end().is_none());
}

/// Returns the child with this number.
pub(super) fn find(id: u32) -> Option<Arc<Process>> {
    CHILDREN.lock().iter().find(|child| child.id() == id).cloned()
}
