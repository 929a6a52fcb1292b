//! Files: creates, opens, reads, writes, resizes and deletes them.

pub mod attributes;
pub mod create;
pub mod delete;
pub mod flush;
mod low_half;
mod mapped;
pub(crate) mod path;
pub mod position;
pub mod size;
pub mod transfer;
