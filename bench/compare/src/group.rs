//! Channels with several senders or receivers, for messages of 64 bytes whose words all have the same
//! number.

use std::any::Any;
use std::fs::File;
use std::hint::spin_loop;
use std::io::{Read, Write};
use std::thread::yield_now;
use std::time::{Duration, Instant};

use iceoryx2::prelude::BackpressureStrategy;
use pagemate::channel::{Kind, Options, Receiver, Sender, broadcast, mpmc};
use ringfire::{
    FlowControl, MpmcProducer, MpmcQueueConsumer, RingConsumer, RingProducer, RingProducerBuilder,
};
use shaq::broadcast::{Broadcast, BroadcastConfig};

use crate::transport::byte_queue::ByteQueue;
use crate::transport::{
    Setting, Waiting, boost, cloudtoid, iceoryx, posix_queue, shaq_queue, stream,
};
use crate::words::{self, Buffer};

pub(crate) const WORDS: usize = 8;

const BYTES: usize = WORDS * 8;

/// The largest number of receivers of a channel.
pub(crate) const MOST: usize = 8;

pub(crate) type Message = [u64; WORDS];

/// A sender. A call returns `false` if the channel has not accepted the message within about 20 ms.
pub(crate) trait Send {
    fn send(&mut self, number: u64) -> bool;
}

/// A receiver. A call returns `None` if no message has come within about 20 ms.
pub(crate) trait Receive {
    fn receive(&mut self) -> Option<u64>;
}

/// The time for which a call tries.
const TRY: Duration = Duration::from_millis(20);

/// Calls `act` until it has a result or the time is over. After some tries it lets other processes run.
fn patiently<T>(mut act: impl FnMut() -> Option<T>) -> Option<T> {
    for _ in 0..200 {
        if let Some(result) = act() {
            return Some(result);
        }
        spin_loop();
    }
    let start = Instant::now();
    while start.elapsed() < TRY {
        for _ in 0..16 {
            if let Some(result) = act() {
                return Some(result);
            }
            yield_now();
        }
    }
    None
}

/// Returns the number of a message, and checks that it is whole.
fn whole(message: &Message) -> u64 {
    assert!(message.iter().all(|word| *word == message[0]), "a torn message: {message:?}");
    message[0]
}

/// The receivers to which a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    /// One of the receivers.
    Queue,
    /// All receivers. A slow one stops the sender.
    Broadcast,
    /// All receivers, except those that are too slow.
    Lossy,
}

/// A channel in the tables.
#[derive(Clone, Copy)]
pub(crate) struct Channel {
    pub(crate) name: &'static str,
    pub(crate) pattern: Pattern,
    /// Creates the channel. The caller keeps the result as long as others use the channel.
    pub(crate) create: fn(&Setting) -> Box<dyn Any>,
    pub(crate) sender: fn(&Setting) -> Box<dyn Send>,
    pub(crate) receiver: fn(&Setting) -> Box<dyn Receive>,
}

fn nothing(_: &Setting) -> Box<dyn Any> {
    Box::new(())
}

macro_rules! pagemate {
    ($name:literal, $kind:ty, $pattern:expr) => {
        Channel {
            name: $name,
            pattern: $pattern,
            create: nothing,
            sender: |setting| {
                let sender: Sender<$kind, Message> =
                    options(setting, $pattern).open_or_create(&*setting.name).expect("a sender");
                Box::new(sender)
            },
            receiver: |setting| {
                let receiver: Receiver<$kind, Message> =
                    options(setting, $pattern).open_or_create(&*setting.name).expect("a receiver");
                Box::new(receiver)
            },
        }
    };
}

