//! Cells in shared memory whose values are copied in and out.
#![allow(clippy::similar_names, reason = "a cell and the name of a call")]

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use pagemate::typed::{RacyBytes, SeqBytes, SeqBytesWriter};

use super::argument::{self, buffer, close, create_handle, required};
use super::status::{Failure, Outcome, Status, returned, run};
use super::typed::Shared;
use super::word::StatusWord;

/// A handle that writes a sequence-locked value. It keeps the memory of the value mapped.
///
/// Several threads may use one writer at the same time. No thread may use it during or after a call that
/// closes it.
#[derive(Debug)]
pub struct SeqlockWriter {
    writer: SeqBytesWriter,
    /// The length of the value in bytes.
    len: usize,
}

/// A function that changes a copy of a value, and gets the `context` of the call that writes it. If it returns
/// another status than PAGEMATE_OK, nothing is written, and that call fails with it. It must return: no
/// exception and no longjmp() may leave it.
pub type Change =
    Option<unsafe extern "C" fn(value: *mut c_void, context: *mut c_void) -> StatusWord>;

/// Returns the address of a cell, which is not NULL.
fn address(call: &str, cell: *const c_void) -> Outcome<NonNull<u8>> {
    Ok(required(call, "cell", NonNull::new(cell.cast_mut()))?.cast())
}

/// Checks that a value fits the address space, so that a buffer for it can exist.
fn check(call: &str, len: usize) -> Outcome {
    if isize::try_from(SeqBytes::size(len)).is_ok() {
        return Ok(());
    }
    let cause = format!("{call}: a value of {len} bytes exceeds the address space");
    Err(Failure::new(Status::PAGEMATE_OUT_OF_RANGE, cause))
}

/// Copies the current value out of a sequence-locked cell, a `SeqLock<T>` of Rust and C++. The copy is never
/// half-written. Readers take no lock and do not delay the writer. Thread-safe.
///
/// The cell lies in a pagemate_shared or in another view, which may be mapped for reading, at a multiple of 8.
/// It has 64 bytes and two slots with the length of the value: pagemate_layout_seqlock(). It begins as zeros.
///
/// @param cell   The cell.
/// @param value  The destination, which nothing else accesses during the call. NULL only if `len` is 0.
/// @param len    The length of the value in bytes, with which all programs use the cell.
/// @return PAGEMATE_INVALID_INPUT: the cell is not at a multiple of 8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_seqlock_read(
    cell: *const c_void,
    value: *mut c_void,
    len: usize,
) -> Status {
    let call = "read sequence-locked value";
    run(|| {
        let cell = address(call, cell)?;
        check(call, len)?;
        if !cell.addr().get().is_multiple_of(SeqBytes::ALIGN) {
            return Err(Failure::invalid(call, "cell is not at a multiple of 8"));
        }
        // SAFETY: the caller passes NULL or `len` writable bytes that nothing else accesses until this
        // function returns. `check` proved that `len` is at most `isize::MAX`.
        let value = unsafe { buffer(call, "value", value, len) }?;
        // SAFETY: the cell is aligned. The caller passes a cell with a value of this length that stays
        // readable until this function returns, and that is accessed as such a cell only.
        unsafe { SeqBytes::from_ptr(cell, len) }.read_into(value);
        Ok(())
    })
}

/// Opens a writer of a sequence-locked cell in typed memory. A program that writes often keeps its writer.
/// Thread-safe.
///
/// Writers take turns. If a writer is killed at any step, the previous value stays, whole and readable, and
/// the next writer continues.
///
/// @param shared  The memory that has the cell.
/// @param cell    The cell, in the value of `shared`: see pagemate_seqlock_read().
/// @param len     The length of the value in bytes.
/// @param writer  Receives the handle, which the caller closes by pagemate_seqlock_writer_close(); NULL on
///                failure.
/// @return PAGEMATE_OUT_OF_RANGE: the cell does not lie in the memory. PAGEMATE_INVALID_INPUT: it is not at a
///         multiple of 8. PAGEMATE_PERMISSION_DENIED: the memory is mapped for reading. PAGEMATE_UNSUPPORTED:
///         as for pagemate_shared_open_or_init().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_seqlock_writer_open(
    shared: Option<&Shared>,
    cell: *const c_void,
    len: usize,
    writer: Option<&mut MaybeUninit<Option<Box<SeqlockWriter>>>>,
) -> Status {
    let call = "open writer of sequence-locked value";
    create_handle(call, "writer", writer, || {
        let shared = required(call, "shared", shared)?;
        let offset = address(call, cell)?.addr().get().wrapping_sub(shared.bytes.as_ptr().addr());
        check(call, len)?;
        if offset.checked_add(SeqBytes::size(len)).is_none_or(|end| end > shared.len) {
            let cause = format!("{call}: the cell does not lie in the memory");
            return Err(Failure::new(Status::PAGEMATE_OUT_OF_RANGE, cause));
        }
        Ok(SeqlockWriter { writer: shared.bytes.seq_writer(offset, len)?, len })
    })
}

