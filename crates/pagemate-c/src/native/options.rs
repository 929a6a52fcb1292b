//! Options of sections and views: structs whose zeros are the defaults.

use super::access::{Access, access, protection, sharing};
use super::descriptor::borrow_file;
use super::status::{Failure, Outcome};
use super::word::{AccessWord, FileWord, ProtectionWord, SharingWord};

/// A flag for a new section: reserves no memory at creation; each page is allocated at its first
/// access.
///
/// Use this for a large section of which only a part is used. If no memory is left, an access ends
/// the process with SIGBUS on Unix. On Windows memory is committed when a range is mapped, and
/// mapping fails. Excludes PAGEMATE_HUGE_PAGES.
pub const PAGEMATE_SPARSE: u32 = 1;

/// A flag for a new section: allocates its memory in huge pages, as far as the system has them. A flag
/// for a view: moves the memory into huge pages, which copies it. A hint; ignored on Windows.
pub const PAGEMATE_HUGE_PAGES: u32 = 2;

/// A flag for a new section: its memory is the content of the open file in the field `file`. The
/// file remains when the name ends, and the caller still owns the descriptor.
pub const PAGEMATE_OVER_FILE: u32 = 4;

/// A flag for a view: maps all pages before the call returns, so that no later access causes a page
/// fault. A hint.
pub const PAGEMATE_PREFAULT: u32 = 8;

/// Options to create or open a section. NULL and a zeroed struct, `{0}`, stand for the defaults.
///
/// Later releases use bytes of `reserved` for new fields, for which zero is the default. If a field
/// that this release does not know is not zero, the call fails with PAGEMATE_INVALID_INPUT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SectionOptions {
    /// The length in bytes, rounded up to whole pages except over a file. An existing object keeps its
    /// length. To create memory, the length must not be 0. Over a file, 0 stands for the length of the
    /// file, and a greater length extends the file.
    pub len: u64,
    /// The least length in bytes of the section, created or opened. A shorter one is PAGEMATE_OUT_OF_RANGE.
    pub min_len: u64,
    /// Access of the new handle. The default is PAGEMATE_ACCESS_READ_WRITE. When an existing object is
    /// opened, all fields other than this and `min_len` are ignored.
    pub access: AccessWord,
    /// The upper limit for the access of views of a new object.
    pub protection: ProtectionWord,
    /// The users who may open a new object. For users other than the owner it needs a `Global\` name.
    pub sharing: SharingWord,
    /// The access of those other users. The default is PAGEMATE_ACCESS_READ.
    pub sharing_access: AccessWord,
    /// 0, or any of PAGEMATE_SPARSE, PAGEMATE_HUGE_PAGES and PAGEMATE_OVER_FILE.
    pub flags: u32,
    /// With PAGEMATE_OVER_FILE, an open file: a descriptor, on Windows a `HANDLE`. Otherwise 0.
    pub file: FileWord,
    /// Must be 0.
    pub reserved: [u64; 4],
}

/// Options to map a section. NULL and a zeroed struct, `{0}`, map the whole section with the access of
/// the handle. Later releases add fields as for pagemate_section_options.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ViewOptions {
    /// The offset of the view in the section, in bytes. It need not be aligned.
    pub offset: u64,
    /// The length of the view in bytes; 0 stands for all bytes up to the section's end.
    pub len: u64,
    /// Access of the view. The default is the access of the handle, as far as the protection of the
    /// object allows.
    pub access: AccessWord,
    /// 0, or any of PAGEMATE_PREFAULT and PAGEMATE_HUGE_PAGES.
    pub flags: u32,
    /// Must be 0.
    pub reserved: [u64; 4],
}

impl SectionOptions {
    /// Calls `action` with the converted options.
    ///
    /// # Safety
    ///
    /// With PAGEMATE_OVER_FILE in `options.flags`, `options.file` is an open file that stays open until
    /// this function returns.
    pub(super) unsafe fn with<T>(
        options: Option<&SectionOptions>,
        call: &str,
        action: impl FnOnce(&pagemate::SectionOptions<'_>) -> Outcome<T>,
    ) -> Outcome<T> {
        let mut set = pagemate::SectionOptions::new();
        let Some(options) = options else { return action(&set) };
        let known = PAGEMATE_SPARSE | PAGEMATE_HUGE_PAGES | PAGEMATE_OVER_FILE;
        check_unused(call, options.flags, known, options.reserved)?;
        let has = |flag| options.flags & flag != 0;
        let granted = access(call, "sharing_access", options.sharing_access)?;
        let granted = granted.unwrap_or(pagemate::Access::Read);
        set.len(options.len)
            .min_len(options.min_len)
            .access(access(call, "access", options.access)?.unwrap_or_default())
            .protection(protection(call, options.protection)?)
            .sharing(sharing(call, options.sharing, granted)?)
            .sparse(has(PAGEMATE_SPARSE))
            .huge_pages(has(PAGEMATE_HUGE_PAGES));
        if !has(PAGEMATE_OVER_FILE) {
            if options.file != 0 {
                let cause = "options->file is set, but PAGEMATE_OVER_FILE in options->flags is not";
                return Err(Failure::invalid(call, cause));
            }
            return action(&set);
        }
        // SAFETY: the flag is set, so the caller guarantees that `options.file` is open until this
        // function returns, which is as long as `file` exists.
        let file = unsafe { borrow_file(call, options.file) }?;
        action(set.file(&file))
    }
}

impl ViewOptions {
    /// Maps `section` with these options.
    pub(super) fn map(
        options: Option<&ViewOptions>,
        call: &str,
        section: &pagemate::Section,
    ) -> Outcome<pagemate::View> {
        let mut view = section.view();
        let Some(options) = options else { return Ok(view.map()?) };
        let known = PAGEMATE_PREFAULT | PAGEMATE_HUGE_PAGES;
        check_unused(call, options.flags, known, options.reserved)?;
        let has = |flag| options.flags & flag != 0;
        view.prefault(has(PAGEMATE_PREFAULT)).huge_pages(has(PAGEMATE_HUGE_PAGES));
        match options.len {
            0 => view.range(options.offset..),
            len => view.range(options.offset..options.offset.saturating_add(len)),
        };
        if options.access == Access::CopyOnWrite as u32 {
            view.copy_on_write(true);
        } else if let Some(access) = access(call, "access", options.access)? {
            view.access(access);
        }
        Ok(view.map()?)
    }
}

/// Fails if there are flags other than `known`, or reserved fields that are not zero.
pub(super) fn check_unused(call: &str, flags: u32, known: u32, reserved: [u64; 4]) -> Outcome {
    if flags & !known != 0 {
        let cause = format!("options->flags has {:#x}, which is not valid here", flags & !known);
        return Err(Failure::invalid(call, cause));
    }
    if reserved != [0; 4] {
        return Err(Failure::invalid(call, "options->reserved is not zero"));
    }
    Ok(())
}
