//! Senders of channels.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use pagemate::channel::SendError;

use super::any_sender::{AnySender, Properties, open_sender};
use super::argument::{self, required, text};
use super::channel_options::{ChannelOptions, How, Patience, convert};
use super::slot::{Entered, Handle, Pool, Slot, close_handle, open_handle};
use super::status::{ChannelError, Failure, Outcome, Status, run};
use super::timeout::duration;

/// The sending endpoint of a channel, which passes messages to other processes without a system call.
///
/// The channel exists as long as some process has an endpoint of it, and either side can come first. A
/// message for which a call returned PAGEMATE_OK is delivered although the process is killed afterwards. If
/// the process is killed before, the message is sent whole or not at all, and another process can open the
/// sender and continue.
///
/// One thread at a time may use a sender: a call while another thread is in a call with it is
/// PAGEMATE_IN_USE. A call after pagemate_sender_close() is PAGEMATE_INVALID_INPUT, unless the library has
/// used the handle for a newer sender. In a child of fork() all calls are PAGEMATE_FORKED.
///
/// ```c
/// pagemate_channel_options options = {.capacity = 64};
/// pagemate_sender *sender = NULL;
/// pagemate_receiver *receiver = NULL;
/// char text[16];
/// size_t len = 0;
/// if (pagemate_sender_open_or_create("greetings", &options, &sender) == PAGEMATE_OK &&
///     pagemate_receiver_open_or_create("greetings", &options, &receiver) == PAGEMATE_OK &&
///     pagemate_sender_send(sender, "hello", 5) == PAGEMATE_OK &&
///     pagemate_receiver_recv(receiver, text, sizeof text, &len) == PAGEMATE_OK) {
///     printf("%.*s\n", (int)len, text);
/// }
/// pagemate_receiver_close(receiver);
/// pagemate_sender_close(sender);
/// ```
#[derive(Debug, Default)]
pub struct Sender {
    slot: Slot<OpenSender>,
}

/// The content of an open handle.
pub(super) struct OpenSender {
    pub(super) sender: Box<dyn AnySender>,
    pub(super) properties: Properties,
}

static POOL: Pool<Sender> = Pool::new();

impl Handle for Sender {
    type Content = OpenSender;

    fn slot(&self) -> &Slot<OpenSender> {
        &self.slot
    }

    fn pool() -> &'static Pool<Sender> {
        &POOL
    }
}

impl std::fmt::Debug for OpenSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.properties.fmt(f)
    }
}

/// Takes the exclusive access to a sender, which may have a loan.
pub(super) fn enter<'a>(
    call: &str,
    sender: Option<&'a Sender>,
) -> Outcome<Entered<'a, OpenSender>> {
    required(call, "sender", sender)?.slot.enter(call, "sender")
}

/// Takes the exclusive access to a sender, which must not have a loan.
pub(super) fn enter_idle<'a>(
    call: &str,
    sender: Option<&'a Sender>,
) -> Outcome<Entered<'a, OpenSender>> {
    let entered = enter(call, sender)?;
    if entered.sender.has_loan() {
        let cause = format!("{call}: the sender has a loan; commit or discard it first");
        return Err(Failure::new(Status::PAGEMATE_IN_USE, cause));
    }
    Ok(entered)
}

/// Converts the failure of `call`.
#[cold]
pub(super) fn failure(call: &'static str, properties: &Properties, error: SendError) -> Failure {
    let status = match error {
        SendError::Full | SendError::TimedOut => Status::PAGEMATE_TIMED_OUT,
        SendError::Disconnected => Status::PAGEMATE_DISCONNECTED,
        SendError::Corrupted => Status::PAGEMATE_CORRUPTED,
        SendError::Forked => Status::PAGEMATE_FORKED,
        SendError::Orphaned => Status::PAGEMATE_ORPHANED,
        SendError::WrongLength => Status::PAGEMATE_WRONG_LENGTH,
        _ => Status::PAGEMATE_OS,
    };
    let os_error = if let SendError::Os(code) = error { code } else { 0 };
    let name = properties.name.clone();
    Failure::of_channel((status, os_error), call, name, ChannelError::Send(error))
}

