//! Iterators over the messages of a channel.

use super::message::Message;
use super::protocol::Kind;
use super::receiver::Receiver;

impl<K: Kind, M: Message + ?Sized> Receiver<K, M> {
    /// Returns an iterator over the messages, which blocks while there is none. It ends at the first
    /// error, such as `Disconnected`.
    pub fn iter(&mut self) -> Iter<'_, K, M> {
        Iter { receiver: self }
    }

    /// Returns an iterator over the messages that the channel has now. It does not block.
    pub fn try_iter(&mut self) -> TryIter<'_, K, M> {
        TryIter { receiver: self }
    }
}

#[allow(clippy::into_iter_without_iter, reason = "`iter` borrows the receiver mutably already")]
impl<'a, K: Kind, M: Message + ?Sized> IntoIterator for &'a mut Receiver<K, M> {
    type Item = M::Owned;
    type IntoIter = Iter<'a, K, M>;

    fn into_iter(self) -> Iter<'a, K, M> {
        self.iter()
    }
}

/// An iterator over the messages of a channel: see [`Receiver::iter`].
#[derive(Debug)]
#[must_use = "the iterator receives nothing until it is used"]
pub struct Iter<'a, K: Kind, M: Message + ?Sized> {
    receiver: &'a mut Receiver<K, M>,
}

impl<K: Kind, M: Message + ?Sized> Iterator for Iter<'_, K, M> {
    type Item = M::Owned;

    fn next(&mut self) -> Option<M::Owned> {
        self.receiver.recv().ok()
    }
}

/// An iterator over the present messages of a channel: see [`Receiver::try_iter`].
#[derive(Debug)]
#[must_use = "the iterator receives nothing until it is used"]
pub struct TryIter<'a, K: Kind, M: Message + ?Sized> {
    receiver: &'a mut Receiver<K, M>,
}

impl<K: Kind, M: Message + ?Sized> Iterator for TryIter<'_, K, M> {
    type Item = M::Owned;

    fn next(&mut self) -> Option<M::Owned> {
        self.receiver.try_recv().ok()
    }
}
