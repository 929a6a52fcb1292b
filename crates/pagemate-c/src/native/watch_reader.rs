//! Readers of watch channels.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::sync::Arc;

use pagemate::channel::{RecvError, watch};

use super::any_sender::Properties;
use super::argument::{Out, buffer, c_name, required, text};
use super::channel_options::{ChannelOptions, How, convert, message_layout};
use super::receiver::failure;
use super::slot::{Entered, Handle, Pool, Slot, close_handle, open_handle};
use super::status::{Failure, Outcome, Status, run};
use super::timeout::{PAGEMATE_FOREVER, duration};

/// A reading endpoint of a watch channel: see pagemate_watch_writer. A channel can have any number of readers.
///
/// A reader neither delays the writer nor waits for it, and its death has no effect on others. It remembers the
/// version that it read last: the values are numbered from 1 in the order in which they were written.
///
/// One thread at a time may use a reader: a call while another thread is in a call with it is
/// PAGEMATE_IN_USE. A call after pagemate_watch_reader_close() is PAGEMATE_INVALID_INPUT, unless the library has
/// used the handle for a newer reader. A reader works in a child of fork() too.
#[derive(Debug, Default)]
pub struct WatchReader {
    slot: Slot<OpenReader>,
}

/// The content of an open handle.
#[derive(Debug)]
pub(super) struct OpenReader {
    pub(super) reader: watch::Reader<[u8]>,
    pub(super) properties: Properties,
}

static POOL: Pool<WatchReader> = Pool::new();

impl Handle for WatchReader {
    type Content = OpenReader;

    fn slot(&self) -> &Slot<OpenReader> {
        &self.slot
    }

    fn pool() -> &'static Pool<WatchReader> {
        &POOL
    }
}

/// Takes the exclusive access to a reader.
pub(super) fn enter<'a>(
    call: &str,
    reader: Option<&'a WatchReader>,
) -> Outcome<Entered<'a, OpenReader>> {
    required(call, "reader", reader)?.slot.enter(call, "reader")
}

/// Opens or creates a reader.
///
/// # Safety
///
/// `name` is NULL or points to a string that ends in a NUL and is unchanged until this function returns.
unsafe fn open(
    call: &str,
    name: *const c_char,
    options: Option<&ChannelOptions>,
    how: How,
    reader: Out<'_, Option<NonNull<WatchReader>>>,
) -> Status {
    open_handle(call, "reader", reader, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        let (_, options) = convert(options, call)?;
        let reader: watch::Reader<[u8]> = how.join(&options, name)?;
        let properties = Properties {
            name: c_name(Some(reader.name())).map(Arc::from),
            created: reader.was_created(),
            capacity: 1,
            max_len: reader.max_len(),
            message: message_layout(reader.message_type()),
        };
        Ok(OpenReader { reader, properties })
    })
}

/// Creates the watch channel `name`, and returns a reader. Fails if a process holds an object of this name.
///
/// If the process is killed during the call, the name is free again. Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The channel to create: the sharing, the type of the value or its maximum length, and the way
///                 in which the reader waits. The other options have no effect. NULL stands for a channel of the owner alone, with a value of at most
///                 4,096 bytes.
/// @param reader   Receives the handle, which the caller closes by pagemate_watch_reader_close(); NULL on failure.
/// @return As for pagemate_sender_create_new().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_watch_reader_create_new(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    reader: Option<&mut MaybeUninit<Option<NonNull<WatchReader>>>>,
) -> Status {
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("create channel", name, options, How::CreateNew, reader) }
}

/// Opens the watch channel `name` if a process holds it, and creates it otherwise. Returns a reader.
/// Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  As for pagemate_watch_reader_create_new(), and the type of the value to open.
/// @param reader   Receives the handle, which the caller closes by pagemate_watch_reader_close(); NULL on failure.
/// @return As for pagemate_sender_create_new() and pagemate_watch_reader_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_watch_reader_open_or_create(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    reader: Option<&mut MaybeUninit<Option<NonNull<WatchReader>>>>,
) -> Status {
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("open or create channel", name, options, How::OpenOrCreate, reader) }
}

/// Opens the watch channel `name`, and returns a reader. Fails if no process holds the channel. Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The type of the value to open, and the way in which the reader waits.
/// @param reader   Receives the handle, which the caller closes by pagemate_watch_reader_close(); NULL on failure.
/// @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_WRONG_KIND: the name belongs to another kind of object or of channel, or the value has another
///         type. PAGEMATE_CORRUPTED: another program changed the channel.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_watch_reader_open(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    reader: Option<&mut MaybeUninit<Option<NonNull<WatchReader>>>>,
) -> Status {
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("open channel", name, options, How::Open, reader) }
}

