//! Receivers of channels.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use pagemate::channel::RecvError;

use super::any_receiver::{AnyReceiver, open_receiver};
use super::any_sender::Properties;
use super::argument::{Out, buffer, required, text};
use super::channel_options::{ChannelOptions, How, Patience, convert};
use super::slot::{Entered, Handle, Pool, Slot, close_handle, open_handle};
use super::status::{ChannelError, Failure, Outcome, Status, run};
use super::timeout::duration;

/// The receiving endpoint of a channel: see pagemate_sender.
///
/// A message is received when the call that copies it out returns, or when its sample is finished. If the
/// process is killed before, the next receiver gets the message.
///
/// One thread at a time may use a receiver: a call while another thread is in a call with it is
/// PAGEMATE_IN_USE. A call after pagemate_receiver_close() is PAGEMATE_INVALID_INPUT, unless the library has
/// used the handle for a newer receiver. In a child of fork() all calls are PAGEMATE_FORKED.
#[derive(Debug, Default)]
pub struct Receiver {
    slot: Slot<OpenReceiver>,
}

/// The content of an open handle.
pub(super) struct OpenReceiver {
    pub(super) receiver: Box<dyn AnyReceiver>,
    pub(super) properties: Properties,
    /// The lengths of the messages of the last batch. It keeps its memory.
    pub(super) lens: Vec<usize>,
}

static POOL: Pool<Receiver> = Pool::new();

impl Handle for Receiver {
    type Content = OpenReceiver;

    fn slot(&self) -> &Slot<OpenReceiver> {
        &self.slot
    }

    fn pool() -> &'static Pool<Receiver> {
        &POOL
    }
}

impl std::fmt::Debug for OpenReceiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.properties.fmt(f)
    }
}

/// Takes the exclusive access to a receiver, which may have a sample.
pub(super) fn enter<'a>(
    call: &str,
    receiver: Option<&'a Receiver>,
) -> Outcome<Entered<'a, OpenReceiver>> {
    required(call, "receiver", receiver)?.slot.enter(call, "receiver")
}

/// Takes the exclusive access to a receiver, which must not have a sample.
pub(super) fn enter_idle<'a>(
    call: &str,
    receiver: Option<&'a Receiver>,
) -> Outcome<Entered<'a, OpenReceiver>> {
    let entered = enter(call, receiver)?;
    if entered.receiver.has_sample() {
        let cause = format!("{call}: the receiver has a sample; finish it or put it back first");
        return Err(Failure::new(Status::PAGEMATE_IN_USE, cause));
    }
    Ok(entered)
}

/// Converts the failure of `call`.
#[cold]
pub(super) fn failure(call: &'static str, properties: &Properties, error: RecvError) -> Failure {
    let status = match error {
        RecvError::Empty | RecvError::TimedOut => Status::PAGEMATE_TIMED_OUT,
        RecvError::Disconnected => Status::PAGEMATE_DISCONNECTED,
        RecvError::Corrupted => Status::PAGEMATE_CORRUPTED,
        RecvError::Forked => Status::PAGEMATE_FORKED,
        RecvError::Orphaned => Status::PAGEMATE_ORPHANED,
        _ => Status::PAGEMATE_OS,
    };
    let os_error = if let RecvError::Os(code) = error { code } else { 0 };
    let name = properties.name.clone();
    Failure::of_channel((status, os_error), call, name, ChannelError::Recv(error))
}

/// Opens or creates a receiver.
///
/// # Safety
///
/// `name` is NULL or points to a string that ends in a NUL and is unchanged until this function returns.
unsafe fn open(
    call: &str,
    name: *const c_char,
    options: Option<&ChannelOptions>,
    how: How,
    receiver: Option<&mut MaybeUninit<Option<NonNull<Receiver>>>>,
) -> Status {
    open_handle(call, "receiver", receiver, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        let (kind, options) = convert(options, call)?;
        let mut receiver = open_receiver(kind, &options, name, how)?;
        let properties = receiver.properties();
        Ok(OpenReceiver { receiver, properties, lens: Vec::new() })
    })
}

