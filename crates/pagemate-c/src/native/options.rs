//! Options as C writes them: plain structs whose zeros are the defaults.

use std::mem::ManuallyDrop;

use super::argument::{AccessWord, FileWord, ProtectionWord, SharingWord};
use super::os;
use super::status::{Failure, Outcome};

/// What a handle or a view may do with the memory.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// What is the default in that place: each says which.
    Default = 0,
    /// Look only. The kernel enforces it.
    Read = 1,
    /// Look and change.
    ReadWrite = 2,
    /// For views only: look and change, but writes stay in this view, page by page from the first one
    /// (`FILE_MAP_COPY`, `MAP_PRIVATE`). Whether pages not written yet show others' later writes is
    /// left open by the systems.
    CopyOnWrite = 3,
}

/// What views of an object may ever do, whoever opens it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// PAGEMATE_PROTECTION_READ_WRITE.
    Default = 0,
    /// Views read, or write to a copy of their own (`PAGE_READONLY`): for a file that is there
    /// already, since memory of which nobody ever writes a byte stays zero.
    ReadOnly = 1,
    /// Views read and write (`PAGE_READWRITE`).
    ReadWrite = 2,
}

/// Which other users may open an object. Its owner always has all access.
///
/// What you grant is what they can do to you: somebody who can read an object can also keep its name
/// alive, and somebody who can write can change any byte at any time, or cut the memory short under
/// your views, which ends your process with SIGBUS on Unix. It is the mode of a file on Unix, a
/// security descriptor on Windows.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// The owner alone.
    Owner = 0,
    /// Members of the creator's group too: of its primary group on Windows.
    Group = 1,
    /// Everyone on the machine.
    Everyone = 2,
}

/// For a new section: sets nothing aside at creation, pages come at first touch. For sparse giants. A
/// touch that finds no memory ends the process with SIGBUS on Unix; on Windows a range is set aside
/// when it is mapped. Not together with PAGEMATE_HUGE_PAGES.
pub const PAGEMATE_RESERVE: u32 = 1;

/// For a new section: sets its memory aside in huge pages, as far as the system has them. For a view:
/// gathers the memory into huge pages, which copies it. A wish, without effect on Windows.
pub const PAGEMATE_HUGE_PAGES: u32 = 2;

/// For a new section: makes it over the open file in `file`, whose bytes are the memory. The file
/// stays when the name goes, and the descriptor remains yours to close.
pub const PAGEMATE_OVER_FILE: u32 = 4;

/// For a view: brings all pages in now, so that no later touch waits for one. A wish.
pub const PAGEMATE_PREFAULT: u32 = 8;

/// How to make or open a section. A zeroed one, `{0}`, has all defaults, and NULL stands for it.
///
/// It grows in later releases by taking from `reserved`, so that what says nothing of a new field
/// gets its default; a release that does not know a field refuses it, instead of passing over it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SectionOptions {
    /// The length in bytes, rounded up to whole pages unless it is a file's; an object that exists
    /// keeps its own. 0 is refused by what creates, but over a file it is the file's own length. A
    /// greater one makes the file grow.
    pub len: u64,
    /// What the new handle may do. The default is PAGEMATE_ACCESS_READ_WRITE. An opener has no say in
    /// what else stands here.
    pub access: AccessWord,
    /// What views of a new object may do, whoever opens it.
    pub protection: ProtectionWord,
    /// Which other users may open a new object. They meet under a `Global\` name.
    pub sharing: SharingWord,
    /// What those others may do. The default is PAGEMATE_ACCESS_READ.
    pub sharing_access: AccessWord,
    /// Any of PAGEMATE_RESERVE, PAGEMATE_HUGE_PAGES and PAGEMATE_OVER_FILE, or 0.
    pub flags: u32,
    /// With PAGEMATE_OVER_FILE an open file: a descriptor, on Windows a `HANDLE`. Else 0.
    pub file: FileWord,
    /// 0.
    pub reserved: [u64; 4],
}

/// How to map a section. A zeroed one, `{0}`, maps all of it with the access of the handle, and NULL
/// stands for it. It grows as pagemate_section_options does.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ViewOptions {
    /// Where in the section the view begins, in bytes. Any offset will do.
    pub offset: u64,
    /// How many bytes it has; 0 is all up to the end.
    pub len: u64,
    /// What the view may do. The default is the handle's own access, as far as the object's
    /// protection allows.
    pub access: AccessWord,
    /// Any of PAGEMATE_PREFAULT and PAGEMATE_HUGE_PAGES, or 0.
    pub flags: u32,
    /// 0.
    pub reserved: [u64; 4],
}

