//! Receivers of any kind of channel, with the sample of a message.

use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use pagemate::channel::broadcast::Broadcast;
use pagemate::channel::mpmc::Mpmc;
use pagemate::channel::spsc::Spsc;
use pagemate::channel::{self, Kind, Options, RecvError, Sample};
use pagemate::sync::Ready;

use super::any_sender::Properties;
use super::argument::c_name;
use super::channel_options::{ChannelKind, How, Patience, message_layout};

/// A receiver of any kind of channel. While there is a sample, only the functions about samples may be called: the
/// caller checks [`has_sample`](AnyReceiver::has_sample).
pub(super) trait AnyReceiver: Send {
    fn properties(&mut self) -> Properties;
    /// Copies a message to the start of the buffer, and returns its length. A message that is longer stays in the
    /// channel.
    fn recv(&mut self, buffer: &mut [u8], patience: Patience) -> Result<usize, RecvError>;
    /// Copies messages to buffers that are long enough for every message, one for each element of `lens`, and returns
    /// their number. Blocks while there is none, or not at all.
    fn recv_many(
        &mut self,
        buffers: &mut [u8],
        lens: &mut [usize],
        blocks: bool,
    ) -> Result<usize, RecvError>;
    fn has_sender(&mut self) -> pagemate::Result<bool>;
    fn wait_for_sender(&mut self, time: Duration) -> pagemate::Result<bool>;
    /// Returns how many messages this receiver has missed.
    fn missed(&mut self) -> u64;
    /// Returns whether a receiver that was killed had the message of the sample, or without a sample the last
    /// received message.
    fn redelivered(&mut self) -> bool;
    /// Returns the state in which there is a message.
    fn ready(&mut self) -> Ready<'_>;
    fn has_sample(&self) -> bool;
    /// Lends a message, and returns its address and its length.
    fn sample(&mut self, patience: Patience) -> Result<(*const u8, usize), RecvError>;
    /// Finishes the message of the sample.
    fn finish(&mut self) -> Result<(), RecvError>;
    /// Returns the message of the sample to the channel.
    fn put_back(&mut self);
}

/// Opens a receiver of a channel of this kind.
pub(super) fn open_receiver(
    kind: ChannelKind,
    options: &Options,
    name: &str,
    how: How,
) -> pagemate::Result<Box<dyn AnyReceiver>> {
    match kind {
        ChannelKind::Spsc => Ok(Box::new(Receiving::<Spsc>::new(how.join(options, name)?))),
        ChannelKind::Mpmc => Ok(Box::new(Receiving::<Mpmc>::new(how.join(options, name)?))),
        ChannelKind::Broadcast => {
            Ok(Box::new(Receiving::<Broadcast>::new(how.join(options, name)?)))
        }
    }
}

/// The properties of received messages that only some kinds of channels have.
trait Deliveries: Kind {
    /// Returns how many messages the receiver has missed.
    fn missed(receiver: &channel::Receiver<Self, [u8]>) -> u64 {
        _ = receiver;
        0
    }

    /// Returns whether a receiver that was killed had the last received message.
    fn redelivered(receiver: &channel::Receiver<Self, [u8]>) -> bool {
        _ = receiver;
        false
    }

    /// Returns whether a receiver that was killed had the message of the sample.
    fn is_redelivered(sample: &Sample<'_, Self, [u8]>) -> bool {
        _ = sample;
        false
    }
}

impl Deliveries for Spsc {}

impl Deliveries for Mpmc {
    fn redelivered(receiver: &channel::Receiver<Mpmc, [u8]>) -> bool {
        receiver.redelivered()
    }

    fn is_redelivered(sample: &Sample<'_, Mpmc, [u8]>) -> bool {
        sample.redelivered()
    }
}

impl Deliveries for Broadcast {
    fn missed(receiver: &channel::Receiver<Broadcast, [u8]>) -> u64 {
        receiver.missed()
    }
}

/// A receiver and the sample that borrows it.
struct Receiving<K: Kind> {
    sample: Option<Sample<'static, K, [u8]>>,
    /// The address of a box. The sample, if there is one, borrows the receiver mutably.
    receiver: NonNull<channel::Receiver<K, [u8]>>,
}