/// Creates the channel `name`, and returns a receiver. Fails if a process holds an object of this name.
///
/// If the process is killed during the call, the name is free again. Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The channel to create, and the way in which the receiver waits. NULL stands for a channel of
///                 the owner alone, with one sender and one receiver, for 1,024 messages of at most 4,096
///                 bytes.
/// @param receiver   Receives the handle, which the caller closes by pagemate_receiver_close(); NULL on failure.
/// @return PAGEMATE_ALREADY_EXISTS. PAGEMATE_INVALID_NAME. PAGEMATE_INVALID_INPUT: the options are not valid,
///         or the channel does not fit into the address space. PAGEMATE_NO_SPACE: there is not enough memory.
///         PAGEMATE_PERMISSION_DENIED: the system forbids it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_receiver_create_new(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    receiver: Option<&mut MaybeUninit<Option<NonNull<Receiver>>>>,
) -> Status {
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("create channel", name, options, How::CreateNew, receiver) }
}

/// Opens the channel `name` if a process holds it, and creates it otherwise. Returns a receiver.
///
/// pagemate_receiver_was_created() returns whether this call created the channel. Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The channel to create, the kind and the message type to open, and the way in which the
///                 receiver waits.
/// @param receiver   Receives the handle, which the caller closes by pagemate_receiver_close(); NULL on failure.
/// @return As for pagemate_receiver_create_new() and pagemate_receiver_open(). PAGEMATE_ALREADY_EXISTS: a live
///         process has the receiver, and the kind of channel has only one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_receiver_open_or_create(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    receiver: Option<&mut MaybeUninit<Option<NonNull<Receiver>>>>,
) -> Status {
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("open or create channel", name, options, How::OpenOrCreate, receiver) }
}

/// Opens the channel `name`, and returns a receiver. Fails if no process holds the channel. Thread-safe.
///
/// If the process of the last receiver was killed, the new receiver continues with the first message that was
/// not received.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The kind and the message type to open, and the way in which the receiver waits.
/// @param receiver   Receives the handle, which the caller closes by pagemate_receiver_close(); NULL on failure.
/// @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_ALREADY_EXISTS: a live process has the receiver,
///         and the kind of channel has only one. PAGEMATE_WRONG_KIND: the name belongs to another kind of
///         object or of channel, or the messages have another type. PAGEMATE_CORRUPTED: another program
///         changed the channel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_receiver_open(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    receiver: Option<&mut MaybeUninit<Option<NonNull<Receiver>>>>,
) -> Status {
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("open channel", name, options, How::Open, receiver) }
}

/// Opens the channel `name` like pagemate_receiver_open(), and blocks until a process creates it or the timeout
/// expires. Thread-safe.
///
/// @param name         The name: see pagemate_section_create_new().
/// @param options      As for pagemate_receiver_open().
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param receiver       Receives the handle, which the caller closes by pagemate_receiver_close(); NULL on
///                     failure.
/// @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_receiver_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_receiver_open_within(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    nanoseconds: u64,
    receiver: Option<&mut MaybeUninit<Option<NonNull<Receiver>>>>,
) -> Status {
    let how = How::OpenWithin(duration(nanoseconds));
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("open channel", name, options, how, receiver) }
}

/// Closes a receiver. The next receiver gets the messages that this one has not received, and the message of its
/// sample.
///
/// If it is the last endpoint of the channel, the name and the messages end. In a child of fork() the call
/// frees the handle of the child, and the parent keeps its receiver. NULL is ignored, as by free().
///
/// @return PAGEMATE_IN_USE: another thread is in a call with the receiver, which stays open.
///         PAGEMATE_INVALID_INPUT: it was closed before.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_receiver_close(receiver: Option<&'static Receiver>) -> Status {
    close_handle("close receiver", "receiver", receiver)
}

