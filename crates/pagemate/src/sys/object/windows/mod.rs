//! Objects as the kernel's file mappings, on Windows.
//!
//! A section of pagemate is an ordinary kernel section. Any program can open it by its name, and
//! pagemate opens the sections of any program. A handle keeps the name. The kernel closes the
//! handles of a process that ends, however it ends, so there are no dead objects.
//!
//! Comments in this folder cite the behaviour of Windows by *rows*: the numbered statements in
//! `tests/win32_rows.rs`, which that test checks.

mod error;
mod inventory;
mod mapping;
pub(crate) mod named;
pub(crate) mod native;
mod object;
pub(crate) mod security;
mod sizes;
mod spec;

pub(crate) use self::inventory::{find, list, names, open_for_descriptor, prune, session};
pub(crate) use self::mapping::Mapping;
pub(crate) use self::object::Object;
pub(crate) use self::sizes::allocation_granularity;

/// Whether the content of a new object is complete when other processes can first open it. The
/// kernel creates a section of zeros and names it in one step, so other processes may open it
/// before its content is complete.
pub(crate) const CONTENT_APPEARS_WHOLE: bool = false;
/// No call of Windows reports a new name in an object directory.
pub(crate) use super::wait_for_name::Poll as NameWatch;
