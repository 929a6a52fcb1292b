//! Channels: messages between processes, without a system call and without a copy in the kernel.
//!
//! A channel is a named object like every other one: it appears whole, lives as long as some process has
//! an endpoint, and is gone with the last one. Either side can come first.
//!
//! # Which channel when
//!
//! | Question | [`spsc`] | [`mpmc`] | [`broadcast`] | [`watch`] |
//! |---|---|---|---|---|
//! | Use | a stream | a queue of work | news | a state |
//! | How many senders? | 1 | up to 128 | 1 | 1 writer |
//! | How many receivers? | 1 | up to 128 | up to 64: see [`Options::receivers`] | any number of readers |
//! | Which receivers get a message? | the receiver | one of the receivers | every receiver that was there when it was sent | every reader that comes before the next value |
//! | Must a slow receiver stop the sender? | yes, if the channel is full | yes, if the channel is full | the creator decides: yes, or no if the channel is [`lossy`](Options::lossy) | no |
//! | Can a message be lost? | no | no | in a lossy channel, and without a receiver; receivers know exactly how many they missed | values are skipped; [`version`](watch::Reader::version) counts them |
//! | What is kept for a late receiver? | all messages that are not yet received | the same | nothing | the latest value |
//! | The sender is killed | the next one continues; no message is incomplete | the others continue; its incomplete message is skipped | the next one continues | the next one continues; the latest value stays |
//! | The receiver is killed | the next one gets the first message that was not finished | another one gets its unfinished message, marked [`redelivered`](mpmc::Sample::redelivered) | the sender goes on without it, or a new one [takes its place over](Options::take_over) | nothing happens |
//! | Bytes or types? | both | both | both | both |
//! | Example | `messages` | `work_queue`, `several` | `camera` | `telemetry` |
//!
//! If the sender needs an answer to each message, use [`request`]: several servers share the requests of several
//! clients. A client whose server is killed gets an error for the request that this server had. Its example
//! is `request`.
//!
//! With one sender and one receiver, `spsc` is the fastest kind, and `mpmc` is a little slower. Use `mpmc` if there may be
//! more of them later. Each example runs in two terminals: `cargo run -p pagemate --example NAME` has the
//! commands at its beginning.
//!
//! # Messages
//!
//! Messages are values of any [`Plain`](crate::typed::Plain) type, or `[u8]`: bytes, at most
//! [`Options::max_len`] of them. The bytes of a message are copied once into the channel and once out of
//! it; a [`Loan`] and a [`Sample`] give access to them in place. A process whose type has another layout
//! is refused with [`WrongKind`](crate::ErrorKind::WrongKind).
//!
//! **Large messages**, such as frames of many megabytes: write them with [`loan`](Sender::loan), and read the parts that
//! you need with [`Sample::read_at`]. The time to hand a message over then does not depend on its length. While a
//! sample is held, its message is not overwritten. In a lossy broadcast channel a held sample does not stop the sender either,
//! because the channel has one slot more for each receiver. Choose a small capacity, since all slots have the greatest length.
//!
//! # Memory
//!
//! A channel reserves its memory when it is created, so that no later call can fail for lack of it. A slot has the bytes of the
//! longest message and a word of 8 bytes; messages of 64 bytes or more (`mpmc`: more than 64) begin at multiples of 64. The number of slots is:
//!
//! - `spsc`, `mpmc`: the [capacity](Options::capacity), which is rounded up to a power of two.
//! - `broadcast`: the capacity, and one more for each [possible receiver](Options::receivers) if the channel is lossy. If a
//!   message may have 4 KiB or more, there is one slot more.
//! - `watch`: four.
//!
//! The default of 1,024 messages of at most 4 KiB thus takes 4.1 MiB. The header has less than 9 KiB.
//!
//! # Waiting
//!
//! An endpoint that waits looks for a short time and then sleeps, which [`Options::waiting`] changes:
//!
//! | [`Waiting`] | While messages flow | While nothing comes |
//! |---|---|---|
//! | `SpinThenSleep`, the default | nearly as fast as polling | sleeps, and tests the channel and its peers ten times a second |
//! | `Spin` | the lowest latency | uses a whole processor |
//! | `Sleep` | each wait takes two system calls, and a third one wakes it | sleeps, as above |
//!
//! While both sides are awake, neither makes a system call. A sleeper costs its peer nothing until the peer finds the
//! sleeper's flag, and then one system call. [`Receiver::ready`] and [`Sender::ready`] let one thread wait for several channels together with events
//! and other sync objects, by [`wait_any`](crate::sync::wait_any).
//!
//! # Killed processes
//!
//! If a process is killed, only the message or the batch that it was sending is lost. No other process blocks for longer than
//! one liveness check: 100 ms, and the time until the system runs the waiting thread. In this interval a blocked endpoint
//! asks the kernel whether its peers are alive, and repairs the state that a dead one has left. The pages of the kinds
//! describe which receiver gets a message that a killed one had.
//!
//! # Systems
//!
//! Channels work in the same way on Linux and on Windows, and have the same bytes. The code for macOS is
//! type-checked only. An endpoint belongs to one process: after a fork, the child opens an endpoint of its own.

pub mod broadcast;
mod connection;
mod core;
mod distance;
mod error;
mod header;
mod iter;
mod loan;
mod message;
mod message_type;
pub mod mpmc;
mod options;
mod peers;
mod place;
mod protocol;
mod ready;
mod receiver;
mod receiver_batch;
mod receiver_slice;
pub mod request;
mod sample;
mod sender;
mod sender_batch;
pub mod spsc;
mod state;
#[cfg(all(test, loom))]
mod tests;
mod waiting;
mod wake_flag;
pub mod watch;

pub use self::error::{RecvError, SendError};
pub use self::iter::{Iter, TryIter};
pub use self::loan::Loan;
pub use self::message::Message;
pub use self::message_type::MessageType;
pub use self::options::{Endpoint, Options};
pub use self::protocol::Kind;
pub use self::receiver::Receiver;
pub use self::sample::Sample;
pub use self::sender::Sender;
pub(crate) use self::state::read_state;
pub use self::waiting::Waiting;
pub use crate::sys::object_state::ChannelKind;
