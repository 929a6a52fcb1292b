use std::time::Duration;

use super::message_type::MessageType;
use super::waiting::Waiting;
use crate::access::Sharing;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::name::{Name, ToName};
use crate::sys::object::Existing;

/// Options to create or open an endpoint of a channel.
///
/// Set the options that differ from the defaults, then call one of the four functions that return
/// an endpoint. The type of the result selects the endpoint and the kind of channel.
///
/// # Examples
///
/// ```
/// use pagemate::channel::{Options, spsc};
///
/// # fn main() -> pagemate::Result<()> {
/// # let name = &format!("doc-channel-options-{}", std::process::id());
/// let sender: spsc::Sender<u64> = Options::new().capacity(64).create_new(name)?;
/// let receiver: spsc::Receiver<u64> = Options::new().open(name)?;
/// assert_eq!(receiver.capacity(), 64);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    pub(super) capacity: usize,
    pub(super) max_len: usize,
    pub(super) messages: ByteMessages,
    pub(super) sharing: Sharing,
    pub(super) waiting: Waiting,
    pub(super) awaits_successor: bool,
    pub(super) lossy: bool,
    pub(super) receivers: usize,
    pub(super) takes_over: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options::new()
    }
}

impl Options {
    /// Returns the default options: a capacity of 1,024 messages, for the owner alone. Messages of type
    /// `[u8]` have at most 4,096 bytes.
    pub fn new() -> Options {
        Options {
            capacity: 1024,
            max_len: 4096,
            messages: ByteMessages::DifferentLengths,
            sharing: Sharing::Owner,
            waiting: Waiting::default(),
            awaits_successor: false,
            lossy: false,
            receivers: 16,
            takes_over: false,
        }
    }

    /// Sets the minimum number of messages that a new channel can store. It is rounded up to a
    /// power of two. An existing channel keeps its capacity.
    pub fn capacity(&mut self, messages: usize) -> &mut Options {
        self.capacity = messages;
        self
    }

    /// Sets the maximum length in bytes of the messages of a new channel with messages of type `[u8]`. Each slot
    /// has this length, and the creation of the channel reserves the memory of all slots.
    pub fn max_len(&mut self, bytes: usize) -> &mut Options {
        self.max_len = bytes;
        self
    }

    /// Sets the layout of the messages for an endpoint with messages of type `[u8]`. Each message then
    /// consists of the bytes of one value of that layout, and the endpoint can use a channel that other programs use
    /// with the value's type. Without this call messages have different lengths. Endpoints with messages
    /// of another type ignore it.
    pub fn message_type(&mut self, message_type: MessageType) -> &mut Options {
        self.messages = ByteMessages::Of(message_type);
        self
    }

    /// Makes an endpoint with messages of type `[u8]` accept channels with messages of every type. A message
    /// then consists of the bytes of one value of the channel's type. A new channel has messages of different
    /// lengths. Use this for tools that show or record messages.
    pub fn any_message_type(&mut self) -> &mut Options {
        self.messages = ByteMessages::Any;
        self
    }

    /// Sets which other users may use a new channel. They can change any of its bytes at any time. The
    /// endpoints report bytes that a correct endpoint does not write as `Corrupted`.
    pub fn sharing(&mut self, sharing: Sharing) -> &mut Options {
        self.sharing = sharing;
        self
    }

    /// Sets how this endpoint waits.
    pub fn waiting(&mut self, waiting: Waiting) -> &mut Options {
        self.waiting = waiting;
        self
    }

    /// Sets whether this endpoint continues to wait after its peer was dropped or died, until
    /// another process opens a new peer. The default is `false`: the endpoint returns
    /// `Disconnected`.
    pub fn await_successor(&mut self, await_successor: bool) -> &mut Options {
        self.awaits_successor = await_successor;
        self
    }

    /// Sets whether the sender of a new [broadcast](super::broadcast) channel overwrites the oldest message
    /// if a receiver is behind, instead of waiting for the receiver. The default is `false`. Other kinds of
    /// channels ignore it.
    pub fn lossy(&mut self, lossy: bool) -> &mut Options {
        self.lossy = lossy;
        self
    }

