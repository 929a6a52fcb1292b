//! The traits of the two ends of a ring, which the benchmark calls. An end waits by polling.

use std::marker::PhantomData;

use pagemate::channel::{Kind, Options, Receiver, Sender, Waiting};

/// A message of this many words.
pub(crate) type Message<const WORDS: usize> = [u64; WORDS];

/// The sending end of a ring.
pub(crate) trait Sending<const WORDS: usize> {
    fn send(&mut self, message: &Message<WORDS>);
    fn send_batch(&mut self, messages: &[Message<WORDS>]);
}

/// The receiving end of a ring.
pub(crate) trait Receiving<const WORDS: usize> {
    fn receive(&mut self) -> Message<WORDS>;

    /// Receives a message into `message`, so that a large one is copied once.
    fn receive_into(&mut self, message: &mut Message<WORDS>);

    /// Replaces the content of `messages` by the messages that have arrived: at least one and at
    /// most `max`.
    fn receive_batch(&mut self, messages: &mut Vec<Message<WORDS>>, max: usize);
}

/// A kind of ring. Either end may create it.
pub(crate) trait Ring<const WORDS: usize> {
    type Sending: Sending<WORDS>;
    type Receiving: Receiving<WORDS>;

    fn sending(name: &str, depth: usize) -> Self::Sending;
    fn receiving(name: &str, depth: usize) -> Self::Receiving;
}

/// A channel of pagemate of the kind `K`.
pub(crate) struct Pagemate<K>(PhantomData<K>);

impl<K: Kind, const WORDS: usize> Ring<WORDS> for Pagemate<K> {
    type Sending = Sender<K, Message<WORDS>>;
    type Receiving = Receiver<K, Message<WORDS>>;

    fn sending(name: &str, depth: usize) -> Self::Sending {
        Options::new()
            .capacity(depth)
            .waiting(Waiting::Spin)
            .open_or_create(name)
            .expect("a sender")
    }

    fn receiving(name: &str, depth: usize) -> Self::Receiving {
        Options::new()
            .capacity(depth)
            .waiting(Waiting::Spin)
            .open_or_create(name)
            .expect("a receiver")
    }
}

impl<K: Kind, const WORDS: usize> Sending<WORDS> for Sender<K, Message<WORDS>> {
    #[inline]
    fn send(&mut self, message: &Message<WORDS>) {
        Sender::send(self, message).expect("a receiver");
    }

    fn send_batch(&mut self, messages: &[Message<WORDS>]) {
        self.send_all(messages).expect("a receiver");
    }
}

impl<K: Kind, const WORDS: usize> Receiving<WORDS> for Receiver<K, Message<WORDS>> {
    #[inline]
    fn receive(&mut self) -> Message<WORDS> {
        self.recv().expect("a sender")
    }

    fn receive_into(&mut self, message: &mut Message<WORDS>) {
        self.recv_into(message).expect("a sender");
    }

    fn receive_batch(&mut self, messages: &mut Vec<Message<WORDS>>, max: usize) {
        messages.clear();
        self.recv_many(messages, max).expect("a sender");
    }
}
