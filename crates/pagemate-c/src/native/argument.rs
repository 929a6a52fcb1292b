//! What comes from C, looked at before it is believed.

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::MaybeUninit;

use pagemate::Name;

use super::status::{Failure, Outcome, Status, call};

// Numbers that C calls by the name of an enum. C may put anything into one, so that here they are
// numbers until they were looked at.
pub(super) type StatusWord = u32;
pub(super) type AccessWord = u32;
pub(super) type ProtectionWord = u32;
pub(super) type SharingWord = u32;
pub(super) type ResetWord = u32;

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

/// Refuses to copy `len` bytes, at an offset, where there are only so many.
pub(super) fn within(call: &str, offset: usize, len: usize, have: usize) -> Outcome {
    if len <= have {
        return Ok(());
    }
    let cause = format!("{call}: {len} bytes at offset {offset} reach past its {have} bytes");
    Err(Failure::new(Status::PAGEMATE_OUT_OF_RANGE, cause))
}

/// Bytes that have to be there, unless they are none.
///
/// # Safety
///
/// If `bytes` is not NULL there are `len` of them, which fit the address space and which nobody writes to
/// while the result is used.
pub(super) unsafe fn bytes<'a>(
    call: &str,
    name: &str,
    bytes: *const c_void,
    len: usize,
) -> Outcome<&'a [u8]> {
    given(call, name, (len == 0 || !bytes.is_null()).then_some(()))?;
    if len == 0 {
        return Ok(&[]);
    }
    // SAFETY: not NULL, and so the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts(bytes.cast(), len) })
}

/// Room for bytes that has to be there, unless they are none.
///
/// # Safety
///
/// If `bytes` is not NULL there is room for `len`, which fits the address space and is nobody else's while
/// the result is used.
pub(super) unsafe fn room<'a>(
    call: &str,
    name: &str,
    bytes: *mut c_void,
    len: usize,
) -> Outcome<&'a mut [u8]> {
    given(call, name, (len == 0 || !bytes.is_null()).then_some(()))?;
    if len == 0 {
        return Ok(&mut []);
    }
    // SAFETY: not NULL, and so the caller's promise.
    Ok(unsafe { std::slice::from_raw_parts_mut(bytes.cast(), len) })
}

/// A name as C reads it.
pub(super) fn spelled(name: Option<&Name>) -> Option<CString> {
    // No name has a NUL.
    name.and_then(|name| CString::new(name.to_string()).ok())
}

/// Gives C a new handle, or NULL and the reason why there is none.
pub(super) fn hand_out<T>(
    words: &str,
    argument: &str,
    out: Out<'_, Option<Box<T>>>,
    make: impl FnOnce() -> Outcome<T>,
) -> Status {
    call(|| {
        let out = given(words, argument, out)?;
        out.write(None);
        out.write(Some(Box::new(make()?)));
        Ok(())
    })
}

/// Tells C one thing about what a handle, called `name`, stands for.
pub(super) fn tell<H, T>(
    words: &str,
    (name, handle): (&str, Option<&H>),
    (argument, out): (&str, Out<'_, T>),
    ask: impl FnOnce(&H) -> T,
) -> Status {
    call(|| {
        let handle = given(words, name, handle)?;
        given(words, argument, out)?.write(ask(handle));
        Ok(())
    })
}

/// Takes a handle back.
pub(super) fn take_back<T>(handle: Option<Box<T>>) -> Status {
    call(|| {
        drop(handle);
        Ok(())
    })
}
