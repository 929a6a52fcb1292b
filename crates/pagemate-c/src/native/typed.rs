//! Typed memory: a value in shared memory that the first process initialises.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use pagemate::typed::SharedBytes;

use super::access::access;
use super::argument::{close, create_handle, query, required, text};
use super::layout::Layout;
use super::section::Section;
use super::status::{Failure, Outcome, Status, returned, run};
use super::timeout::duration;
use super::word::{AccessWord, StatusWord};

/// The number of bytes that a pagemate_shared occupies in a section before its value.
pub const PAGEMATE_SHARED_HEADER_LEN: u64 = 64;

const _: () = assert!(SharedBytes::HEADER_LEN as u64 == PAGEMATE_SHARED_HEADER_LEN);

/// A handle to a value in shared memory, whose layout all programs agree on. It is a `Shared<T>` of Rust and
/// C++.
///
/// The value begins as zeros. The first process initialises it, while others wait. If that process dies or
/// fails before it has finished, the next one begins again, from zeros, so that no process sees a partial
/// value. Opening it with another layout fails with PAGEMATE_WRONG_KIND.
///
/// Other processes access the value at any time. So it must consist of lock-free atomics (see
/// pagemate_word_wait_while() for waits), of sequence-locked values (pagemate_seqlock_read()), and of values
/// that a lock or a signal of the program protects (pagemate_racy_read()). The handle holds the name of its
/// section.
///
/// Several threads may use one handle at the same time. No thread may use it during or after a call that
/// closes it.
///
/// ```c
/// #include <stdatomic.h>
///
/// pagemate_layout number, layout;
/// pagemate_shared *visitors = NULL;
/// void *value = NULL;
/// if (pagemate_layout_number("u64", &number) == PAGEMATE_OK &&
///     pagemate_layout_atomic(&number, &layout) == PAGEMATE_OK &&
///     pagemate_shared_open_or_create("visitors", &layout, NULL, NULL, &visitors) == PAGEMATE_OK &&
///     pagemate_shared_value(visitors, &value) == PAGEMATE_OK) {
///     atomic_fetch_add((_Atomic uint64_t *)value, 1);
/// }
/// pagemate_shared_close(visitors);
/// ```
#[derive(Debug)]
pub struct Shared {
    pub(super) bytes: SharedBytes,
    /// The length of the value in bytes.
    pub(super) len: usize,
}

/// A function that stores the initial values. It gets the memory as zeros, by a handle that is valid until it
/// returns, and the `context` of the call that opens the memory. If it returns another status than
/// PAGEMATE_OK, that call fails with it. It must return: no exception and no longjmp() may leave it.
pub type Initialise =
    Option<unsafe extern "C" fn(shared: *const Shared, context: *mut c_void) -> StatusWord>;

/// Returns the initialiser for Rust that calls `init`.
///
/// # Safety
///
/// `init` is NULL or a function that may be called with `context` until the initialiser is dropped.
unsafe fn initialiser(
    call: &'static str,
    len: usize,
    init: Initialise,
    context: *mut c_void,
) -> impl FnOnce(&SharedBytes) -> Outcome {
    move |bytes| {
        let Some(init) = init else { return Ok(()) };
        let shared = Shared { bytes: bytes.clone(), len };
        // SAFETY: the caller of `initialiser` passes a function that may be called with `context`.
        returned(call, "the initialiser", unsafe { init(&raw const shared, context) })
    }
}

/// Converts the access to typed memory.
fn access_of(call: &str, word: AccessWord) -> Outcome<pagemate::Access> {
    Ok(access(call, "access", word)?.unwrap_or_default())
}

