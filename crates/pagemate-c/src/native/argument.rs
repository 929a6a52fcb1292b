//! What comes from C, looked at before it is believed.

use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;

use super::status::{Failure, Outcome, Status};

// Numbers that C calls by the name of an enum. C may put anything into one, so that here they are
// numbers until they were looked at.
pub(super) type StatusWord = u32;
pub(super) type AccessWord = u32;
pub(super) type ProtectionWord = u32;
pub(super) type SharingWord = u32;

/// A descriptor, or a handle of Windows'.
pub(super) type FileWord = isize;

/// Where a result goes. What is there before is C's business.
pub(super) type Out<'a, T> = Option<&'a mut MaybeUninit<T>>;

/// A pointer that has to be there.
pub(super) fn given<T>(call: &str, name: &str, argument: Option<T>) -> Outcome<T> {
    argument.ok_or_else(|| Failure::invalid(call, format_args!("{name} is NULL")))
}

/// A text that has to be there, and has to be UTF-8.
///
/// # Safety
///
/// `text` is NULL or ends in a NUL, and stays as it is while the result is used.
pub(super) unsafe fn text<'a>(call: &str, name: &str, text: *const c_char) -> Outcome<&'a str> {
    given(call, name, (!text.is_null()).then_some(()))?;
    // SAFETY: it is not NULL, and so it ends in a NUL, says the caller.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| {
        let text = text.to_string_lossy();
        let message = format!("{call} {text:?}: {name} is not UTF-8");
        Failure::new(Status::PAGEMATE_INVALID_NAME, message)
    })
}
