//! Senders of any kind of channel, with the loan of a slot.

use std::ffi::{CStr, c_char};
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use pagemate::channel::broadcast::Broadcast;
use pagemate::channel::mpmc::Mpmc;
use pagemate::channel::spsc::Spsc;
use pagemate::channel::{self, Kind, Loan, Options, SendError};
use pagemate::sync::Ready;

use super::argument::c_name;
use super::channel_options::{BYTES, ChannelKind, How, Patience, message_layout};
use super::layout::Layout;

/// The properties of an endpoint that do not change.
#[derive(Debug)]
pub(super) struct Properties {
    pub(super) name: Option<Arc<CStr>>,
    pub(super) created: bool,
    pub(super) capacity: usize,
    pub(super) max_len: usize,
    pub(super) message: Layout,
}

impl Properties {
    /// Returns whether messages have different lengths.
    pub(super) fn has_bytes(&self) -> bool {
        self.message == BYTES
    }

    /// Returns whether the channel admits messages of this length.
    #[inline]
    pub(super) fn admits(&self, len: usize) -> bool {
        if self.has_bytes() { len <= self.max_len } else { len == self.max_len }
    }

    /// Returns the name as a C string.
    pub(super) fn name(&self) -> *const c_char {
        self.name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr())
    }

    /// Returns the call and the channel, for error messages.
    pub(super) fn during(&self, call: &str) -> String {
        let name = self.name.as_ref().map(|name| name.to_string_lossy()).unwrap_or_default();
        format!("{call}, channel \"{name}\"")
    }
}

/// A sender of any kind of channel. While there is a loan, only the functions about loans may be called: the caller
/// checks [`has_loan`](AnySender::has_loan).
pub(super) trait AnySender: Send {
    fn properties(&mut self) -> Properties;
    fn send(&mut self, message: &[u8], patience: Patience) -> Result<(), SendError>;
    fn try_send_many(&mut self, messages: &[&[u8]]) -> Result<usize, SendError>;
    fn wait_until_received(&mut self, time: Duration) -> Result<bool, SendError>;
    fn has_receiver(&mut self) -> pagemate::Result<bool>;
    fn wait_for_receiver(&mut self, time: Duration) -> pagemate::Result<bool>;
    fn pending(&mut self) -> usize;
    /// Returns the state in which there is room.
    fn ready(&mut self) -> Ready<'_>;
    fn has_loan(&self) -> bool;
    /// Lends a slot, and returns its address.
    fn loan(&mut self, patience: Patience) -> Result<*mut u8, SendError>;
    /// Sends the first `len` bytes of the loan.
    fn commit(&mut self, len: usize) -> Result<(), SendError>;
    /// Ends the loan without a message.
    fn discard(&mut self);
}

/// Opens a sender of a channel of this kind.
pub(super) fn open_sender(
    kind: ChannelKind,
    options: &Options,
    name: &str,
    how: How,
) -> pagemate::Result<Box<dyn AnySender>> {
    match kind {
        ChannelKind::Spsc => Ok(Box::new(Sending::<Spsc>::new(how.join(options, name)?))),
        ChannelKind::Mpmc => Ok(Box::new(Sending::<Mpmc>::new(how.join(options, name)?))),
        ChannelKind::Broadcast => Ok(Box::new(Sending::<Broadcast>::new(how.join(options, name)?))),
    }
}

/// A sender and the loan that borrows it.
struct Sending<K: Kind> {
    loan: Option<Loan<'static, K, [u8]>>,
    /// The address of a box. The loan, if there is one, borrows the sender mutably.
    sender: NonNull<channel::Sender<K, [u8]>>,
}

// SAFETY: the sender belongs to this value, as if in a box, and the loan consists of a reference to it.
unsafe impl<K: Kind> Send for Sending<K> where channel::Sender<K, [u8]>: Send {}

impl<K: Kind> Sending<K> {
    fn new(sender: channel::Sender<K, [u8]>) -> Sending<K> {
        Sending { loan: None, sender: NonNull::from(Box::leak(Box::new(sender))) }
    }

    fn sender(&mut self) -> &mut channel::Sender<K, [u8]> {
        assert!(self.loan.is_none(), "the caller checks that there is no loan");
        // SAFETY: the box lives as long as `self`. No loan borrows it, and the reference borrows `self`.
        unsafe { self.sender.as_mut() }
    }
}

impl<K: Kind> Drop for Sending<K> {
    fn drop(&mut self) {
        self.loan = None;
        // SAFETY: `new` leaked this box, this is the only place that drops it, and no loan borrows it.
        drop(unsafe { Box::from_raw(self.sender.as_ptr()) });
    }
}

impl<K: Kind> AnySender for Sending<K>
where
    channel::Sender<K, [u8]>: Send,
{
    fn properties(&mut self) -> Properties {
        let sender = self.sender();
        Properties {
            name: c_name(Some(sender.name())).map(Arc::from),
            created: sender.was_created(),
            capacity: sender.capacity(),
            max_len: sender.max_len(),
            message: message_layout(sender.message_type()),
        }
    }

    fn send(&mut self, message: &[u8], patience: Patience) -> Result<(), SendError> {
        let sender = self.sender();
        match patience {
            Patience::None => sender.try_send(message),
            Patience::For(time) => sender.send_timeout(message, time),
            Patience::Forever => sender.send(message),
        }
    }

    fn try_send_many(&mut self, messages: &[&[u8]]) -> Result<usize, SendError> {
        self.sender().try_send_many(messages)
    }

    fn wait_until_received(&mut self, time: Duration) -> Result<bool, SendError> {
        self.sender().wait_until_received(time)
    }

    fn has_receiver(&mut self) -> pagemate::Result<bool> {
        self.sender().has_receiver()
    }

    fn wait_for_receiver(&mut self, time: Duration) -> pagemate::Result<bool> {
        self.sender().wait_for_receiver(time)
    }

    fn pending(&mut self) -> usize {
        self.sender().len()
    }

    fn ready(&mut self) -> Ready<'_> {
        self.sender().ready()
    }

    fn has_loan(&self) -> bool {
        self.loan.is_some()
    }

    fn loan(&mut self, patience: Patience) -> Result<*mut u8, SendError> {
        assert!(self.loan.is_none(), "the caller checks that there is no loan");
        // SAFETY: the box lives until `drop`, which drops the loan before. No other reference to the sender
        // exists while there is a loan, because `sender` refuses to make one.
        let sender: &'static mut channel::Sender<K, [u8]> = unsafe { &mut *self.sender.as_ptr() };
        let loan = match patience {
            Patience::None => sender.try_loan(),
            Patience::For(time) => sender.loan_timeout(time),
            Patience::Forever => sender.loan(),
        }?;
        Ok(self.loan.insert(loan).as_mut_ptr())
    }

    fn commit(&mut self, len: usize) -> Result<(), SendError> {
        self.loan.take().expect("the caller checks that there is a loan").send(len)
    }

    fn discard(&mut self) {
        self.loan = None;
    }
}