/// Opens or creates a sender.
///
/// # Safety
///
/// `name` is NULL or points to a string that ends in a NUL and is unchanged until this function returns.
unsafe fn open(
    call: &str,
    name: *const c_char,
    options: Option<&ChannelOptions>,
    how: How,
    sender: Option<&mut MaybeUninit<Option<NonNull<Sender>>>>,
) -> Status {
    open_handle(call, "sender", sender, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        let (kind, options) = convert(options, call)?;
        let mut sender = open_sender(kind, &options, name, how)?;
        let properties = sender.properties();
        Ok(OpenSender { sender, properties })
    })
}

/// Creates the channel `name`, and returns a sender. Fails if a process holds an object of this name.
///
/// If the process is killed during the call, the name is free again. Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The channel to create, and the way in which the sender waits. NULL stands for a channel of
///                 the owner alone, with one sender and one receiver, for 1,024 messages of at most 4,096
///                 bytes.
/// @param sender   Receives the handle, which the caller closes by pagemate_sender_close(); NULL on failure.
/// @return PAGEMATE_ALREADY_EXISTS. PAGEMATE_INVALID_NAME. PAGEMATE_INVALID_INPUT: the options are not valid,
///         or the channel does not fit into the address space. PAGEMATE_NO_SPACE: there is not enough memory.
///         PAGEMATE_PERMISSION_DENIED: the system forbids it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_sender_create_new(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    sender: Option<&mut MaybeUninit<Option<NonNull<Sender>>>>,
) -> Status {
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("create channel", name, options, How::CreateNew, sender) }
}

/// Opens the channel `name` if a process holds it, and creates it otherwise. Returns a sender.
///
/// pagemate_sender_was_created() returns whether this call created the channel. Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The channel to create, the kind and the message type to open, and the way in which the
///                 sender waits.
/// @param sender   Receives the handle, which the caller closes by pagemate_sender_close(); NULL on failure.
/// @return As for pagemate_sender_create_new() and pagemate_sender_open(). PAGEMATE_ALREADY_EXISTS: a live
///         process has the sender, and the kind of channel has only one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_sender_open_or_create(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    sender: Option<&mut MaybeUninit<Option<NonNull<Sender>>>>,
) -> Status {
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("open or create channel", name, options, How::OpenOrCreate, sender) }
}

/// Opens the channel `name`, and returns a sender. Fails if no process holds the channel. Thread-safe.
///
/// If the process of the last sender was killed, the new sender continues after the last message that was
/// sent.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The kind and the message type to open, and the way in which the sender waits.
/// @param sender   Receives the handle, which the caller closes by pagemate_sender_close(); NULL on failure.
/// @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_ALREADY_EXISTS: a live process has the sender,
///         and the kind of channel has only one. PAGEMATE_WRONG_KIND: the name belongs to another kind of
///         object or of channel, or the messages have another type. PAGEMATE_CORRUPTED: another program
///         changed the channel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_sender_open(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    sender: Option<&mut MaybeUninit<Option<NonNull<Sender>>>>,
) -> Status {
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("open channel", name, options, How::Open, sender) }
}

/// Opens the channel `name` like pagemate_sender_open(), and blocks until a process creates it or the timeout
/// expires. Thread-safe.
///
/// @param name         The name: see pagemate_section_create_new().
/// @param options      As for pagemate_sender_open().
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param sender       Receives the handle, which the caller closes by pagemate_sender_close(); NULL on
///                     failure.
/// @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_sender_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_sender_open_within(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    nanoseconds: u64,
    sender: Option<&mut MaybeUninit<Option<NonNull<Sender>>>>,
) -> Status {
    let how = How::OpenWithin(duration(nanoseconds));
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("open channel", name, options, how, sender) }
}

/// Closes a sender. Receivers get all messages that were sent, and then PAGEMATE_DISCONNECTED.
///
/// A loan is discarded. If it is the last endpoint of the channel, the name ends. In a child of fork() the
/// call frees the handle of the child, and the parent keeps its sender. NULL is ignored, as by free().
///
/// @return PAGEMATE_IN_USE: another thread is in a call with the sender, which stays open.
///         PAGEMATE_INVALID_INPUT: it was closed before.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_sender_close(sender: Option<&'static Sender>) -> Status {
    close_handle("close sender", "sender", sender)
}