impl SectionOptions {
    /// Runs `verb` on what these options say.
    pub(super) fn with<T>(
        options: Option<&SectionOptions>,
        call: &str,
        verb: impl FnOnce(&pagemate::SectionOptions<'_>) -> Outcome<T>,
    ) -> Outcome<T> {
        let mut set = pagemate::SectionOptions::new();
        let Some(options) = options else { return verb(&set) };
        let flags = PAGEMATE_RESERVE | PAGEMATE_HUGE_PAGES | PAGEMATE_OVER_FILE;
        only(call, options.flags, flags, options.reserved)?;
        set.len(options.len)
            .access(access(call, "access", options.access)?.unwrap_or_default())
            .protection(protection(call, options.protection)?)
            .sharing(sharing(call, options.sharing, options.sharing_access)?);
        match options.flags & (PAGEMATE_RESERVE | PAGEMATE_HUGE_PAGES) {
            0 => {}
            PAGEMATE_RESERVE => _ = set.reserve(),
            PAGEMATE_HUGE_PAGES => _ = set.huge_pages(),
            _ => {
                let cause = "PAGEMATE_RESERVE and PAGEMATE_HUGE_PAGES exclude each other";
                return Err(Failure::invalid(call, cause));
            }
        }
        if options.flags & PAGEMATE_OVER_FILE == 0 {
            if options.file != 0 {
                let cause = "options->file is set, but not PAGEMATE_OVER_FILE in options->flags";
                return Err(Failure::invalid(call, cause));
            }
            return verb(&set);
        }
        // SAFETY: the caller lends an open file for this call.
        let file = unsafe { os::lent(call, options.file) }.map(ManuallyDrop::new)?;
        verb(set.file(&file))
    }
}

impl ViewOptions {
    /// Maps `section` as these options say.
    pub(super) fn map(
        options: Option<&ViewOptions>,
        call: &str,
        section: &pagemate::Section,
    ) -> Outcome<pagemate::View> {
        let mut view = section.view();
        let Some(options) = options else { return Ok(view.map()?) };
        only(call, options.flags, PAGEMATE_PREFAULT | PAGEMATE_HUGE_PAGES, options.reserved)?;
        match options.len {
            0 => view.range(options.offset..),
            len => view.range(options.offset..options.offset.saturating_add(len)),
        };
        if options.access == Access::CopyOnWrite as u32 {
            view.copy_on_write();
        } else if let Some(access) = access(call, "access", options.access)? {
            view.access(access);
        }
        if options.flags & PAGEMATE_PREFAULT != 0 {
            view.prefault();
        }
        if options.flags & PAGEMATE_HUGE_PAGES != 0 {
            view.huge_pages();
        }
        Ok(view.map()?)
    }
}

/// Refuses flags that are not `known`, and fields that are of a later release.
pub(super) fn only(call: &str, flags: u32, known: u32, reserved: [u64; 4]) -> Outcome {
    if flags & !known != 0 {
        let cause = format!("options->flags has {:#x}, which means nothing here", flags & !known);
        return Err(Failure::invalid(call, cause));
    }
    if reserved != [0; 4] {
        return Err(Failure::invalid(call, "options->reserved is not zero"));
    }
    Ok(())
}

pub(super) fn unknown(call: &str, field: &str, word: u32) -> Failure {
    Failure::invalid(call, format_args!("{field} is {word}, which means nothing here"))
}

/// What handles may do; `None` for the default.
pub(super) fn access(
    call: &str,
    field: &str,
    word: AccessWord,
) -> Outcome<Option<pagemate::Access>> {
    const DEFAULT: u32 = Access::Default as u32;
    const READ: u32 = Access::Read as u32;
    const READ_WRITE: u32 = Access::ReadWrite as u32;
    match word {
        DEFAULT => Ok(None),
        READ => Ok(Some(pagemate::Access::Read)),
        READ_WRITE => Ok(Some(pagemate::Access::ReadWrite)),
        _ => Err(unknown(call, field, word)),
    }
}

fn protection(call: &str, word: ProtectionWord) -> Outcome<pagemate::Protection> {
    const DEFAULT: u32 = Protection::Default as u32;
    const READ_ONLY: u32 = Protection::ReadOnly as u32;
    const READ_WRITE: u32 = Protection::ReadWrite as u32;
    match word {
        DEFAULT | READ_WRITE => Ok(pagemate::Protection::ReadWrite),
        READ_ONLY => Ok(pagemate::Protection::ReadOnly),
        _ => Err(unknown(call, "protection", word)),
    }
}

fn sharing(call: &str, word: SharingWord, granted: AccessWord) -> Outcome<pagemate::Sharing> {
    let granted = access(call, "sharing_access", granted)?.unwrap_or(pagemate::Access::Read);
    shared_for(call, word, granted)
}

/// Who else may open an object, for what is granted.
pub(super) fn shared_for(
    call: &str,
    word: SharingWord,
    granted: pagemate::Access,
) -> Outcome<pagemate::Sharing> {
    const OWNER: u32 = Sharing::Owner as u32;
    const GROUP: u32 = Sharing::Group as u32;
    const EVERYONE: u32 = Sharing::Everyone as u32;
    match word {
        OWNER => Ok(pagemate::Sharing::Owner),
        GROUP => Ok(pagemate::Sharing::Group(granted)),
        EVERYONE => Ok(pagemate::Sharing::Everyone(granted)),
        _ => Err(unknown(call, "sharing", word)),
    }
}

impl From<pagemate::Access> for Access {
    fn from(access: pagemate::Access) -> Access {
        match access {
            pagemate::Access::Read => Access::Read,
            pagemate::Access::ReadWrite => Access::ReadWrite,
        }
    }
}

impl From<pagemate::Protection> for Protection {
    fn from(protection: pagemate::Protection) -> Protection {
        match protection {
            pagemate::Protection::ReadOnly => Protection::ReadOnly,
            pagemate::Protection::ReadWrite => Protection::ReadWrite,
        }
    }
}

/// Who else may open an object, and for what.
pub(super) fn told(sharing: pagemate::Sharing) -> (Sharing, Access) {
    match sharing {
        pagemate::Sharing::Owner => (Sharing::Owner, Access::Default),
        pagemate::Sharing::Group(access) => (Sharing::Group, access.into()),
        pagemate::Sharing::Everyone(access) => (Sharing::Everyone, access.into()),
    }
}
