//! Files: opens, reads, writes and deletes them.

pub mod attributes;
pub mod object;
pub(crate) mod path;
pub mod transfer;
