//! `FormatMessage`: the texts of error codes and of programs, with the program's values inserted.
//!
//! The text is expanded in UTF-16, as on Windows. The call for bytes converts its input and its
//! result.
#![allow(unsafe_code, reason = "exported under Windows' names")]

mod arguments;
mod expand;
mod insert;

use std::ffi::c_void;

use crate::error::texts;
use crate::error::{
    Code, INSUFFICIENT_BUFFER, INVALID_PARAMETER, NOT_ENOUGH_MEMORY, Result, answer,
};
use crate::memory::heap::LocalAlloc;
use crate::text::c_string;
use crate::text::codepage::utf16;

use arguments::Arguments;
use expand::{Lines, expand};
use insert::Width;

/// `FORMAT_MESSAGE_` flags.
const ALLOCATE_BUFFER: u32 = 0x100;
const IGNORE_INSERTS: u32 = 0x200;
const FROM_STRING: u32 = 0x400;
const FROM_HMODULE: u32 = 0x800;
const FROM_SYSTEM: u32 = 0x1000;
const ARGUMENT_ARRAY: u32 = 0x2000;

/// `ERROR_NO_WORK_DONE`: the message is empty. `ERROR_MR_MID_NOT_FOUND`: there is no message for
/// the code. `ERROR_RESOURCE_DATA_NOT_FOUND`: the program has no message resources.
const NO_WORK_DONE: Code = Code(235);
const NOT_A_MESSAGE: Code = Code(317);
const NO_MESSAGES: Code = Code(1812);

/// `FormatMessageA` refuses a capacity of this value or more, with and without `ALLOCATE_BUFFER`.
const CAPACITY_LIMIT: u32 = 0x8000;

/// Returns the text that the flags select: the program's own or the system's.
fn source(flags: u32, own: impl Fn() -> Result<Vec<u16>>, code: u32) -> Result<Vec<u16>> {
    if flags & FROM_STRING != 0 {
        return own();
    }
    if flags & FROM_SYSTEM != 0 {
        let text = texts::text(code).ok_or(NOT_A_MESSAGE)?;
        return Ok(format!("{text}\r\n").encode_utf16().collect());
    }
    Err(if flags & FROM_HMODULE != 0 { NO_MESSAGES } else { INVALID_PARAMETER })
}

/// Returns the text with the program's values inserted.
///
/// # Safety
///
/// `arguments` is null, or passes the arguments that the text requires.
unsafe fn message(
    flags: u32,
    width: Width,
    own: impl Fn() -> Result<Vec<u16>>,
    code: u32,
    arguments: *mut c_void,
) -> Result<Vec<u16>> {
    let text = source(flags, own, code)?;
    // SAFETY: the caller guarantees that `arguments` is null, or an array or a `va_list` as `flags`
    // state.
    let mut arguments = unsafe { Arguments::new(arguments, flags & ARGUMENT_ARRAY != 0) };
    let lines = Lines::new(flags);
    let expanded = if flags & IGNORE_INSERTS != 0 {
        expand(&text, lines, None)
    } else {
        // SAFETY: the caller guarantees that the program passed the arguments that the text
        // requires.
        expand(&text, lines, Some(&mut |insert| unsafe { insert.text(&mut arguments, width) }))
    }?;
    if expanded.is_empty() { Err(NO_WORK_DONE) } else { Ok(expanded) }
}

/// Copies a string and a NUL into a new block, to be freed by `LocalFree`.
fn allocate<T: Copy + Default>(text: &[T], capacity: u32) -> Result<*mut T> {
    let wanted = (text.len() + 1).max(capacity as usize) * size_of::<T>();
    let made = LocalAlloc(0, wanted).cast::<T>();
    if made.is_null() {
        return Err(NOT_ENOUGH_MEMORY);
    }
    // SAFETY: the new block has at least the length of the string and the NUL.
    unsafe { write_with_nul(text, made) };
    Ok(made)
}

/// # Safety
///
/// `to` is valid for writes of the string and a NUL.
unsafe fn write_with_nul<T: Copy + Default>(text: &[T], to: *mut T) {
    for (i, unit) in text.iter().copied().chain([T::default()]).enumerate() {
        // SAFETY: the caller guarantees that `to` is valid for writes of the string and a NUL, and
        // `i` is at most the NUL's index. The buffer may be unaligned in a packed struct.
        unsafe { to.wrapping_add(i).write_unaligned(unit) };
    }
}

/// Returns the length of a string in units.
fn len<T>(text: &[T]) -> Result<u32> {
    u32::try_from(text.len()).map_err(|_| NOT_ENOUGH_MEMORY)
}

