//! The protocols of typed memory: its initialisation, and values under a sequence number.
//!
//! Like those in `words`, they run over borrowed words, so that loom checks them.

pub(crate) mod header;
pub(crate) mod sequence;
#[cfg(all(test, loom))]
mod tests;
