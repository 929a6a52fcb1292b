//! Handles: the numbers by which a program refers to objects.

pub(crate) mod inherit;
mod limit;
pub(crate) mod rights;
pub mod table;
