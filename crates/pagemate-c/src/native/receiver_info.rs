//! The senders that a receiver waits for, and the properties of its channel.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use super::any_sender::Properties;
use super::argument::{Out, required};
use super::layout::Layout;
use super::receiver::{Receiver, enter, enter_idle};
use super::status::{Failure, Status, run};
use super::timeout::duration;

/// Returns whether a live process has a sender. This asks the kernel.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_receiver_has_sender(
    receiver: Option<&Receiver>,
    found: Option<&mut MaybeUninit<bool>>,
) -> Status {
    let call = "find sender";
    run(|| {
        let found = required(call, "found", found)?;
        found.write(enter_idle(call, receiver)?.receiver.has_sender()?);
        Ok(())
    })
}

/// Blocks until a live process has a sender, or until the timeout expires.
///
/// @param receiver       The receiver.
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
/// @return PAGEMATE_TIMED_OUT: there is no sender. PAGEMATE_ORPHANED: none can come, because another program
///         removed the name.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_receiver_wait_for_sender(
    receiver: Option<&Receiver>,
    nanoseconds: u64,
) -> Status {
    let call = "wait for sender";
    run(|| {
        let mut entered = enter_idle(call, receiver)?;
        if entered.receiver.wait_for_sender(duration(nanoseconds))? {
            return Ok(());
        }
        let cause = format!("{}: there is none", entered.properties.during(call));
        Err(Failure::new(Status::PAGEMATE_TIMED_OUT, cause))
    })
}

/// Returns how many messages this receiver has missed since it was opened, because the sender of a lossy channel
/// overwrote them before it received them: see PAGEMATE_LOSSY. They all precede the next message. All other
/// channels lose none.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_receiver_missed(
    receiver: Option<&Receiver>,
    count: Option<&mut MaybeUninit<u64>>,
) -> Status {
    let call = "count missed messages";
    run(|| {
        let count = required(call, "count", count)?;
        count.write(enter_idle(call, receiver)?.receiver.missed());
        Ok(())
    })
}

/// Returns whether another receiver of a channel of kind PAGEMATE_CHANNEL_KIND_MPMC had this message, and was
/// killed before it finished the message. That receiver may have acted on it.
///
/// @param receiver     The receiver.
/// @param redelivered  Receives the answer for the message of the sample. Without a sample it is the answer for the
///                     last received message. For other kinds of channels it is false.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_receiver_redelivered(
    receiver: Option<&Receiver>,
    redelivered: Option<&mut MaybeUninit<bool>>,
) -> Status {
    let call = "get delivery";
    run(|| {
        let redelivered = required(call, "redelivered", redelivered)?;
        redelivered.write(enter(call, receiver)?.receiver.redelivered());
        Ok(())
    })
}

/// Stores a property that does not change, also while there is a sample.
fn query<T>(
    call: &str,
    receiver: Option<&Receiver>,
    (argument, out): (&str, Out<'_, T>),
    property: impl FnOnce(&Properties) -> T,
) -> Status {
    run(|| {
        let entered = enter(call, receiver)?;
        required(call, argument, out)?.write(property(&entered.properties));
        Ok(())
    })
}

/// Returns whether this call created the channel rather than opened it.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_receiver_was_created(
    receiver: Option<&Receiver>,
    created: Option<&mut MaybeUninit<bool>>,
) -> Status {
    query("get creator", receiver, ("created", created), |properties| properties.created)
}

/// Returns the name of the channel in its shortest spelling. The text belongs to the handle and is valid until
/// the handle is closed.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_receiver_name(
    receiver: Option<&Receiver>,
    name: Option<&mut MaybeUninit<*const c_char>>,
) -> Status {
    query("get name", receiver, ("name", name), Properties::name)
}

/// Returns how many messages the channel has room for.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_receiver_capacity(
    receiver: Option<&Receiver>,
    capacity: Option<&mut MaybeUninit<usize>>,
) -> Status {
    query("get capacity", receiver, ("capacity", capacity), |properties| properties.capacity)
}

/// Returns the length in bytes of the longest message. If the channel has messages of a type, it is the length
/// of each message.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_receiver_max_len(
    receiver: Option<&Receiver>,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    query("get length", receiver, ("len", len), |properties| properties.max_len)
}

/// Returns the layout of the type of the messages, all zero for bytes.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_receiver_message_type(
    receiver: Option<&Receiver>,
    message: Option<&mut MaybeUninit<Layout>>,
) -> Status {
    query("get message type", receiver, ("message", message), |properties| properties.message)
}
