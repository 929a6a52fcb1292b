//! What a program finds around it: variables, folders, its own file and the machine's name.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::error::{
    self, BUFFER_OVERFLOW, ENVVAR_NOT_FOUND, INSUFFICIENT_BUFFER, INVALID_PARAMETER, MOD_NOT_FOUND,
    NO_UNICODE_TRANSLATION, NOACCESS, Result, answer, done,
};
use crate::handle::table::Handle;
use crate::pointer::{read_unless_null, write_unless_null};
use crate::text::c_string::Unit;
use crate::text::name;

/// `MAX_COMPUTERNAME_LENGTH`: programs have room for so much and the NUL.
const LONGEST_MACHINE: usize = 15;

/// Hands a text over, with its NUL; false if there is not so much room, and then nothing is written.
///
/// # Safety
///
/// `to` is null or has room for `room` units.
unsafe fn hand_over<T: Unit>(text: &[T], to: *mut T, room: u32) -> bool {
    if to.is_null() || room as usize <= text.len() {
        return false;
    }
    // SAFETY: the caller says that there is room, and nobody has this text but us.
    unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), to, text.len()) };
    // SAFETY: as above, for one unit more.
    let end = unsafe { to.add(text.len()) };
    // SAFETY: as above.
    unsafe { end.write_unaligned(T::NUL) };
    true
}

/// Tells how long a text is if it was handed over, or else how much room it takes.
///
/// # Safety
///
/// As [`hand_over`].
unsafe fn told<T: Unit>(text: &OsStr, to: *mut T, room: u32) -> u32 {
    let text = T::of(text);
    let len = u32::try_from(text.len()).unwrap_or(u32::MAX - 1);
    // SAFETY: the caller's promise.
    if unsafe { hand_over(&text, to, room) } { len } else { len + 1 }
}

/// The name of a variable, from a text in either width.
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

/// Sets a variable, or takes it away.
///
/// # Safety
///
/// No other thread uses the environment meanwhile but by these calls, as everywhere here.
unsafe fn set(name: Result<Option<OsString>>, value: Result<Option<OsString>>) -> Result<()> {
    let name = variable(name)?;
    if let Some(value) = value? {
        // SAFETY: the caller's promise.
        unsafe { std::env::set_var(name, value) };
    } else {
        std::env::var_os(&name).ok_or(ENVVAR_NOT_FOUND)?;
        // SAFETY: the caller's promise.
        unsafe { std::env::remove_var(name) };
    }
    Ok(())
}

/// A text in bytes, which are taken as they are; `None` for a null pointer.
///
/// # Safety
///
/// `text` is null or ends in a NUL.
#[allow(clippy::unnecessary_wraps, reason = "as for 16-bit characters, which may be refused")]
pub(crate) unsafe fn narrow(text: *const u8) -> Result<Option<OsString>> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: not null, and the caller says that it ends.
    let text = unsafe { CStr::from_ptr(text.cast()) };
    Ok(Some(OsString::from_vec(text.to_bytes().to_vec())))
}

/// The same in 16-bit characters; half a pair of them is refused, for it has no spelling in bytes.
///
/// # Safety
///
/// As [`narrow`].
pub(crate) unsafe fn wide(text: *const u16) -> Result<Option<OsString>> {
    // SAFETY: the caller's promise.
    let text = unsafe { name::wide(text) }.map_err(|_| NO_UNICODE_TRANSLATION)?;
    Ok(text.map(OsString::from))
}

/// The file of this program, as much of it as there is room for.
///
/// # Safety
///
/// As [`hand_over`].
unsafe fn module<T: Unit>(module: Handle, to: *mut T, room: u32) -> Result<u32> {
    if !module.is_null() {
        return Err(MOD_NOT_FOUND);
    }
    let mut path = T::of(std::env::current_exe()?.as_os_str());
    // SAFETY: the caller's promise.
    if unsafe { hand_over(&path, to, room) } {
        return Ok(u32::try_from(path.len()).unwrap_or(u32::MAX));
    }
    if room > 0 {
        path.truncate(room as usize - 1);
        // SAFETY: the caller's promise.
        unsafe { hand_over(&path, to, room) };
    }
    error::set_last(INSUFFICIENT_BUFFER.0);
    Ok(room)
}

/// The machine's name, as long as those of Windows' network are, and in their letters.
fn machine() -> OsString {
    let system = rustix::system::uname();
    let name = system.nodename().to_bytes();
    let name = name.split(|byte| *byte == b'.').next().unwrap_or_default();
    let name = &name[..name.len().min(LONGEST_MACHINE)];
    OsString::from_vec(name.to_ascii_uppercase())
}

