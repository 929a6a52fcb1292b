//! The numbers of handles.

use std::ffi::c_void;

/// A handle: a number in a pointer type, and a multiple of four.
pub type Handle = *mut c_void;

/// The result of `GetCurrentProcess`, which equals `INVALID_HANDLE_VALUE`.
pub(crate) const CURRENT_PROCESS: usize = usize::MAX;

/// The result of `GetCurrentThread`.
pub(crate) const CURRENT_THREAD: usize = usize::MAX - 1;

/// The first of the pseudo-handles for this process, this thread and their tokens.
const FIRST_PSEUDO: usize = usize::MAX - 5;

/// Returns the index of a handle in the table. Its two lowest bits are the program's to use.
pub(super) fn index(handle: Handle) -> Option<usize> {
    (handle.addr() >> 2).checked_sub(1)
}

/// Returns the handle with an index in the table.
pub(super) fn handle_of(index: usize) -> Handle {
    std::ptr::without_provenance_mut((index + 1) << 2)
}

pub(super) fn is_pseudo(handle: Handle) -> bool {
    handle.addr() >= FIRST_PSEUDO
}
