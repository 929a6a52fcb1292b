//! Handles: the numbers by which a program refers to objects.
//!
//! `table` is a generic table. `entry` lists the kinds of objects, and `process_table` has the one
//! table of this process. The objects themselves are in `crate::object`, which does not import this
//! module.

pub mod close;
pub mod duplicate;
pub(crate) mod entry;
pub mod information;
mod inherit;
mod limit;
pub mod number;
pub(crate) mod process_table;
pub(crate) mod rights;
mod table;
