//! Mapped memory.

use std::ffi::c_void;
use std::mem::MaybeUninit;

use super::argument::{self, given, hand_out, room, take_back, tell, within};
use super::options::ViewOptions;
use super::section::Section;
use super::status::{Status, call};

/// Shared memory in this process' address space. It keeps its section alive, also after the handle
/// was closed.
///
/// Threads may use one view at the same time; only to unmap it one has to be alone with it.
#[derive(Debug)]
pub struct View {
    view: pagemate::View,
}

/// Maps a section, or a range of it.
///
/// @param section  What to map.
/// @param options  Which range, and how. NULL is all of it, with the access of the handle.
/// @param view     Gets the view, to be given back by pagemate_view_unmap(); NULL on failure.
/// @return PAGEMATE_OUT_OF_RANGE: it ends past the end of the section. PAGEMATE_INVALID_INPUT: it is
///         empty, or the options make no sense. PAGEMATE_PERMISSION_DENIED: the handle or the object's
///         protection does not allow the access.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_map(
    section: Option<&Section>,
    options: Option<&ViewOptions>,
    view: Option<&mut MaybeUninit<Option<Box<View>>>>,
) -> Status {
    let words = "map section";
    hand_out(words, "view", view, || {
        let section = &given(words, "section", section)?.section;
        Ok(View { view: ViewOptions::map(options, words, section)? })
    })
}

/// Takes the memory out of the address space. What pointed into it points nowhere.
///
/// It always succeeds. NULL is nothing to unmap, as for free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_view_unmap(view: Option<Box<View>>) -> Status {
    take_back(view)
}

/// Tells where the view begins: valid until it is unmapped, for pagemate_view_len() bytes.
///
/// Other processes may write any of them at any time, so an ordinary access through the pointer is a
/// data race: the compiler may read twice what it is told to read once, and two bytes need not belong
/// together. Use atomics of the language, of one size for one place and without locks of their own;
/// or pagemate_view_read_at() and pagemate_view_write_at(); or see to it that nobody writes meanwhile.
/// Where the view is not writable, writing ends the process.
///
/// Each process has it at another address: store offsets in it, never pointers.
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
    tell("ask for pointer", ("view", view), ("pointer", pointer), |view| view.view.as_ptr().cast())
}

/// Tells the view's length in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_view_len(
    view: Option<&View>,
    len: Option<&mut MaybeUninit<usize>>,
) -> Status {
    tell("ask for length", ("view", view), ("len", len), |view| view.view.len())
}

/// Tells whether the view can be written to.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_view_is_writable(
    view: Option<&View>,
    writable: Option<&mut MaybeUninit<bool>>,
) -> Status {
    tell("ask whether writable", ("view", view), ("writable", writable), |view| {
        view.view.is_writable()
    })
}

/// Copies bytes out of the view: each as somebody wrote it, in no order, whoever writes meanwhile.
///
/// @param view    Where from.
/// @param offset  Where in the view to begin, in bytes.
/// @param bytes   Where to: memory of yours that nobody else uses meanwhile. NULL only if `len` is 0.
/// @param len     How many bytes.
/// @return PAGEMATE_OUT_OF_RANGE: they do not all lie in the view; none was copied.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_view_read_at(
    view: Option<&View>,
    offset: usize,
    bytes: *mut c_void,
    len: usize,
) -> Status {
    let words = "read view";
    call(|| {
        let view = &given(words, "view", view)?.view;
        within(words, offset, len, view.len())?;
        // SAFETY: no longer than the view, so that it fits the address space; the caller says that it
        // has room for so many and is nobody else's.
        let bytes = unsafe { room(words, "bytes", bytes, len) }?;
        Ok(view.read_at(offset, bytes)?)
    })
}

/// Copies bytes into the view.
///
/// @param view    Where to.
/// @param offset  Where in the view to begin, in bytes.
/// @param bytes   Where from: memory of yours that nobody writes to meanwhile. NULL only if `len` is 0.
/// @param len     How many bytes.
/// @return PAGEMATE_OUT_OF_RANGE: they do not all fit; none was copied. PAGEMATE_PERMISSION_DENIED: the
///         view is read-only.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_view_write_at(
    view: Option<&View>,
    offset: usize,
    bytes: *const c_void,
    len: usize,
) -> Status {
    let words = "write view";
    call(|| {
        let view = &given(words, "view", view)?.view;
        within(words, offset, len, view.len())?;
        // SAFETY: no longer than the view, so that it fits the address space; the caller says that it
        // has so many, which nobody writes to.
        let bytes = unsafe { argument::bytes(words, "bytes", bytes, len) }?;
        Ok(view.write_at(offset, bytes)?)
    })
}

/// Writes what changed back to the file under the section, and waits until it is there. Views of the
/// same section need no flush to see each other's bytes.
///
/// On Windows it waits only if this very handle made the section over its file; of one that was opened,
/// it starts the writing.
///
/// @return PAGEMATE_OS: the file system's refusal.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_view_flush(view: Option<&View>) -> Status {
    call(|| Ok(given("flush view", "view", view)?.view.flush()?))
}
