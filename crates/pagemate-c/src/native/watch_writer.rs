//! Writers of watch channels.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::Arc;

use pagemate::channel::watch;

use super::any_sender::Properties;
use super::argument::{self, Out, c_name, required, text};
use super::channel_options::{ChannelOptions, How, convert, message_layout};
use super::sender::{check_len, failure};
use super::slot::{Entered, Handle, Pool, Slot, close_handle, open_handle};
use super::status::{Failure, Outcome, Status, run};
use super::timeout::duration;
use super::writing::Writing;

/// The writing endpoint of a watch channel, which has the latest value only. Any number of processes read it
/// by pagemate_watch_reader.
///
/// One process at a time has the writer. A write never waits, and a process that is killed while it writes leaves
/// the previous value. The channel and its value exist as long as some process has an endpoint, and either side can
/// come first. It is the channel of `pagemate::channel::watch` in Rust, and `pagemate recv NAME` prints its value.
///
/// One thread at a time may use a writer: a call while another thread is in a call with it is
/// PAGEMATE_IN_USE. A call after pagemate_watch_writer_close() is PAGEMATE_INVALID_INPUT, unless the library has
/// used the handle for a newer writer. In a child of fork() all calls are PAGEMATE_FORKED.
///
/// ```c
/// pagemate_watch_writer *writer = NULL;
/// pagemate_watch_reader *reader = NULL;
/// char text[4096];
/// size_t len = 0;
/// if (pagemate_watch_writer_open_or_create("weather", NULL, &writer) == PAGEMATE_OK &&
///     pagemate_watch_reader_open_or_create("weather", NULL, &reader) == PAGEMATE_OK &&
///     pagemate_watch_writer_write(writer, "sunny", 5) == PAGEMATE_OK &&
///     pagemate_watch_reader_wait_for_change(reader, PAGEMATE_FOREVER) == PAGEMATE_OK &&
///     pagemate_watch_reader_read(reader, text, sizeof text, &len) == PAGEMATE_OK) {
///     printf("%.*s\n", (int)len, text);
/// }
/// pagemate_watch_reader_close(reader);
/// pagemate_watch_writer_close(writer);
/// ```
#[derive(Debug, Default)]
pub struct WatchWriter {
    slot: Slot<OpenWriter>,
}

/// The content of an open handle.
#[derive(Debug)]
pub(super) struct OpenWriter {
    pub(super) writer: Writing,
    pub(super) properties: Properties,
}

static POOL: Pool<WatchWriter> = Pool::new();

impl Handle for WatchWriter {
    type Content = OpenWriter;

    fn slot(&self) -> &Slot<OpenWriter> {
        &self.slot
    }

    fn pool() -> &'static Pool<WatchWriter> {
        &POOL
    }
}

/// Takes the exclusive access to a writer, which may have a loan.
pub(super) fn enter<'a>(
    call: &str,
    writer: Option<&'a WatchWriter>,
) -> Outcome<Entered<'a, OpenWriter>> {
    required(call, "writer", writer)?.slot.enter(call, "writer")
}

/// Takes the exclusive access to a writer, which must not have a loan.
pub(super) fn enter_idle<'a>(
    call: &str,
    writer: Option<&'a WatchWriter>,
) -> Outcome<Entered<'a, OpenWriter>> {
    let entered = enter(call, writer)?;
    if entered.writer.has_loan() {
        let cause = format!("{call}: the writer has a loan; publish or discard it first");
        return Err(Failure::new(Status::PAGEMATE_IN_USE, cause));
    }
    Ok(entered)
}

/// Opens or creates a writer.
///
/// # Safety
///
/// `name` is NULL or points to a string that ends in a NUL and is unchanged until this function returns.
unsafe fn open(
    call: &str,
    name: *const c_char,
    options: Option<&ChannelOptions>,
    how: How,
    writer: Out<'_, Option<NonNull<WatchWriter>>>,
) -> Status {
    open_handle(call, "writer", writer, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        let (_, options) = convert(options, call)?;
        let writer: watch::Writer<[u8]> = how.join(&options, name)?;
        let properties = Properties {
            name: c_name(Some(writer.name())).map(Arc::from),
            created: writer.was_created(),
            capacity: 1,
            max_len: writer.max_len(),
            message: message_layout(writer.message_type()),
        };
        Ok(OpenWriter { writer: Writing::new(writer), properties })
    })
}

