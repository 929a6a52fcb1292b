//! The state of sync objects and channels, as the inventory reports it. `object` and `sync` both
//! use these types, so the types are in neither of them.

use std::{fmt, io};

use crate::kind::Kind;

/// The reset mode of an [`Event`](crate::sync::Event): how a signaled event becomes not signaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reset {
    /// Releasing one waiter resets the event.
    Auto,
    /// The event stays signaled, for all present and later waiters, until
    /// [`reset`](crate::sync::Event::reset).
    Manual,
}

/// The state of a sync object when it was inspected. It may have changed since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// A mutex.
    #[non_exhaustive]
    Mutex {
        /// The pid of the owner, in the owner's pid namespace; `None` if the mutex is free.
        owner: Option<u32>,
        /// Whether the next acquisition will report that the mutex was abandoned.
        abandoned: bool,
    },
    /// An event.
    #[non_exhaustive]
    Event {
        /// The reset mode.
        reset: Reset,
        /// Whether the event is signaled.
        signaled: bool,
    },
    /// A semaphore.
    #[non_exhaustive]
    Semaphore {
        /// The number of free permits.
        count: u32,
        /// The maximum count.
        max: u32,
    },
    /// A channel.
    #[non_exhaustive]
    Channel {
        /// The kind of channel.
        kind: ChannelKind,
        /// The number of messages that were sent and not yet received.
        pending: u64,
        /// The number of messages that the channel can store.
        capacity: u64,
        /// The number of live senders.
        senders: u32,
        /// The number of live receivers.
        receivers: u32,
        /// The number of messages that were sent since the channel was created.
        sent: u64,
        /// The number of messages that were received.
        received: u64,
        /// The number of messages that were lost: overwritten before a receiver read them, in a channel
        /// whose creator allowed that.
        lost: u64,
    },
}

/// A kind of channel: see [`channel`](crate::channel).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[repr(u32)]
pub enum ChannelKind {
    /// One sender and one receiver: [`channel::spsc`](crate::channel::spsc).
    Spsc = 1,
    /// Any number of senders and receivers: [`channel::mpmc`](crate::channel::mpmc).
    Mpmc = 2,
    /// One sender, and several receivers that get every message:
    /// [`channel::broadcast`](crate::channel::broadcast).
    Broadcast = 3,
    /// The latest value: [`channel::watch`](crate::channel::watch).
    Watch = 4,
}

impl ChannelKind {
    /// Returns the kind that the header of a channel has.
    pub(crate) fn of(number: u32) -> Option<ChannelKind> {
        match number {
            1 => Some(ChannelKind::Spsc),
            2 => Some(ChannelKind::Mpmc),
            3 => Some(ChannelKind::Broadcast),
            4 => Some(ChannelKind::Watch),
            _ => None,
        }
    }
}

impl fmt::Display for ChannelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ChannelKind::Spsc => "spsc",
            ChannelKind::Mpmc => "mpmc",
            ChannelKind::Broadcast => "broadcast",
            ChannelKind::Watch => "watch",
        })
    }
}

/// The number of bytes at the beginning of a sync object that hold its state.
#[cfg_attr(windows, expect(dead_code, reason = "sync objects are kernel objects there"))]
pub(crate) const LEN: usize = 32;

/// The number of bytes at the beginning of any object that hold its state.
pub(crate) const LONGEST: usize = 8704;

/// Reads the state and the number of waiters from the first bytes of an object. The last argument
/// returns whether the owner with a seat is alive. `None` if the object has no state.
pub(crate) type ReadState =
    fn(Kind, &[u8; LONGEST], &dyn Fn(u32) -> io::Result<bool>) -> Option<(State, u32)>;
