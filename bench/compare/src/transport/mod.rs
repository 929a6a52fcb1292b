//! The libraries and the facilities of the system that are compared: connections of two processes.

use std::path::PathBuf;

use crate::exchange::{Pair, Side};

pub(crate) mod boost;
pub(crate) mod byte_queue;
pub(crate) mod cloudtoid;
mod futex;
pub(crate) mod iceoryx;
mod interprocess_stream;
mod ipc_bytes;
mod minimal;
mod pagemate_channel;
pub(crate) mod posix_queue;
mod raw_events;
mod ringfire_ring;
pub(crate) mod shaq_queue;
mod shmem;
pub(crate) mod stream;

/// How an end waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Waiting {
    /// It tries again and again, and never sleeps.
    Polling,
    /// It sleeps in the kernel at once.
    Blocking,
    /// It waits as the library does by default, or as its documentation recommends.
    Default,
}

pub(crate) const WAITINGS: [Waiting; 3] = [Waiting::Polling, Waiting::Blocking, Waiting::Default];

impl Waiting {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Waiting::Polling => "polling",
            Waiting::Blocking => "blocking",
            Waiting::Default => "default",
        }
    }

    pub(crate) fn from_name(name: &str) -> Waiting {
        WAITINGS.into_iter().find(|waiting| waiting.name() == name).expect("a way of waiting")
    }
}

/// The settings of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// A name that no other connection of this machine has. It is also a file name.
    pub(crate) name: String,
    /// A folder in memory for the files of libraries that need one.
    pub(crate) folder: PathBuf,
    /// The number of messages that fit into each direction.
    pub(crate) depth: usize,
    pub(crate) waiting: Waiting,
}

impl Setting {
    pub(crate) fn file(&self, part: &str) -> PathBuf {
        self.folder.join(format!("{}-{part}", self.name))
    }
}

/// The sending end of one direction. All words of a message have the same value.
pub(crate) trait Outgoing {
    fn send(&mut self, number: u64);

    /// Sends the messages `first..first + count`, in one call if the library has one.
    fn send_batch(&mut self, first: u64, count: u64) {
        for number in first..first + count {
            self.send(number);
        }
    }
}

/// The receiving end of one direction.
pub(crate) trait Incoming {
    /// Receives a message, reads every word of it, and returns its number.
    fn receive(&mut self) -> u64;

    /// Receives at least one message and at most `most`, in one call if the library has one. Returns
    /// the number of messages, and checks that they are `next`, `next + 1` and so on.
    fn receive_batch(&mut self, next: u64, most: u64) -> u64 {
        _ = most;
        assert_eq!(self.receive(), next, "a message is lost or out of order");
        1
    }
}

/// A connection of two processes in both directions, for messages of `WORDS` words.
pub(crate) trait Transport<const WORDS: usize> {
    type Out: Outgoing + 'static;
    type In: Incoming + 'static;
    /// The state of the first process until the second one has connected.
    type Listening: 'static;

    fn listen(setting: &Setting) -> Self::Listening;
    fn accept(listening: Self::Listening, setting: &Setting) -> (Self::Out, Self::In);
    fn connect(setting: &Setting) -> (Self::Out, Self::In);
}

/// The first process's side of a connection, as soon as the second process has connected.
pub(crate) type Accept = Box<dyn FnOnce() -> Box<dyn Side>>;

/// A transport in the table.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// The name in the reports.
    pub(crate) name: &'static str,
    /// The version, if it is a library.
    pub(crate) version: &'static str,
    pub(crate) waitings: &'static [Waiting],
    /// The largest message in words.
    pub(crate) most_words: usize,
    /// Whether it can hold several messages in one direction. If not, only round trips are measured.
    pub(crate) is_queue: bool,
    pub(crate) listen: fn(usize, &Setting) -> Accept,
    pub(crate) connect: fn(usize, &Setting) -> Box<dyn Side>,
}

fn listen<T: Transport<WORDS> + 'static, const WORDS: usize>(setting: &Setting) -> Accept {
    let listening = T::listen(setting);
    let setting = setting.clone();
    Box::new(move || {
        let (to, from) = T::accept(listening, &setting);
        Box::new(Pair { to, from })
    })
}

