//! cloudtoid-interprocess: queues of bytes. A sender has no call that waits for room.

use std::thread::yield_now;

use cloudtoid_interprocess::{Options, Publisher, Subscriber};

use super::{Incoming, Outgoing, Setting, Transport, Waiting};
use crate::words::Buffer;

pub(crate) struct Cloudtoid;
pub(crate) struct Out(Publisher, Buffer, Vec<Buffer>);
pub(crate) struct In(Subscriber, Waiting, Buffer);

pub(crate) fn options(setting: &Setting, direction: &str, bytes: usize) -> Options {
    // Each message has a header of eight bytes.
    let capacity = setting.depth * (bytes + 8);
    Options::new(format!("{}-{direction}", setting.name), capacity).with_path(&setting.folder)
}

fn both<const WORDS: usize>(setting: &Setting, [to, from]: [&str; 2]) -> (Out, In) {
    let publisher = Publisher::open(&options(setting, to, WORDS * 8)).expect("a queue");
    let subscriber = Subscriber::open(&options(setting, from, WORDS * 8)).expect("a queue");
    let batch = (0..64).map(|_| Buffer::new(WORDS)).collect();
    (Out(publisher, Buffer::new(WORDS), batch), In(subscriber, setting.waiting, Buffer::new(WORDS)))
}

impl<const WORDS: usize> Transport<WORDS> for Cloudtoid {
    type Out = Out;
    type In = In;
    type Listening = (Out, In);

    fn listen(setting: &Setting) -> (Out, In) {
        both::<WORDS>(setting, ["there", "back"])
    }

    fn accept(both: (Out, In), _: &Setting) -> (Out, In) {
        both
    }

    fn connect(setting: &Setting) -> (Out, In) {
        both::<WORDS>(setting, ["back", "there"])
    }
}

impl Outgoing for Out {
    fn send(&mut self, number: u64) {
        let bytes = self.1.filled(number);
        while let Err(error) = self.0.try_send(bytes) {
            assert!(error.is_full(), "{error}");
            yield_now();
        }
    }

    fn send_batch(&mut self, first: u64, count: u64) {
        let buffers = self.2.iter_mut().zip(first..first + count);
        let messages: Vec<&[u8]> = buffers.map(|(buffer, number)| buffer.filled(number)).collect();
        let mut sent = 0;
        while sent < messages.len() {
            match self.0.try_send_batch(&messages[sent..]).expect("a queue") {
                0 => yield_now(),
                count => sent += count,
            }
        }
    }
}

impl Incoming for In {
    fn receive(&mut self) -> u64 {
        if self.1 == Waiting::Polling {
            while self.0.try_recv_into(self.2.bytes()).expect("a queue").is_none() {
                std::hint::spin_loop();
            }
            return self.2.sum();
        }
        let message = self.0.recv().expect("a message");
        // SAFETY: the message has as many bytes as the sender's buffer.
        unsafe { crate::words::sum(message.as_ptr().cast(), message.len() / 8) }
    }
}