/// Receives a message into a buffer.
///
/// # Safety
///
/// If `bytes` is not NULL, it points to `size` writable bytes that nothing else accesses until this function
/// returns.
unsafe fn recv(
    receiver: Option<&Receiver>,
    bytes: *mut c_void,
    size: usize,
    len: Out<'_, usize>,
    patience: Patience,
) -> Status {
    let call = "receive";
    run(|| {
        let len = required(call, "len", len)?;
        let mut entered = enter_idle(call, receiver)?;
        let OpenReceiver { receiver, properties, .. } = &mut *entered;
        required(call, "bytes", (size == 0 || !bytes.is_null()).then_some(()))?;
        // SAFETY: the caller passes NULL or `size` writable bytes that nothing else accesses. This uses no more of
        // them than a message may have, which is at most `isize::MAX`.
        let bytes = unsafe { buffer(call, "bytes", bytes, size.min(properties.max_len)) }?;
        let found =
            receiver.recv(bytes, patience).map_err(|error| failure(call, properties, error))?;
        len.write(found);
        if found > size { Err(too_small(&properties.during(call), found, size)) } else { Ok(()) }
    })
}

/// Returns the failure for a message that is longer than the buffer.
pub(super) fn too_small(during: &str, needed: usize, size: usize) -> Failure {
    let cause = format!(
        "{during}: the message has {needed} bytes, and the buffer {size}; the message stays in the channel"
    );
    Failure::new(Status::PAGEMATE_WRONG_LENGTH, cause)
}

/// Receives a message into a buffer, and blocks while there is none.
///
/// @param receiver  The receiver.
/// @param bytes     The buffer, which nothing else accesses during the call. NULL only if `size` is 0.
/// @param size      Its length in bytes. pagemate_receiver_max_len() bytes are enough for every message.
/// @param len       Receives the length of the message in bytes, also if the buffer is too small.
/// @return PAGEMATE_WRONG_LENGTH: the message is longer than the buffer. It stays in the channel, and the next
///         call gets it, unless the sender of a lossy channel overwrites it before. PAGEMATE_DISCONNECTED: there
///         is no message, and every sender was closed or its process ended; a receiver that comes before the first sender waits for it. PAGEMATE_CORRUPTED: another
///         program changed the bytes of the channel. PAGEMATE_ORPHANED: there is no message and no sender, and
///         none can come, because another program removed the channel's name. PAGEMATE_IN_USE: another thread
///         uses the receiver, or the receiver has a sample. PAGEMATE_FORKED: the process was forked from the
///         one that opened the receiver.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_receiver_recv(
    receiver: Option<&Receiver>,
    bytes: *mut c_void,
    size: usize,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    // SAFETY: the caller passes NULL or `size` writable bytes that nothing else accesses during the call.
    unsafe { recv(receiver, bytes, size, len, Patience::Forever) }
}

/// Receives a message into a buffer, without blocking.
///
/// @param receiver  The receiver.
/// @param bytes     As for pagemate_receiver_recv().
/// @param size      As for pagemate_receiver_recv().
/// @param len       As for pagemate_receiver_recv().
/// @return PAGEMATE_TIMED_OUT: there is no message. Otherwise as for pagemate_receiver_recv().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_receiver_try_recv(
    receiver: Option<&Receiver>,
    bytes: *mut c_void,
    size: usize,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    // SAFETY: the caller passes NULL or `size` writable bytes that nothing else accesses during the call.
    unsafe { recv(receiver, bytes, size, len, Patience::None) }
}

/// Receives a message into a buffer, and blocks while there is none, until the timeout expires.
///
/// @param receiver     The receiver.
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param bytes        As for pagemate_receiver_recv().
/// @param size         As for pagemate_receiver_recv().
/// @param len          As for pagemate_receiver_recv().
/// @return PAGEMATE_TIMED_OUT: no message arrived. Otherwise as for pagemate_receiver_recv().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_receiver_recv_timeout(
    receiver: Option<&Receiver>,
    nanoseconds: u64,
    bytes: *mut c_void,
    size: usize,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    // SAFETY: the caller passes NULL or `size` writable bytes that nothing else accesses during the call.
    unsafe { recv(receiver, bytes, size, len, Patience::of(nanoseconds)) }
}
