//! Views: sections mapped into the address space.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use super::argument::{self, buffer, check_len, close, create_handle, query, required};
use super::options::ViewOptions;
use super::section::Section;
use super::status::{Status, run};

/// A section, or a range of it, mapped into the address space of this process.
///
/// It holds the name of its section, even after the section's handle was closed.
///
/// Several threads may use one view at the same time. No thread may use it during or after a call that
/// unmaps it.
#[derive(Debug)]
pub struct View {
    view: pagemate::View,
}

/// Maps a section or a range of it. Thread-safe.
///
/// @param section  The section.
/// @param options  The range and the access. NULL maps the whole section with the access of the handle.
/// @param view     Receives the view, which the caller unmaps by pagemate_view_unmap(); NULL on failure.
/// @return PAGEMATE_OUT_OF_RANGE: the range extends past the end of the section. PAGEMATE_INVALID_INPUT:
///         the range is empty, or an option is not valid. PAGEMATE_PERMISSION_DENIED: the handle or the
///         section's protection does not allow the access. PAGEMATE_OS: the address space is full.
///         PAGEMATE_ORPHANED: another program removed the section's name.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_map(
    section: Option<&Section>,
    options: Option<&ViewOptions>,
    view: Option<&mut MaybeUninit<Option<Box<View>>>>,
) -> Status {
    let call = "map section";
    create_handle(call, "view", view, || {
        let section = &required(call, "section", section)?.section;
        Ok(View { view: ViewOptions::map(options, call, section)? })
    })
}

/// Unmaps a view. Pointers into it are no longer valid.
///
/// No thread may use the view during or after the call. The call always succeeds. NULL is ignored,
/// as by free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_view_unmap(view: Option<Box<View>>) -> Status {
    close(view)
}

/// Returns the address of the view: pagemate_view_len() bytes, valid until the view is unmapped.
/// Thread-safe.
///
/// Other processes may write any of the bytes at any time, so an ordinary access through the
/// pointer is a data race: the compiler may read a value twice, and two bytes may come from
/// different writes. Use lock-free atomics of the language, always with the same size for the same
/// bytes; or pagemate_view_read_at() and pagemate_view_write_at(); or make sure, for example by a
/// mutex, that no process writes at the same time. Writing to a view that is not writable ends the
/// process with SIGSEGV.
///
/// The address differs from process to process: store offsets in shared memory, never pointers.
///
/// ```c
/// #include <stdatomic.h>
///
/// pagemate_section_options options = {.len = 4096};
/// pagemate_section *section = NULL;
/// pagemate_view *view = NULL;
/// void *memory = NULL;
/// if (pagemate_section_open_or_create("counter", &options, &section) == PAGEMATE_OK &&
///     pagemate_section_map(section, NULL, &view) == PAGEMATE_OK &&
///     pagemate_view_pointer(view, &memory) == PAGEMATE_OK) {
///     _Atomic uint64_t *counter = memory;
///     atomic_fetch_add(counter, 1);
/// }
/// pagemate_view_unmap(view);
/// pagemate_section_close(section);
/// ```
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_view_pointer(
    view: Option<&View>,
    pointer: Option<&mut MaybeUninit<*mut c_void>>,
) -> Status {
    query("get pointer", ("view", view), ("pointer", pointer), |view| view.view.as_ptr().cast())
}

/// Returns the length of the view in bytes. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_view_len(
    view: Option<&View>,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    query("get length", ("view", view), ("len", len), |view| view.view.len())
}

/// Returns whether the view is writable. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_view_is_writable(
    view: Option<&View>,
    writable: Option<&mut MaybeUninit<bool>>,
) -> Status {
    query("get access", ("view", view), ("writable", writable), |view| view.view.is_writable())
}

/// Copies bytes out of the view. Thread-safe.
///
/// If other threads or processes write at the same time, each byte is one that was written, but the bytes
/// may come from different writes.
///
/// @param view    The source.
/// @param offset  The first byte to copy: an offset in the view, in bytes.
/// @param bytes   The destination, which nothing else accesses during the call. NULL only if `len` is 0.
/// @param len     The number of bytes.
/// @return PAGEMATE_OUT_OF_RANGE: the range extends past the end of the view; nothing was copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_view_read_at(
    view: Option<&View>,
    offset: usize,
    bytes: *mut c_void,
    len: usize,
) -> Status {
    let call = "read view";
    run(|| {
        let view = &required(call, "view", view)?.view;
        check_len(call, offset, len, view.len())?;
        // SAFETY: the caller passes NULL or `len` writable bytes that nothing else accesses until this
        // function returns. `len` is at most the length of a mapping, so it is at most `isize::MAX`.
        let bytes = unsafe { buffer(call, "bytes", bytes, len) }?;
        Ok(view.read_at(offset, bytes)?)
    })
}

/// Copies bytes into the view. Thread-safe.
///
/// If the process is killed during the call, some of the bytes may have been written.
///
/// @param view    The destination.
/// @param offset  The first byte to write: an offset in the view, in bytes.
/// @param bytes   The source, which nothing writes to during the call. NULL only if `len` is 0.
/// @param len     The number of bytes.
/// @return PAGEMATE_OUT_OF_RANGE: the range extends past the end of the view; nothing was copied.
///         PAGEMATE_PERMISSION_DENIED: the view is read-only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_view_write_at(
    view: Option<&View>,
    offset: usize,
    bytes: *const c_void,
    len: usize,
) -> Status {
    let call = "write view";
    run(|| {
        let view = &required(call, "view", view)?.view;
        check_len(call, offset, len, view.len())?;
        // SAFETY: the caller passes NULL or `len` readable bytes that nothing writes to until this
        // function returns. `len` is at most the length of a mapping, so it is at most `isize::MAX`.
        let bytes = unsafe { argument::bytes(call, "bytes", bytes, len) }?;
        Ok(view.write_at(offset, bytes)?)
    })
}

/// Writes changed pages back to the file of the section, and waits until they are stored. Thread-safe.
///
/// Views of the same section need no flush to see each other's bytes. On Windows the call waits
/// only if this handle created the section over its file; for a section that was opened, it only
/// starts the writing.
///
/// @return PAGEMATE_OS: the file system reported an error.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_view_flush(view: Option<&View>) -> Status {
    run(|| Ok(required("flush view", "view", view)?.view.flush()?))
}