/// Closes a handle.
///
/// No other thread may use the handle during the call, and nothing may use it later. It always succeeds.
/// NULL is ignored, as by free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_seqlock_writer_close(writer: Option<Box<SeqlockWriter>>) -> Status {
    close(writer)
}

/// Replaces a sequence-locked value, as soon as no other writer writes. Thread-safe.
///
/// @param writer  The writer.
/// @param value   The new value, which nothing writes to during the call. NULL only if `len` is 0.
/// @param len     The length of the value in bytes, with which the writer was opened.
/// @return PAGEMATE_INVALID_INPUT: the length is another one. Otherwise as for pagemate_mutex_lock().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_seqlock_writer_write(
    writer: Option<&SeqlockWriter>,
    value: *const c_void,
    len: usize,
) -> Status {
    let call = "write sequence-locked value";
    run(|| {
        let writer = required(call, "writer", writer)?;
        if len != writer.len {
            let cause = format_args!("the value has {} bytes, not {len}", writer.len).to_string();
            return Err(Failure::invalid(call, cause));
        }
        // SAFETY: the caller passes NULL or `len` readable bytes that nothing writes to until this function
        // returns. `len` was checked when the writer was opened, so it is at most `isize::MAX`.
        let value = unsafe { argument::bytes(call, "value", value, len) }?;
        Ok(writer.writer.write(value)?)
    })
}

/// Changes a sequence-locked value, as soon as no other writer writes, so that no change is lost. Thread-safe.
///
/// @param writer   The writer.
/// @param change   Gets a copy of the value, and changes it. It must not write this value by a writer.
/// @param context  An argument for `change`.
/// @return The status of `change`. Otherwise as for pagemate_mutex_lock().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_seqlock_writer_update(
    writer: Option<&SeqlockWriter>,
    change: Change,
    context: *mut c_void,
) -> Status {
    let call = "change sequence-locked value";
    run(|| {
        let writer = required(call, "writer", writer)?;
        let change = required(call, "change", change)?;
        writer.writer.update(|value| {
            // SAFETY: the caller passes a function that may be called with `context` during this call.
            let status = unsafe { change(value.as_mut_ptr().cast(), context) };
            returned(call, "the function", status)
        })
    })
}

/// Copies the value out of a cell that may be written at the same time: a `Racy<T>` of Rust and C++.
/// Thread-safe.
///
/// Each byte of the copy is the old or the new one, in any combination, so something else orders the accesses,
/// such as an atomic position.
///
/// @param cell   The cell, in a view that may be mapped for reading.
/// @param value  The destination, which nothing else accesses during the call. NULL only if `len` is 0.
/// @param len    The length of the value in bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_racy_read(
    cell: *const c_void,
    value: *mut c_void,
    len: usize,
) -> Status {
    let call = "read racy value";
    run(|| {
        let cell = address(call, cell)?;
        check(call, len)?;
        // SAFETY: the caller passes NULL or `len` writable bytes that nothing else accesses until this
        // function returns. `check` proved that `len` is at most `isize::MAX`.
        let value = unsafe { buffer(call, "value", value, len) }?;
        // SAFETY: the caller passes a cell of `len` bytes that stays readable until this function returns,
        // and that is accessed as such a cell only.
        unsafe { RacyBytes::from_ptr(cell, len) }.read_into(value);
        Ok(())
    })
}

/// Copies a value into a cell that may be read at the same time: see pagemate_racy_read(). Thread-safe.
///
/// A process that is killed during the call leaves a part of the value.
///
/// @param cell   The cell, in a view that is mapped for writing.
/// @param value  The new value, which nothing writes to during the call. NULL only if `len` is 0.
/// @param len    The length of the value in bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_racy_write(
    cell: *mut c_void,
    value: *const c_void,
    len: usize,
) -> Status {
    let call = "write racy value";
    run(|| {
        let cell = address(call, cell)?;
        check(call, len)?;
        // SAFETY: the caller passes NULL or `len` readable bytes that nothing writes to until this function
        // returns. `check` proved that `len` is at most `isize::MAX`.
        let value = unsafe { argument::bytes(call, "value", value, len) }?;
        // SAFETY: the caller passes a cell of `len` bytes that stays readable until this function returns,
        // and that is accessed as such a cell only.
        let cell = unsafe { RacyBytes::from_ptr(cell, len) };
        // SAFETY: the caller passes a cell in memory that is mapped for writing.
        unsafe { cell.set(value) };
        Ok(())
    })
}
