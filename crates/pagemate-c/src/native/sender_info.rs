//! The receivers that a sender waits for, and the properties of its channel.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use super::any_sender::Properties;
use super::argument::{Out, required};
use super::layout::Layout;
use super::sender::{OpenSender, Sender, enter, enter_idle, failure};
use super::status::{Failure, Status, run};
use super::timeout::duration;

/// Blocks until all messages of the channel were received, or until the timeout expires.
///
/// @param sender       The sender.
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
/// @return PAGEMATE_TIMED_OUT: messages are left. PAGEMATE_DISCONNECTED: messages are left, and every
///         receiver was closed or its process ended. Otherwise as for pagemate_sender_send().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_sender_wait_until_received(
    sender: Option<&Sender>,
    nanoseconds: u64,
) -> Status {
    let call = "wait until received";
    run(|| {
        let mut entered = enter_idle(call, sender)?;
        let OpenSender { sender, properties } = &mut *entered;
        let received = sender.wait_until_received(duration(nanoseconds));
        if received.map_err(|error| failure(call, properties, error))? {
            return Ok(());
        }
        let cause = format!("{}: messages are left", properties.during(call));
        Err(Failure::new(Status::PAGEMATE_TIMED_OUT, cause))
    })
}

/// Returns whether a live process has a receiver. This asks the kernel.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_sender_has_receiver(
    sender: Option<&Sender>,
    found: Option<&mut MaybeUninit<bool>>,
) -> Status {
    let call = "find receiver";
    run(|| {
        let found = required(call, "found", found)?;
        found.write(enter_idle(call, sender)?.sender.has_receiver()?);
        Ok(())
    })
}

/// Blocks until a live process has a receiver, or until the timeout expires.
///
/// @param sender       The sender.
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, PAGEMATE_FOREVER, or 0 to return at once.
/// @return PAGEMATE_TIMED_OUT: there is no receiver. PAGEMATE_ORPHANED: none can come, because another program
///         removed the name.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_sender_wait_for_receiver(
    sender: Option<&Sender>,
    nanoseconds: u64,
) -> Status {
    let call = "wait for receiver";
    run(|| {
        let mut entered = enter_idle(call, sender)?;
        if entered.sender.wait_for_receiver(duration(nanoseconds))? {
            return Ok(());
        }
        let cause = format!("{}: there is none", entered.properties.during(call));
        Err(Failure::new(Status::PAGEMATE_TIMED_OUT, cause))
    })
}

/// Returns how many messages were sent and not yet received.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_sender_pending(
    sender: Option<&Sender>,
    count: Option<&mut MaybeUninit<usize>>,
) -> Status {
    let call = "count messages";
    run(|| {
        let count = required(call, "count", count)?;
        count.write(enter_idle(call, sender)?.sender.pending());
        Ok(())
    })
}

/// Stores a property that does not change, also while there is a loan.
fn query<T>(
    call: &str,
    sender: Option<&Sender>,
    (argument, out): (&str, Out<'_, T>),
    property: impl FnOnce(&Properties) -> T,
) -> Status {
    run(|| {
        let entered = enter(call, sender)?;
        required(call, argument, out)?.write(property(&entered.properties));
        Ok(())
    })
}

/// Returns whether this call created the channel rather than opened it.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_sender_was_created(
    sender: Option<&Sender>,
    created: Option<&mut MaybeUninit<bool>>,
) -> Status {
    query("get creator", sender, ("created", created), |properties| properties.created)
}

/// Returns the name of the channel in its shortest spelling. The text belongs to the handle and is valid until
/// the handle is closed.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_sender_name(
    sender: Option<&Sender>,
    name: Option<&mut MaybeUninit<*const c_char>>,
) -> Status {
    query("get name", sender, ("name", name), Properties::name)
}

/// Returns how many messages the channel has room for.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_sender_capacity(
    sender: Option<&Sender>,
    capacity: Option<&mut MaybeUninit<usize>>,
) -> Status {
    query("get capacity", sender, ("capacity", capacity), |properties| properties.capacity)
}

/// Returns the length in bytes of the longest message. If the channel has messages of a type, it is the length
/// of each message.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_sender_max_len(
    sender: Option<&Sender>,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    query("get length", sender, ("len", len), |properties| properties.max_len)
}

/// Returns the layout of the type of the messages, all zero for bytes.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_sender_message_type(
    sender: Option<&Sender>,
    message: Option<&mut MaybeUninit<Layout>>,
) -> Status {
    query("get message type", sender, ("message", message), |properties| properties.message)
}
