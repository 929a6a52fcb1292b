//! Endpoints of any kind of channel. A watch channel has one message, the latest value.

use std::io;
use std::time::Duration;

use clap::ValueEnum;
use pagemate::channel::broadcast::Broadcast;
use pagemate::channel::mpmc::Mpmc;
use pagemate::channel::spsc::Spsc;
use pagemate::channel::{
    Endpoint, Kind, Options, Receiver, RecvError, Sample, SendError, Sender, watch,
};
use pagemate::{ErrorKind, Name, Result};

/// The kind of a new channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum KindArg {
    /// Several senders and receivers; each message goes to one of the receivers.
    Mpmc,
    /// One sender and several receivers; each message goes to all of them.
    Broadcast,
    /// One sender and one receiver.
    Spsc,
    /// One sender; each message replaces the one before, and receivers get the latest one.
    Watch,
}

/// A kind of channel that the commands can use.
trait MessageKind: Kind {
    /// Whether messages are lost that are sent while the channel has no receiver.
    const NEEDS_RECEIVER: bool = false;

    /// Returns how many messages the receiver missed directly before this one.
    fn missed(_sample: &Sample<'_, Self, [u8]>) -> u64 {
        0
    }
}

impl MessageKind for Spsc {}

impl MessageKind for Mpmc {}

impl MessageKind for Broadcast {
    const NEEDS_RECEIVER: bool = true;

    fn missed(sample: &Sample<'_, Broadcast, [u8]>) -> u64 {
        sample.missed()
    }
}

/// A sender of any kind of channel.
pub(crate) trait Sending {
    /// Sends a message. Blocks for at most `time` while there is no room.
    fn send(&mut self, message: &[u8], time: Duration) -> std::result::Result<(), SendError>;

    /// Returns the length of the longest message, and whether messages may be shorter.
    fn max_len(&self) -> (usize, bool);

    /// Returns the number of messages that were sent and not yet received.
    fn pending(&self) -> usize;

    fn wait_until_received(&mut self, time: Duration) -> std::result::Result<bool, SendError>;

    /// Returns whether the channel has the latest value, which is not received but replaced.
    fn has_latest_value(&self) -> bool;

    /// Returns whether this process created the channel.
    fn was_created(&self) -> bool;

    /// Returns whether messages are lost that are sent while the channel has no receiver.
    fn needs_receiver(&self) -> bool;

    /// Waits for at most `time` until a live process has a receiver. Returns whether one has.
    fn wait_for_receiver(&self, time: Duration) -> Result<bool>;
}

impl<K: MessageKind> Sending for Sender<K, [u8]> {
    fn send(&mut self, message: &[u8], time: Duration) -> std::result::Result<(), SendError> {
        self.send_timeout(message, time)
    }

    fn max_len(&self) -> (usize, bool) {
        (Sender::max_len(self), self.message_type().is_bytes())
    }

    fn pending(&self) -> usize {
        self.len()
    }

    fn wait_until_received(&mut self, time: Duration) -> std::result::Result<bool, SendError> {
        Sender::wait_until_received(self, time)
    }

    fn has_latest_value(&self) -> bool {
        false
    }

    fn was_created(&self) -> bool {
        Sender::was_created(self)
    }

    fn needs_receiver(&self) -> bool {
        K::NEEDS_RECEIVER
    }

    fn wait_for_receiver(&self, time: Duration) -> Result<bool> {
        Sender::wait_for_receiver(self, time)
    }
}

impl Sending for watch::Writer<[u8]> {
    fn send(&mut self, message: &[u8], _: Duration) -> std::result::Result<(), SendError> {
        self.write(message)
    }

    fn max_len(&self) -> (usize, bool) {
        (watch::Writer::max_len(self), self.message_type().is_bytes())
    }

    fn pending(&self) -> usize {
        0
    }

    fn wait_until_received(&mut self, _: Duration) -> std::result::Result<bool, SendError> {
        Ok(true)
    }

    fn has_latest_value(&self) -> bool {
        true
    }

    fn was_created(&self) -> bool {
        watch::Writer::was_created(self)
    }

    fn needs_receiver(&self) -> bool {
        false
    }

    fn wait_for_receiver(&self, _: Duration) -> Result<bool> {
        Ok(true)
    }
}

/// A receiver of any kind of channel.
pub(crate) trait Receiving {
    /// Receives a message. Passes it to `consume`, with the number of messages that were missed directly
    /// before it. If that fails, the message stays in the channel. Blocks for at most `time`.
    fn recv(
        &mut self,
        time: Duration,
        consume: &mut dyn FnMut(&[u8], u64) -> io::Result<()>,
    ) -> std::result::Result<io::Result<()>, RecvError>;

