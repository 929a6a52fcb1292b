//! The protocols of typed memory: its initialisation, values under a sequence number, and read-write
//! locks.
//!
//! Like those in `words`, they run over borrowed words, so that loom checks them.

pub(crate) mod header;
pub(crate) mod rwlock;
pub(crate) mod sequence;
#[cfg(all(test, loom))]
mod tests;
