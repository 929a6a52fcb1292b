//! Conversion between byte strings and strings of 16-bit characters.
//!
//! Byte strings are UTF-8. That is the code page of the system and of every thread here.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use crate::error::{
    INSUFFICIENT_BUFFER, INVALID_FLAGS, INVALID_PARAMETER, NO_UNICODE_TRANSLATION, Result, answer,
};
use crate::pointer::write_unless_null;
use crate::text::c_string::{Unit, copy_of, len};

/// `CP_ACP`, `CP_OEMCP`, `CP_MACCP`, `CP_THREAD_ACP`, `CP_UTF8`.
const PAGES: [u32; 5] = [0, 1, 2, 3, UTF8];
const UTF8: u32 = 65001;

/// The flags that a call accepts.
struct Flags {
    /// The flag that makes invalid characters an error.
    strict: u32,
    /// Flags that are ignored. Windows accepts them for every code page except UTF-8.
    ignored: u32,
    /// The subset of `ignored` of which at most one flag may be set.
    exclusive: u32,
}

/// `strict` is `MB_ERR_INVALID_CHARS`. `ignored` is `MB_PRECOMPOSED`, `MB_COMPOSITE` and
/// `MB_USEGLYPHCHARS`; the first two exclude each other.
const TO_WIDE: Flags = Flags { strict: 0x8, ignored: 0x7, exclusive: 0x3 };
/// `strict` is `WC_ERR_INVALID_CHARS`. `ignored` is `WC_DISCARDNS`, `WC_SEPCHARS`, `WC_DEFAULTCHAR`,
/// `WC_COMPOSITECHECK` and `WC_NO_BEST_FIT_CHARS`.
const TO_BYTES: Flags = Flags { strict: 0x80, ignored: 0x670, exclusive: 0 };

/// Converts a byte string to 16-bit characters.
pub(crate) fn utf16(bytes: &[u8]) -> Vec<u16> {
    String::from_utf8_lossy(bytes).encode_utf16().collect()
}

/// Copies the input: `count` units, or the string up to and including its NUL if `count` is
/// negative.
///
/// # Safety
///
/// `text` is valid for reads of `count` units, or points to a string that ends in a NUL if `count`
/// is negative.
unsafe fn input<T: Unit>(text: *const T, count: i32) -> Vec<T> {
    let count = match usize::try_from(count) {
        Ok(count) => count,
        // SAFETY: `count` is negative, so the caller guarantees that the string ends in a NUL.
        Err(_) => 1 + unsafe { len(text) },
    };
    // SAFETY: the caller guarantees that `text` is valid for reads of `count` units, or `len`
    // counted them.
    unsafe { copy_of(text, count) }
}

/// Copies as many whole characters as the buffer can hold. Returns the number of units; with an
/// empty buffer, the number of units that are needed.
///
/// # Safety
///
/// `to` is null or valid for writes of `capacity` units.
unsafe fn copy_characters<T: Copy>(
    characters: impl Iterator<Item = Vec<T>>,
    to: *mut T,
    capacity: i32,
) -> Result<i32> {
    let capacity = usize::try_from(capacity).map_err(|_| INVALID_PARAMETER)?;
    let mut len = 0;
    for character in characters {
        if capacity > 0 && len + character.len() > capacity {
            return Err(INSUFFICIENT_BUFFER);
        }
        for unit in character {
            if capacity > 0 {
                // SAFETY: `len` is less than `capacity`, and the caller guarantees that `to` is valid
                // for writes of `capacity` units.
                unsafe { to.wrapping_add(len).write_unaligned(unit) };
            }
            len += 1;
        }
    }
    i32::try_from(len).map_err(|_| INVALID_PARAMETER)
}

/// Checks the arguments in Windows' order. Returns whether invalid characters are an error.
fn check<F, T>(
    (page, flags, known): (u32, u32, &Flags),
    (from, count): (*const F, i32),
    (to, capacity): (*mut T, i32),
) -> Result<bool> {
    let no_text = from.is_null() || count == 0;
    let bad_capacity = capacity < 0 || capacity > 0 && (to.is_null() || to.addr() == from.addr());
    if no_text || bad_capacity || !PAGES.contains(&page) {
        return Err(INVALID_PARAMETER);
    }
    let allowed = known.strict | if page == UTF8 { 0 } else { known.ignored };
    if flags & !allowed != 0 || known.exclusive != 0 && flags & known.exclusive == known.exclusive {
        return Err(INVALID_FLAGS);
    }
    Ok(flags & known.strict != 0)
}

/// Converts bytes to 16-bit characters. With an empty buffer, returns the required length.
///
/// # Safety
///
/// `from` is null, or valid for reads of `count` bytes, or points to a string that ends in a NUL if
/// `count` is negative; `to` is null or valid for writes of `capacity` characters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn MultiByteToWideChar(
    page: u32,
    flags: u32,
    from: *const u8,
    count: i32,
    to: *mut u16,
    capacity: i32,
) -> i32 {
    let checked = check((page, flags, &TO_WIDE), (from, count), (to, capacity));
    let made = checked.and_then(|strict| {
        // SAFETY: the caller guarantees that `from` has `count` bytes or ends in a NUL; `check`
        // refused null.
        let bytes = unsafe { input(from, count) };
        if strict && str::from_utf8(&bytes).is_err() {
            return Err(NO_UNICODE_TRANSLATION);
        }
        let text = String::from_utf8_lossy(&bytes);
        let wide = text.chars().map(|character| character.encode_utf16(&mut [0; 2]).to_vec());
        // SAFETY: the caller guarantees that `to` is null or valid for writes of `capacity` characters;
        // `check` refused null with a positive `capacity`.
        unsafe { copy_characters(wide, to, capacity) }
    });
    answer("MultiByteToWideChar", made, 0)
}

/// Converts 16-bit characters to bytes. With an empty buffer, returns the required length.
/// `default` is never used, because UTF-8 represents every character.
///
/// # Safety
///
/// As for [`MultiByteToWideChar`]; `defaulted` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn WideCharToMultiByte(
    page: u32,
    flags: u32,
    from: *const u16,
    count: i32,
    to: *mut u8,
    capacity: i32,
    default: *const u8,
    defaulted: *mut i32,
) -> i32 {
    let checked = check((page, flags, &TO_BYTES), (from, count), (to, capacity));
    let made = checked.and_then(|strict| {
        if page == UTF8 && !(default.is_null() && defaulted.is_null()) {
            return Err(INVALID_PARAMETER);
        }
        // SAFETY: the caller guarantees that `from` has `count` characters or ends in a NUL;
        // `check` refused null.
        let wide = unsafe { input(from, count) };
        if strict && String::from_utf16(&wide).is_err() {
            return Err(NO_UNICODE_TRANSLATION);
        }
        let text = char::decode_utf16(wide).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
        let bytes = text.map(|character| character.encode_utf8(&mut [0; 4]).as_bytes().to_vec());
        // SAFETY: the caller guarantees that `to` is null or valid for writes of `capacity` bytes;
        // `check` refused null with a positive `capacity`.
        let len = unsafe { copy_characters(bytes, to, capacity) }?;
        // SAFETY: the caller guarantees that `defaulted` is null or valid for writes.
        unsafe { write_unless_null(defaulted, 0) };
        Ok(len)
    });
    answer("WideCharToMultiByte", made, 0)
}