// SAFETY: the receiver belongs to this value, as if in a box, and the sample consists of a reference to it and of
// numbers.
unsafe impl<K: Kind> Send for Receiving<K> where channel::Receiver<K, [u8]>: Send {}

impl<K: Kind> Receiving<K> {
    fn new(receiver: channel::Receiver<K, [u8]>) -> Receiving<K> {
        Receiving { sample: None, receiver: NonNull::from(Box::leak(Box::new(receiver))) }
    }

    fn receiver(&mut self) -> &mut channel::Receiver<K, [u8]> {
        assert!(self.sample.is_none(), "the caller checks that there is no sample");
        // SAFETY: the box lives as long as `self`. No sample borrows it, and the reference borrows `self`.
        unsafe { self.receiver.as_mut() }
    }
}

impl<K: Kind> Drop for Receiving<K> {
    fn drop(&mut self) {
        // The process did not finish the message, so the next receiver gets it.
        self.put_back_sample();
        // SAFETY: `new` leaked this box, this is the only place that drops it, and no sample borrows it.
        drop(unsafe { Box::from_raw(self.receiver.as_ptr()) });
    }
}

impl<K: Kind> Receiving<K> {
    fn put_back_sample(&mut self) {
        if let Some(sample) = self.sample.take() {
            sample.put_back();
        }
    }
}

fn take_sample<K: Kind>(
    receiver: &mut channel::Receiver<K, [u8]>,
    patience: Patience,
) -> Result<Sample<'_, K, [u8]>, RecvError> {
    match patience {
        Patience::None => receiver.try_sample(),
        Patience::For(time) => receiver.sample_timeout(time),
        Patience::Forever => receiver.sample(),
    }
}

impl<K: Deliveries> AnyReceiver for Receiving<K>
where
    channel::Receiver<K, [u8]>: Send,
{
    fn properties(&mut self) -> Properties {
        let receiver = self.receiver();
        Properties {
            name: c_name(Some(receiver.name())).map(Arc::from),
            created: receiver.was_created(),
            capacity: receiver.capacity(),
            max_len: receiver.max_len(),
            message: message_layout(receiver.message_type()),
        }
    }

    fn recv(&mut self, buffer: &mut [u8], patience: Patience) -> Result<usize, RecvError> {
        let receiver = self.receiver();
        match patience {
            Patience::None => receiver.try_recv_to_slice(buffer),
            Patience::For(time) => receiver.recv_to_slice_timeout(buffer, time),
            Patience::Forever => receiver.recv_to_slice(buffer),
        }
    }

    fn recv_many(
        &mut self,
        buffers: &mut [u8],
        lens: &mut [usize],
        blocks: bool,
    ) -> Result<usize, RecvError> {
        let receiver = self.receiver();
        if blocks {
            receiver.recv_to_slices(buffers, lens)
        } else {
            receiver.try_recv_to_slices(buffers, lens)
        }
    }

    fn has_sender(&mut self) -> pagemate::Result<bool> {
        self.receiver().has_sender()
    }

    fn wait_for_sender(&mut self, time: Duration) -> pagemate::Result<bool> {
        self.receiver().wait_for_sender(time)
    }

    fn missed(&mut self) -> u64 {
        K::missed(self.receiver())
    }

    fn redelivered(&mut self) -> bool {
        match &self.sample {
            Some(sample) => K::is_redelivered(sample),
            None => K::redelivered(self.receiver()),
        }
    }

    fn ready(&mut self) -> Ready<'_> {
        self.receiver().ready()
    }

    fn has_sample(&self) -> bool {
        self.sample.is_some()
    }

    fn sample(&mut self, patience: Patience) -> Result<(*const u8, usize), RecvError> {
        assert!(self.sample.is_none(), "the caller checks that there is no sample");
        // SAFETY: the box lives until `drop`, which drops the sample before. No other reference to the receiver
        // exists while there is a sample, because `receiver` refuses to make one.
        let receiver: &'static mut channel::Receiver<K, [u8]> =
            unsafe { &mut *self.receiver.as_ptr() };
        let sample = self.sample.insert(take_sample(receiver, patience)?);
        Ok((sample.as_ptr(), sample.len()))
    }

    fn finish(&mut self) -> Result<(), RecvError> {
        self.sample.take().expect("the caller checks that there is a sample").finish()
    }

    fn put_back(&mut self) {
        self.put_back_sample();
    }
}