/// Creates the watch channel `name`, and returns its writer. Fails if a process holds an object of this name.
///
/// If the process is killed during the call, the name is free again. Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The channel to create: the sharing, the type of the value or its maximum length. The other
///                 options have no effect. NULL stands for a channel of the owner alone, with a value of at most
///                 4,096 bytes.
/// @param writer   Receives the handle, which the caller closes by pagemate_watch_writer_close(); NULL on failure.
/// @return As for pagemate_sender_create_new().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_watch_writer_create_new(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    writer: Option<&mut MaybeUninit<Option<NonNull<WatchWriter>>>>,
) -> Status {
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("create channel", name, options, How::CreateNew, writer) }
}

/// Opens the watch channel `name` if a process holds it, and creates it otherwise. Returns its writer.
/// Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  As for pagemate_watch_writer_create_new(), and the type of the value to open.
/// @param writer   Receives the handle, which the caller closes by pagemate_watch_writer_close(); NULL on failure.
/// @return As for pagemate_sender_create_new() and pagemate_watch_writer_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_watch_writer_open_or_create(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    writer: Option<&mut MaybeUninit<Option<NonNull<WatchWriter>>>>,
) -> Status {
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("open or create channel", name, options, How::OpenOrCreate, writer) }
}

/// Opens the watch channel `name`, and returns its writer. Fails if no process holds the channel. Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The type of the value to open.
/// @param writer   Receives the handle, which the caller closes by pagemate_watch_writer_close(); NULL on failure.
/// @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_ALREADY_EXISTS: a live process has the writer.
///         PAGEMATE_WRONG_KIND: the name belongs to another kind of object or of channel, or the value has another
///         type. PAGEMATE_CORRUPTED: another program changed the channel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_watch_writer_open(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    writer: Option<&mut MaybeUninit<Option<NonNull<WatchWriter>>>>,
) -> Status {
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("open channel", name, options, How::Open, writer) }
}

/// Opens the watch channel `name` like pagemate_watch_writer_open(), and blocks until a process creates it or the
/// timeout expires. Thread-safe.
///
/// @param name         The name: see pagemate_section_create_new().
/// @param options      As for pagemate_watch_writer_open().
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param writer       Receives the handle, which the caller closes by pagemate_watch_writer_close(); NULL on
///                     failure.
/// @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_watch_writer_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_watch_writer_open_within(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    nanoseconds: u64,
    writer: Option<&mut MaybeUninit<Option<NonNull<WatchWriter>>>>,
) -> Status {
    let how = How::OpenWithin(duration(nanoseconds));
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("open channel", name, options, how, writer) }
}

/// Closes a writer. The latest value stays as long as another process has the channel open.
///
/// A loan is discarded. In a child of fork() the call frees the handle of the child, and the parent keeps its
/// writer. NULL is ignored, as by free().
///
/// @return PAGEMATE_IN_USE: another thread is in a call with the writer, which stays open.
///         PAGEMATE_INVALID_INPUT: it was closed before.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_writer_close(writer: Option<&'static WatchWriter>) -> Status {
    close_handle("close writer", "writer", writer)
}

/// Replaces the value. Never blocks.
///
/// Readers find the new value or the previous one, and never a mixture. If the process is killed during the
/// call, they find either.
///
/// @param writer  The writer.
/// @param bytes   The value, which no thread writes to during the call. NULL only if `len` is 0.
/// @param len     Its length in bytes, at most pagemate_watch_writer_max_len(), and exactly that if the channel has
///                a value of a type.
/// @return PAGEMATE_WRONG_LENGTH: the channel does not admit this length. PAGEMATE_IN_USE: another thread uses
///         the writer, or the writer has a loan. PAGEMATE_FORKED: the process was forked from the one that
///         opened the writer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_watch_writer_write(
    writer: Option<&WatchWriter>,
    bytes: *const c_void,
    len: usize,
) -> Status {
    let call = "write";
    run(|| {
        let mut entered = enter_idle(call, writer)?;
        let OpenWriter { writer, properties } = &mut *entered;
        check_len(call, properties, len)?;
        // SAFETY: the caller passes NULL or `len` readable bytes that no thread writes to. `len` is at most the
        // length of a buffer of the channel, so it is at most `isize::MAX`.
        let bytes = unsafe { argument::bytes(call, "bytes", bytes, len) }?;
        writer.writer().write(bytes).map_err(|error| failure(call, properties, error))
    })
}
