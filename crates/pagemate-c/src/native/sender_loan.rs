//! Loans: free slots of a channel, in which a program writes a message in place.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use super::argument::{Out, required};
use super::channel_options::Patience;
use super::sender::{OpenSender, Sender, check_len, enter, enter_idle, failure};
use super::status::{Failure, Outcome, Status, run};

/// Lends a slot of the channel.
fn loan(
    sender: Option<&Sender>,
    patience: Patience,
    memory: Out<'_, *mut c_void>,
    max_len: Out<'_, usize>,
) -> Status {
    let call = "lend slot";
    run(|| {
        let memory = required(call, "memory", memory)?;
        let mut entered = enter_idle(call, sender)?;
        let OpenSender { sender, properties } = &mut *entered;
        let lent = sender.loan(patience).map_err(|error| failure(call, properties, error))?;
        memory.write(lent.cast());
        if let Some(max_len) = max_len {
            max_len.write(properties.max_len);
        }
        Ok(())
    })
}

/// Lends a free slot of the channel, so that the program writes a message in place, and blocks while there is
/// no room.
///
/// A sender has one loan at a time. pagemate_sender_commit() sends it, and pagemate_sender_discard() ends it
/// without a message. All other calls except pagemate_sender_close() are PAGEMATE_IN_USE meanwhile. If the
/// process is killed, nothing is sent, and the slot is free again.
///
/// @param sender   The sender.
/// @param memory   Receives the address of the slot, whose bytes are those of older messages at first. It is
///                 valid until the loan ends. It is aligned for the type of the messages, and to 8 bytes if
///                 the channel has bytes.
/// @param max_len  Receives the number of bytes at that address. May be NULL.
/// @return As for pagemate_sender_send().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_sender_loan(
    sender: Option<&Sender>,
    memory: Option<&mut MaybeUninit<*mut c_void>>,
    max_len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    loan(sender, Patience::Forever, memory, max_len)
}

/// Lends a free slot of the channel, without blocking.
///
/// @param sender   The sender.
/// @param memory   As for pagemate_sender_loan().
/// @param max_len  As for pagemate_sender_loan().
/// @return PAGEMATE_TIMED_OUT: there is no room. Otherwise as for pagemate_sender_send().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_sender_try_loan(
    sender: Option<&Sender>,
    memory: Option<&mut MaybeUninit<*mut c_void>>,
    max_len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    loan(sender, Patience::None, memory, max_len)
}

/// Lends a free slot of the channel, and blocks while there is no room, until the timeout expires.
///
/// @param sender       The sender.
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param memory       As for pagemate_sender_loan().
/// @param max_len      As for pagemate_sender_loan().
/// @return PAGEMATE_TIMED_OUT: there was no room until then. Otherwise as for pagemate_sender_send().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_sender_loan_timeout(
    sender: Option<&Sender>,
    nanoseconds: u64,
    memory: Option<&mut MaybeUninit<*mut c_void>>,
    max_len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    loan(sender, Patience::of(nanoseconds), memory, max_len)
}

/// Fails if the sender has no loan.
fn check_loan(call: &str, sender: &OpenSender) -> Outcome {
    if sender.sender.has_loan() {
        return Ok(());
    }
    Err(Failure::invalid(call, "the sender has no loan"))
}

/// Sends the message in the loan, and ends the loan. Does not block.
///
/// @param sender  The sender.
/// @param len     The length of the message in bytes: see pagemate_sender_send().
/// @return PAGEMATE_WRONG_LENGTH: the channel does not admit this length; the loan continues.
///         PAGEMATE_INVALID_INPUT: the sender has no loan. PAGEMATE_FORKED: the process was forked from the
///         one that opened the sender; the message was not sent, and the loan of the parent continues.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_sender_commit(sender: Option<&Sender>, len: usize) -> Status {
    let call = "send loan";
    run(|| {
        let mut entered = enter(call, sender)?;
        check_loan(call, &entered)?;
        let OpenSender { sender, properties } = &mut *entered;
        check_len(call, properties, len)?;
        sender.commit(len).map_err(|error| failure(call, properties, error))
    })
}

/// Ends the loan without a message.
///
/// @return PAGEMATE_INVALID_INPUT: the sender has no loan.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_sender_discard(sender: Option<&Sender>) -> Status {
    let call = "discard loan";
    run(|| {
        let mut entered = enter(call, sender)?;
        check_loan(call, &entered)?;
        entered.sender.discard();
        Ok(())
    })
}
