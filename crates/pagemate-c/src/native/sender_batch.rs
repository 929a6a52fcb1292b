//! Batches of messages that a sender sends.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::slice;

use pagemate::channel::SendError;

use super::any_sender::Properties;
use super::argument::required;
use super::channel_options::Patience;
use super::sender::{OpenSender, Sender, check_len, enter_idle, failure};
use super::status::{Failure, Outcome, Status, run};

/// Returns the messages of a batch, which lie one after the other, but at most as many as the channel has
/// room for.
///
/// # Safety
///
/// If `bytes` is not NULL, it points to `count` times `len` readable bytes that no thread writes to during
/// `'a`.
unsafe fn batch<'a>(
    call: &str,
    properties: &Properties,
    bytes: *const c_void,
    len: usize,
    count: usize,
) -> Outcome<Vec<&'a [u8]>> {
    required(call, "bytes", (len == 0 || count == 0 || !bytes.is_null()).then_some(()))?;
    check_len(call, properties, len)?;
    let total = len.checked_mul(count).filter(|total| isize::try_from(*total).is_ok());
    let total = total.ok_or_else(|| {
        Failure::invalid(
            call,
            format_args!("{count} messages of {len} bytes do not fit into memory"),
        )
    })?;
    if total == 0 {
        return Ok(vec![&[]; count.min(properties.capacity)]);
    }
    // SAFETY: `bytes` is not NULL, so the caller guarantees `total` readable bytes that no thread writes to. `total`
    // is at most `isize::MAX`.
    let all = unsafe { slice::from_raw_parts(bytes.cast::<u8>(), total) };
    Ok(all.chunks_exact(len).take(properties.capacity).collect())
}

/// Sends as many messages of a batch as the channel has room for, in order, without blocking.
///
/// Receivers find these messages together: if the process is killed during the call, they find all or none.
///
/// @param sender  The sender.
/// @param bytes   The messages, one directly after the other, which no thread writes to during the call.
/// @param len     The length of each message in bytes: see pagemate_sender_send().
/// @param count   The number of messages.
/// @param sent    Receives the number of messages that were sent.
/// @return PAGEMATE_TIMED_OUT: there is no room for the first message. Otherwise as for
///         pagemate_sender_send(). After a failure no message was sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_sender_try_send_many(
    sender: Option<&Sender>,
    bytes: *const c_void,
    len: usize,
    count: usize,
    sent: Option<&mut MaybeUninit<usize>>,
) -> Status {
    let call = "send batch";
    run(|| {
        let sent = required(call, "sent", sent)?;
        let mut entered = enter_idle(call, sender)?;
        let OpenSender { sender, properties } = &mut *entered;
        // SAFETY: the caller passes NULL or `count` times `len` readable bytes that no thread writes to.
        let messages = unsafe { batch(call, properties, bytes, len, count) }?;
        let done = sender.try_send_many(&messages);
        sent.write(done.map_err(|error| failure(call, properties, error))?);
        Ok(())
    })
}

/// Sends all messages of a batch, in order, and blocks while the channel has no room.
///
/// @param sender  The sender.
/// @param bytes   As for pagemate_sender_try_send_many().
/// @param len     As for pagemate_sender_try_send_many().
/// @param count   The number of messages.
/// @param sent    Receives the number of messages that were sent, also after a failure. May be NULL.
/// @return As for pagemate_sender_send().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_sender_send_all(
    sender: Option<&Sender>,
    bytes: *const c_void,
    len: usize,
    count: usize,
    sent: Option<&mut MaybeUninit<usize>>,
) -> Status {
    let call = "send all";
    run(|| {
        let mut done = 0;
        let outcome = enter_idle(call, sender).and_then(|mut entered| {
            let OpenSender { sender, properties } = &mut *entered;
            while done < count {
                let rest = bytes.wrapping_byte_add(done.wrapping_mul(len));
                // SAFETY: the caller passes NULL or `count` times `len` readable bytes that no thread writes
                // to, and `done` of the messages lie before `rest`.
                let messages = unsafe { batch(call, properties, rest, len, count - done) }?;
                let many = match sender.try_send_many(&messages) {
                    // Without room this waits for the first message.
                    Err(SendError::Full) => sender.send(messages[0], Patience::Forever).map(|()| 1),
                    many => many,
                };
                done += many.map_err(|error| failure(call, properties, error))?;
            }
            Ok(())
        });
        if let Some(sent) = sent {
            sent.write(done);
        }
        outcome
    })
}