/// All channels, in the order of the reports.
pub(crate) const ALL: &[Channel] = &[
    pagemate!("pagemate mpmc", mpmc::Mpmc, Pattern::Queue),
    pagemate!("pagemate broadcast", broadcast::Broadcast, Pattern::Broadcast),
    pagemate!("pagemate broadcast, lossy", broadcast::Broadcast, Pattern::Lossy),
    Channel {
        name: "shaq mpmc",
        pattern: Pattern::Queue,
        create: |setting| {
            let len = shaq::mpmc::minimum_file_size::<Message>(setting.depth);
            let file = shaq_queue::create(setting, "queue", len);
            // SAFETY: this process alone creates the queue.
            Box::new(
                unsafe { shaq::mpmc::Producer::<Message>::create(&file, len) }.expect("a queue"),
            )
        },
        sender: |setting| {
            let file = shaq_queue::open(setting, "queue");
            // SAFETY: the creator has created the queue for the same messages.
            Box::new(unsafe { shaq::mpmc::Producer::<Message>::join(&file) }.expect("a queue"))
        },
        receiver: |setting| {
            let file = shaq_queue::open(setting, "queue");
            // SAFETY: the creator has created the queue for the same messages.
            Box::new(unsafe { shaq::mpmc::Consumer::<Message>::join(&file) }.expect("a queue"))
        },
    },
    Channel {
        name: "shaq broadcast",
        pattern: Pattern::Broadcast,
        create: |setting| {
            let file = shaq_queue::create(setting, "broadcast", 0);
            let config = BroadcastConfig {
                capacity: setting.depth,
                producer_slots: 1,
                consumer_slots: MOST,
            };
            // SAFETY: this process alone creates the queue.
            Box::new(unsafe { Broadcast::<Message>::create(&file, config) }.expect("a queue"))
        },
        sender: |setting| {
            let file = shaq_queue::open(setting, "broadcast");
            // SAFETY: the creator has created the queue for the same messages.
            let queue = unsafe { Broadcast::<Message>::join(&file) }.expect("a queue");
            Box::new(queue.producer(shaq::broadcast::ProducerId::new(1)).expect("a free place"))
        },
        receiver: |setting| {
            let file = shaq_queue::open(setting, "broadcast");
            // SAFETY: the creator has created the queue for the same messages.
            let queue = unsafe { Broadcast::<Message>::join(&file) }.expect("a queue");
            Box::new(queue.consumer().expect("a free place"))
        },
    },
    Channel {
        name: "ringfire mpmc, lossy",
        pattern: Pattern::Queue,
        create: |setting| {
            let path = setting.file("mpmc");
            Box::new(MpmcProducer::<Ring>::create(path, setting.depth as u64).expect("a ring"))
        },
        sender: |setting| {
            let mut ring = MpmcProducer::<Ring>::attach(setting.file("mpmc")).expect("a ring");
            ring.set_cleanup_mode(ringfire::CleanupMode::Persistent);
            Box::new(ring)
        },
        receiver: |setting| {
            let ring = MpmcQueueConsumer::<Ring>::attach(setting.file("mpmc"));
            Box::new(ring.expect("a ring"))
        },
    },
    Channel {
        name: "ringfire",
        pattern: Pattern::Broadcast,
        create: nothing,
        sender: |setting| Box::new(ring(setting, FlowControl::LosslessBackpressure)),
        receiver: |setting| {
            Box::new(RingConsumer::<Ring>::attach(setting.file("ring")).expect("a ring"))
        },
    },
    Channel {
        name: "ringfire, lossy",
        pattern: Pattern::Lossy,
        create: nothing,
        sender: |setting| Box::new(ring(setting, FlowControl::LossyLatestWins)),
        receiver: |setting| {
            Box::new(RingConsumer::<Ring>::attach(setting.file("ring")).expect("a ring"))
        },
    },
    Channel {
        name: "cloudtoid-interprocess",
        pattern: Pattern::Queue,
        create: nothing,
        sender: |setting| {
            let options = cloudtoid::options(setting, "queue", BYTES);
            let publisher = cloudtoid_interprocess::Publisher::open(&options).expect("a queue");
            Box::new((publisher, Buffer::new(WORDS)))
        },
        receiver: |setting| {
            let options = cloudtoid::options(setting, "queue", BYTES);
            Box::new(cloudtoid_interprocess::Subscriber::open(&options).expect("a queue"))
        },
    },
    Channel {
        name: "iceoryx2",
        pattern: Pattern::Broadcast,
        create: nothing,
        sender: |setting| Box::new(publisher(setting, false)),
        receiver: |setting| Box::new(subscriber(setting, false)),
    },
    Channel {
        name: "iceoryx2, lossy",
        pattern: Pattern::Lossy,
        create: nothing,
        sender: |setting| Box::new(publisher(setting, true)),
        receiver: |setting| Box::new(subscriber(setting, true)),
    },
    Channel {
        name: "Boost message_queue",
        pattern: Pattern::Queue,
        create: |setting| Box::new(boost::Queue::open(&setting.name, setting.depth, BYTES, false)),
        sender: |setting| Box::new(Kept(boost_queue(setting), Buffer::new(WORDS))),
        receiver: |setting| Box::new(Kept(boost_queue(setting), Buffer::new(WORDS))),
    },
    Channel {
        name: "POSIX queue",
        pattern: Pattern::Queue,
        create: |setting| Box::new(posix_queue::Queue::open(&setting.name, BYTES, true)),
        sender: |setting| Box::new(Kept(posix(setting), Buffer::new(WORDS))),
        receiver: |setting| Box::new(Kept(posix(setting), Buffer::new(WORDS))),
    },
    Channel {
        name: "pipe",
        pattern: Pattern::Queue,
        create: |setting| Box::new(pipe(setting)),
        sender: |setting| Box::new((pipe(setting), Buffer::new(WORDS))),
        receiver: |setting| Box::new((pipe(setting), Buffer::new(WORDS))),
    },
];

