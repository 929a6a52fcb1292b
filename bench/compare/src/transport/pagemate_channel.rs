//! pagemate's channels, with messages that are written and read in place.

use std::marker::PhantomData;

use pagemate::channel::{self, Kind, Options, Receiver, Sender, mpmc, spsc};

use super::{Incoming, Outgoing, Setting, Transport, Waiting};
use crate::words;

pub(crate) type Spsc = Channel<spsc::Spsc>;
pub(crate) type Mpmc = Channel<mpmc::Mpmc>;

pub(crate) struct Channel<K>(PhantomData<K>);

pub(crate) struct Out<K: Kind, const WORDS: usize> {
    sender: Sender<K, [u64; WORDS]>,
    batch: Vec<[u64; WORDS]>,
}

pub(crate) struct In<K: Kind, const WORDS: usize> {
    receiver: Receiver<K, [u64; WORDS]>,
    batch: Vec<[u64; WORDS]>,
}

fn options(setting: &Setting) -> Options {
    let mut options = Options::new();
    options.capacity(setting.depth).waiting(match setting.waiting {
        Waiting::Polling => channel::Waiting::Spin,
        Waiting::Blocking => channel::Waiting::Sleep,
        Waiting::Default => channel::Waiting::SpinThenSleep,
    });
    options
}

fn both<K: Kind, const WORDS: usize>(
    setting: &Setting,
    [to, from]: [&str; 2],
) -> (Out<K, WORDS>, In<K, WORDS>) {
    let name = |direction: &str| format!("{} {direction}", setting.name);
    let sender = options(setting).open_or_create(name(to)).expect("a sender");
    let receiver = options(setting).open_or_create(name(from)).expect("a receiver");
    (Out { sender, batch: Vec::new() }, In { receiver, batch: Vec::new() })
}

impl<K: Kind + 'static, const WORDS: usize> Transport<WORDS> for Channel<K> {
    type Out = Out<K, WORDS>;
    type In = In<K, WORDS>;
    type Listening = (Self::Out, Self::In);

    fn listen(setting: &Setting) -> Self::Listening {
        both(setting, ["there", "back"])
    }

    fn accept(both: Self::Listening, _: &Setting) -> (Self::Out, Self::In) {
        both
    }

    fn connect(setting: &Setting) -> (Self::Out, Self::In) {
        both(setting, ["back", "there"])
    }
}

/// Messages of up to this many words pass through a local variable. Longer ones are written and read
/// in place.
const SMALL: usize = 512;

impl<K: Kind, const WORDS: usize> Outgoing for Out<K, WORDS> {
    #[inline]
    fn send(&mut self, number: u64) {
        if WORDS <= SMALL {
            self.sender.send(&[number; WORDS]).expect("a receiver");
            return;
        }
        let mut loan = self.sender.loan().expect("a receiver");
        // SAFETY: the loan has room for a message, and no other process accesses it before it is sent.
        unsafe { words::fill(loan.as_mut_ptr().cast(), WORDS, number) };
        loan.send().expect("a receiver");
    }

    fn send_batch(&mut self, first: u64, count: u64) {
        if WORDS > SMALL {
            return (first..first + count).for_each(|number| self.send(number));
        }
        self.batch.clear();
        self.batch.extend((first..first + count).map(|number| [number; WORDS]));
        self.sender.send_all(&self.batch).expect("a receiver");
    }
}

impl<K: Kind, const WORDS: usize> Incoming for In<K, WORDS> {
    #[inline]
    fn receive(&mut self) -> u64 {
        if WORDS <= SMALL {
            let message = self.receiver.recv().expect("a sender");
            // SAFETY: the message is a local variable of so many words.
            return unsafe { words::sum(message.as_ptr(), WORDS) };
        }
        let sample = self.receiver.sample().expect("a sender");
        // SAFETY: the sample is a message of so many words, and the sender does not access it before the
        // sample is dropped.
        unsafe { words::sum(sample.as_ptr().cast(), WORDS) }
    }

    fn receive_batch(&mut self, next: u64, most: u64) -> u64 {
        if WORDS > SMALL {
            assert_eq!(self.receive(), next, "a message is lost or out of order");
            return 1;
        }
        self.batch.clear();
        self.receiver.recv_many(&mut self.batch, most as usize).expect("a sender");
        for (message, number) in self.batch.iter().zip(next..) {
            // SAFETY: the message has so many words.
            let received = unsafe { words::sum(message.as_ptr(), WORDS) };
            assert_eq!(received, number, "a message is lost or out of order");
        }
        self.batch.len() as u64
    }
}
