//! `FormatMessage`: the texts of error codes and of programs, with the program's values inserted.
//!
//! Everything is done in UTF-16 units, as on Windows, where the call for bytes converts what it is given
//! and its result.
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

/// `ERROR_NO_WORK_DONE`: the message is empty. `ERROR_MR_MID_NOT_FOUND`: the code has no message.
/// `ERROR_RESOURCE_DATA_NOT_FOUND`: the program has no messages.
const NO_WORK_DONE: Code = Code(235);
const NOT_A_MESSAGE: Code = Code(317);
const NO_MESSAGES: Code = Code(1812);

/// The call for bytes takes no larger buffer, and allocates none.
const ROOM_FOR_BYTES: u32 = 0x8000;

/// Returns the text that the flags ask for: the program's own or the system's.
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

/// Returns the text with the values of the program in it.
///
/// # Safety
///
/// `arguments` is null or has what the text asks for.
unsafe fn message(
    flags: u32,
    width: Width,
    own: impl Fn() -> Result<Vec<u16>>,
    code: u32,
    arguments: *mut c_void,
) -> Result<Vec<u16>> {
    let text = source(flags, own, code)?;
    // SAFETY: the caller's promise.
    let mut arguments = unsafe { Arguments::new(arguments, flags & ARGUMENT_ARRAY != 0) };
    let lines = Lines::new(flags);
    let expanded = if flags & IGNORE_INSERTS != 0 {
        expand(&text, lines, None)
    } else {
        // SAFETY: the caller says that the arguments are what the text asks for.
        expand(&text, lines, Some(&mut |insert| unsafe { insert.text(&mut arguments, width) }))
    }?;
    if expanded.is_empty() { Err(NO_WORK_DONE) } else { Ok(expanded) }
}

/// Converts bytes, which are UTF-8.
fn utf16(bytes: &[u8]) -> Vec<u16> {
    String::from_utf8_lossy(bytes).encode_utf16().collect()
}

/// Copies a text and a NUL into a new buffer that `LocalFree` takes.
fn allocate<T: Copy + Default>(text: &[T], room: u32) -> Result<*mut T> {
    let wanted = (text.len() + 1).max(room as usize) * size_of::<T>();
    let made = LocalAlloc(0, wanted).cast::<T>();
    if made.is_null() {
        return Err(NOT_ENOUGH_MEMORY);
    }
    // SAFETY: the new buffer has room for the text and the NUL.
    unsafe { put(text, made) };
    Ok(made)
}

/// # Safety
///
/// `to` has room for the text and a NUL.
unsafe fn put<T: Copy + Default>(text: &[T], to: *mut T) {
    for (i, unit) in text.iter().copied().chain([T::default()]).enumerate() {
        // SAFETY: the caller says that there is room.
        let place = unsafe { to.add(i) };
        // SAFETY: as above; a packed struct's buffer may lie at any address.
        unsafe { place.write_unaligned(unit) };
    }
}

/// The length of a text in units.
fn len<T>(text: &[T]) -> Result<u32> {
    u32::try_from(text.len()).map_err(|_| NOT_ENOUGH_MEMORY)
}

/// Stores a text where the caller wants it; returns its length.
///
/// # Safety
///
/// With `ALLOCATE_BUFFER` `buffer` has room for a pointer, or else for `room` units.
unsafe fn hand_over<T: Copy + Default>(
    flags: u32,
    text: &[T],
    buffer: *mut T,
    room: u32,
) -> Result<u32> {
    let len = len(text)?;
    if flags & ALLOCATE_BUFFER != 0 {
        let made = allocate(text, room)?;
        // SAFETY: the caller says that a pointer has room there.
        unsafe { buffer.cast::<*mut T>().write_unaligned(made) };
    } else if len >= room {
        return Err(INSUFFICIENT_BUFFER);
    } else if buffer.is_null() {
        return Err(INVALID_PARAMETER);
    } else {
        // SAFETY: the caller's promise.
        unsafe { put(text, buffer) };
    }
    Ok(len)
}

/// # Safety
///
/// With `ALLOCATE_BUFFER` `buffer` has room for a pointer.
unsafe fn clear<T>(flags: u32, buffer: *mut T) {
    if flags & ALLOCATE_BUFFER != 0 {
        // SAFETY: the caller's promise.
        unsafe { buffer.cast::<*mut T>().write_unaligned(std::ptr::null_mut()) };
    }
}

/// Writes what an error code means, in English, or a text of the program's, with its values inserted.
///
/// # Safety
///
/// `source` is, with `FORMAT_MESSAGE_FROM_STRING`, a text that ends in a NUL. `buffer` has room for
/// `room` bytes or, with `FORMAT_MESSAGE_ALLOCATE_BUFFER`, for a pointer. `arguments` is null or has
/// what the text asks for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FormatMessageA(
    flags: u32,
    source: *const c_void,
    code: u32,
    _language: u32,
    buffer: *mut u8,
    room: u32,
    arguments: *mut c_void,
) -> u32 {
    let own = || {
        if source.is_null() {
            return Err(INVALID_PARAMETER);
        }
        // SAFETY: the caller says that it ends in a NUL.
        Ok(utf16(&unsafe { c_string::units(source.cast::<u8>()) }))
    };
    answer(
        (|| {
            if flags & ALLOCATE_BUFFER != 0 && buffer.is_null() {
                return Err(NOT_ENOUGH_MEMORY);
            }
            // SAFETY: the caller's promise.
            unsafe { clear(flags, buffer) };
            if room >= ROOM_FOR_BYTES {
                return Err(INVALID_PARAMETER);
            }
            // SAFETY: the caller's promise.
            let text = unsafe { message(flags, Width::Narrow, own, code, arguments) }?;
            let text = String::from_utf16_lossy(&text);
            // SAFETY: the caller's promise.
            unsafe { hand_over(flags, text.as_bytes(), buffer, room) }
        })(),
        0,
    )
}

/// As [`FormatMessageA`], in 16-bit characters. What does not fit is cut.
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FormatMessageW(
    flags: u32,
    source: *const c_void,
    code: u32,
    _language: u32,
    buffer: *mut u16,
    room: u32,
    arguments: *mut c_void,
) -> u32 {
    let own = || {
        if source.is_null() {
            return Err(INVALID_PARAMETER);
        }
        // SAFETY: the caller says that it ends in a NUL.
        Ok(unsafe { c_string::units(source.cast::<u16>()) })
    };
    answer(
        (|| {
            if buffer.is_null() {
                return Err(INVALID_PARAMETER);
            }
            // SAFETY: the caller's promise.
            unsafe { clear(flags, buffer) };
            // SAFETY: the caller's promise.
            let text = unsafe { message(flags, Width::Wide, own, code, arguments) };
            let whole = text.as_deref().unwrap_or_default();
            if flags & ALLOCATE_BUFFER == 0 && whole.len() >= room as usize && room > 0 {
                // SAFETY: the caller says that there is room for so much.
                unsafe { put(&whole[..room as usize - 1], buffer) };
            } else if text == Err(NO_WORK_DONE) && flags & ALLOCATE_BUFFER == 0 && room > 0 {
                // SAFETY: as above.
                unsafe { put(&[], buffer) };
            }
            // SAFETY: the caller's promise.
            unsafe { hand_over(flags, &text?, buffer, room) }
        })(),
        0,
    )
}
