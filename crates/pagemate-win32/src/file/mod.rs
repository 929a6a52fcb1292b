//! Files, and moving bytes to and from them.

pub mod attributes;
pub mod object;
pub(crate) mod path;
pub mod transfer;
