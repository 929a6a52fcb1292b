//! Samples: messages that a program reads in place. Batches of messages.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use super::any_receiver::AnyReceiver;
use super::any_sender::Properties;
use super::argument::{Out, buffer, required};
use super::channel_options::Patience;
use super::receiver::{OpenReceiver, Receiver, enter, enter_idle, failure, too_small};
use super::status::{Failure, Outcome, Status, run};

/// Receives messages into buffers.
///
/// # Safety
///
/// If `bytes` is not NULL, it points to `max` times `size` writable bytes that nothing else accesses until
/// this function returns. If `lens` is not NULL, it points to `max` writable numbers.
unsafe fn recv_many(
    receiver: Option<&Receiver>,
    (bytes, size): (*mut c_void, usize),
    lens: *mut usize,
    max: usize,
    count: Out<'_, usize>,
    blocks: bool,
) -> Status {
    let call = "receive batch";
    run(|| {
        let count = required(call, "count", count)?;
        let mut entered = enter_idle(call, receiver)?;
        let OpenReceiver { receiver, properties, lens: found } = &mut *entered;
        required(call, "bytes", (size == 0 || max == 0 || !bytes.is_null()).then_some(()))?;
        if size.checked_mul(max).is_none_or(|total| isize::try_from(total).is_err()) {
            let cause = format!("{max} buffers of {size} bytes do not fit into memory");
            return Err(Failure::invalid(call, cause));
        }
        let max = max.min(properties.capacity);
        // SAFETY: the caller passes NULL or at least `max` buffers of `size` writable bytes that nothing else
        // accesses, whose length together is at most `isize::MAX`.
        let buffers = unsafe { buffer(call, "bytes", bytes, size * max) }?;
        found.resize(max, 0);
        let done = if size >= properties.max_len {
            let outcome = receiver.recv_many(buffers, found, blocks);
            outcome.map_err(|error| failure(call, properties, error))?
        } else {
            recv_some(call, (receiver.as_mut(), properties), buffers, found, blocks)?
        };
        if !lens.is_null() {
            // SAFETY: `lens` is not NULL, so the caller guarantees `max` writable numbers, and `done` is at most
            // `max`. They are not those of `found`, which belongs to this library.
            unsafe { std::ptr::copy_nonoverlapping(found.as_ptr(), lens, done) };
        }
        count.write(done);
        Ok(())
    })
}

/// Receives messages into buffers that may be too short for some messages, one by one.
fn recv_some(
    call: &'static str,
    (receiver, properties): (&mut dyn AnyReceiver, &Properties),
    buffers: &mut [u8],
    lens: &mut [usize],
    blocks: bool,
) -> Outcome<usize> {
    let size = buffers.len() / lens.len().max(1);
    let mut patience = if blocks { Patience::Forever } else { Patience::None };
    let mut done = 0;
    for len in &mut *lens {
        match receiver.recv(&mut buffers[done * size..(done + 1) * size], patience) {
            Ok(found) if found <= size => *len = found,
            // The next call reports the failure, if it persists.
            _ if done > 0 => break,
            Ok(found) => return Err(too_small(&properties.during(call), found, size)),
            Err(error) => return Err(failure(call, properties, error)),
        }
        done += 1;
        patience = Patience::None;
    }
    Ok(done)
}

/// Receives the messages that are there, at least one and at most `max` of them, and blocks while there is
/// none.
///
/// @param receiver  The receiver.
/// @param bytes     `max` buffers of `size` bytes, one directly after the other, which nothing else accesses
///                  during the call.
/// @param size      The length of each buffer in bytes.
/// @param lens      Receives the length of each message in bytes. NULL if the messages have a type.
/// @param max       The number of buffers.
/// @param count     Receives the number of messages.
/// @return PAGEMATE_WRONG_LENGTH: the first message is longer than a buffer. It stays in the channel. A later
///         message that is too long ends the batch before it. Otherwise as for pagemate_receiver_recv().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_receiver_recv_many(
    receiver: Option<&Receiver>,
    bytes: *mut c_void,
    size: usize,
    lens: *mut usize,
    max: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> Status {
    // SAFETY: the caller passes NULL or `max` buffers of `size` bytes, and NULL or `max` numbers.
    unsafe { recv_many(receiver, (bytes, size), lens, max, count, true) }
}

