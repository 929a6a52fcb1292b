//! Handles: the numbers by which a program refers to objects.

pub(crate) mod inherit;
pub mod table;
