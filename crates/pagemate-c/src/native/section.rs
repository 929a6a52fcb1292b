//! Named memory.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;

use super::argument::{given, hand_out, spelled, take_back, tell, text};
use super::options::{Access, Protection, SectionOptions};
use super::status::Status;

/// A handle to shared memory.
///
/// A named section lives as long as any process has a handle or a view of it. The last to let go,
/// by closing, exit, a crash or SIGKILL, ends it: the name is free at once, and who creates it anew
/// gets zeroed memory. A child made by `fork` holds what its parent held, until it exits or replaces
/// itself.
///
/// Threads may use one handle at the same time; only to close it one has to be alone with it.
#[derive(Debug)]
pub struct Section {
    pub(super) section: pagemate::Section,
    name: Option<CString>,
}

impl Section {
    pub(super) fn new(section: pagemate::Section) -> Section {
        Section { name: spelled(section.name()), section }
    }
}

/// Makes the section `name`, which must not exist.
///
/// A name is UTF-8, of at most 1,024 UTF-16 units. `x` and `Local\x` are the same object, this user's
/// (on Windows: this logon session's); `Global\x` is the machine's. Elsewhere it has no backslash.
///
/// All memory is set aside here, so that no later touch ends the process for want of it; see
/// PAGEMATE_RESERVE.
///
/// @param name     What it is called.
/// @param options  What to make. NULL has no length, and so is refused.
/// @param section  Gets the handle, to be closed by pagemate_section_close(); NULL on failure.
/// @return PAGEMATE_ALREADY_EXISTS: a process holds an object of this name. PAGEMATE_NO_SPACE: the
///         memory is not to be had; the message has the numbers. PAGEMATE_INVALID_INPUT: no length, or
///         options that make no sense. PAGEMATE_INVALID_NAME. PAGEMATE_WRONG_KIND: `Local`, `Global` or
///         `Session` alone. PAGEMATE_TIMED_OUT: another process kept the name busy for two seconds.
///         PAGEMATE_PERMISSION_DENIED: a file that is not open for what is asked, or no right to make
///         the name. PAGEMATE_OUT_OF_RANGE: a section that is only read, longer than its file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_section_create_new(
    name: *const c_char,
    options: Option<&SectionOptions>,
    section: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let words = "create section";
    hand_out(words, "section", section, || {
        // SAFETY: the text ends in a NUL and is the caller's until we return.
        let name = unsafe { text(words, "name", name) }?;
        SectionOptions::with(options, words, |options| Ok(Section::new(options.create_new(name)?)))
    })
}

/// Opens the section `name` if some process holds it, and makes it otherwise;
/// pagemate_section_was_created() tells which. Of several processes that do this at once exactly one
/// makes it.
///
/// @param name     What it is called.
/// @param options  What to make. A section that exists keeps its own length, protection and sharing.
/// @param section  Gets the handle; NULL on failure.
/// @return As pagemate_section_create_new() and pagemate_section_open(), except that it is missing or
///         exists.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_section_open_or_create(
    name: *const c_char,
    options: Option<&SectionOptions>,
    section: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let words = "open or create section";
    hand_out(words, "section", section, || {
        // SAFETY: the text ends in a NUL and is the caller's until we return.
        let name = unsafe { text(words, "name", name) }?;
        SectionOptions::with(options, words, |options| {
            Ok(Section::new(options.open_or_create(name)?))
        })
    })
}

/// Opens the section `name`, which some process has to hold. It has the length it was created with.
///
/// @param name     What it is called.
/// @param options  With which access. NULL is to read and write.
/// @param section  Gets the handle; NULL on failure.
/// @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_PERMISSION_DENIED: it is another user's.
///         PAGEMATE_WRONG_KIND: the name belongs to something else. PAGEMATE_WRONG_VERSION,
///         PAGEMATE_CORRUPTED: what stands there is not a whole object of this release, or the file
///         that is its memory is not where and what it was. PAGEMATE_INVALID_NAME.
///         PAGEMATE_TIMED_OUT: another process kept the name busy for two seconds.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_section_open(
    name: *const c_char,
    options: Option<&SectionOptions>,
    section: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let words = "open section";
    hand_out(words, "section", section, || {
        // SAFETY: the text ends in a NUL and is the caller's until we return.
        let name = unsafe { text(words, "name", name) }?;
        SectionOptions::with(options, words, |options| Ok(Section::new(options.open(name)?)))
    })
}

/// Makes a section without a name, to be handed to another process as a descriptor or a handle.
///
/// @param options  What to make.
/// @param section  Gets the handle; NULL on failure.
/// @return As pagemate_section_create_new().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_create_unnamed(
    options: Option<&SectionOptions>,
    section: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let words = "create unnamed section";
    hand_out(words, "section", section, || {
        SectionOptions::with(options, words, |options| Ok(Section::new(options.create_unnamed()?)))
    })
}

/// Makes another handle to the same memory. The section lives until both are closed.
///
/// @param section  The handle there is.
/// @param clone    Gets the new one; NULL on failure.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_clone(
    section: Option<&Section>,
    clone: Option<&mut MaybeUninit<Option<Box<Section>>>>,
) -> Status {
    let words = "clone section";
    hand_out(words, "clone", clone, || {
        let section = &given(words, "section", section)?.section;
        Ok(Section::new(section.try_clone()?))
    })
}

/// Closes a handle. Its views stay, and hold the name as well.
///
/// It always succeeds. NULL is nothing to close, as for free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_close(section: Option<Box<Section>>) -> Status {
    take_back(section)
}

/// Tells the length in bytes: of memory, what was asked for rounded up to whole pages; of a file, just
/// what was asked for.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_len(
    section: Option<&Section>,
    len: Option<&mut MaybeUninit<u64>>,
) -> Status {
    tell("ask for length", ("section", section), ("len", len), |section| section.section.len())
}

/// Tells whether this handle made the object, and did not find it.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_was_created(
    section: Option<&Section>,
    created: Option<&mut MaybeUninit<bool>>,
) -> Status {
    tell("ask who created", ("section", section), ("created", created), |section| {
        section.section.was_created()
    })
}

/// Tells the name, in its shortest spelling: valid until the handle is closed. NULL for memory without
/// one of pagemate's.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_name(
    section: Option<&Section>,
    name: Option<&mut MaybeUninit<*const c_char>>,
) -> Status {
    tell("ask for name", ("section", section), ("name", name), |section| {
        section.name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr())
    })
}

/// Tells what this handle may do.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_access(
    section: Option<&Section>,
    access: Option<&mut MaybeUninit<Access>>,
) -> Status {
    tell("ask for access", ("section", section), ("access", access), |section| {
        section.section.access().into()
    })
}

/// Tells what views of the object may do. On Windows a read-only handle to what somebody else made
/// cannot tell, and says PAGEMATE_PROTECTION_READ_WRITE.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_section_protection(
    section: Option<&Section>,
    protection: Option<&mut MaybeUninit<Protection>>,
) -> Status {
    tell("ask for protection", ("section", section), ("protection", protection), |section| {
        section.section.protection().into()
    })
}

/// What the header says of threads.
const _: fn() = || {
    fn any_thread<T: Send + Sync>() {}
    any_thread::<Section>();
    any_thread::<super::view::View>();
    any_thread::<super::mutex::Mutex>();
    any_thread::<super::event::Event>();
    any_thread::<super::semaphore::Semaphore>();
    any_thread::<super::shared::SharedMutex>();
};