/// Sends a message.
///
/// # Safety
///
/// If `bytes` is not NULL, it points to `len` readable bytes that no thread writes to until this function
/// returns.
unsafe fn send(
    sender: Option<&Sender>,
    bytes: *const c_void,
    len: usize,
    patience: Patience,
) -> Status {
    let call = "send";
    run(|| {
        let mut entered = enter_idle(call, sender)?;
        let OpenSender { sender, properties } = &mut *entered;
        check_len(call, properties, len)?;
        // SAFETY: the caller passes NULL or `len` readable bytes that no thread writes to. `len` is at most the
        // length of a slot, so it is at most `isize::MAX`.
        let bytes = unsafe { argument::bytes(call, "bytes", bytes, len) }?;
        sender.send(bytes, patience).map_err(|error| failure(call, properties, error))
    })
}

/// Fails if the channel does not admit messages of this length.
pub(super) fn check_len(call: &str, properties: &Properties, len: usize) -> Outcome {
    if properties.admits(len) {
        return Ok(());
    }
    let Properties { max_len, .. } = properties;
    let expected = if properties.has_bytes() { "at most" } else { "exactly" };
    let cause = format!(
        "{}: the message has {len} bytes, and this channel's messages have {expected} {max_len}",
        properties.during(call)
    );
    Err(Failure::new(Status::PAGEMATE_WRONG_LENGTH, cause))
}

/// Sends a message, and blocks while the channel has no room.
///
/// After PAGEMATE_OK the message is delivered although the process is killed. After a failure it was not
/// sent.
///
/// @param sender  The sender.
/// @param bytes   The message, which no thread writes to during the call. NULL only if `len` is 0.
/// @param len     Its length in bytes, at most pagemate_sender_max_len(), and exactly that if the channel has
///                messages of a type.
/// @return PAGEMATE_WRONG_LENGTH: the channel does not admit this length. PAGEMATE_DISCONNECTED: there is no
///         room, and every receiver was closed or its process ended. PAGEMATE_CORRUPTED: another program
///         changed the bytes of the channel. PAGEMATE_ORPHANED: there is no room and no receiver, and none
///         can come, because another program removed the channel's name. PAGEMATE_IN_USE: another thread uses
///         the sender, or the sender has a loan. PAGEMATE_FORKED: the process was forked from the one that
///         opened the sender.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_sender_send(
    sender: Option<&Sender>,
    bytes: *const c_void,
    len: usize,
) -> Status {
    // SAFETY: the caller passes NULL or `len` readable bytes that no thread writes to during the call.
    unsafe { send(sender, bytes, len, Patience::Forever) }
}

/// Sends a message, without blocking.
///
/// @param sender  The sender.
/// @param bytes   As for pagemate_sender_send().
/// @param len     As for pagemate_sender_send().
/// @return PAGEMATE_TIMED_OUT: there is no room. Otherwise as for pagemate_sender_send().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_sender_try_send(
    sender: Option<&Sender>,
    bytes: *const c_void,
    len: usize,
) -> Status {
    // SAFETY: the caller passes NULL or `len` readable bytes that no thread writes to during the call.
    unsafe { send(sender, bytes, len, Patience::None) }
}

/// Sends a message, and blocks while the channel has no room, until the timeout expires.
///
/// @param sender       The sender.
/// @param bytes        As for pagemate_sender_send().
/// @param len          As for pagemate_sender_send().
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @return PAGEMATE_TIMED_OUT: there was no room until then. Otherwise as for pagemate_sender_send().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_sender_send_timeout(
    sender: Option<&Sender>,
    bytes: *const c_void,
    len: usize,
    nanoseconds: u64,
) -> Status {
    // SAFETY: the caller passes NULL or `len` readable bytes that no thread writes to during the call.
    unsafe { send(sender, bytes, len, Patience::of(nanoseconds)) }
}
