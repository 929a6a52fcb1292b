//! Texts in bytes to texts in 16-bit characters and back. The bytes are UTF-8, whatever the code
//! page of a system or a thread: here that is UTF-8.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use crate::error::{
    INSUFFICIENT_BUFFER, INVALID_FLAGS, INVALID_PARAMETER, NO_UNICODE_TRANSLATION, Result, answer,
};
use crate::pointer::tell;
use crate::text::c_string::units;

/// `CP_ACP`, `CP_OEMCP`, `CP_MACCP`, `CP_THREAD_ACP`, `CP_UTF8`.
const PAGES: [u32; 5] = [0, 1, 2, 3, UTF8];
const UTF8: u32 = 65001;

/// `MB_PRECOMPOSED`, which changes nothing, and `MB_ERR_INVALID_CHARS`; `WC_NO_BEST_FIT_CHARS` and
/// `WC_COMPOSITECHECK`, which change nothing, and `WC_ERR_INVALID_CHARS`.
const TO_WIDE: u32 = 0x1;
const STRICT_TO_WIDE: u32 = 0x8;
const TO_BYTES: u32 = 0x600;
const STRICT_TO_BYTES: u32 = 0x80;

/// So many units, or up to the NUL and that too.
///
/// # Safety
///
/// `text` is null, or has `len` units, or ends in a NUL if `len` is less than zero.
unsafe fn given<'a, T: crate::text::c_string::Unit>(text: *const T, len: i32) -> Result<&'a [T]> {
    if text.is_null() || len == 0 {
        return Err(INVALID_PARAMETER);
    }
    let len = match usize::try_from(len) {
        Ok(len) => len,
        // SAFETY: the caller says that it ends in a NUL.
        Err(_) => unsafe { units(text) }.len() + 1,
    };
    // SAFETY: the caller says that there are so many, or they were just counted.
    Ok(unsafe { std::slice::from_raw_parts(text, len) })
}

/// Hands a text over; without room it only tells how long it is.
///
/// # Safety
///
/// `to` is null or has room for `room` units.
unsafe fn hand_over<T: Copy>(text: &[T], to: *mut T, room: i32) -> Result<i32> {
    let len = i32::try_from(text.len()).map_err(|_| INVALID_PARAMETER)?;
    if room == 0 {
        return Ok(len);
    }
    if room < 0 || to.is_null() {
        return Err(INVALID_PARAMETER);
    }
    if room < len {
        return Err(INSUFFICIENT_BUFFER);
    }
    // SAFETY: the caller says that there is room.
    unsafe { std::ptr::copy(text.as_ptr(), to, text.len()) };
    Ok(len)
}

fn check(page: u32, flags: u32, known: u32) -> Result<()> {
    if !PAGES.contains(&page) {
        return Err(INVALID_PARAMETER);
    }
    if flags & !known == 0 { Ok(()) } else { Err(INVALID_FLAGS) }
}

/// Makes 16-bit characters of bytes. Without room it tells how much is needed.
///
/// # Safety
///
/// `from` is null, or has `len` bytes, or ends in a NUL if `len` is less than zero; `to` is null or
/// has room for `room` characters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn MultiByteToWideChar(
    page: u32,
    flags: u32,
    from: *const u8,
    len: i32,
    to: *mut u16,
    room: i32,
) -> i32 {
    let made = check(page, flags, TO_WIDE | STRICT_TO_WIDE).and_then(|()| {
        // SAFETY: the caller's promise.
        let bytes = unsafe { given(from, len) }?;
        let text = String::from_utf8_lossy(bytes);
        if flags & STRICT_TO_WIDE != 0 && str::from_utf8(bytes).is_err() {
            return Err(NO_UNICODE_TRANSLATION);
        }
        let wide: Vec<u16> = text.encode_utf16().collect();
        // SAFETY: the caller's promise.
        unsafe { hand_over(&wide, to, room) }
    });
    answer(made, 0)
}

/// Makes bytes of 16-bit characters. Without room it tells how much is needed. Every character has
/// bytes here, so that none is replaced by `_default`.
///
/// # Safety
///
/// As [`MultiByteToWideChar`]; `defaulted` is null or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WideCharToMultiByte(
    page: u32,
    flags: u32,
    from: *const u16,
    len: i32,
    to: *mut u8,
    room: i32,
    default: *const u8,
    defaulted: *mut i32,
) -> i32 {
    let made = check(page, flags, TO_BYTES | STRICT_TO_BYTES).and_then(|()| {
        if page == UTF8 && !(default.is_null() && defaulted.is_null()) {
            return Err(INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        let wide = unsafe { given(from, len) }?;
        let text = match String::from_utf16(wide) {
            Err(_) if flags & STRICT_TO_BYTES != 0 => return Err(NO_UNICODE_TRANSLATION),
            Err(_) => String::from_utf16_lossy(wide),
            Ok(text) => text,
        };
        // SAFETY: the caller's promise.
        let len = unsafe { hand_over(text.as_bytes(), to, room) }?;
        // SAFETY: the caller says that it can be written to, unless it is null.
        unsafe { tell(defaulted, 0) };
        Ok(len)
    });
    answer(made, 0)
}
