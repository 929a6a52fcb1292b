//! What error codes mean, in Windows' words.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;

use crate::error::{
    Code, INSUFFICIENT_BUFFER, INVALID_PARAMETER, NOT_ENOUGH_MEMORY, NOT_SUPPORTED, Result, answer,
};
use crate::memory::heap::LocalAlloc;

/// `FORMAT_MESSAGE_` flags.
const ALLOCATE_BUFFER: u32 = 0x100;
const IGNORE_INSERTS: u32 = 0x200;
const FROM_STRING: u32 = 0x400;
const FROM_HMODULE: u32 = 0x800;
const FROM_SYSTEM: u32 = 0x1000;
const ARGUMENT_ARRAY: u32 = 0x2000;
/// No line breaks but those of the text.
const MAX_WIDTH: u32 = 0xFF;

/// `ERROR_MR_MID_NOT_FOUND`.
const NOT_A_MESSAGE: Code = Code(317);

/// English, as Windows has them; each ends a line.
const MESSAGES: &[(u32, &str)] = &[
    (0, "The operation completed successfully."),
    (1, "Incorrect function."),
    (2, "The system cannot find the file specified."),
    (3, "The system cannot find the path specified."),
    (4, "The system cannot open the file."),
    (5, "Access is denied."),
    (6, "The handle is invalid."),
    (8, "Not enough memory resources are available to process this command."),
    (12, "The access code is invalid."),
    (14, "Not enough memory resources are available to complete this operation."),
    (19, "The media is write protected."),
    (21, "The device is not ready."),
    (24, "The program issued a command but the command length is incorrect."),
    (32, "The process cannot access the file because it is being used by another process."),
    (
        33,
        "The process cannot access the file because another process has locked a portion of the file.",
    ),
    (38, "Reached the end of the file."),
    (39, "The disk is full."),
    (50, "The request is not supported."),
    (53, "The network path was not found."),
    (80, "The file exists."),
    (87, "The parameter is incorrect."),
    (109, "The pipe has been ended."),
    (110, "The system cannot open the device or file specified."),
    (111, "The file name is too long."),
    (112, "There is not enough space on the disk."),
    (120, "This function is not supported on this system."),
    (121, "The semaphore timeout period has expired."),
    (122, "The data area passed to a system call is too small."),
    (123, "The filename, directory name, or volume label syntax is incorrect."),
    (126, "The specified module could not be found."),
    (131, "An attempt was made to move the file pointer before the beginning of the file."),
    (145, "The directory is not empty."),
    (160, "One or more arguments are not correct."),
    (161, "The specified path is invalid."),
    (170, "The requested resource is in use."),
    (183, "Cannot create a file when that file already exists."),
    (193, "%1 is not a valid Win32 application."),
    (203, "The system could not find the environment option that was entered."),
    (206, "The filename or extension is too long."),
    (232, "The pipe is being closed."),
    (234, "More data is available."),
    (288, "Attempt to release mutex not owned by caller."),
    (298, "Too many posts were made to a semaphore."),
    (
        317,
        "The system cannot find message text for message number 0x%1 in the message file for %2.",
    ),
    (487, "Attempt to access invalid address."),
    (
        995,
        "The I/O operation has been aborted because of either a thread exit or an application request.",
    ),
    (996, "Overlapped I/O event is not in a signaled state."),
    (997, "Overlapped I/O operation is in progress."),
    (998, "Invalid access to memory location."),
    (1004, "Invalid flags."),
    (
        1006,
        "The volume for a file has been externally altered so that the opened file is no longer valid.",
    ),
    (1131, "A potential deadlock condition has been detected."),
    (1132, "The base address or the file offset specified does not have the proper alignment."),
    (1168, "Element not found."),
    (1223, "The operation was canceled by the user."),
    (
        1224,
        "The requested operation cannot be performed on a file with a user-mapped section open.",
    ),
    (1305, "The revision level is unknown."),
    (1306, "Indicates two revision levels are incompatible."),
    (1314, "A required privilege is not held by the client."),
    (1338, "The security descriptor structure is invalid."),
    (1392, "The file or directory is corrupted and unreadable."),
    (1450, "Insufficient system resources exist to complete the requested service."),
    (1453, "Insufficient quota to complete the requested service."),
    (1454, "Insufficient quota to complete the requested service."),
    (1455, "The paging file is too small for this operation to complete."),
    (1460, "This operation returned because the timeout period expired."),
    (1784, "The supplied user buffer is not valid for the requested operation."),
];

/// The text, with what is written for the program to put in.
fn message(flags: u32, source: impl Fn() -> Result<String>, code: u32) -> Result<String> {
    if flags & FROM_HMODULE != 0 {
        return Err(NOT_SUPPORTED);
    }
    let text = match flags & (FROM_STRING | FROM_SYSTEM) {
        0 => return Err(INVALID_PARAMETER),
        FROM_SYSTEM => {
            let found = MESSAGES.iter().find(|(known, _)| *known == code).ok_or(NOT_A_MESSAGE)?;
            format!("{}\r\n", found.1)
        }
        _ => source()?,
    };
    let text = if flags & MAX_WIDTH == MAX_WIDTH {
        text.replace("\r\n", " ").replace('\n', " ")
    } else {
        text
    };
    Ok(text)
}

