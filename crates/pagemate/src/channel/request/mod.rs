//! Requests and responses: one or several servers, any number of clients.
//!
//! A client sends requests and receives the responses in the order in which servers complete them. The
//! servers of a name share its requests: each request goes to one of them. Both sides can come first.
//!
//! # Crashes
//!
//! - If a server ends while it has a request, the client's request fails with
//!   [`ServerDied`](RequestError::ServerDied), at the latest 200 ms after the client has begun to wait, unless
//!   another server was stopped in the middle of a response: then after that response. The request may
//!   have been carried out or not.
//! - A request that no server has received stays for the next server. If there is no server any more, it
//!   fails with [`Disconnected`](RequestError::Disconnected).
//! - If a client ends, a response to it fails with `Disconnected`, and servers skip its further requests.
//!
//! # Design
//!
//! The requests go over an [mpmc](super::mpmc) channel of the name. Each client has an mpmc channel for its
//! responses. Its name is `NAME.client-ID`, and `pagemate list` shows its kind as `response`. A server first reports
//! over it which server has the request, so that the client knows whose death ends its request.
//!
//! # Examples
//!
//! ```
//! use pagemate::channel::request::{Client, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let name = &format!("doc-request-{}", std::process::id());
//! // In one or more processes:
//! let mut server = Server::<u32, u64>::open_or_create(name)?;
//! # let thread =
//! std::thread::spawn(move || {
//!     let request = server.recv().unwrap();
//!     let square = u64::from(*request.message()) * u64::from(*request.message());
//!     request.respond(&square).unwrap();
//! });
//!
//! // In other processes:
//! let mut client = Client::<u32, u64>::open_or_create(name)?;
//! assert_eq!(client.call(&12)?, 144);
//! # thread.join().unwrap();
//! # Ok(())
//! # }
//! ```
//!
//! The example `request.rs` is a program for two or more terminals: `cargo run -p pagemate --example request`.

mod client;
mod envelope;
mod error;
mod server;

pub use self::client::{Client, Completed, RequestId};
pub(crate) use self::envelope::service_of;
pub use self::error::RequestError;
pub use self::server::{Request, Server};
