//! The bytes of an object's file: `docs/layout.md` has the map.

pub(crate) mod file_record;
mod mirror;
mod stored;
pub(crate) mod trailer;
