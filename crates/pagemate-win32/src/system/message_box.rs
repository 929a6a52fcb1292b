//! Message boxes, which are written to standard error.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use crate::error::{Code, Result, answer};
use crate::handle::number::Handle;
use crate::text::os_string::{narrow, wide};

/// `ERROR_INVALID_MSGBOX_STYLE`.
const INVALID_STYLE: Code = Code(1438);

/// The results for each button, such as `IDOK`.
const OK: i32 = 1;
const CANCEL: i32 = 2;
const ABORT: i32 = 3;
const RETRY: i32 = 4;
const IGNORE: i32 = 5;
const YES: i32 = 6;
const NO: i32 = 7;

/// The buttons of each type, from `MB_OK` to `MB_RETRYCANCEL`.
const BUTTONS: [&[i32]; 6] = [
    &[OK],
    &[OK, CANCEL],
    &[ABORT, RETRY, IGNORE],
    &[YES, NO, CANCEL],
    &[YES, NO],
    &[RETRY, CANCEL],
];

/// Returns the default button of a message box.
fn default_button(style: u32) -> Result<i32> {
    let buttons = BUTTONS.get(style as usize & 0xF).ok_or(INVALID_STYLE)?;
    let wanted = style as usize >> 8 & 0xF;
    Ok(buttons.get(wanted).copied().unwrap_or(buttons[0]))
}

fn show(text: Option<OsString>, caption: Option<OsString>, style: u32) -> Result<i32> {
    let button = default_button(style)?;
    // Write the program's buffered output before the message.
    // SAFETY: `fflush` of null flushes all streams.
    unsafe { libc::fflush(std::ptr::null_mut()) };
    let caption = caption.unwrap_or_else(|| "Error".into());
    let text = text.unwrap_or_default();
    let line = [caption.as_bytes(), b": ", text.as_bytes(), b"\n"].concat();
    // If standard error is closed, the message is lost. The call does not fail then.
    _ = std::io::stderr().write_all(&line);
    Ok(button)
}

macro_rules! calls {
    ($unit:ty, $text:ident: $message_box:ident) => {
        /// Writes a message to standard error, and returns the default button.
        ///
        /// # Safety
        ///
        /// `text` and `caption` are null or point to strings that end in a NUL.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $message_box(
            _window: Handle,
            text: *const $unit,
            caption: *const $unit,
            style: u32,
        ) -> i32 {
            // SAFETY: the caller guarantees that `text` is null or points to a string that ends in
            // a NUL.
            let text = unsafe { $text(text) };
            // SAFETY: the caller guarantees that `caption` is null or points to a string that ends
            // in a NUL.
            let caption = unsafe { $text(caption) };
            answer(stringify!($message_box), (|| show(text?, caption?, style))(), 0)
        }
    };
}

calls!(u8, narrow: MessageBoxA);
calls!(u16, wide: MessageBoxW);