/// Opens the typed memory `name` for reading and writing, and creates and initialises it if no process holds
/// it.
///
/// New memory is private to the user, and has the length of the value and its header, rounded up to whole
/// pages. For other options create a section, and use pagemate_shared_open_or_init(). Blocks while another
/// process initialises the value. Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param layout   The layout of the value.
/// @param init     Stores the initial values. NULL leaves zeros.
/// @param context  An argument for `init`.
/// @param shared   Receives the handle, which the caller closes by pagemate_shared_close(); NULL on failure.
/// @return PAGEMATE_WRONG_KIND: it has a value of another layout; the message has both. PAGEMATE_OUT_OF_RANGE:
///         the section exists and is too short. PAGEMATE_CORRUPTED: the section exists, and its bytes are
///         something else. Otherwise as for pagemate_section_open_or_create(), and the status of `init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_shared_open_or_create(
    name: *const c_char,
    layout: Option<&Layout>,
    init: Initialise,
    context: *mut c_void,
    shared: Option<&mut MaybeUninit<Option<Box<Shared>>>>,
) -> Status {
    let call = "open or create typed memory";
    create_handle(call, "shared", shared, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        let layout = Layout::convert(layout, call)?;
        let len = layout.len();
        // SAFETY: the caller passes a function that may be called with `context` during this call.
        let init = unsafe { initialiser(call, len, init, context) };
        Ok(Shared { bytes: SharedBytes::open_or_create::<Failure>(name, &layout, init)?, len })
    })
}

/// Opens the typed memory `name`. Thread-safe.
///
/// @param name    The name: see pagemate_section_create_new().
/// @param layout  The layout of the value.
/// @param access  The access. The default is PAGEMATE_ACCESS_READ_WRITE. With PAGEMATE_ACCESS_READ the kernel
///                refuses writes.
/// @param shared  Receives the handle, which the caller closes by pagemate_shared_close(); NULL on failure.
/// @return PAGEMATE_NOT_FOUND: no process holds it, or the value is not initialised yet. Otherwise as for
///         pagemate_section_open() and pagemate_shared_open_or_create().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_shared_open(
    name: *const c_char,
    layout: Option<&Layout>,
    access: AccessWord,
    shared: Option<&mut MaybeUninit<Option<Box<Shared>>>>,
) -> Status {
    let call = "open typed memory";
    create_handle(call, "shared", shared, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        let layout = Layout::convert(layout, call)?;
        let bytes = SharedBytes::open(name, &layout, access_of(call, access)?)?;
        Ok(Shared { bytes, len: layout.len() })
    })
}

/// Opens the typed memory `name` like pagemate_shared_open(), and blocks until a process has created and
/// initialised it or the timeout expires. Thread-safe.
///
/// @param name         The name: see pagemate_section_create_new().
/// @param layout       The layout of the value.
/// @param access       As for pagemate_shared_open().
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param shared       Receives the handle, which the caller closes by pagemate_shared_close(); NULL on
///                     failure.
/// @return PAGEMATE_NOT_FOUND: no process created and initialised it in time. Otherwise as for
///         pagemate_shared_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_shared_open_within(
    name: *const c_char,
    layout: Option<&Layout>,
    access: AccessWord,
    nanoseconds: u64,
    shared: Option<&mut MaybeUninit<Option<Box<Shared>>>>,
) -> Status {
    let call = "open typed memory";
    create_handle(call, "shared", shared, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        let layout = Layout::convert(layout, call)?;
        let (access, time) = (access_of(call, access)?, duration(nanoseconds));
        let bytes = SharedBytes::open_within(name, &layout, access, time)?;
        Ok(Shared { bytes, len: layout.len() })
    })
}

/// Opens a value in a section, and initialises it if no process has. It occupies PAGEMATE_SHARED_HEADER_LEN
/// bytes and those of the value, which have to be zero at first. Thread-safe.
///
/// @param section  The section.
/// @param offset   The offset in the section, in bytes: a multiple of 8 and of the alignment of the value.
/// @param layout   The layout of the value.
/// @param init     Stores the initial values. NULL leaves zeros.
/// @param context  An argument for `init`.
/// @param shared   Receives the handle, which the caller closes by pagemate_shared_close(); NULL on failure.
/// @return PAGEMATE_OUT_OF_RANGE: the value would extend past the end of the section. PAGEMATE_INVALID_INPUT:
///         the offset is not aligned. PAGEMATE_PERMISSION_DENIED: the section is read-only.
///         PAGEMATE_WRONG_KIND and PAGEMATE_CORRUPTED: as for pagemate_shared_open_or_create().
///         PAGEMATE_UNSUPPORTED: on Unix, a section without a name over a file; on macOS, any section without
///         a name. The status of `init`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_shared_open_or_init(
    section: Option<&Section>,
    offset: u64,
    layout: Option<&Layout>,
    init: Initialise,
    context: *mut c_void,
    shared: Option<&mut MaybeUninit<Option<Box<Shared>>>>,
) -> Status {
    let call = "open or create typed memory in section";
    create_handle(call, "shared", shared, || {
        let section = &required(call, "section", section)?.section;
        let layout = Layout::convert(layout, call)?;
        let len = layout.len();
        // SAFETY: the caller passes a function that may be called with `context` during this call.
        let init = unsafe { initialiser(call, len, init, context) };
        let bytes = SharedBytes::open_or_init::<Failure>(section, offset, &layout, init)?;
        Ok(Shared { bytes, len })
    })
}

