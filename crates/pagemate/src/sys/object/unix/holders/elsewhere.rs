//! macOS tells only by a library of its own which processes have a file open.

use std::path::PathBuf;

use rustix::fs::Stat;

/// A live object whose holders are wanted.
#[derive(Debug)]
pub(super) struct Sought;

impl Sought {
    pub(super) fn new(_: PathBuf, _: &Stat) -> Sought {
        Sought
    }
}

/// The processes that hold each of these objects: none is known.
pub(super) fn of(objects: &[Sought]) -> Vec<Vec<u32>> {
    vec![Vec::new(); objects.len()]
}
