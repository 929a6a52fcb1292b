//! Texts in bytes to texts in 16-bit characters and back. The bytes are UTF-8, whatever the code
//! page of a system or a thread: here that is UTF-8.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use crate::error::{
    INSUFFICIENT_BUFFER, INVALID_FLAGS, INVALID_PARAMETER, NO_UNICODE_TRANSLATION, Result, answer,
};
use crate::pointer::write_unless_null;
use crate::text::c_string::{Unit, copy_of, len};

/// `CP_ACP`, `CP_OEMCP`, `CP_MACCP`, `CP_THREAD_ACP`, `CP_UTF8`.
const PAGES: [u32; 5] = [0, 1, 2, 3, UTF8];
const UTF8: u32 = 65001;

/// What a call knows of flags.
struct Flags {
    /// Fail for what is no character.
    strict: u32,
    /// These change nothing, and go with every page but UTF-8.
    hints: u32,
    /// Of these there may be one.
    exclusive: u32,
}

/// `MB_ERR_INVALID_CHARS`, `MB_PRECOMPOSED`, `MB_COMPOSITE`, `MB_USEGLYPHCHARS`.
const TO_WIDE: Flags = Flags { strict: 0x8, hints: 0x7, exclusive: 0x3 };
/// `WC_ERR_INVALID_CHARS`, and `WC_DISCARDNS`, `WC_SEPCHARS`, `WC_DEFAULTCHAR`, `WC_COMPOSITECHECK`,
/// `WC_NO_BEST_FIT_CHARS`.
const TO_BYTES: Flags = Flags { strict: 0x80, hints: 0x670, exclusive: 0 };

/// So many units, or up to the NUL and that too.
///
/// # Safety
///
/// `text` is null, or has `count` units, or ends in a NUL if `count` is less than zero.
unsafe fn given<T: Unit>(text: *const T, count: i32) -> Vec<T> {
    let count = match usize::try_from(count) {
        Ok(count) => count,
        // SAFETY: the caller says that it ends in a NUL.
        Err(_) => 1 + unsafe { len(text) },
    };
    // SAFETY: the caller says that there are so many, or they were just counted.
    unsafe { copy_of(text, count) }
}

/// Copies the characters that there is room for, as whole ones. Without room it only tells how many
/// units there are.
///
/// # Safety
///
/// `to` is null or has room for `room` units.
unsafe fn hand_over<T: Copy>(
    characters: impl Iterator<Item = Vec<T>>,
    to: *mut T,
    room: i32,
) -> Result<i32> {
    let room = usize::try_from(room).map_err(|_| INVALID_PARAMETER)?;
    let mut len = 0;
    for character in characters {
        if room > 0 && len + character.len() > room {
            return Err(INSUFFICIENT_BUFFER);
        }
        for unit in character {
            if room > 0 {
                // SAFETY: the caller says that there is room.
                unsafe { to.wrapping_add(len).write_unaligned(unit) };
            }
            len += 1;
        }
    }
    i32::try_from(len).map_err(|_| INVALID_PARAMETER)
}

/// Refuses what Windows refuses, in its order; returns whether to fail for what is no character.
fn check<F, T>(
    (page, flags, known): (u32, u32, &Flags),
    (from, count): (*const F, i32),
    (to, room): (*mut T, i32),
) -> Result<bool> {
    let no_text = from.is_null() || count == 0;
    let no_room = room < 0 || room > 0 && (to.is_null() || to.addr() == from.addr());
    if no_text || no_room || !PAGES.contains(&page) {
        return Err(INVALID_PARAMETER);
    }
    let allowed = known.strict | if page == UTF8 { 0 } else { known.hints };
    if flags & !allowed != 0 || known.exclusive != 0 && flags & known.exclusive == known.exclusive {
        return Err(INVALID_FLAGS);
    }
    Ok(flags & known.strict != 0)
}

/// Makes 16-bit characters of bytes. Without room it tells how much is needed.
///
/// # Safety
///
/// `from` is null, or has `count` bytes, or ends in a NUL if `count` is less than zero; `to` is null or
/// has room for `room` characters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn MultiByteToWideChar(
    page: u32,
    flags: u32,
    from: *const u8,
    count: i32,
    to: *mut u16,
    room: i32,
) -> i32 {
    let checked = check((page, flags, &TO_WIDE), (from, count), (to, room));
    let made = checked.and_then(|strict| {
        // SAFETY: the caller's promise.
        let bytes = unsafe { given(from, count) };
        if strict && str::from_utf8(&bytes).is_err() {
            return Err(NO_UNICODE_TRANSLATION);
        }
        let text = String::from_utf8_lossy(&bytes);
        let wide = text.chars().map(|character| character.encode_utf16(&mut [0; 2]).to_vec());
        // SAFETY: the caller's promise.
        unsafe { hand_over(wide, to, room) }
    });
    answer(made, 0)
}

/// Makes bytes of 16-bit characters. Without room it tells how much is needed. Every character has
/// bytes here, so that none is replaced by `default`.
///
/// # Safety
///
/// As [`MultiByteToWideChar`]; `defaulted` is null or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WideCharToMultiByte(
    page: u32,
    flags: u32,
    from: *const u16,
    count: i32,
    to: *mut u8,
    room: i32,
    default: *const u8,
    defaulted: *mut i32,
) -> i32 {
    let checked = check((page, flags, &TO_BYTES), (from, count), (to, room));
    let made = checked.and_then(|strict| {
        if page == UTF8 && !(default.is_null() && defaulted.is_null()) {
            return Err(INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise.
        let wide = unsafe { given(from, count) };
        if strict && String::from_utf16(&wide).is_err() {
            return Err(NO_UNICODE_TRANSLATION);
        }
        let text = char::decode_utf16(wide).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
        let bytes = text.map(|character| character.encode_utf8(&mut [0; 4]).as_bytes().to_vec());
        // SAFETY: the caller's promise.
        let len = unsafe { hand_over(bytes, to, room) }?;
        // SAFETY: the caller says that it can be written to, unless it is null.
        unsafe { write_unless_null(defaulted, 0) };
        Ok(len)
    });
    answer(made, 0)
}
