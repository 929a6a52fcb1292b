//! The links between the two processes: channels, a raw cache line, and a pipe.

use std::fmt::Display;
use std::hint::spin_loop;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use clap::ValueEnum;
use pagemate::channel::watch::{Reader, Writer};
use pagemate::channel::{self, Options, Receiver, Sender, broadcast, mpmc, spsc};
use pagemate::typed::Shared;
use serde::Serialize;

use crate::failure::{Failure, Outcome};

/// A kind of link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A number in shared memory that the processes change in turn: the limit of the hardware
    CacheLine,
    /// A channel from one sender to one receiver
    Spsc,
    /// A channel from several senders to several receivers
    Mpmc,
    /// A channel from one sender to all receivers
    Broadcast,
    /// A channel with the latest value
    Watch,
    /// A pipe of the system
    Pipe,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::CacheLine => "cache line",
            Kind::Spsc => "spsc",
            Kind::Mpmc => "mpmc",
            Kind::Broadcast => "broadcast",
            Kind::Watch => "watch",
            Kind::Pipe => "pipe",
        }
    }

    pub(super) fn is_channel(self) -> bool {
        !matches!(self, Kind::CacheLine | Kind::Pipe)
    }

    /// Returns whether several messages can wait in the link, so that one process can send without a
    /// pause.
    pub(super) fn is_queue(self) -> bool {
        !matches!(self, Kind::CacheLine | Kind::Watch)
    }
}

/// How an endpoint waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum WaitingArg {
    /// Try again and again, and never sleep.
    Spin,
    /// Try for a short time, then sleep. This is the default of channels.
    SpinThenSleep,
    /// Sleep at once.
    Sleep,
}

/// Both directions between the processes, seen from one of them.
pub(super) trait Link {
    /// Sends a message of the link's length.
    fn send(&mut self) -> Outcome;
    /// Receives a message.
    fn receive(&mut self) -> Outcome;
    /// Sends a command to the second process, and waits for its reply, if commands and messages use the
    /// same pipe.
    fn command(&mut self, _bytes: &[u8]) -> Outcome {
        Ok(())
    }
}

/// The side of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    First,
    Second,
}

/// Opens a link. The two processes may open it in either order. The pipe of the second process is its
/// standard input and output; `pipe` is that of the first one.
pub(super) fn open(
    kind: Kind,
    waiting: WaitingArg,
    name: &str,
    size: usize,
    end: Side,
    pipe: Pipe,
) -> Outcome<Box<dyn Link>> {
    let (to, from) = match end {
        Side::First => (format!("{name}-there"), format!("{name}-back")),
        Side::Second => (format!("{name}-back"), format!("{name}-there")),
    };
    let mut options = Options::new();
    options.capacity(DEPTH).max_len(size).waiting(match waiting {
        WaitingArg::Spin => channel::Waiting::Spin,
        WaitingArg::SpinThenSleep => channel::Waiting::SpinThenSleep,
        WaitingArg::Sleep => channel::Waiting::Sleep,
    });
    Ok(match kind {
        Kind::CacheLine => Box::new(CacheLine {
            to: Shared::open_or_create(&*to)?,
            from: Shared::open_or_create(&*from)?,
            sent: 0,
            received: 0,
        }),
        Kind::Spsc => Box::new(Channel::<spsc::Spsc>::open(&options, &to, &from, size)?),
        Kind::Mpmc => Box::new(Channel::<mpmc::Mpmc>::open(&options, &to, &from, size)?),
        Kind::Broadcast => {
            Box::new(Channel::<broadcast::Broadcast>::open(&options, &to, &from, size)?)
        }
        Kind::Watch => {
            // A watch channel has room for one value.
            options.capacity(1);
            Box::new(Latest {
                to: options.open_or_create(&*to)?,
                from: options.open_or_create(&*from)?,
                message: vec![7; size],
                buffer: Vec::new(),
            })
        }
        Kind::Pipe => Box::new(Stream { pipe, message: vec![7; size] }),
    })
}

/// Converts an error of a link.
fn lost(error: impl Display) -> Failure {
    Failure::new(format!("exchange messages with the second process: {error}"))
}

/// The number of messages that fit into a channel.
const DEPTH: usize = 64;

struct CacheLine {
    to: Shared<AtomicU64>,
    from: Shared<AtomicU64>,
    sent: u64,
    received: u64,
}

impl Link for CacheLine {
    fn send(&mut self) -> Outcome {
        self.sent += 1;
        self.to.store(self.sent, Ordering::Release);
        Ok(())
    }

    fn receive(&mut self) -> Outcome {
        while self.from.load(Ordering::Acquire) == self.received {
            spin_loop();
        }
        self.received += 1;
        Ok(())
    }
}

struct Channel<K: channel::Kind> {
    to: Sender<K, [u8]>,
    from: Receiver<K, [u8]>,
    message: Vec<u8>,
    buffer: Vec<u8>,
}

impl<K: channel::Kind> Channel<K> {
    fn open(options: &Options, to: &str, from: &str, size: usize) -> Outcome<Self> {
        Ok(Channel {
            to: options.open_or_create(to)?,
            from: options.open_or_create(from)?,
            message: vec![7; size],
            buffer: Vec::with_capacity(size),
        })
    }
}

impl<K: channel::Kind> Link for Channel<K> {
    fn send(&mut self) -> Outcome {
        self.to.send(&self.message).map_err(lost)?;
        Ok(())
    }

    fn receive(&mut self) -> Outcome {
        self.from.recv_into(&mut self.buffer).map_err(lost)?;
        Ok(())
    }
}

struct Latest {
    to: Writer<[u8]>,
    from: Reader<[u8]>,
    message: Vec<u8>,
    buffer: Vec<u8>,
}

impl Link for Latest {
    fn send(&mut self) -> Outcome {
        self.to.write(&self.message).map_err(lost)?;
        Ok(())
    }

    fn receive(&mut self) -> Outcome {
        self.from.wait_for_change().map_err(lost)?;
        self.from.read_into(&mut self.buffer).map_err(lost)?;
        Ok(())
    }
}

/// The ends of the pipes to and from the other process.
pub(super) struct Pipe {
    pub(super) to: Box<dyn Write>,
    pub(super) from: Box<dyn Read>,
}

impl Pipe {
    /// Sends a command, and waits for the byte by which the other process replies.
    pub(super) fn command(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)?;
        self.to.flush()?;
        self.from.read_exact(&mut [0])
    }
}

struct Stream {
    pipe: Pipe,
    message: Vec<u8>,
}

impl Link for Stream {
    fn send(&mut self) -> Outcome {
        self.pipe.to.write_all(&self.message).and_then(|()| self.pipe.to.flush()).map_err(lost)
    }

    fn receive(&mut self) -> Outcome {
        self.pipe.from.read_exact(&mut self.message).map_err(lost)
    }

    fn command(&mut self, bytes: &[u8]) -> Outcome {
        self.pipe.command(bytes).map_err(lost)
    }
}