/// Opens the watch channel `name` like pagemate_watch_reader_open(), and blocks until a process creates it or the
/// timeout expires. Thread-safe.
///
/// @param name         The name: see pagemate_section_create_new().
/// @param options      As for pagemate_watch_reader_open().
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param reader       Receives the handle, which the caller closes by pagemate_watch_reader_close(); NULL on
///                     failure.
/// @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_watch_reader_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_watch_reader_open_within(
    name: *const c_char,
    options: Option<&ChannelOptions>,
    nanoseconds: u64,
    reader: Option<&mut MaybeUninit<Option<NonNull<WatchReader>>>>,
) -> Status {
    let how = How::OpenWithin(duration(nanoseconds));
    // SAFETY: the caller passes NULL or a string that ends in a NUL, as `open` requires.
    unsafe { open("open channel", name, options, how, reader) }
}

/// Closes a reader. NULL is ignored, as by free().
///
/// @return PAGEMATE_IN_USE: another thread is in a call with the reader, which stays open.
///         PAGEMATE_INVALID_INPUT: it was closed before.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_reader_close(reader: Option<&'static WatchReader>) -> Status {
    close_handle("close reader", "reader", reader)
}

/// Copies the latest value into a buffer. Never blocks.
///
/// The value is that of one call of the writer, never a mixture. It stays readable after the writer was closed
/// or its process ended.
///
/// @param reader  The reader.
/// @param bytes   The buffer, which nothing else accesses during the call. NULL only if `size` is 0.
/// @param size    Its length in bytes. pagemate_watch_reader_max_len() bytes are enough for every value.
/// @param len     Receives the length of the value in bytes, also if the buffer is too small.
/// @return PAGEMATE_TIMED_OUT: no value was written yet; or, for two seconds, the writer replaced the value at
///         least three times during each copy. PAGEMATE_WRONG_LENGTH: the value is longer than the buffer, and
///         counts as not read. PAGEMATE_CORRUPTED: another program changed the bytes of the channel.
///         PAGEMATE_IN_USE: another thread uses the reader.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_watch_reader_read(
    reader: Option<&WatchReader>,
    bytes: *mut c_void,
    size: usize,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    let call = "read";
    run(|| {
        let len = required(call, "len", len)?;
        let mut entered = enter(call, reader)?;
        let OpenReader { reader, properties } = &mut *entered;
        required(call, "bytes", (size == 0 || !bytes.is_null()).then_some(()))?;
        // SAFETY: the caller passes NULL or `size` writable bytes that nothing else accesses. This uses no more of
        // them than a value may have, which is at most `isize::MAX`.
        let bytes = unsafe { buffer(call, "bytes", bytes, size.min(properties.max_len)) }?;
        let found = reader.read_to_slice(bytes).map_err(|error| match error {
            RecvError::Empty => {
                let cause = format!("{}: no value was written yet", properties.during(call));
                Failure::new(Status::PAGEMATE_TIMED_OUT, cause)
            }
            error => failure(call, properties, error),
        })?;
        len.write(found);
        if found > size {
            let during = properties.during(call);
            let cause = format!("{during}: the value has {found} bytes, and the buffer {size}");
            return Err(Failure::new(Status::PAGEMATE_WRONG_LENGTH, cause));
        }
        Ok(())
    })
}

/// Blocks until there is a value that is newer than the one that this reader read last, or until the timeout
/// expires. Before the first pagemate_watch_reader_read() any value is newer. The call reads no value.
///
/// @param reader       The reader.
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
/// @return PAGEMATE_TIMED_OUT: there is no newer value. PAGEMATE_DISCONNECTED: there is no newer value, and the
///         writer was closed or its process ended; a reader that comes before the first writer waits for it.
///         PAGEMATE_ORPHANED: there is no newer value and no writer, and none can come, because another program
///         removed the channel's name. PAGEMATE_IN_USE: another thread uses the reader.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_reader_wait_for_change(
    reader: Option<&WatchReader>,
    nanoseconds: u64,
) -> Status {
    let call = "wait for change";
    run(|| {
        let mut entered = enter(call, reader)?;
        let OpenReader { reader, properties } = &mut *entered;
        let waited = match nanoseconds {
            PAGEMATE_FOREVER => reader.wait_for_change(),
            nanoseconds => reader.wait_for_change_timeout(duration(nanoseconds)),
        };
        waited.map_err(|error| match error {
            RecvError::TimedOut => {
                let cause =
                    format!("{}: the value did not change in time", properties.during(call));
                Failure::new(Status::PAGEMATE_TIMED_OUT, cause)
            }
            RecvError::Disconnected => {
                let cause =
                    format!("{}: there is no newer value and no writer", properties.during(call));
                Failure::new(Status::PAGEMATE_DISCONNECTED, cause)
            }
            error => failure(call, properties, error),
        })
    })
}
