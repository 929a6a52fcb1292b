//! A connection by two queues of messages of bytes, each with a name.

use std::hint::spin_loop;
use std::marker::PhantomData;

use super::{Incoming, Outgoing, Setting, Transport};
use crate::words::Buffer;

/// One end of a queue.
pub(crate) trait ByteQueue {
    /// Opens or creates a queue for messages of so many bytes.
    fn open(setting: &Setting, name: &str, bytes: usize) -> Self;

    /// Returns `false` if the queue is full and this end does not wait.
    fn send(&mut self, bytes: &[u8]) -> bool;

    /// Returns `false` if the queue is empty and this end does not wait.
    fn receive(&mut self, bytes: &mut [u8]) -> bool;
}

/// The transport by queues of this kind.
pub(crate) struct Queues<Q>(PhantomData<Q>);

pub(crate) struct End<Q>(Q, Buffer);

fn both<Q: ByteQueue, const WORDS: usize>(
    setting: &Setting,
    [to, from]: [&str; 2],
) -> (End<Q>, End<Q>) {
    let open = |direction: &str| {
        let name = format!("{}-{direction}", setting.name);
        End(Q::open(setting, &name, WORDS * 8), Buffer::new(WORDS))
    };
    (open(to), open(from))
}

impl<Q: ByteQueue + 'static, const WORDS: usize> Transport<WORDS> for Queues<Q> {
    type Out = End<Q>;
    type In = End<Q>;
    type Listening = (End<Q>, End<Q>);

    fn listen(setting: &Setting) -> Self::Listening {
        both::<Q, WORDS>(setting, ["there", "back"])
    }

    fn accept(both: Self::Listening, _: &Setting) -> Self::Listening {
        both
    }

    fn connect(setting: &Setting) -> Self::Listening {
        both::<Q, WORDS>(setting, ["back", "there"])
    }
}

impl<Q: ByteQueue> Outgoing for End<Q> {
    fn send(&mut self, number: u64) {
        let bytes = self.1.filled(number);
        while !self.0.send(bytes) {
            spin_loop();
        }
    }
}

impl<Q: ByteQueue> Incoming for End<Q> {
    fn receive(&mut self) -> u64 {
        while !self.0.receive(self.1.bytes()) {
            spin_loop();
        }
        self.1.sum()
    }
}