    /// Returns whether messages have different lengths.
    fn is_bytes(&self) -> bool;

    /// Returns whether the channel has the latest value, which stays after it was received.
    fn has_latest_value(&self) -> bool;
}

impl<K: MessageKind> Receiving for Receiver<K, [u8]> {
    fn recv(
        &mut self,
        time: Duration,
        consume: &mut dyn FnMut(&[u8], u64) -> io::Result<()>,
    ) -> std::result::Result<io::Result<()>, RecvError> {
        let sample = self.sample_timeout(time)?;
        let consumed = consume(&sample.read(), K::missed(&sample));
        if consumed.is_err() {
            sample.put_back();
        }
        Ok(consumed)
    }

    fn is_bytes(&self) -> bool {
        self.message_type().is_bytes()
    }

    fn has_latest_value(&self) -> bool {
        false
    }
}

impl Receiving for watch::Reader<[u8]> {
    fn recv(
        &mut self,
        time: Duration,
        consume: &mut dyn FnMut(&[u8], u64) -> io::Result<()>,
    ) -> std::result::Result<io::Result<()>, RecvError> {
        self.wait_for_change_timeout(time)?;
        Ok(consume(&self.read()?, 0))
    }

    fn is_bytes(&self) -> bool {
        self.message_type().is_bytes()
    }

    fn has_latest_value(&self) -> bool {
        true
    }
}

/// Opens a sender of the channel `name`, of any kind. If no process holds the name, creates a channel of
/// kind `new`.
pub(crate) fn open_sender(
    name: &Name,
    options: &Options,
    new: KindArg,
) -> Result<Box<dyn Sending>> {
    let open = || of_any_kind(|kind| sender(kind, name, options, false));
    match open() {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        opened => return opened,
    }
    match sender(new, name, options, true) {
        // Another process has just created a channel of another kind.
        Err(error) if error.kind() == ErrorKind::WrongKind => open(),
        created => created,
    }
}

/// Opens a receiver of the channel `name`, of any kind. Waits for at most `time` until a process creates
/// it.
pub(crate) fn open_receiver(
    name: &Name,
    options: &Options,
    time: Duration,
) -> Result<Box<dyn Receiving>> {
    of_any_kind(|kind| receiver(kind, name, options, time))
}

/// Calls `open` for each kind until the channel is of that kind.
fn of_any_kind<E>(open: impl Fn(KindArg) -> Result<E>) -> Result<E> {
    let (last, others) = KindArg::value_variants().split_last().expect("there are kinds");
    for kind in others {
        match open(*kind) {
            Err(error) if error.kind() == ErrorKind::WrongKind => {}
            opened => return opened,
        }
    }
    open(*last)
}

fn sender(
    kind: KindArg,
    name: &Name,
    options: &Options,
    may_create: bool,
) -> Result<Box<dyn Sending>> {
    fn open<E: Endpoint + Sending + 'static>(
        name: &Name,
        options: &Options,
        may_create: bool,
    ) -> Result<Box<dyn Sending>> {
        let sender: E =
            if may_create { options.open_or_create(name)? } else { options.open(name)? };
        Ok(Box::new(sender))
    }
    match kind {
        KindArg::Mpmc => open::<Sender<Mpmc, [u8]>>(name, options, may_create),
        KindArg::Broadcast => open::<Sender<Broadcast, [u8]>>(name, options, may_create),
        KindArg::Spsc => open::<Sender<Spsc, [u8]>>(name, options, may_create),
        KindArg::Watch => open::<watch::Writer<[u8]>>(name, options, may_create),
    }
}

fn receiver(
    kind: KindArg,
    name: &Name,
    options: &Options,
    time: Duration,
) -> Result<Box<dyn Receiving>> {
    fn open<E: Endpoint + Receiving + 'static>(
        name: &Name,
        options: &Options,
        time: Duration,
    ) -> Result<Box<dyn Receiving>> {
        let receiver: E = options.open_within(name, time)?;
        Ok(Box::new(receiver))
    }
    match kind {
        KindArg::Mpmc => open::<Receiver<Mpmc, [u8]>>(name, options, time),
        KindArg::Broadcast => open::<Receiver<Broadcast, [u8]>>(name, options, time),
        KindArg::Spsc => open::<Receiver<Spsc, [u8]>>(name, options, time),
        KindArg::Watch => open::<watch::Reader<[u8]>>(name, options, time),
    }
}
