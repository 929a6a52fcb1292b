//! Channels: messages between processes, without a system call and without a copy in the kernel.
//!
//! A channel is a named object like every other one: it appears whole, lives as long as some process has
//! an endpoint, and is gone with the last one. Either side can come first.
//!
//! | Kind | Use |
//! |---|---|
//! | [`spsc`] | one sender, one receiver |
//!
//! Messages are values of any [`Plain`](crate::typed::Plain) type. A process whose type has another
//! layout is refused with [`WrongKind`](crate::ErrorKind::WrongKind).
//!
//! # Waiting
//!
//! An endpoint that waits looks for a short time and then sleeps, which [`Options::waiting`] changes. A
//! sleeper costs its peer nothing until the peer finds the sleeper's flag, and then one system call.

mod core;
mod error;
mod header;
mod options;
mod place;
pub mod spsc;
mod state;
#[cfg(all(test, loom))]
mod tests;
mod waiting;
mod wake_flag;

pub use self::error::{RecvError, SendError};
pub use self::options::{Endpoint, Options};
pub(crate) use self::state::read_state;
pub use self::waiting::Waiting;
