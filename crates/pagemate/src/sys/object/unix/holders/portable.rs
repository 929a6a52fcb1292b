//! macOS tells only by a library of its own which processes have a file open.

use std::path::PathBuf;

use rustix::fs::Stat;

/// A live object whose holders are wanted.
#[derive(Debug)]
pub(crate) struct Sought;

impl Sought {
    pub(crate) fn new(_: PathBuf, _: &Stat) -> Sought {
        Sought
    }
}

/// The processes that hold each of these objects: none is known.
pub(crate) fn of(objects: &[Sought]) -> Vec<Vec<u32>> {
    vec![Vec::new(); objects.len()]
}