fn connect<T: Transport<WORDS> + 'static, const WORDS: usize>(setting: &Setting) -> Box<dyn Side> {
    let (to, from) = T::connect(setting);
    Box::new(Pair { to, from })
}

/// The lengths of messages, in words of eight bytes.
pub(crate) const LENGTHS: [usize; 5] = [1, 8, 512, 8192, 131_072];

/// Makes an entry of the table for a type that implements [`Transport`] for each of [`LENGTHS`].
macro_rules! entry {
    ($transport:ty, $name:literal, $version:literal, $waitings:expr, $most:literal, $queue:literal) => {
        Entry {
            name: $name,
            version: $version,
            waitings: $waitings,
            most_words: $most,
            is_queue: $queue,
            listen: |words, setting| match words {
                1 => listen::<$transport, 1>(setting),
                8 => listen::<$transport, 8>(setting),
                512 => listen::<$transport, 512>(setting),
                8192 => listen::<$transport, 8192>(setting),
                131_072 => listen::<$transport, 131_072>(setting),
                _ => panic!("no row has messages of {words} words"),
            },
            connect: |words, setting| match words {
                1 => connect::<$transport, 1>(setting),
                8 => connect::<$transport, 8>(setting),
                512 => connect::<$transport, 512>(setting),
                8192 => connect::<$transport, 8192>(setting),
                131_072 => connect::<$transport, 131_072>(setting),
                _ => panic!("no row has messages of {words} words"),
            },
        }
    };
}

use Waiting::{Blocking, Default, Polling};

/// The minimal rings, whose fastest is the limit of a row.
pub(crate) const MINIMAL: [&str; 3] =
    ["ring with positions", "ring with sequences", "packed ring with sequences"];

/// All transports, in the order of the reports.
pub(crate) const ALL: &[Entry] = &[
    entry!(minimal::Positions, "ring with positions", "", &[Polling], 131_072, true),
    entry!(minimal::Sequences<64>, "ring with sequences", "", &[Polling], 131_072, true),
    entry!(minimal::Sequences<8>, "packed ring with sequences", "", &[Polling], 131_072, true),
    entry!(futex::BareFutex, "bare futex", "", &[Blocking], 131_072, false),
    entry!(
        pagemate_channel::Spsc,
        "pagemate spsc",
        "",
        &[Polling, Blocking, Default],
        131_072,
        true
    ),
    entry!(
        pagemate_channel::Mpmc,
        "pagemate mpmc",
        "",
        &[Polling, Blocking, Default],
        131_072,
        true
    ),
    entry!(shaq_queue::Spsc, "shaq spsc", "4.3.0", &[Polling, Default], 131_072, true),
    entry!(shaq_queue::Mpmc, "shaq mpmc", "4.3.0", &[Polling, Default], 131_072, true),
    entry!(
        ringfire_ring::Ringfire,
        "ringfire",
        "0.5.2",
        &[Polling, Blocking, Default],
        131_072,
        true
    ),
    entry!(
        cloudtoid::Cloudtoid,
        "cloudtoid-interprocess",
        "3.0.2",
        &[Polling, Default],
        131_072,
        true
    ),
    entry!(iceoryx::Iceoryx, "iceoryx2", "0.10.0", &[Polling, Blocking], 131_072, true),
    entry!(shmem::Shmem, "shmem-ipc", "0.3.0", &[Polling, Default], 131_072, true),
    entry!(raw_events::RawEvents, "raw_sync", "0.1.5", &[Polling, Blocking], 131_072, false),
    entry!(ipc_bytes::IpcBytes, "ipc-channel", "0.23.1", &[Polling, Default], 131_072, true),
    entry!(interprocess_stream::Interprocess, "interprocess", "2.4.7", &[Default], 131_072, true),
    entry!(boost::Boost, "Boost message_queue", "", &[Polling, Default], 131_072, true),
    entry!(stream::UnixSocket, "Unix socket", "", &[Polling, Default], 131_072, true),
    entry!(stream::Pipe, "pipe", "", &[Polling, Default], 131_072, true),
    entry!(posix_queue::PosixQueue, "POSIX queue", "", &[Polling, Default], 512, true),
];

pub(crate) fn named(name: &str) -> &'static Entry {
    ALL.iter()
        .find(|entry| entry.name == name)
        .unwrap_or_else(|| panic!("no transport is called {name}"))
}
