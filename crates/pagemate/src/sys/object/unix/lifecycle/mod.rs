//! The life of an object: it is created invisibly, linked to its name, opened, closed and swept.

pub(crate) mod close;
pub(crate) mod create;
pub(crate) mod directory_scan;
pub(crate) mod open;
pub(crate) mod passing_sweep;
pub(crate) mod prune;
pub(crate) mod staging;
pub(crate) mod sweep;
