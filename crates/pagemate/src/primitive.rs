//! The atomics of the protocols in shared memory. The protocols import them only from here, so that
//! `cargo xtask loom` checks the same code with loom's atomics.

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
#[cfg(not(loom))]
#[allow(unused_imports, reason = "not every platform has a protocol over 64 bits")]
pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