/// Receives the messages that are there, at most `max` of them, without blocking.
///
/// @param receiver  The receiver.
/// @param bytes     As for pagemate_receiver_recv_many().
/// @param size      As for pagemate_receiver_recv_many().
/// @param lens      As for pagemate_receiver_recv_many().
/// @param max       As for pagemate_receiver_recv_many().
/// @param count     Receives the number of messages.
/// @return PAGEMATE_TIMED_OUT: there is no message. Otherwise as for pagemate_receiver_recv_many().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_receiver_try_recv_many(
    receiver: Option<&Receiver>,
    bytes: *mut c_void,
    size: usize,
    lens: *mut usize,
    max: usize,
    count: Option<&mut MaybeUninit<usize>>,
) -> Status {
    // SAFETY: the caller passes NULL or `max` buffers of `size` bytes, and NULL or `max` numbers.
    unsafe { recv_many(receiver, (bytes, size), lens, max, count, false) }
}

/// Lends a message.
fn sample(
    receiver: Option<&Receiver>,
    patience: Patience,
    memory: Out<'_, *const c_void>,
    len: Out<'_, usize>,
) -> Status {
    let call = "lend message";
    run(|| {
        let memory = required(call, "memory", memory)?;
        let len = required(call, "len", len)?;
        let mut entered = enter_idle(call, receiver)?;
        let OpenReceiver { receiver, properties, .. } = &mut *entered;
        let (lent, bytes) =
            receiver.sample(patience).map_err(|error| failure(call, properties, error))?;
        memory.write(lent.cast());
        len.write(bytes);
        Ok(())
    })
}

/// Lends the next message in place, and blocks while there is none.
///
/// A receiver has one sample at a time. pagemate_receiver_finish() ends it, so that a sender can use the slot
/// again; the message is received then. pagemate_receiver_put_back() returns the message to the channel. All
/// other calls except pagemate_receiver_close() are PAGEMATE_IN_USE meanwhile. If the process is killed, the
/// next receiver gets the message.
///
/// @param receiver  The receiver.
/// @param memory    Receives the address of the message, which is valid until the sample ends. It is aligned
///                  for the type of the messages, and to 8 bytes if the channel has bytes. No correct program
///                  changes the message meanwhile, but another user of the channel is able to.
/// @param len       Receives the length of the message in bytes.
/// @return As for pagemate_receiver_recv(), except those about the buffer.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_receiver_sample(
    receiver: Option<&Receiver>,
    memory: Option<&mut MaybeUninit<*const c_void>>,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    sample(receiver, Patience::Forever, memory, len)
}

/// Lends the next message in place, without blocking.
///
/// @param receiver  The receiver.
/// @param memory    As for pagemate_receiver_sample().
/// @param len       As for pagemate_receiver_sample().
/// @return PAGEMATE_TIMED_OUT: there is no message. Otherwise as for pagemate_receiver_sample().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_receiver_try_sample(
    receiver: Option<&Receiver>,
    memory: Option<&mut MaybeUninit<*const c_void>>,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    sample(receiver, Patience::None, memory, len)
}

/// Lends the next message in place, and blocks while there is none, until the timeout expires.
///
/// @param receiver     The receiver.
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param memory       As for pagemate_receiver_sample().
/// @param len          As for pagemate_receiver_sample().
/// @return PAGEMATE_TIMED_OUT: no message arrived. Otherwise as for pagemate_receiver_sample().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_receiver_sample_timeout(
    receiver: Option<&Receiver>,
    nanoseconds: u64,
    memory: Option<&mut MaybeUninit<*const c_void>>,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    sample(receiver, Patience::of(nanoseconds), memory, len)
}

/// Takes the exclusive access to a receiver that has a sample.
fn check_sample(call: &str, receiver: &OpenReceiver) -> Outcome {
    if receiver.receiver.has_sample() {
        return Ok(());
    }
    Err(Failure::invalid(call, "the receiver has no sample"))
}

/// Ends the sample. Its message is received, and a sender can use its slot again.
///
/// @return PAGEMATE_INVALID_INPUT: the receiver has no sample. PAGEMATE_FORKED: the process was forked from
///         the one that opened the receiver; the sample of the parent continues.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_receiver_finish(receiver: Option<&Receiver>) -> Status {
    let call = "finish sample";
    run(|| {
        let mut entered = enter(call, receiver)?;
        check_sample(call, &entered)?;
        let OpenReceiver { receiver, properties, .. } = &mut *entered;
        receiver.finish().map_err(|error| failure(call, properties, error))
    })
}

/// Ends the sample and returns its message to the channel. The next call receives the message again.
///
/// In a process that was forked from the one that has the sample, the call has no effect on the channel.
///
/// @return PAGEMATE_INVALID_INPUT: the receiver has no sample.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_receiver_put_back(receiver: Option<&Receiver>) -> Status {
    let call = "put back sample";
    run(|| {
        let mut entered = enter(call, receiver)?;
        check_sample(call, &entered)?;
        entered.receiver.put_back();
        Ok(())
    })
}