pub(crate) fn named(name: &str) -> &'static Channel {
    ALL.iter().find(|channel| channel.name == name).expect("a channel of the table")
}

fn options(setting: &Setting, pattern: Pattern) -> Options {
    let mut options = Options::new();
    options.capacity(setting.depth).await_successor(pattern == Pattern::Queue);
    if pattern != Pattern::Queue {
        options.receivers(MOST).lossy(pattern == Pattern::Lossy);
    }
    options
}

impl<K: Kind> Send for Sender<K, Message> {
    fn send(&mut self, number: u64) -> bool {
        self.send_timeout(&[number; WORDS], TRY).is_ok()
    }
}

impl<K: Kind> Receive for Receiver<K, Message> {
    fn receive(&mut self) -> Option<u64> {
        self.recv_timeout(TRY).ok().map(|message| whole(&message))
    }
}

impl Send for shaq::mpmc::Producer<Message> {
    fn send(&mut self, number: u64) -> bool {
        patiently(|| self.try_write([number; WORDS]).ok()).is_some()
    }
}

impl Receive for shaq::mpmc::Consumer<Message> {
    fn receive(&mut self) -> Option<u64> {
        self.read_timeout(TRY).ok().map(|message| whole(&message))
    }
}

impl Send for shaq::broadcast::Producer<Message> {
    fn send(&mut self, number: u64) -> bool {
        patiently(|| self.try_write([number; WORDS]).ok()).is_some()
    }
}

impl Receive for shaq::broadcast::Consumer<Message> {
    fn receive(&mut self) -> Option<u64> {
        self.read_timeout(TRY).ok().map(|message| whole(&message))
    }
}

/// A message of ringfire, which accepts an array only inside a type of the user.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Ring(Message);

fn ring(setting: &Setting, flow: FlowControl) -> RingProducer<Ring> {
    let builder = RingProducerBuilder::new(setting.depth as u64);
    let builder = builder.flow_control(flow).max_readers(MOST);
    builder.build(setting.file("ring")).expect("a ring")
}

impl Send for RingProducer<Ring> {
    fn send(&mut self, number: u64) -> bool {
        patiently(|| self.try_push(&Ring([number; WORDS])).ok()).is_some()
    }
}

impl Receive for RingConsumer<Ring> {
    fn receive(&mut self) -> Option<u64> {
        patiently(|| self.try_recv()).map(|message| whole(&message.0))
    }
}

impl Send for MpmcProducer<Ring> {
    fn send(&mut self, number: u64) -> bool {
        self.push(&Ring([number; WORDS]));
        true
    }
}

impl Receive for MpmcQueueConsumer<Ring> {
    fn receive(&mut self) -> Option<u64> {
        patiently(|| self.try_recv()).map(|message| whole(&message.0))
    }
}

