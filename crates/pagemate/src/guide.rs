//! The guides of the repository's `docs` folder, as pages of this documentation.
//!
//! These modules contain no code. They exist only when the documentation is built.

#[doc = include_str!("../docs/platforms.md")]
pub mod platforms {}

#[doc = include_str!("../docs/safety.md")]
pub mod safety {}

#[doc = include_str!("../docs/layout.md")]
pub mod layout {}
