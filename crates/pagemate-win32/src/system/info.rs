//! Information about the machine, this process and this thread.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;
use std::io::Write;

use crate::error::traced;
use crate::handle::number::{CURRENT_PROCESS, Handle};
use crate::memory::region::{GRANULARITY, PAGE};
use crate::object::thread::own_id;
use crate::pointer::write_unless_null;
use crate::text::c_string::units;

/// `SYSTEM_INFO`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct SystemInfo {
    architecture: u16,
    reserved: u16,
    page: u32,
    lowest: *mut c_void,
    highest: *mut c_void,
    active: usize,
    processors: u32,
    kind: u32,
    granularity: u32,
    level: u16,
    revision: u16,
}

const _: () = assert!(size_of::<SystemInfo>() == 48);

/// `PROCESSOR_ARCHITECTURE_` and `PROCESSOR_` constants of the target.
const ARCHITECTURE: (u16, u32) = if cfg!(target_arch = "x86_64") {
    (9, 8664)
} else if cfg!(target_arch = "aarch64") {
    (12, 0)
} else {
    (0xFFFF, 0)
};

/// Reports the properties of the machine.
///
/// # Safety
///
/// `info` is null or valid for writes.
#[unsafe(no_mangle)]
#[allow(clippy::cast_possible_truncation, reason = "the values are 4096 and 65536")]
pub unsafe extern "C" fn GetSystemInfo(info: *mut SystemInfo) {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let (architecture, kind) = ARCHITECTURE;
    let system_info = SystemInfo {
        architecture,
        reserved: 0,
        page: PAGE as u32,
        lowest: std::ptr::without_provenance_mut(GRANULARITY),
        highest: std::ptr::without_provenance_mut((1 << 47) - GRANULARITY - 1),
        active: if processors < 64 { (1 << processors) - 1 } else { usize::MAX },
        processors: u32::try_from(processors).unwrap_or(u32::MAX),
        kind,
        granularity: GRANULARITY as u32,
        level: 6,
        revision: 0,
    };
    // SAFETY: the caller guarantees that `info` is null or valid for writes.
    unsafe { write_unless_null(info, system_info) };
}

/// Does the same as [`GetSystemInfo`], because no processor is emulated.
///
/// # Safety
///
/// As for [`GetSystemInfo`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetNativeSystemInfo(info: *mut SystemInfo) {
    // SAFETY: the caller guarantees that `info` is null or valid for writes.
    unsafe { GetSystemInfo(info) };
}

/// Returns zero: large pages are not supported.
#[unsafe(no_mangle)]
pub extern "C" fn GetLargePageMinimum() -> usize {
    0
}

/// Returns the pseudo-handle of this process.
#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentProcess() -> Handle {
    std::ptr::without_provenance_mut(CURRENT_PROCESS)
}

/// Returns the number of this process.
#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentProcessId() -> u32 {
    std::process::id()
}

/// Ends this process by `exit(3)`. The system keeps only the lowest byte of the code.
#[unsafe(no_mangle)]
#[allow(clippy::exit, reason = "the program requests the exit")]
pub extern "C" fn ExitProcess(code: u32) -> ! {
    std::process::exit(code.cast_signed())
}

/// Writes a string to standard error if `PAGEMATE_TRACE` is set. No debugger on Linux receives such
/// strings.
///
/// # Safety
///
/// `text` is null or points to a string that ends in a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn OutputDebugStringA(text: *const u8) {
    if traced() {
        // SAFETY: the caller guarantees that `text` is null or points to a string that ends in a
        // NUL.
        _ = std::io::stderr().write_all(&unsafe { units(text) });
    }
}

/// Does the same as [`OutputDebugStringA`], for 16-bit characters.
///
/// # Safety
///
/// As for [`OutputDebugStringA`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn OutputDebugStringW(text: *const u16) {
    if traced() {
        // SAFETY: the caller guarantees that `text` is null or points to a string that ends in a
        // NUL.
        let text = String::from_utf16_lossy(&unsafe { units(text) });
        _ = std::io::stderr().write_all(text.as_bytes());
    }
}

/// Returns the number of this thread.
#[unsafe(no_mangle)]
pub extern "C" fn GetCurrentThreadId() -> u32 {
    own_id()
}