/// Puts arguments in: `%1` and its like are texts, `%%` and its like characters.
fn fill_in(text: &str, mut argument: impl FnMut(usize) -> Result<String>) -> Result<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        filled.push_str(before);
        let digits = after.bytes().take(2).take_while(u8::is_ascii_digit).count();
        let (sign, after) = match after.as_bytes().first() {
            Some(b'0') => return Ok(filled),
            Some(b'1'..=b'9') => {
                let (number, after) = after.split_at(digits);
                filled.push_str(&argument(number.parse().map_err(|_| INVALID_PARAMETER)?)?);
                if after.starts_with('!') && !after.starts_with("!s!") {
                    return Err(NOT_SUPPORTED);
                }
                ("", after.strip_prefix("!s!").unwrap_or(after))
            }
            Some(b'n') => ("\r\n", &after[1..]),
            Some(b'r') => ("\r", &after[1..]),
            Some(b't') => ("\t", &after[1..]),
            Some(b'b') => (" ", &after[1..]),
            Some(sign) if sign.is_ascii() => (&after[..1], &after[1..]),
            _ => return Err(INVALID_PARAMETER),
        };
        filled.push_str(sign);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Hands a text over, in a buffer of the caller's or in one that `LocalFree` takes.
///
/// # Safety
///
/// `buffer` has room for `room` units; or, with `ALLOCATE_BUFFER`, for a pointer to some.
unsafe fn hand_over<T: Copy>(flags: u32, text: &[T], buffer: *mut T, room: u32) -> Result<u32> {
    if buffer.is_null() {
        return Err(INVALID_PARAMETER);
    }
    // The text has its NUL already.
    let len = u32::try_from(text.len()).map_err(|_| NOT_ENOUGH_MEMORY)?;
    let to = if flags & ALLOCATE_BUFFER != 0 {
        let wanted = text.len().max(room as usize) * size_of::<T>();
        let made = LocalAlloc(0, wanted).cast::<T>();
        if made.is_null() {
            return Err(NOT_ENOUGH_MEMORY);
        }
        // SAFETY: the caller says that a pointer has room there.
        unsafe { buffer.cast::<*mut T>().write_unaligned(made) };
        made
    } else if len > room {
        return Err(INSUFFICIENT_BUFFER);
    } else {
        buffer
    };
    // SAFETY: there is room, in the new buffer or by the caller's word.
    unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), to, text.len()) };
    Ok(len - 1)
}

/// What arguments a program gave.
enum Arguments {
    None,
    /// Texts, one after another.
    Array(*const *const c_void),
    /// A `va_list`, which has no meaning here.
    List,
}

impl Arguments {
    fn new(flags: u32, given: *const c_void) -> Arguments {
        match (given.is_null(), flags & ARGUMENT_ARRAY) {
            (true, _) => Arguments::None,
            (false, 0) => Arguments::List,
            (false, _) => Arguments::Array(given.cast()),
        }
    }

    /// # Safety
    ///
    /// There are as many as the text asks for.
    unsafe fn get(&self, number: usize) -> Result<*const c_void> {
        match self {
            Arguments::None => Err(INVALID_PARAMETER),
            Arguments::List => Err(NOT_SUPPORTED),
            Arguments::Array(first) => {
                // SAFETY: the caller's promise.
                let place = unsafe { first.add(number - 1) };
                // SAFETY: as above.
                Ok(unsafe { place.read() })
            }
        }
    }
}

/// Writes what an error code means, in English. Arguments are texts in an array
/// (`FORMAT_MESSAGE_ARGUMENT_ARRAY`); a `va_list` of them is refused.
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
    arguments: *const c_void,
) -> u32 {
    let narrow = |text: *const c_void| {
        if text.is_null() {
            return Err(INVALID_PARAMETER);
        }
        // SAFETY: not null, and the caller says that it ends in a NUL.
        let text = unsafe { std::ffi::CStr::from_ptr(text.cast()) };
        Ok(text.to_string_lossy().into_owned())
    };
    let text = message(flags, || narrow(source), code).and_then(|text| {
        let arguments = Arguments::new(flags, arguments);
        if flags & IGNORE_INSERTS != 0 {
            return Ok(text);
        }
        // SAFETY: the caller says that there are as many as the text asks for.
        fill_in(&text, |number| narrow(unsafe { arguments.get(number) }?))
    });
    let result = text.and_then(|text| {
        let mut bytes = text.into_bytes();
        bytes.push(0);
        // SAFETY: the caller's promise.
        unsafe { hand_over(flags, &bytes, buffer, room) }
    });
    answer(result, 0)
}

/// As [`FormatMessageA`], in 16-bit characters.
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
    arguments: *const c_void,
) -> u32 {
    let wide = |text: *const c_void| {
        // SAFETY: the caller says that it ends in a NUL, unless it is null.
        unsafe { crate::text::name::wide(text.cast()) }?.ok_or(INVALID_PARAMETER)
    };
    let text = message(flags, || wide(source), code).and_then(|text| {
        let arguments = Arguments::new(flags, arguments);
        if flags & IGNORE_INSERTS != 0 {
            return Ok(text);
        }
        // SAFETY: the caller says that there are as many as the text asks for.
        fill_in(&text, |number| wide(unsafe { arguments.get(number) }?))
    });
    let result = text.and_then(|text| {
        let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
        // SAFETY: the caller's promise.
        unsafe { hand_over(flags, &units, buffer, room) }
    });
    answer(result, 0)
}
