//! The heaps of Windows: `Local…`, `Global…` and `Heap…`. All of them allocate by `malloc`. Only
//! `HeapReAlloc` moves a block, so memory that a program requests as movable never moves.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;
use std::ptr::null_mut;

use crate::error::{INVALID_PARAMETER, NOT_ENOUGH_MEMORY, answer, done};
use crate::handle::number::Handle;

/// `LMEM_ZEROINIT` and `GMEM_ZEROINIT`. `LMEM_MOVEABLE` and `GMEM_MOVEABLE` are ignored.
const ZEROED: u32 = 0x40;
const MOVABLE: u32 = 0x02;

/// `HEAP_ZERO_MEMORY` and `HEAP_REALLOC_IN_PLACE_ONLY`. All other flags are ignored:
/// `HEAP_NO_SERIALIZE`, and `HEAP_GENERATE_EXCEPTIONS`, because Linux has no structured exceptions.
const HEAP_ZEROED: u32 = 0x8;
const HEAP_IN_PLACE: u32 = 0x10;

/// The result of a failed `HeapSize`.
const NO_SIZE: usize = usize::MAX;

/// The size of the header before each block. The header stores the requested length. It is 16 bytes
/// so that the block keeps the alignment of `malloc`.
const HEADER: usize = 16;

/// The handle value of the process heap.
const HEAP: usize = 0x1_0000;

fn allocate(len: usize, zeroed: bool) -> *mut c_void {
    let Some(whole) = len.checked_add(HEADER) else { return null_mut() };
    let start = if zeroed {
        // SAFETY: `calloc` accepts any length. `store_len` checks the result for null.
        unsafe { libc::calloc(whole, 1) }
    } else {
        // SAFETY: `malloc` accepts any length. `store_len` checks the result for null.
        unsafe { libc::malloc(whole) }
    };
    // SAFETY: `start` was just allocated with `HEADER` bytes and `len`, or is null.
    unsafe { store_len(start, len) }
}

/// Stores the length of a block in its header, and returns the address of the block. Returns null
/// if `start` is null.
///
/// # Safety
///
/// `start` is null, or comes from `malloc`, `calloc` or `realloc` with at least `HEADER` bytes and is not freed.
unsafe fn store_len(start: *mut c_void, len: usize) -> *mut c_void {
    if start.is_null() {
        return null_mut();
    }
    // SAFETY: `start` is not null, so the caller guarantees that it comes from `malloc`, `calloc` or `realloc` with
    // at least `HEADER` bytes. `malloc` aligns for `usize`.
    unsafe { start.cast::<usize>().write(len) };
    // SAFETY: the allocation has at least `HEADER` bytes.
    unsafe { start.byte_add(HEADER) }
}

/// Returns the start of the allocation that contains a block.
///
/// # Safety
///
/// `memory` was returned by `store_len` and is not freed.
unsafe fn start_of(memory: *mut c_void) -> *mut c_void {
    // SAFETY: `store_len` returned the start of the allocation plus `HEADER`.
    unsafe { memory.byte_sub(HEADER) }
}

/// # Safety
///
/// As for [`start_of`].
unsafe fn len_of(memory: *const c_void) -> usize {
    // SAFETY: the caller guarantees that `memory` was returned by `store_len` and is not freed.
    let start = unsafe { start_of(memory.cast_mut()) };
    // SAFETY: `store_len` wrote the length at the start of the allocation.
    unsafe { start.cast::<usize>().read() }
}

/// # Safety
///
/// `memory` is null, or as for [`start_of`].
unsafe fn free(memory: *mut c_void) {
    if !memory.is_null() {
        // SAFETY: `memory` is not null, so the caller guarantees that `store_len` returned it and
        // that it is not freed.
        let start = unsafe { start_of(memory) };
        // SAFETY: the start of the allocation comes from `malloc`, `calloc` or `realloc`.
        unsafe { libc::free(start) };
    }
}

fn or_out_of_memory(call: &'static str, start: *mut c_void) -> *mut c_void {
    let start = if start.is_null() { Err(NOT_ENOUGH_MEMORY) } else { Ok(start) };
    answer(call, start, null_mut())
}

/// Allocates memory. The program frees it by [`LocalFree`].
#[unsafe(no_mangle)]
pub extern "C" fn LocalAlloc(flags: u32, len: usize) -> *mut c_void {
    match flags & !MOVABLE {
        0 => or_out_of_memory("LocalAlloc", allocate(len, false)),
        ZEROED => or_out_of_memory("LocalAlloc", allocate(len, true)),
        _ => answer("LocalAlloc", Err(INVALID_PARAMETER), null_mut()),
    }
}

