//! Memory of one process, by the calls of several ages. One heap has it all, and nothing in it moves.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;
use std::ptr::null_mut;

use crate::error::{INVALID_PARAMETER, NOT_ENOUGH_MEMORY, answer, done};
use crate::handle::table::Handle;

/// `LMEM_ZEROINIT` and `GMEM_ZEROINIT`, and what means that memory may move.
const ZEROED: u32 = 0x40;
const MOVABLE: u32 = 0x02;

/// `HEAP_ZERO_MEMORY`, `HEAP_REALLOC_IN_PLACE_ONLY`, and flags that change nothing here:
/// `HEAP_NO_SERIALIZE` and `HEAP_GENERATE_EXCEPTIONS`, for there are no exceptions.
const HEAP_ZEROED: u32 = 0x8;
const HEAP_IN_PLACE: u32 = 0x10;

/// What `HeapSize` gives when it fails.
const NO_SIZE: usize = usize::MAX;

/// What stands before a block: how long it was asked to be. As long as the strictest alignment.
const BEFORE: usize = 16;

/// The number that stands for the one heap.
const HEAP: usize = 0x1_0000;

fn block(len: usize, zeroed: bool) -> *mut c_void {
    let Some(whole) = len.checked_add(BEFORE) else { return null_mut() };
    let made = if zeroed {
        // SAFETY: any length will do, and the result is looked at.
        unsafe { libc::calloc(whole, 1) }
    } else {
        // SAFETY: as above.
        unsafe { libc::malloc(whole) }
    };
    note(made, len)
}

/// Notes a block's length before it, and gives what stands behind that; null for null.
fn note(made: *mut c_void, len: usize) -> *mut c_void {
    if made.is_null() {
        return null_mut();
    }
    // SAFETY: it was just made, longer than this by `BEFORE`, and is aligned for a length.
    unsafe { made.cast::<usize>().write(len) };
    // SAFETY: as above.
    unsafe { made.byte_add(BEFORE) }
}

/// Where a block really begins.
///
/// # Safety
///
/// `memory` is a block that was not given back.
unsafe fn start(memory: *mut c_void) -> *mut c_void {
    // SAFETY: `note` moved it on by so much.
    unsafe { memory.byte_sub(BEFORE) }
}

/// # Safety
///
/// As [`start`].
unsafe fn len(memory: *const c_void) -> usize {
    // SAFETY: the caller's promise.
    let start = unsafe { start(memory.cast_mut()) };
    // SAFETY: `note` wrote it.
    unsafe { start.cast::<usize>().read() }
}

/// # Safety
///
/// `memory` is null or as for [`start`].
unsafe fn free(memory: *mut c_void) {
    if !memory.is_null() {
        // SAFETY: the caller's promise.
        let start = unsafe { start(memory) };
        // SAFETY: it is from malloc or its like.
        unsafe { libc::free(start) };
    }
}

fn checked(made: *mut c_void) -> *mut c_void {
    let made = if made.is_null() { Err(NOT_ENOUGH_MEMORY) } else { Ok(made) };
    answer(made, null_mut())
}

/// Memory that [`LocalFree`] takes back.
#[unsafe(no_mangle)]
pub extern "C" fn LocalAlloc(flags: u32, len: usize) -> *mut c_void {
    match flags & !MOVABLE {
        0 => checked(block(len, false)),
        ZEROED => checked(block(len, true)),
        _ => answer(Err(INVALID_PARAMETER), null_mut()),
    }
}

/// Gives memory back; null if it did, as always.
///
/// # Safety
///
/// `memory` is null, or from [`LocalAlloc`] or [`FormatMessageA`](crate::text::message::FormatMessageA) and
/// not given back yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LocalFree(memory: *mut c_void) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { free(memory) };
    null_mut()
}

/// The same as [`LocalAlloc`].
#[unsafe(no_mangle)]
pub extern "C" fn GlobalAlloc(flags: u32, len: usize) -> *mut c_void {
    LocalAlloc(flags, len)
}

/// The same as [`LocalFree`].
///
/// # Safety
///
/// As there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GlobalFree(memory: *mut c_void) -> *mut c_void {
    // SAFETY: the caller's promise.
    unsafe { LocalFree(memory) }
}

/// This process' heap.
#[unsafe(no_mangle)]
pub extern "C" fn GetProcessHeap() -> Handle {
    std::ptr::without_provenance_mut(HEAP)
}

/// Memory that [`HeapFree`] takes back; null if there is none, which is no error to ask for.
#[unsafe(no_mangle)]
pub extern "C" fn HeapAlloc(_heap: Handle, flags: u32, len: usize) -> *mut c_void {
    // As on Windows, it leaves no last error.
    block(len, flags & HEAP_ZEROED != 0)
}

/// Gives memory back.
///
/// # Safety
///
/// `memory` is null, or from [`HeapAlloc`] or [`HeapReAlloc`] and not given back yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HeapFree(_heap: Handle, _flags: u32, memory: *mut c_void) -> i32 {
    // SAFETY: the caller's promise.
    unsafe { free(memory) };
    done(Ok(()))
}

/// Makes memory longer or shorter, wherever it then stands; null, and all as it was, if that cannot be.
///
/// # Safety
///
/// As [`HeapFree`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HeapReAlloc(
    _heap: Handle,
    flags: u32,
    memory: *mut c_void,
    wanted: usize,
) -> *mut c_void {
    let Some(whole) = wanted.checked_add(BEFORE).filter(|_| !memory.is_null()) else {
        return null_mut();
    };
    // SAFETY: not null, and the caller's promise.
    let before = unsafe { len(memory) };
    // SAFETY: not null, and the caller's promise.
    let start = unsafe { start(memory) };
    if flags & HEAP_IN_PLACE != 0 {
        // What becomes shorter stays only if the C library is not asked.
        return if wanted > before { null_mut() } else { note(start, wanted) };
    }
    // SAFETY: it is from malloc or its like.
    let made = note(unsafe { libc::realloc(start, whole) }, wanted);
    if !made.is_null() && flags & HEAP_ZEROED != 0 && wanted > before {
        // SAFETY: the block is longer than it was.
        let more = unsafe { made.byte_add(before) };
        // SAFETY: the rest of the block.
        unsafe { more.cast::<u8>().write_bytes(0, wanted - before) };
    }
    made
}

/// How long memory was asked to be, in bytes.
///
/// # Safety
///
/// As [`HeapFree`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HeapSize(_heap: Handle, _flags: u32, memory: *const c_void) -> usize {
    if memory.is_null() {
        return answer(Err(INVALID_PARAMETER), NO_SIZE);
    }
    // SAFETY: not null, and the caller's promise.
    unsafe { len(memory) }
}
