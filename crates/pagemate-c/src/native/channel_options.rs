//! Channels: their kinds, and the options of their endpoints.

use std::time::Duration;

use pagemate::channel::{self, Options};

use super::access::sharing;
use super::argument::unknown;
use super::layout::Layout;
use super::options::check_unused;
use super::status::{Failure, Outcome};
use super::timeout::{PAGEMATE_FOREVER, duration};
use super::word::{ChannelKindWord, SharingWord, WaitingWord};

/// The kind of a channel.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    /// One sender and one receiver at a time.
    Spsc = 0,
    /// Any number of senders and receivers. Each message goes to one receiver, as in a work queue.
    Mpmc = 1,
    /// One sender at a time, and several receivers, each of which gets every message that is sent after it was
    /// opened.
    Broadcast = 2,
}

/// The way in which an endpoint waits.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// The endpoint polls the channel for a short time, and then sleeps. It sleeps at once if the last polls
    /// were in vain.
    SpinThenSleep = 0,
    /// The endpoint polls all the time and never sleeps. This has the lowest latency, and uses a whole
    /// processor.
    Spin = 1,
    /// The endpoint sleeps at once.
    Sleep = 2,
}

/// A flag for an endpoint: after its peer was closed or died, a call that blocks continues to wait until
/// another process opens a new peer. Without the flag it fails with PAGEMATE_DISCONNECTED.
pub const PAGEMATE_AWAIT_SUCCESSOR: u32 = 64;

/// A flag for an endpoint: it opens channels with messages of every type. A message then consists of the bytes
/// of one value of the channel's type. Use this for tools that show or record messages.
pub const PAGEMATE_ANY_MESSAGE_TYPE: u32 = 128;

/// A flag for a new channel of kind PAGEMATE_CHANNEL_KIND_BROADCAST: the sender never waits, and overwrites the
/// oldest message if a receiver is behind. pagemate_receiver_missed() counts the messages that a receiver did not
/// get. Other kinds ignore it.
pub const PAGEMATE_LOSSY: u32 = 256;

/// A flag for a receiver of a channel of kind PAGEMATE_CHANNEL_KIND_BROADCAST: it takes the place of a receiver
/// whose process died, if there is one, and continues where the finished messages of that one end. Without the
/// flag the receiver begins with the next message. Other endpoints ignore it.
pub const PAGEMATE_TAKE_OVER: u32 = 512;

/// Returns the layout of the messages, all zero for bytes.
pub(super) fn message_layout(found: channel::MessageType) -> Layout {
    if found.is_bytes() {
        return BYTES;
    }
    Layout { fingerprint: found.fingerprint(), len: found.len(), align: found.align() }
}

/// The layout that stands for messages of different lengths.
pub(super) const BYTES: Layout = Layout { fingerprint: 0, len: 0, align: 0 };

/// Options to create or open an endpoint of a channel. NULL and a zeroed struct, `{0}`, stand for the
/// defaults. Later releases add fields as for pagemate_section_options.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ChannelOptions {
    /// The kind of the channel. To open a channel of another kind is PAGEMATE_WRONG_KIND.
    pub kind: ChannelKindWord,
    /// The users who may open a new channel. For users other than the owner it needs a `Global\` name.
    pub sharing: SharingWord,
    /// The way in which this endpoint waits.
    pub waiting: WaitingWord,
    /// 0, or any of PAGEMATE_AWAIT_SUCCESSOR, PAGEMATE_ANY_MESSAGE_TYPE, PAGEMATE_LOSSY and PAGEMATE_TAKE_OVER.
    pub flags: u32,
    /// The least number of messages that a new channel has room for. It is rounded up to a power of two. 0
    /// stands for 1,024. An existing channel keeps its capacity.
    pub capacity: u64,
    /// The maximum length in bytes of the messages of a new channel of bytes. 0 stands for 4,096. Each
    /// slot has this length, and the creation of the channel reserves the memory of all slots.
    pub max_len: u64,
    /// The number of receivers that a new channel of kind PAGEMATE_CHANNEL_KIND_BROADCAST can have at one time:
    /// 1 to 64. 0 stands for 16. Other kinds ignore it.
    pub receivers: u64,
    /// The layout of the type of the messages. All zero stands for bytes: messages of different lengths, up to the
    /// maximum length. Otherwise each message is one value of the type, as in a channel with messages of that type
    /// in Rust and C++. To open a channel with another type is PAGEMATE_WRONG_KIND.
    pub message: Layout,
    /// Must be 0.
    pub reserved: [u64; 4],
}