/// Stores a string in the caller's buffer or in a new block. Returns its length.
///
/// # Safety
///
/// `buffer` is valid for writes of a pointer with `ALLOCATE_BUFFER`, otherwise of `capacity` units.
unsafe fn store<T: Copy + Default>(
    flags: u32,
    text: &[T],
    buffer: *mut T,
    capacity: u32,
) -> Result<u32> {
    let len = len(text)?;
    if flags & ALLOCATE_BUFFER != 0 {
        let made = allocate(text, capacity)?;
        // SAFETY: `flags` has `ALLOCATE_BUFFER`, so the caller guarantees that `buffer` is valid
        // for writes of a pointer.
        unsafe { buffer.cast::<*mut T>().write_unaligned(made) };
    } else if len >= capacity {
        return Err(INSUFFICIENT_BUFFER);
    } else if buffer.is_null() {
        return Err(INVALID_PARAMETER);
    } else {
        // SAFETY: the string and its NUL fit into `capacity` units, and the caller guarantees that
        // `buffer` is valid for writes of them.
        unsafe { write_with_nul(text, buffer) };
    }
    Ok(len)
}

/// # Safety
///
/// With `ALLOCATE_BUFFER`, `buffer` is valid for writes of a pointer.
unsafe fn clear_pointer<T>(flags: u32, buffer: *mut T) {
    if flags & ALLOCATE_BUFFER != 0 {
        // SAFETY: `flags` has `ALLOCATE_BUFFER`, so the caller guarantees that `buffer` is valid
        // for writes of a pointer.
        unsafe { buffer.cast::<*mut T>().write_unaligned(std::ptr::null_mut()) };
    }
}

/// Writes the English text of an error code, or a text of the program, with the program's values
/// inserted.
///
/// # Safety
///
/// With `FORMAT_MESSAGE_FROM_STRING`, `source` points to a string that ends in a NUL. `buffer` is
/// valid for writes of `capacity` units or, with `FORMAT_MESSAGE_ALLOCATE_BUFFER`, of a pointer.
/// `arguments` is null, or passes the arguments that the text requires.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FormatMessageA(
    flags: u32,
    source: *const c_void,
    code: u32,
    _language: u32,
    buffer: *mut u8,
    capacity: u32,
    arguments: *mut c_void,
) -> u32 {
    let own = || {
        if source.is_null() {
            return Err(INVALID_PARAMETER);
        }
        // SAFETY: the text comes from `source`, so the caller guarantees that it ends in a NUL.
        Ok(utf16(&unsafe { c_string::units(source.cast::<u8>()) }))
    };
    answer(
        "FormatMessageA",
        (|| {
            if flags & ALLOCATE_BUFFER != 0 && buffer.is_null() {
                return Err(NOT_ENOUGH_MEMORY);
            }
            // SAFETY: the caller guarantees that `buffer` is valid for writes of a pointer with
            // `ALLOCATE_BUFFER`.
            unsafe { clear_pointer(flags, buffer) };
            if capacity >= CAPACITY_LIMIT {
                return Err(INVALID_PARAMETER);
            }
            // SAFETY: the caller guarantees that `arguments` is null, or passes the arguments that
            // the text requires.
            let text = unsafe { message(flags, Width::Narrow, own, code, arguments) }?;
            let text = String::from_utf16_lossy(&text);
            // SAFETY: the caller guarantees that `buffer` is valid for writes of a pointer or of
            // `capacity` bytes.
            unsafe { store(flags, text.as_bytes(), buffer, capacity) }
        })(),
        0,
    )
}

/// Does the same as [`FormatMessageA`], for 16-bit characters. Truncates a text that does not fit.
///
/// # Safety
///
/// As for [`FormatMessageA`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FormatMessageW(
    flags: u32,
    source: *const c_void,
    code: u32,
    _language: u32,
    buffer: *mut u16,
    capacity: u32,
    arguments: *mut c_void,
) -> u32 {
    let own = || {
        if source.is_null() {
            return Err(INVALID_PARAMETER);
        }
        // SAFETY: the text comes from `source`, so the caller guarantees that it ends in a NUL.
        Ok(unsafe { c_string::units(source.cast::<u16>()) })
    };
    answer(
        "FormatMessageW",
        (|| {
            if buffer.is_null() {
                return Err(INVALID_PARAMETER);
            }
            // SAFETY: the caller guarantees that `buffer` is valid for writes of a pointer with
            // `ALLOCATE_BUFFER`.
            unsafe { clear_pointer(flags, buffer) };
            // SAFETY: the caller guarantees that `arguments` is null, or passes the arguments that
            // the text requires.
            let text = unsafe { message(flags, Width::Wide, own, code, arguments) };
            let whole = text.as_deref().unwrap_or_default();
            if flags & ALLOCATE_BUFFER == 0 && whole.len() >= capacity as usize && capacity > 0 {
                // SAFETY: the caller guarantees that `buffer` is valid for writes of `capacity` units,
                // which the truncated text and its NUL fill.
                unsafe { write_with_nul(&whole[..capacity as usize - 1], buffer) };
            } else if text == Err(NO_WORK_DONE) && flags & ALLOCATE_BUFFER == 0 && capacity > 0 {
                // SAFETY: the caller guarantees that `buffer` is valid for writes of `capacity` units,
                // which is at least one, for the NUL.
                unsafe { write_with_nul(&[], buffer) };
            }
            // SAFETY: the caller guarantees that `buffer` is valid for writes of a pointer or of
            // `capacity` units.
            unsafe { store(flags, &text?, buffer, capacity) }
        })(),
        0,
    )
}
