//! Checks of arguments that C passes, and the steps that all functions which create, query and
//! close handles have in common.

use std::ffi::{CStr, CString, c_char, c_void};
use std::mem::MaybeUninit;

use pagemate::Name;

use super::status::{Failure, Outcome, Status, run};

/// The memory for a result. Its previous content is never read, so it may be uninitialised.
pub(super) type Out<'a, T> = Option<&'a mut MaybeUninit<T>>;

/// Returns an argument that must not be NULL.
pub(super) fn required<T>(call: &str, name: &str, argument: Option<T>) -> Outcome<T> {
    argument.ok_or_else(|| Failure::invalid(call, format_args!("{name} is NULL")))
}

/// Returns the failure for a number that is not a value of the field's enum.
pub(super) fn unknown(call: &str, field: &str, word: u32) -> Failure {
    Failure::invalid(call, format_args!("{field} is {word}, which is not a valid value"))
}

/// Returns a string argument, which must be neither NULL nor invalid UTF-8.
///
/// # Safety
///
/// `text` is NULL or points to a string that ends in a NUL. The string is valid and unchanged for `'a`.
pub(super) unsafe fn text<'a>(call: &str, name: &str, text: *const c_char) -> Outcome<&'a str> {
    required(call, name, (!text.is_null()).then_some(()))?;
    // SAFETY: `text` is not NULL, so the caller guarantees that it ends in a NUL and is unchanged for
    // `'a`.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map_err(|_| {
        let text = text.to_string_lossy();
        let message = format!("{call} {text:?}: {name} is not UTF-8");
        Failure::new(Status::PAGEMATE_INVALID_NAME, message)
    })
}

/// Checks that a buffer of `len` bytes, which is copied from or to the offset `offset`, is not
/// longer than the whole object, `total` bytes. A buffer that is not longer fits into the address
/// space.
pub(super) fn check_len(call: &str, offset: usize, len: usize, total: usize) -> Outcome {
    if len <= total {
        return Ok(());
    }
    let cause = format!("{call}: {len} bytes at offset {offset} reach past its {total} bytes");
    Err(Failure::new(Status::PAGEMATE_OUT_OF_RANGE, cause))
}

/// Returns the bytes of a buffer, which may be NULL only if `len` is 0.
///
/// # Safety
///
/// If `bytes` is not NULL, it points to `len` initialised bytes. `len` is at most `isize::MAX`, and no
/// thread or process writes to the bytes during `'a`.
pub(super) unsafe fn bytes<'a>(
    call: &str,
    name: &str,
    bytes: *const c_void,
    len: usize,
) -> Outcome<&'a [u8]> {
    required(call, name, (len == 0 || !bytes.is_null()).then_some(()))?;
    if len == 0 {
        return Ok(&[]);
    }
    // SAFETY: `bytes` is not NULL, so the caller guarantees `len` readable bytes that do not change
    // during `'a`.
    Ok(unsafe { std::slice::from_raw_parts(bytes.cast(), len) })
}

/// Returns a buffer to copy into, which may be NULL only if `len` is 0.
///
/// # Safety
///
/// If `bytes` is not NULL, it points to `len` writable bytes. `len` is at most `isize::MAX`, and no other
/// thread or process accesses the bytes during `'a`.
pub(super) unsafe fn buffer<'a>(
    call: &str,
    name: &str,
    bytes: *mut c_void,
    len: usize,
) -> Outcome<&'a mut [u8]> {
    required(call, name, (len == 0 || !bytes.is_null()).then_some(()))?;
    if len == 0 {
        return Ok(&mut []);
    }
    // SAFETY: `bytes` is not NULL, so the caller guarantees `len` writable bytes that no other code
    // accesses during `'a`.
    Ok(unsafe { std::slice::from_raw_parts_mut(bytes.cast(), len) })
}

/// Converts a name to a C string.
pub(super) fn c_name(name: Option<&Name>) -> Option<CString> {
    // A name never contains a NUL, so the conversion succeeds.
    name.and_then(|name| CString::new(name.to_string()).ok())
}

/// Creates a handle and stores it in `out`, or stores NULL and returns the failure.
pub(super) fn create_handle<T>(
    call: &str,
    argument: &str,
    out: Out<'_, Option<Box<T>>>,
    create: impl FnOnce() -> Outcome<T>,
) -> Status {
    run(|| {
        let out = required(call, argument, out)?;
        out.write(None);
        out.write(Some(Box::new(create()?)));
        Ok(())
    })
}

/// Stores a property of the object behind `handle` in `out`. Both arguments are pairs with their
/// name in C, for error messages.
pub(super) fn query<H, T>(
    call: &str,
    (name, handle): (&str, Option<&H>),
    (argument, out): (&str, Out<'_, T>),
    property: impl FnOnce(&H) -> T,
) -> Status {
    run(|| {
        let handle = required(call, name, handle)?;
        required(call, argument, out)?.write(property(handle));
        Ok(())
    })
}

/// Closes a handle. NULL is valid.
pub(super) fn close<T>(handle: Option<Box<T>>) -> Status {
    run(|| {
        drop(handle);
        Ok(())
    })
}