impl Send for (cloudtoid_interprocess::Publisher, Buffer) {
    fn send(&mut self, number: u64) -> bool {
        let bytes = self.1.filled(number);
        patiently(|| self.0.try_send(bytes).ok()).is_some()
    }
}

impl Receive for cloudtoid_interprocess::Subscriber {
    fn receive(&mut self) -> Option<u64> {
        let message = self.recv_timeout(TRY).expect("a queue")?;
        // SAFETY: the message has as many bytes as the sender's buffer.
        Some(unsafe { words::sum(message.as_ptr().cast(), WORDS) })
    }
}

type Service = iceoryx::Service<WORDS>;

struct Publisher(
    iceoryx2::port::publisher::Publisher<iceoryx2::prelude::ipc::Service, Message, ()>,
    #[allow(dead_code, reason = "it lives as long as the publisher")] Service,
);

struct Subscriber(
    iceoryx2::port::subscriber::Subscriber<iceoryx2::prelude::ipc::Service, Message, ()>,
    #[allow(dead_code, reason = "it lives as long as the subscriber")] Service,
);

fn service(setting: &Setting, lossy: bool) -> Service {
    let node = iceoryx::node(setting);
    let service = iceoryx::service(&node, &setting.name, |builder| {
        builder
            .enable_safe_overflow(lossy)
            .subscriber_max_buffer_size(setting.depth)
            .max_publishers(1)
            .max_subscribers(MOST)
            .max_nodes(MOST + 4)
    });
    (node, service)
}

fn publisher(setting: &Setting, lossy: bool) -> Publisher {
    let service = service(setting, lossy);
    let strategy = if lossy {
        BackpressureStrategy::DiscardData
    } else {
        BackpressureStrategy::RetryUntilDelivered
    };
    let builder = service.1.publisher_builder().backpressure_strategy(strategy);
    Publisher(builder.create().expect("a publisher"), service)
}

fn subscriber(setting: &Setting, lossy: bool) -> Subscriber {
    let service = service(setting, lossy);
    Subscriber(service.1.subscriber_builder().create().expect("a subscriber"), service)
}

impl Send for Publisher {
    fn send(&mut self, number: u64) -> bool {
        let sample = self.0.loan_uninit().expect("a sample").write_payload([number; WORDS]);
        sample.send().is_ok()
    }
}

impl Receive for Subscriber {
    fn receive(&mut self) -> Option<u64> {
        patiently(|| self.0.receive().expect("a publisher")).map(|sample| whole(sample.payload()))
    }
}

/// A queue whose name is removed by its creator only.
struct Kept<Q>(std::mem::ManuallyDrop<Q>, Buffer);

fn boost_queue(setting: &Setting) -> std::mem::ManuallyDrop<boost::Queue> {
    let queue = boost::Queue::open(&setting.name, setting.depth, BYTES, false);
    std::mem::ManuallyDrop::new(queue)
}

fn posix(setting: &Setting) -> std::mem::ManuallyDrop<posix_queue::Queue> {
    std::mem::ManuallyDrop::new(posix_queue::Queue::open(&setting.name, BYTES, true))
}

impl<Q: ByteQueue> Send for Kept<Q> {
    fn send(&mut self, number: u64) -> bool {
        let bytes = self.1.filled(number);
        patiently(|| self.0.send(bytes).then_some(())).is_some()
    }
}

impl<Q: ByteQueue> Receive for Kept<Q> {
    fn receive(&mut self) -> Option<u64> {
        patiently(|| self.0.receive(self.1.bytes()).then_some(()))?;
        Some(self.1.sum())
    }
}

fn pipe(setting: &Setting) -> File {
    stream::open_pipe(&Setting { waiting: Waiting::Polling, ..setting.clone() }, "pipe")
}

impl Send for (File, Buffer) {
    fn send(&mut self, number: u64) -> bool {
        // A pipe accepts so few bytes as a whole or not at all.
        let bytes = self.1.filled(number);
        patiently(|| self.0.write(bytes).ok()).is_some()
    }
}

impl Receive for (File, Buffer) {
    fn receive(&mut self) -> Option<u64> {
        patiently(|| self.0.read(self.1.bytes()).ok())?;
        Some(self.1.sum())
    }
}
