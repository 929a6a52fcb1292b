//! Environment variables, directories, the program's file, and the computer's name.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::error::{
    self, BUFFER_OVERFLOW, ENVVAR_NOT_FOUND, INSUFFICIENT_BUFFER, INVALID_PARAMETER, MOD_NOT_FOUND,
    NOACCESS, Result, answer, done,
};
use crate::handle::number::Handle;
use crate::pointer::{read_unless_null, write_unless_null};
use crate::text::c_string::Unit;
use crate::text::os_string::{narrow, wide};

/// `MAX_COMPUTERNAME_LENGTH`: programs provide a buffer for this length and the NUL.
const MAX_COMPUTER_NAME: usize = 15;

/// Copies a string and a NUL into a buffer. Returns false, and writes nothing, if the buffer is
/// null or too small.
///
/// # Safety
///
/// `to` is null or valid for writes of `capacity` units.
unsafe fn copy_with_nul<T: Unit>(text: &[T], to: *mut T, capacity: u32) -> bool {
    if to.is_null() || capacity as usize <= text.len() {
        return false;
    }
    for (i, unit) in text.iter().copied().chain([T::NUL]).enumerate() {
        // SAFETY: the caller guarantees that `to` is valid for writes of `capacity` units, and `i` is
        // less. The buffer may be unaligned in a packed struct.
        unsafe { to.wrapping_add(i).write_unaligned(unit) };
    }
    true
}

/// Copies a string into a buffer and returns its length. If the buffer is null or too small,
/// returns the length that the buffer needs.
///
/// # Safety
///
/// As for [`copy_with_nul`].
unsafe fn copy_or_len<T: Unit>(text: &OsStr, to: *mut T, capacity: u32) -> u32 {
    let text = T::of(text);
    let len = u32::try_from(text.len()).unwrap_or(u32::MAX - 1);
    // SAFETY: the caller guarantees that `to` is null or valid for writes of `capacity` units.
    if unsafe { copy_with_nul(&text, to, capacity) } { len } else { len + 1 }
}

/// Returns the name of a variable, if it is valid.
fn variable(name: Result<Option<OsString>>) -> Result<OsString> {
    let name = name?.ok_or(ENVVAR_NOT_FOUND)?;
    if name.is_empty() || name.as_bytes().contains(&b'=') {
        return Err(INVALID_PARAMETER);
    }
    Ok(name)
}

fn value_of(name: Result<Option<OsString>>) -> Result<OsString> {
    std::env::var_os(variable(name).map_err(|_| ENVVAR_NOT_FOUND)?).ok_or(ENVVAR_NOT_FOUND)
}

/// Sets or removes a variable.
///
/// # Safety
///
/// No other thread accesses the environment meanwhile except through the Rust standard library.
unsafe fn set(name: Result<Option<OsString>>, value: Result<Option<OsString>>) -> Result<()> {
    let name = variable(name)?;
    if let Some(value) = value? {
        // SAFETY: the caller guarantees that no thread accesses the environment except through the
        // standard library, which locks it.
        unsafe { std::env::set_var(name, value) };
    } else {
        std::env::var_os(&name).ok_or(ENVVAR_NOT_FOUND)?;
        // SAFETY: the caller guarantees that no thread accesses the environment except through the
        // standard library, which locks it.
        unsafe { std::env::remove_var(name) };
    }
    Ok(())
}

/// Copies the path of this program's file, truncated to the buffer.
///
/// # Safety
///
/// As for [`copy_with_nul`].
unsafe fn module_path<T: Unit>(module: Handle, to: *mut T, capacity: u32) -> Result<u32> {
    if !module.is_null() {
        return Err(MOD_NOT_FOUND);
    }
    let mut path = T::of(std::env::current_exe()?.as_os_str());
    // SAFETY: the caller guarantees that `to` is null or valid for writes of `capacity` units.
    if unsafe { copy_with_nul(&path, to, capacity) } {
        return Ok(u32::try_from(path.len()).unwrap_or(u32::MAX));
    }
    if capacity > 0 {
        path.truncate(capacity as usize - 1);
        // SAFETY: the caller guarantees that `to` is null or valid for writes of `capacity` units.
        unsafe { copy_with_nul(&path, to, capacity) };
    }
    error::set_last(INSUFFICIENT_BUFFER.0);
    Ok(capacity)
}

/// Returns the computer's name in the form that Windows requires: at most 15 characters, in upper case.
fn computer_name() -> OsString {
    let system = rustix::system::uname();
    let name = system.nodename().to_bytes();
    let name = name.split(|byte| *byte == b'.').next().unwrap_or_default();
    let name = &name[..name.len().min(MAX_COMPUTER_NAME)];
    OsString::from_vec(name.to_ascii_uppercase())
}

/// # Safety
///
/// `capacity` is null, or valid for reads and writes. `to` is null, or valid for writes of `*capacity`
/// units.
unsafe fn computer<T: Unit>(to: *mut T, capacity: *mut u32) -> Result<()> {
    // SAFETY: the caller guarantees that `capacity` is null or valid for reads.
    let given = unsafe { read_unless_null(capacity) }.ok_or(NOACCESS)?;
    // SAFETY: the caller guarantees that `to` is null or valid for writes of `*capacity` units, which
    // is `given`.
    let len = unsafe { copy_or_len(&computer_name(), to, given) };
    // SAFETY: the caller guarantees that `capacity` is null or valid for writes.
    unsafe { write_unless_null(capacity, len) };
    if to.is_null() || len > given { Err(BUFFER_OVERFLOW) } else { Ok(()) }
}