/// Converts the kind, the waiting and the other options.
pub(super) fn convert(
    options: Option<&ChannelOptions>,
    call: &str,
) -> Outcome<(ChannelKind, Options)> {
    let mut set = Options::new();
    let Some(options) = options else { return Ok((ChannelKind::Spsc, set)) };
    let known =
        PAGEMATE_AWAIT_SUCCESSOR | PAGEMATE_ANY_MESSAGE_TYPE | PAGEMATE_LOSSY | PAGEMATE_TAKE_OVER;
    check_unused(call, options.flags, known, options.reserved)?;
    set.sharing(sharing(call, options.sharing, pagemate::Access::ReadWrite)?)
        .waiting(waiting(call, options.waiting)?)
        .await_successor(options.flags & PAGEMATE_AWAIT_SUCCESSOR != 0)
        .lossy(options.flags & PAGEMATE_LOSSY != 0)
        .take_over(options.flags & PAGEMATE_TAKE_OVER != 0);
    if options.receivers != 0 {
        set.receivers(size(options.receivers));
    }
    if options.capacity != 0 {
        set.capacity(size(options.capacity));
    }
    if options.max_len != 0 {
        set.max_len(size(options.max_len));
    }
    let Layout { len, align, fingerprint } = options.message;
    let is_typed = options.message != BYTES;
    let any = options.flags & PAGEMATE_ANY_MESSAGE_TYPE != 0;
    if is_typed && any {
        let cause = "options->message is set, and PAGEMATE_ANY_MESSAGE_TYPE too; use one of them";
        return Err(Failure::invalid(call, cause));
    }
    if is_typed {
        set.message_type(channel::MessageType::new(len, align, fingerprint));
    }
    if any {
        set.any_message_type();
    }
    Ok((kind(call, options.kind)?, set))
}

/// Converts a length. One that does not fit becomes one that is too large for every channel.
fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn kind(call: &str, word: ChannelKindWord) -> Outcome<ChannelKind> {
    const SPSC: u32 = ChannelKind::Spsc as u32;
    const MPMC: u32 = ChannelKind::Mpmc as u32;
    const BROADCAST: u32 = ChannelKind::Broadcast as u32;
    match word {
        SPSC => Ok(ChannelKind::Spsc),
        MPMC => Ok(ChannelKind::Mpmc),
        BROADCAST => Ok(ChannelKind::Broadcast),
        _ => Err(unknown(call, "kind", word)),
    }
}

fn waiting(call: &str, word: WaitingWord) -> Outcome<channel::Waiting> {
    const SPIN_THEN_SLEEP: u32 = Waiting::SpinThenSleep as u32;
    const SPIN: u32 = Waiting::Spin as u32;
    const SLEEP: u32 = Waiting::Sleep as u32;
    match word {
        SPIN_THEN_SLEEP => Ok(channel::Waiting::SpinThenSleep),
        SPIN => Ok(channel::Waiting::Spin),
        SLEEP => Ok(channel::Waiting::Sleep),
        _ => Err(unknown(call, "waiting", word)),
    }
}

/// The call that opens or creates an endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) enum How {
    CreateNew,
    OpenOrCreate,
    Open,
    OpenWithin(Duration),
}

impl How {
    /// Opens or creates the endpoint `E` of the channel `name`.
    pub(super) fn join<E: channel::Endpoint>(
        self,
        options: &Options,
        name: &str,
    ) -> pagemate::Result<E> {
        match self {
            How::CreateNew => options.create_new(name),
            How::OpenOrCreate => options.open_or_create(name),
            How::Open => options.open(name),
            How::OpenWithin(time) => options.open_within(name, time),
        }
    }
}

/// The time for which a call may block.
#[derive(Clone, Copy, Debug)]
pub(super) enum Patience {
    None,
    For(Duration),
    Forever,
}

impl Patience {
    /// Converts a timeout from C.
    pub(super) fn of(nanoseconds: u64) -> Patience {
        match nanoseconds {
            PAGEMATE_FOREVER => Patience::Forever,
            _ => Patience::For(duration(nanoseconds)),
        }
    }
}
