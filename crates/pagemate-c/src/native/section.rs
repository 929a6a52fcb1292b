//! Sections: named memory.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;

use super::access::{Access, Protection};
use super::argument::{c_name, close, create_handle, query, required, text};
use super::options::SectionOptions;
use super::status::{Status, run};
use super::timeout::duration;

/// A handle to a section, which is shared memory.
///
/// A named section exists as long as any process has a handle or a view of it. When the last holder
/// closes its handles and views, exits, crashes or is killed, the name is free at once, and a
/// section that is created under it later is zeroed. A child made by `fork` also holds the sections
/// that its parent held at that time, until the child exits or calls `exec`.
///
/// Several threads may use one handle at the same time. No thread may use it during or after a call that
/// closes it.
#[derive(Debug)]
pub struct Section {
    pub(super) section: pagemate::Section,
    name: Option<CString>,
}

impl Section {
    pub(super) fn new(section: pagemate::Section) -> Section {
        Section { name: c_name(section.name()), section }
    }
}

/// Creates the section `name`. Fails if a process holds an object of this name.
///
/// All memory is reserved during this call, so that no later access fails for lack of memory,
/// except with PAGEMATE_SPARSE. If the process is killed during the call, the name is free again.
/// Thread-safe.
///
/// @param name     The name, UTF-8, at most 1,024 UTF-16 units. `x` and `Local\x` are the same object,
///                 which is this user's; on Windows, this logon session's. `Global\x` is the machine's.
///                 No other backslash is valid.
/// @param options  The section to create. NULL fails, because it has no length.
/// @param section  Receives the handle, which the caller closes by pagemate_section_close(); NULL on
///                 failure.
/// @return PAGEMATE_ALREADY_EXISTS: a process holds an object of this name. PAGEMATE_NO_SPACE: there is
///         not enough memory; pagemate_last_error_message() has the numbers. PAGEMATE_INVALID_INPUT: the length is 0, or the
///         options contradict each other. PAGEMATE_INVALID_NAME. PAGEMATE_WRONG_KIND: the name is `Local`,
///         `Global` or `Session`, which are reserved. PAGEMATE_TIMED_OUT: another process kept the name
///         busy for two seconds. PAGEMATE_PERMISSION_DENIED: the descriptor in `options->file` is not
///         open for the requested access, or the user may not create the name. PAGEMATE_OUT_OF_RANGE: a
///         read-only section is longer than the file in `options->file`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_section_create_new(
    name: *const c_char,
    options: Option<&SectionOptions>,
    section: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let call = "create section";
    create_handle(call, "section", section, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        let create =
            |options: &pagemate::SectionOptions<'_>| Ok(Section::new(options.create_new(name)?));
        // SAFETY: the caller keeps the file in `options->file`, if any, open until this function returns.
        unsafe { SectionOptions::with(options, call, create) }
    })
}

/// Opens the section `name` if a process holds it, and creates it otherwise.
///
/// pagemate_section_was_created() returns whether this call created it. Of several processes that call this
/// at the same time, exactly one creates the section. Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The section to create. An existing section keeps its length, protection and sharing.
/// @param section  Receives the handle, which the caller closes by pagemate_section_close(); NULL on
///                 failure.
/// @return As for pagemate_section_create_new() and pagemate_section_open(), except
///         PAGEMATE_ALREADY_EXISTS and PAGEMATE_NOT_FOUND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_section_open_or_create(
    name: *const c_char,
    options: Option<&SectionOptions>,
    section: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let call = "open or create section";
    create_handle(call, "section", section, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        let open_or_create = |options: &pagemate::SectionOptions<'_>| {
            Ok(Section::new(options.open_or_create(name)?))
        };
        // SAFETY: the caller keeps the file in `options->file`, if any, open until this function returns.
        unsafe { SectionOptions::with(options, call, open_or_create) }
    })
}

/// Opens the section `name`. Fails if no process holds it.
///
/// The handle has the length that the section was created with. Thread-safe.
///
/// @param name     The name: see pagemate_section_create_new().
/// @param options  The access of the handle. NULL stands for reading and writing.
/// @param section  Receives the handle, which the caller closes by pagemate_section_close(); NULL on
///                 failure.
/// @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_PERMISSION_DENIED: another user owns it and
///         does not share it. PAGEMATE_WRONG_KIND: the name belongs to an object of another kind.
///         PAGEMATE_WRONG_VERSION: an incompatible release created it. PAGEMATE_CORRUPTED: its file is
///         damaged, or the file whose bytes it shares was moved or replaced. PAGEMATE_INVALID_NAME.
///         PAGEMATE_TIMED_OUT: another process kept the name busy for two seconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_section_open(
    name: *const c_char,
    options: Option<&SectionOptions>,
    section: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let call = "open section";
    create_handle(call, "section", section, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        let open = |options: &pagemate::SectionOptions<'_>| Ok(Section::new(options.open(name)?));
        // SAFETY: the caller keeps the file in `options->file`, if any, open until this function returns.
        unsafe { SectionOptions::with(options, call, open) }
    })
}

