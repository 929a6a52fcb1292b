//! The other side of a watch channel, the versions of its value, and its properties.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use super::any_sender::Properties;
use super::argument::{Out, required};
use super::layout::Layout;
use super::status::{Failure, Status, run};
use super::timeout::duration;
use super::watch_reader::{self, WatchReader};
use super::watch_writer::{self, WatchWriter};

/// Returns how many values were written since the channel was created, which is the version of the latest one. A new writer continues the count.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_writer_version(
    writer: Option<&WatchWriter>,
    version: Option<&mut MaybeUninit<u64>>,
) -> Status {
    let call = "get version";
    run(|| {
        let version = required(call, "version", version)?;
        version.write(watch_writer::enter_idle(call, writer)?.writer.writer().version());
        Ok(())
    })
}

/// Returns the version of the value that this reader read last, 0 before the first one. Versions that are not
/// consecutive tell how many values this reader skipped.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_reader_version(
    reader: Option<&WatchReader>,
    version: Option<&mut MaybeUninit<u64>>,
) -> Status {
    let call = "get version";
    run(|| {
        let version = required(call, "version", version)?;
        version.write(watch_reader::enter(call, reader)?.reader.version());
        Ok(())
    })
}

/// Returns the version of the latest value, 0 if no value was written yet. It differs from pagemate_watch_reader_version()
/// if there is a newer value than the one that this reader read last.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_reader_latest_version(
    reader: Option<&WatchReader>,
    version: Option<&mut MaybeUninit<u64>>,
) -> Status {
    let call = "get latest version";
    run(|| {
        let version = required(call, "version", version)?;
        version.write(watch_reader::enter(call, reader)?.reader.latest_version());
        Ok(())
    })
}

/// Returns whether a live process has the writer. This asks the kernel.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_reader_has_writer(
    reader: Option<&WatchReader>,
    found: Option<&mut MaybeUninit<bool>>,
) -> Status {
    let call = "find writer";
    run(|| {
        let found = required(call, "found", found)?;
        found.write(watch_reader::enter(call, reader)?.reader.has_writer()?);
        Ok(())
    })
}

/// Blocks until a live process has the writer, or until the timeout expires.
///
/// @param reader       The reader.
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
/// @return PAGEMATE_TIMED_OUT: there is no writer. PAGEMATE_ORPHANED: none can come, because another program
///         removed the name.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_reader_wait_for_writer(
    reader: Option<&WatchReader>,
    nanoseconds: u64,
) -> Status {
    let call = "wait for writer";
    run(|| {
        let entered = watch_reader::enter(call, reader)?;
        if entered.reader.wait_for_writer(duration(nanoseconds))? {
            return Ok(());
        }
        let cause = format!("{}: there is none", entered.properties.during(call));
        Err(Failure::new(Status::PAGEMATE_TIMED_OUT, cause))
    })
}

/// Stores a property of a writer that does not change, also while there is a loan.
fn of_writer<T>(
    call: &str,
    writer: Option<&WatchWriter>,
    (argument, out): (&str, Out<'_, T>),
    property: impl FnOnce(&Properties) -> T,
) -> Status {
    run(|| {
        let entered = watch_writer::enter(call, writer)?;
        required(call, argument, out)?.write(property(&entered.properties));
        Ok(())
    })
}

/// Stores a property of a reader that does not change.
fn of_reader<T>(
    call: &str,
    reader: Option<&WatchReader>,
    (argument, out): (&str, Out<'_, T>),
    property: impl FnOnce(&Properties) -> T,
) -> Status {
    run(|| {
        let entered = watch_reader::enter(call, reader)?;
        required(call, argument, out)?.write(property(&entered.properties));
        Ok(())
    })
}

/// Returns whether this call created the channel rather than opened it.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_writer_was_created(
    writer: Option<&WatchWriter>,
    created: Option<&mut MaybeUninit<bool>>,
) -> Status {
    of_writer("get creator", writer, ("created", created), |properties| properties.created)
}

/// Returns the name of the channel in its shortest spelling. The text belongs to the handle and is valid until
/// the handle is closed.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_writer_name(
    writer: Option<&WatchWriter>,
    name: Option<&mut MaybeUninit<*const c_char>>,
) -> Status {
    of_writer("get name", writer, ("name", name), Properties::name)
}

/// Returns the length in bytes of the longest value. If the channel has a value of a type, it is the length of each
/// value.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_writer_max_len(
    writer: Option<&WatchWriter>,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    of_writer("get length", writer, ("len", len), |properties| properties.max_len)
}

/// Returns the layout of the type of the value, all zero for bytes.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_writer_message_type(
    writer: Option<&WatchWriter>,
    message: Option<&mut MaybeUninit<Layout>>,
) -> Status {
    of_writer("get message type", writer, ("message", message), |properties| properties.message)
}

/// Returns whether this call created the channel rather than opened it.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_reader_was_created(
    reader: Option<&WatchReader>,
    created: Option<&mut MaybeUninit<bool>>,
) -> Status {
    of_reader("get creator", reader, ("created", created), |properties| properties.created)
}

/// Returns the name of the channel in its shortest spelling. The text belongs to the handle and is valid until
/// the handle is closed.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_reader_name(
    reader: Option<&WatchReader>,
    name: Option<&mut MaybeUninit<*const c_char>>,
) -> Status {
    of_reader("get name", reader, ("name", name), Properties::name)
}

/// Returns the length in bytes of the longest value. If the channel has a value of a type, it is the length of each
/// value.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_reader_max_len(
    reader: Option<&WatchReader>,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    of_reader("get length", reader, ("len", len), |properties| properties.max_len)
}

/// Returns the layout of the type of the value, all zero for bytes.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_reader_message_type(
    reader: Option<&WatchReader>,
    message: Option<&mut MaybeUninit<Layout>>,
) -> Status {
    of_reader("get message type", reader, ("message", message), |properties| properties.message)
}
