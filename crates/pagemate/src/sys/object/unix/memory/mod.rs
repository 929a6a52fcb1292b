//! Memory behind objects: reserved, limited, mapped.

pub(crate) mod capacity;
mod cgroup;
pub(crate) mod huge_pages;
pub(crate) mod mapping;
pub(crate) mod user_file;