/// Opens the section `name` like pagemate_section_open(), and blocks until a process creates it or the
/// timeout expires. Thread-safe.
///
/// @param name         The name: see pagemate_section_create_new().
/// @param options      As for pagemate_section_open().
/// @param nanoseconds  The timeout: `50 * PAGEMATE_MILLISECOND`, or PAGEMATE_FOREVER.
/// @param section      Receives the handle, which the caller closes by pagemate_section_close(); NULL on
///                     failure.
/// @return PAGEMATE_NOT_FOUND: no process created it in time. Otherwise as for pagemate_section_open().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_section_open_within(
    name: *const c_char,
    options: Option<&SectionOptions>,
    nanoseconds: u64,
    section: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let call = "open section";
    create_handle(call, "section", section, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        let open = |options: &pagemate::SectionOptions<'_>| {
            Ok(Section::new(options.open_within(name, duration(nanoseconds))?))
        };
        // SAFETY: the caller keeps the file in `options->file`, if any, open until this function returns.
        unsafe { SectionOptions::with(options, call, open) }
    })
}

/// Creates a section without a name, which other processes receive as a descriptor or a handle.
///
/// The memory is freed with the last handle, descriptor or view of any process. Thread-safe.
///
/// @param options  The section to create. NULL fails, because it has no length.
/// @param section  Receives the handle, which the caller closes by pagemate_section_close(); NULL on
///                 failure.
/// @return As for pagemate_section_create_new(), except those about names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_section_create_unnamed(
    options: Option<&SectionOptions>,
    section: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let call = "create unnamed section";
    create_handle(call, "section", section, || {
        let create =
            |options: &pagemate::SectionOptions<'_>| Ok(Section::new(options.create_unnamed()?));
        // SAFETY: the caller keeps the file in `options->file`, if any, open until this function returns.
        unsafe { SectionOptions::with(options, call, create) }
    })
}

/// Creates another handle to the same section, which exists until both are closed. Thread-safe.
///
/// @param section  The existing handle.
/// @param clone    Receives the new handle, which the caller closes by pagemate_section_close(); NULL on
///                 failure.
/// @return PAGEMATE_OS: the process has no descriptor left.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_clone(
    section: Option<&Section>,
    clone: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let call = "clone section";
    create_handle(call, "clone", clone, || {
        let section = &required(call, "section", section)?.section;
        Ok(Section::new(section.try_clone()?))
    })
}

/// Closes a handle. Its views stay valid, and hold the name as well.
///
/// No thread may use the handle during or after the call. The call always succeeds. NULL is
/// ignored, as by free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_close(section: Option<Box<Section>>) -> Status {
    close(section)
}

/// Returns the length in bytes. For memory it is the requested length, rounded up to whole pages;
/// over a file it is the requested length. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_len(
    section: Option<&Section>,
    len: Option<&mut MaybeUninit<u64>>,
) -> Status {
    query("get length", ("section", section), ("len", len), |section| section.section.len())
}

/// Checks that the section still has its name. Mapping it checks that too. Thread-safe.
///
/// @return PAGEMATE_ORPHANED: another program removed the name, so that other processes do not find this
///         section. On Windows no program can do that.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_check_name(section: Option<&Section>) -> Status {
    run(|| Ok(required("check name", "section", section)?.section.check_name()?))
}

/// Returns the length that the creator requested, in bytes, before it was rounded up to whole
/// pages. Thread-safe.
///
/// On Windows only the handle that created the section stores it; other handles return
/// pagemate_section_len().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_requested_len(
    section: Option<&Section>,
    len: Option<&mut MaybeUninit<u64>>,
) -> Status {
    query("get length", ("section", section), ("len", len), |section| {
        section.section.requested_len()
    })
}

/// Returns whether this handle created the section rather than opened it. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_was_created(
    section: Option<&Section>,
    created: Option<&mut MaybeUninit<bool>>,
) -> Status {
    query("get creator", ("section", section), ("created", created), |section| {
        section.section.was_created()
    })
}

/// Returns the name in its shortest spelling, or NULL if it has none. Thread-safe.
///
/// The text belongs to the handle and is valid until the handle is closed.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_name(
    section: Option<&Section>,
    name: Option<&mut MaybeUninit<*const c_char>>,
) -> Status {
    query("get name", ("section", section), ("name", name), |section| {
        section.name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr())
    })
}

/// Returns the access of this handle. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_access(
    section: Option<&Section>,
    access: Option<&mut MaybeUninit<Access>>,
) -> Status {
    query("get access", ("section", section), ("access", access), |section| {
        section.section.access().into()
    })
}

/// Returns the upper limit for the access of views of the section. Thread-safe.
///
/// On Windows a read-only handle that opened the section cannot query it; the result is then
/// PAGEMATE_PROTECTION_READ_WRITE.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_protection(
    section: Option<&Section>,
    protection: Option<&mut MaybeUninit<Protection>>,
) -> Status {
    query("get protection", ("section", section), ("protection", protection), |section| {
        section.section.protection().into()
    })
}
