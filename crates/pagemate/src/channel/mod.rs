//! Channels: messages between processes, without a system call and without a copy in the kernel.
//!
//! A channel is a named object like every other one: it appears whole, lives as long as some process has
//! an endpoint, and is gone with the last one. Either side can come first.
//!
//! | Kind | Use |
//! |---|---|
//! | [`spsc`] | one sender, one receiver |
//! | [`mpmc`] | any number of senders and receivers; each message goes to one receiver, as in a work queue |
//! | [`broadcast`] | one sender, several receivers that get every message; lossless, or lossy for receivers that are behind |
//! | [`watch`] | the latest value: one writer, any number of readers that may skip values |
//!
//! # Messages
//!
//! Messages are values of any [`Plain`](crate::typed::Plain) type, or `[u8]`: bytes, at most
//! [`Options::max_len`] of them. The bytes of a message are copied once into the channel and once out of
//! it; a [`Loan`] and a [`Sample`] give access to them in place. A process whose type has another layout
//! is refused with [`WrongKind`](crate::ErrorKind::WrongKind).
//!
//! # Waiting
//!
//! An endpoint that waits looks for a short time and then sleeps, which [`Options::waiting`] changes. A
//! sleeper costs its peer nothing until the peer finds the sleeper's flag, and then one system call.

pub mod broadcast;
mod core;
mod error;
mod header;
mod message;
mod message_type;
pub mod mpmc;
mod options;
mod peers;
mod place;
mod protocol;
mod ready;
mod receiver;
pub mod request;
mod sender;
pub mod spsc;
mod state;
#[cfg(all(test, loom))]
mod tests;
mod waiting;
mod wake_flag;
pub mod watch;

pub use self::error::{RecvError, SendError};
pub use self::message::Message;
pub use self::message_type::MessageType;
pub use self::options::{Endpoint, Options};
pub use self::protocol::Kind;
pub use self::receiver::{Iter, Receiver, Sample, TryIter};
pub use self::sender::{Loan, Sender};
pub(crate) use self::state::read_state;
pub use self::waiting::Waiting;
pub use crate::sys::object_state::ChannelKind;
