//! The memory of objects: its limits, its reservation and its mappings.

pub(crate) mod capacity;
mod cgroup;
pub(crate) mod mapping;
pub(crate) mod pages;
pub(crate) mod reserve;
pub(crate) mod user_file;
