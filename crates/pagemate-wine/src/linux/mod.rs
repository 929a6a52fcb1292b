//! The native side of the bridge.

mod bridge;
mod error;
mod events;
mod helper;
mod memory;
mod mirrors;
mod offers;
mod options;
mod prefix;
mod process;
mod watch;

pub use bridge::{Bridge, Change, Listed};
pub use error::{Error, Result};
pub use options::Options;
pub use prefix::Prefix;