/// Opens a value in a section. Thread-safe.
///
/// @param section  The section.
/// @param offset   The offset in the section, in bytes, as for pagemate_shared_open_or_init().
/// @param layout   The layout of the value.
/// @param access   As for pagemate_shared_open().
/// @param shared   Receives the handle, which the caller closes by pagemate_shared_close(); NULL on failure.
/// @return PAGEMATE_NOT_FOUND: the value is not initialised yet. Otherwise as for
///         pagemate_shared_open_or_init().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_open_in(
    section: Option<&Section>,
    offset: u64,
    layout: Option<&Layout>,
    access: AccessWord,
    shared: Option<&mut MaybeUninit<Option<Box<Shared>>>>,
) -> Status {
    let call = "open typed memory in section";
    create_handle(call, "shared", shared, || {
        let section = &required(call, "section", section)?.section;
        let layout = Layout::convert(layout, call)?;
        let bytes = SharedBytes::open_in(section, offset, &layout, access_of(call, access)?)?;
        Ok(Shared { bytes, len: layout.len() })
    })
}

/// Creates another handle to the same value. Both share one view of it. Thread-safe.
///
/// @param shared  The existing handle.
/// @param clone   Receives the new handle, which the caller closes by pagemate_shared_close(); NULL on failure.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_clone(
    shared: Option<&Shared>,
    clone: Option<&mut MaybeUninit<Option<Box<Shared>>>>,
) -> Status {
    let call = "clone typed memory";
    create_handle(call, "clone", clone, || {
        let shared = required(call, "shared", shared)?;
        Ok(Shared { bytes: shared.bytes.clone(), len: shared.len })
    })
}

/// Closes a handle. Unless a clone or a writer of it exists, pointers to the value are no longer valid.
///
/// No other thread may use the handle during the call, and nothing may use it later. It always succeeds.
/// NULL is ignored, as by free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_close(shared: Option<Box<Shared>>) -> Status {
    close(shared)
}

/// Returns the address of the value, valid until the handle is closed. The rules of pagemate_view_pointer()
/// apply. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_value(
    shared: Option<&Shared>,
    value: Option<&mut MaybeUninit<*mut c_void>>,
) -> Status {
    query("get value", ("shared", shared), ("value", value), |shared| shared.bytes.as_ptr().cast())
}

/// Returns whether the value is mapped for writing. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_is_writable(
    shared: Option<&Shared>,
    writable: Option<&mut MaybeUninit<bool>>,
) -> Status {
    query("get access", ("shared", shared), ("writable", writable), |shared| {
        shared.bytes.is_writable()
    })
}

/// Returns whether the call that opened this handle initialised the value. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_was_initialised(
    shared: Option<&Shared>,
    initialised: Option<&mut MaybeUninit<bool>>,
) -> Status {
    query("get initialiser", ("shared", shared), ("initialised", initialised), |shared| {
        shared.bytes.was_initialised()
    })
}

/// Writes changes back to the file of the section: see pagemate_view_flush(). Thread-safe.
///
/// @return PAGEMATE_OS: the file system reported an error.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_shared_flush(shared: Option<&Shared>) -> Status {
    run(|| Ok(required("flush typed memory", "shared", shared)?.bytes.flush()?))
}