/// # Safety
///
/// `room` is null or can be read and written to, and `to` is null or has so much room.
unsafe fn computer<T: Unit>(to: *mut T, room: *mut u32) -> Result<()> {
    // SAFETY: the caller's promise.
    let given = unsafe { read_unless_null(room) }.ok_or(NOACCESS)?;
    // SAFETY: the caller's promise.
    let len = unsafe { told(&machine(), to, given) };
    // SAFETY: the caller's promise.
    unsafe { write_unless_null(room, len) };
    if to.is_null() || len > given { Err(BUFFER_OVERFLOW) } else { Ok(()) }
}

/// Where this process is.
fn folder() -> Result<OsString> {
    Ok(std::env::current_dir()?.into_os_string())
}

/// Where files for a while go, with a separator at the end.
fn temporary() -> OsString {
    let mut folder = std::env::temp_dir().into_os_string();
    if !folder.as_bytes().ends_with(b"/") {
        folder.push("/");
    }
    folder
}

macro_rules! calls {
    ($unit:ty, $text:ident: $get:ident $set:ident $folder:ident $temporary:ident $module:ident $computer:ident) => {
        /// The value of a variable, or how much room it takes.
        ///
        /// # Safety
        ///
        /// `name` is null or ends in a NUL; `to` is null or has room for `room` units.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $get(name: *const $unit, to: *mut $unit, room: u32) -> u32 {
            // SAFETY: the caller's promise.
            let name = unsafe { $text(name) };
            // SAFETY: the caller's promise.
            answer(value_of(name).map(|value| unsafe { told(&value, to, room) }), 0)
        }

        /// Sets a variable; a null pointer takes it away. Programs that are started have it too.
        ///
        /// # Safety
        ///
        /// Both are null or end in a NUL, and no other thread uses the environment meanwhile.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $set(name: *const $unit, value: *const $unit) -> i32 {
            // SAFETY: the caller's promise.
            let name = unsafe { $text(name) };
            // SAFETY: the caller's promise.
            let value = unsafe { $text(value) };
            // SAFETY: the caller's promise.
            done(unsafe { set(name, value) })
        }

        /// The folder this process is in, or how much room it takes.
        ///
        /// # Safety
        ///
        /// `to` is null or has room for `room` units.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $folder(room: u32, to: *mut $unit) -> u32 {
            // SAFETY: the caller's promise.
            answer(folder().map(|folder| unsafe { told(&folder, to, room) }), 0)
        }

        /// The folder for files that are needed for a while, or how much room it takes.
        ///
        /// # Safety
        ///
        /// `to` is null or has room for `room` units.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $temporary(room: u32, to: *mut $unit) -> u32 {
            // SAFETY: the caller's promise.
            unsafe { told(&temporary(), to, room) }
        }

        /// The file of this program; there are no other modules.
        ///
        /// # Safety
        ///
        /// `to` is null or has room for `room` units.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $module(wanted: Handle, to: *mut $unit, room: u32) -> u32 {
            // SAFETY: the caller's promise.
            answer(unsafe { module(wanted, to, room) }, 0)
        }

        /// The machine's name, and how long it is; or how much room it takes.
        ///
        /// # Safety
        ///
        /// `room` is null or can be read and written to, and `to` is null or has so much room.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $computer(to: *mut $unit, room: *mut u32) -> i32 {
            // SAFETY: the caller's promise.
            done(unsafe { computer(to, room) })
        }
    };
}

calls!(u8, narrow: GetEnvironmentVariableA SetEnvironmentVariableA GetCurrentDirectoryA GetTempPathA GetModuleFileNameA GetComputerNameA);
calls!(u16, wide: GetEnvironmentVariableW SetEnvironmentVariableW GetCurrentDirectoryW GetTempPathW GetModuleFileNameW GetComputerNameW);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_has_no_spelling_changes_nothing() {
        let name: Vec<u16> = "PAGEMATE_HALF\0".encode_utf16().collect();
        let set = |value: &[u16]| {
            // SAFETY: both end in a NUL, and all use the environment by the standard library.
            unsafe { SetEnvironmentVariableW(name.as_ptr(), value.as_ptr()) }
        };
        assert_eq!(set(&[b'x'.into(), 0]), 1);
        assert_eq!(set(&[0xD800, 0]), 0);
        assert_eq!(error::GetLastError(), NO_UNICODE_TRANSLATION.0);
        assert_eq!(std::env::var("PAGEMATE_HALF").as_deref(), Ok("x"));
    }
}