/// Returns the current directory.
fn current_dir() -> Result<OsString> {
    Ok(std::env::current_dir()?.into_os_string())
}

/// Returns the directory for temporary files, with a separator at the end.
fn temp_dir() -> OsString {
    let mut folder = std::env::temp_dir().into_os_string();
    if !folder.as_bytes().ends_with(b"/") {
        folder.push("/");
    }
    folder
}

macro_rules! calls {
    ($unit:ty, $text:ident: $get:ident $set:ident $folder:ident $temporary:ident $module:ident $computer:ident) => {
        /// Copies the value of a variable and returns its length. If the buffer is too small,
        /// returns the length that it needs.
        ///
        /// # Safety
        ///
        /// `name` is null or points to a string that ends in a NUL; `to` is null or valid for
        /// writes of `capacity` units.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $get(name: *const $unit, to: *mut $unit, capacity: u32) -> u32 {
            // SAFETY: the caller guarantees that `name` is null or points to a string that ends in
            // a NUL.
            let name = unsafe { $text(name) };
            // SAFETY: the caller guarantees that `to` is null or valid for writes of `capacity` units.
            let len = value_of(name).map(|value| unsafe { copy_or_len(&value, to, capacity) });
            answer(stringify!($get), len, 0)
        }

        /// Sets a variable, or removes it if `value` is null. Child processes inherit it.
        ///
        /// # Safety
        ///
        /// `name` and `value` are null or point to strings that end in a NUL. No other thread
        /// accesses the environment meanwhile except through this library or the Rust standard
        /// library.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $set(name: *const $unit, value: *const $unit) -> i32 {
            // SAFETY: the caller guarantees that `name` is null or points to a string that ends in
            // a NUL.
            let name = unsafe { $text(name) };
            // SAFETY: the caller guarantees that `value` is null or points to a string that ends in
            // a NUL.
            let value = unsafe { $text(value) };
            // SAFETY: the caller guarantees that no other thread accesses the environment directly.
            done(stringify!($set), unsafe { set(name, value) })
        }

        /// Copies the path of the current directory and returns its length. If the buffer is too
        /// small, returns the length that it needs.
        ///
        /// # Safety
        ///
        /// `to` is null or valid for writes of `capacity` units.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $folder(capacity: u32, to: *mut $unit) -> u32 {
            // SAFETY: the caller guarantees that `to` is null or valid for writes of `capacity` units.
            let len = current_dir().map(|folder| unsafe { copy_or_len(&folder, to, capacity) });
            answer(stringify!($folder), len, 0)
        }

        /// Copies the path of the directory for temporary files and returns its length, or returns
        /// the required length.
        ///
        /// # Safety
        ///
        /// `to` is null or valid for writes of `capacity` units.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $temporary(capacity: u32, to: *mut $unit) -> u32 {
            // SAFETY: the caller guarantees that `to` is null or valid for writes of `capacity` units.
            unsafe { copy_or_len(&temp_dir(), to, capacity) }
        }

        /// Copies the path of this program's file. Other modules are not supported.
        ///
        /// # Safety
        ///
        /// `to` is null or valid for writes of `capacity` units.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $module(wanted: Handle, to: *mut $unit, capacity: u32) -> u32 {
            // SAFETY: the caller guarantees that `to` is null or valid for writes of `capacity` units.
            answer(stringify!($module), unsafe { module_path(wanted, to, capacity) }, 0)
        }

        /// Copies the computer's name, and reports its length or the required length.
        ///
        /// # Safety
        ///
        /// `capacity` is null, or valid for reads and writes. `to` is null, or valid for writes of
        /// `*capacity` units.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $computer(to: *mut $unit, capacity: *mut u32) -> i32 {
            // SAFETY: the caller guarantees that `capacity` is null or valid for reads and writes, and
            // that `to` is null or valid for writes of `*capacity` units.
            done(stringify!($computer), unsafe { computer(to, capacity) })
        }
    };
}

calls!(u8, narrow: GetEnvironmentVariableA SetEnvironmentVariableA GetCurrentDirectoryA GetTempPathA GetModuleFileNameA GetComputerNameA);
calls!(u16, wide: GetEnvironmentVariableW SetEnvironmentVariableW GetCurrentDirectoryW GetTempPathW GetModuleFileNameW GetComputerNameW);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unpaired_surrogate_in_a_value_changes_nothing() {
        let name: Vec<u16> = "PAGEMATE_HALF\0".encode_utf16().collect();
        let set = |value: &[u16]| {
            // SAFETY: both strings end in a NUL, and this process accesses the environment only
            // through the standard library.
            unsafe { SetEnvironmentVariableW(name.as_ptr(), value.as_ptr()) }
        };
        assert_eq!(set(&[b'x'.into(), 0]), 1);
        assert_eq!(set(&[0xD800, 0]), 0);
        assert_eq!(error::GetLastError(), error::NO_UNICODE_TRANSLATION.0);
        assert_eq!(std::env::var("PAGEMATE_HALF").as_deref(), Ok("x"));
    }
}
