//! Channels that have the latest value: one writer, any number of readers.
//!
//! At most one live process has the writer. A second writer is refused with
//! [`AlreadyExists`](crate::ErrorKind::AlreadyExists). Once that process has ended or has dropped the writer,
//! another process can open one. Readers are not registered, and their number has no limit.
//!
//! A reader copies the latest value. It skips the values that were replaced before it came to them, and it
//! neither delays the writer nor waits for it. [`Options::capacity`](super::Options::capacity) has no effect:
//! a channel has four buffers for its value.
//!
//! # Crashes
//!
//! - A writer that is killed leaves the latest value for which [`write`](Writer::write) returned, or the value
//!   that it was just writing, whole. The next writer continues with the next version.
//! - A reader that is killed leaves nothing. If it slept, one later write makes one system call in vain.
//! - A reader that waits notices within 100 ms that the writer was killed. It then gets `Disconnected`, or
//!   waits for the next writer: see [`Options::await_successor`](super::Options::await_successor). A writer
//!   that was stopped, by SIGSTOP or by a debugger, is alive.
//! - The channel itself, with its latest value, lives as long as one process has an endpoint.
//!
//! # Design
//!
//! The writer fills the buffer after that of the latest value, and then stores the number of the new version.
//! A reader loads the number before and after its copy. It copies again if the writer has meanwhile begun to
//! fill the same buffer, which takes three more values during one copy.
//!
//! # Examples
//!
//! ```
//! use pagemate::channel::{RecvError, watch};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let name = &format!("doc-watch-{}", std::process::id());
//! // In one process:
//! let mut writer = watch::Writer::<[f64; 2]>::open_or_create(name)?;
//! // In other processes, started before or after:
//! let mut reader = watch::Reader::<[f64; 2]>::open_or_create(name)?;
//! assert_eq!(reader.read(), Err(RecvError::Empty));
//!
//! writer.write(&[1.0, 2.0])?;
//! writer.write(&[3.0, 4.0])?;
//! assert_eq!(reader.changed()?, [3.0, 4.0]);
//! assert_eq!(reader.version(), 2);
//! assert!(!reader.has_changed());
//! # Ok(())
//! # }
//! ```
//!
//! The example `telemetry.rs` is a program for two or more terminals: `cargo run -p pagemate --example telemetry`.

mod buffers;
pub(super) mod header;
mod reader;
mod sides;
#[cfg(all(test, loom))]
mod tests;
mod writer;

pub use self::reader::Reader;
pub use self::writer::{Loan, Writer};