    /// Sets how many receivers a new [broadcast](super::broadcast) channel can have at one time: 1 to 64. The
    /// default is 16. A lossy channel has room for one message more for each of them. Other kinds of
    /// channels ignore it.
    pub fn receivers(&mut self, receivers: usize) -> &mut Options {
        self.receivers = receivers;
        self
    }

    /// Sets whether a receiver of a [broadcast](super::broadcast) channel takes the place of a receiver whose
    /// process died, if there is one, and continues where its finished messages end. The default is `false`:
    /// the receiver begins with the next message. Other endpoints ignore it.
    pub fn take_over(&mut self, take_over: bool) -> &mut Options {
        self.takes_over = take_over;
        self
    }

    /// Creates the channel `name`, and returns an endpoint of it.
    ///
    /// # Errors
    ///
    /// - [`AlreadyExists`](crate::ErrorKind::AlreadyExists): a live object has the name.
    /// - [`InvalidInput`](crate::ErrorKind::InvalidInput): the capacity is 0 or does not fit into the
    ///   address space, the sharing is for reading only, or the number of receivers is not possible.
    /// - [`InvalidName`](crate::ErrorKind::InvalidName): see [`Name::new`](crate::Name::new).
    /// - [`NoSpace`](crate::ErrorKind::NoSpace): there is not enough memory.
    pub fn create_new<E: Endpoint>(&self, name: impl ToName) -> Result<E> {
        E::join(&name.to_name()?, self, How::Create(Existing::Refuse))
    }

    /// Opens the channel `name` if some process holds it, and creates it otherwise. Returns an endpoint
    /// of it.
    ///
    /// # Errors
    ///
    /// The errors of [`create_new`](Options::create_new), and those of [`open`](Options::open) except
    /// `NotFound`.
    pub fn open_or_create<E: Endpoint>(&self, name: impl ToName) -> Result<E> {
        E::join(&name.to_name()?, self, How::Create(Existing::Open))
    }

    /// Opens the channel `name`, and returns an endpoint of it.
    ///
    /// # Errors
    ///
    /// - [`NotFound`](crate::ErrorKind::NotFound): no process holds an object of this name.
    /// - [`AlreadyExists`](crate::ErrorKind::AlreadyExists): a live process has this endpoint, and the
    ///   kind of channel admits only one.
    /// - [`WrongKind`](crate::ErrorKind::WrongKind): the name belongs to another kind of object or of
    ///   channel, or the messages have another type.
    /// - [`Corrupted`](crate::ErrorKind::Corrupted): another program changed the channel.
    pub fn open<E: Endpoint>(&self, name: impl ToName) -> Result<E> {
        E::join(&name.to_name()?, self, How::Open(Deadline::Now))
    }

    /// Opens the channel `name` like [`open`](Options::open), and waits for at most `time` until some
    /// process creates it.
    ///
    /// # Errors
    ///
    /// The errors of [`open`](Options::open).
    pub fn open_within<E: Endpoint>(&self, name: impl ToName, time: Duration) -> Result<E> {
        E::join(&name.to_name()?, self, How::Open(Deadline::after(time)))
    }
}

/// The channels that an endpoint with messages of type `[u8]` accepts.
#[derive(Clone, Copy, Debug)]
pub(super) enum ByteMessages {
    /// Channels whose messages have different lengths.
    DifferentLengths,
    /// Channels whose messages have this layout.
    Of(MessageType),
    /// All channels.
    Any,
}

/// The way in which an endpoint opens or creates its channel.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    Create(Existing),
    Open(Deadline),
}

impl How {
    pub(super) fn call(self) -> &'static str {
        match self {
            How::Create(Existing::Refuse) => "create",
            How::Create(Existing::Open) => "open or create",
            How::Open(_) => "open",
        }
    }
}

/// A sender or a receiver of some kind of channel. Only the endpoints of this crate implement it.
pub trait Endpoint: private::Join {}

pub(super) mod private {
    use super::{How, Name, Options, Result};

    pub trait Join: Sized {
        #[allow(private_interfaces, reason = "only this crate can name the trait")]
        fn join(name: &Name, options: &Options, how: How) -> Result<Self>;
    }
}
