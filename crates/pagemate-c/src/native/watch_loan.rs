//! Loans: buffers of watch channels, in which a program writes the value in place.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use super::argument::required;
use super::sender::{check_len, failure};
use super::status::{Failure, Outcome, Status, run};
use super::watch_writer::{OpenWriter, WatchWriter, enter, enter_idle};

/// Lends the buffer of the next value, so that the program writes the value in place. Never blocks.
///
/// A writer has one loan at a time. pagemate_watch_writer_publish() replaces the value by it, and
/// pagemate_watch_writer_discard() ends it and changes nothing. All other calls except pagemate_watch_writer_close()
/// and those that return properties are PAGEMATE_IN_USE meanwhile.
///
/// @param writer   The writer.
/// @param memory   Receives the address of the buffer, whose bytes are those of an older value at first. It is valid
///                 until the loan ends. It is aligned for the type of the value, and to 8 bytes if the channel
///                 has bytes.
/// @param max_len  Receives the number of bytes at that address. May be NULL.
/// @return PAGEMATE_IN_USE and PAGEMATE_FORKED: as for pagemate_watch_writer_write().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_writer_loan(
    writer: Option<&WatchWriter>,
    memory: Option<&mut MaybeUninit<*mut c_void>>,
    max_len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    let call = "lend buffer";
    run(|| {
        let memory = required(call, "memory", memory)?;
        let mut entered = enter_idle(call, writer)?;
        let OpenWriter { writer, properties } = &mut *entered;
        let lent = writer.loan().map_err(|error| failure(call, properties, error))?;
        memory.write(lent.cast());
        if let Some(max_len) = max_len {
            max_len.write(properties.max_len);
        }
        Ok(())
    })
}

/// Replaces the value by the one in the loan, and ends the loan.
///
/// @param writer  The writer.
/// @param len     The length of the value in bytes: see pagemate_watch_writer_write().
/// @return PAGEMATE_WRONG_LENGTH: the channel does not admit this length; the loan continues.
///         PAGEMATE_INVALID_INPUT: the writer has no loan.
///         PAGEMATE_FORKED: the process was forked from the one that opened the writer; the loan of the parent
///         continues.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_writer_publish(
    writer: Option<&WatchWriter>,
    len: usize,
) -> Status {
    let call = "publish loan";
    run(|| {
        let mut entered = enter(call, writer)?;
        check_loan(call, &entered)?;
        let OpenWriter { writer, properties } = &mut *entered;
        check_len(call, properties, len)?;
        writer.publish(len).map_err(|error| failure(call, properties, error))
    })
}

/// Ends the loan. The value does not change.
///
/// @return PAGEMATE_INVALID_INPUT: the writer has no loan.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_watch_writer_discard(writer: Option<&WatchWriter>) -> Status {
    let call = "discard loan";
    run(|| {
        let mut entered = enter(call, writer)?;
        check_loan(call, &entered)?;
        entered.writer.discard();
        Ok(())
    })
}

/// Fails if the writer has no loan.
fn check_loan(call: &str, writer: &OpenWriter) -> Outcome {
    if writer.writer.has_loan() {
        return Ok(());
    }
    Err(Failure::invalid(call, "the writer has no loan"))
}
