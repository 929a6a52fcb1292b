//! ringfire: rings with back-pressure for messages of up to 4 KiB, and blobs for longer ones. A
//! sender of blobs never waits, so that this code asks for headroom before each of them.

use std::hint::spin_loop;
use std::time::Duration;

use ringfire::{
    BlobConsumer, BlobProducer, BlobProducerBuilder, BusySpin, FlowControl, FutexWait,
    RingConsumer, RingProducer, RingProducerBuilder,
};

use super::{Incoming, Outgoing, Setting, Transport, Waiting};
use crate::words;

/// The longest message of a ring, in words.
const SMALL: usize = 512;

pub(crate) struct Ringfire;

pub(crate) enum Out<const WORDS: usize> {
    Ring(Box<RingProducer<Message<WORDS>>>, Vec<Message<WORDS>>),
    Blobs(Box<BlobProducer<()>>),
}

pub(crate) enum In<const WORDS: usize> {
    Ring(Box<RingConsumer<Message<WORDS>>>, Waiting, Vec<Message<WORDS>>),
    Blobs(Box<BlobConsumer<()>>),
}

/// A message. ringfire accepts an array only inside a type of the user.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(crate) struct Message<const WORDS: usize>([u64; WORDS]);

fn sender<const WORDS: usize>(setting: &Setting, direction: &str) -> Out<WORDS> {
    let (path, depth) = (setting.file(direction), setting.depth as u64);
    if WORDS > SMALL {
        // The arena has room for one message more than the ring, because a message does not wrap.
        let arena = ((setting.depth + 1) * WORDS * 8).next_power_of_two();
        let builder = BlobProducerBuilder::new(depth, arena).max_readers(1);
        return Out::Blobs(Box::new(builder.build(path).expect("blobs")));
    }
    let builder = RingProducerBuilder::new(depth)
        .flow_control(FlowControl::LosslessBackpressure)
        .max_readers(1);
    Out::Ring(Box::new(builder.build(path).expect("a ring")), Vec::new())
}

fn receiver<const WORDS: usize>(setting: &Setting, direction: &str) -> In<WORDS> {
    let path = setting.file(direction);
    if WORDS > SMALL {
        return In::Blobs(Box::new(BlobConsumer::attach(path).expect("blobs")));
    }
    let ring = RingConsumer::attach(path).expect("a ring");
    In::Ring(Box::new(ring), setting.waiting, vec![Message([0; WORDS]); 64])
}

impl<const WORDS: usize> Transport<WORDS> for Ringfire {
    type Out = Out<WORDS>;
    type In = In<WORDS>;
    /// The first process attaches to the second one's ring when that exists.
    type Listening = Out<WORDS>;

    fn listen(setting: &Setting) -> Out<WORDS> {
        sender(setting, "there")
    }

    fn accept(to: Out<WORDS>, setting: &Setting) -> (Out<WORDS>, In<WORDS>) {
        (to, receiver(setting, "back"))
    }

    fn connect(setting: &Setting) -> (Out<WORDS>, In<WORDS>) {
        (sender(setting, "back"), receiver(setting, "there"))
    }
}

impl<const WORDS: usize> Outgoing for Out<WORDS> {
    #[inline]
    fn send(&mut self, number: u64) {
        match self {
            Out::Ring(ring, _) => ring.push(&Message([number; WORDS])),
            Out::Blobs(blobs) => {
                while blobs.headroom() == 0 {
                    spin_loop();
                }
                let fill = |bytes: &mut [u8]| {
                    // SAFETY: the blob has room for a message.
                    unsafe { words::fill(bytes.as_mut_ptr().cast(), WORDS, number) }
                };
                blobs.push_with(&(), WORDS * 8, fill).expect("a blob");
            }
        }
    }

    fn send_batch(&mut self, first: u64, count: u64) {
        match self {
            Out::Ring(ring, batch) => {
                batch.clear();
                batch.extend((first..first + count).map(|number| Message([number; WORDS])));
                ring.push_batch(batch);
            }
            Out::Blobs(_) => (first..first + count).for_each(|number| self.send(number)),
        }
    }
}

impl<const WORDS: usize> Incoming for In<WORDS> {
    #[inline]
    fn receive(&mut self) -> u64 {
        match self {
            In::Ring(ring, waiting, _) => {
                let message = match waiting {
                    Waiting::Polling => ring.recv_blocking(&mut BusySpin::new()),
                    Waiting::Blocking => {
                        ring.recv_blocking(&mut FutexWait::new(0, Some(Duration::from_millis(50))))
                    }
                    Waiting::Default => ring.recv_blocking(&mut FutexWait::default()),
                };
                // SAFETY: the message is a local variable of so many words.
                unsafe { words::sum(message.0.as_ptr(), WORDS) }
            }
            In::Blobs(blobs) => loop {
                let read = |(): &(), bytes: &[u8]| {
                    // SAFETY: the blob is a message of so many words.
                    unsafe { words::sum(bytes.as_ptr().cast(), WORDS) }
                };
                match blobs.view(read).expect("a blob") {
                    Some(number) => return number,
                    None => spin_loop(),
                }
            },
        }
    }

    fn receive_batch(&mut self, next: u64, most: u64) -> u64 {
        let In::Ring(ring, Waiting::Polling, batch) = self else {
            assert_eq!(self.receive(), next, "a message is lost or out of order");
            return 1;
        };
        let count = loop {
            match ring.recv_batch(&mut batch[..most as usize]) {
                0 => spin_loop(),
                count => break count,
            }
        };
        for (message, number) in batch[..count].iter().zip(next..) {
            // SAFETY: the message has so many words.
            let received = unsafe { words::sum(message.0.as_ptr(), WORDS) };
            assert_eq!(received, number, "a message is lost or out of order");
        }
        count as u64
    }
}
