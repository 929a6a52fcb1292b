//! Systems without `/proc`. On macOS only a library that this crate does not use lists the
//! processes that have a file open.

use std::path::PathBuf;

use rustix::fs::Stat;

/// A live object whose holders are looked up.
#[derive(Debug)]
pub(crate) struct Query;

impl Query {
    pub(crate) fn new(_: PathBuf, _: &Stat) -> Query {
        Query
    }
}

/// Returns no holder for each of these objects.
pub(crate) fn of(objects: &[Query]) -> Vec<Vec<u32>> {
    vec![Vec::new(); objects.len()]
}
