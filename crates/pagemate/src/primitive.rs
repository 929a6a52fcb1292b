//! The atomics that the protocols in shared memory are written with. They come from here alone, so
//! that `cargo xtask loom` can check the same code with loom's.

#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, Ordering};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicU32, Ordering};