/// Frees memory. Always returns null, by which Windows reports success.
///
/// # Safety
///
/// `memory` is null, or was returned by [`LocalAlloc`],
/// [`FormatMessageA`](crate::system::message::FormatMessageA) or another call of this library that
/// allocates for the caller, and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn LocalFree(memory: *mut c_void) -> *mut c_void {
    // SAFETY: the caller guarantees that `memory` is null, or a block of this module that is not
    // freed.
    unsafe { free(memory) };
    null_mut()
}

/// Does the same as [`LocalAlloc`].
#[unsafe(no_mangle)]
pub extern "C" fn GlobalAlloc(flags: u32, len: usize) -> *mut c_void {
    LocalAlloc(flags, len)
}

/// Does the same as [`LocalFree`].
///
/// # Safety
///
/// As for [`LocalFree`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GlobalFree(memory: *mut c_void) -> *mut c_void {
    // SAFETY: the caller guarantees that `memory` is null, or a block of this module that is not
    // freed.
    unsafe { LocalFree(memory) }
}

/// Returns the handle of the process heap, which is the only heap.
#[unsafe(no_mangle)]
pub extern "C" fn GetProcessHeap() -> Handle {
    std::ptr::without_provenance_mut(HEAP)
}

/// Allocates memory. The program frees it by [`HeapFree`]. Returns null if no memory is available.
#[unsafe(no_mangle)]
pub extern "C" fn HeapAlloc(_heap: Handle, flags: u32, len: usize) -> *mut c_void {
    // As on Windows, a failure does not change the last error.
    allocate(len, flags & HEAP_ZEROED != 0)
}

/// Frees memory.
///
/// # Safety
///
/// `memory` is null, or was returned by [`HeapAlloc`] or [`HeapReAlloc`], and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HeapFree(_heap: Handle, _flags: u32, memory: *mut c_void) -> i32 {
    // SAFETY: the caller guarantees that `memory` is null, or a block of this module that is not
    // freed.
    unsafe { free(memory) };
    done("HeapFree", Ok(()))
}

/// Changes the length of a block, which may move it. Returns null and leaves the block unchanged if
/// that fails.
///
/// # Safety
///
/// As for [`HeapFree`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HeapReAlloc(
    _heap: Handle,
    flags: u32,
    memory: *mut c_void,
    wanted: usize,
) -> *mut c_void {
    let Some(whole) = wanted.checked_add(HEADER).filter(|_| !memory.is_null()) else {
        return null_mut();
    };
    // SAFETY: `memory` is not null, so the caller guarantees that it is a block of this module that
    // is not freed.
    let before = unsafe { len_of(memory) };
    // SAFETY: `memory` is a block of this module that is not freed, as for `len_of`.
    let start = unsafe { start_of(memory) };
    if flags & HEAP_IN_PLACE != 0 {
        // `realloc` may move a block even when it shrinks it. So only the stored length changes.
        if wanted > before {
            return null_mut();
        }
        // SAFETY: `start` comes from `malloc`, `calloc` or `realloc` with a header, and is not freed.
        return unsafe { store_len(start, wanted) };
    }
    // SAFETY: `start` comes from `malloc`, `calloc` or `realloc` and is not freed.
    let start = unsafe { libc::realloc(start, whole) };
    // SAFETY: `start` was just allocated with `whole` bytes, which include the header, or is null.
    let start = unsafe { store_len(start, wanted) };
    if !start.is_null() && flags & HEAP_ZEROED != 0 && wanted > before {
        // SAFETY: the block has `wanted` bytes, which is more than `before`.
        let more = unsafe { start.byte_add(before) };
        // SAFETY: the range from `before` to `wanted` is the new end of the block.
        unsafe { more.cast::<u8>().write_bytes(0, wanted - before) };
    }
    start
}

/// Returns the requested length of a block in bytes.
///
/// # Safety
///
/// As for [`HeapFree`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn HeapSize(_heap: Handle, _flags: u32, memory: *const c_void) -> usize {
    if memory.is_null() {
        return answer("HeapSize", Err(INVALID_PARAMETER), NO_SIZE);
    }
    // SAFETY: `memory` is not null, so the caller guarantees that it is a block of this module that
    // is not freed.
    unsafe { len_of(memory) }
}
