//! `CreateFileMapping`.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::sync::Arc;

use pagemate::{Access, ErrorKind, Protection, Section, SectionOptions};

use crate::error::{
    self, ACCESS_DENIED, ALREADY_EXISTS, BAD_ENVIRONMENT, BAD_EXE_FORMAT, COMMITMENT_LIMIT, Code,
    DISK_FULL, FILE_INVALID, INVALID_PARAMETER, NOT_ENOUGH_MEMORY, NOT_SUPPORTED,
    PRIVILEGE_NOT_HELD, Result, answer,
};
use crate::handle::entry::{Entry, Object};
use crate::handle::number::{CURRENT_PROCESS, Handle};
use crate::handle::process_table as handle;
use crate::handle::rights::{CREATED_MAPPING, MAP_WRITE, READ_DATA, WRITE_DATA};
use crate::memory::page_protection::{NOCACHE, READONLY, READWRITE, WRITECOMBINE, WRITECOPY};
use crate::object::file::File;
use crate::object::mapping::Mapping;
use crate::security::{self, SecurityAttributes};
use crate::text::name;
use crate::u64_halves::join;

/// `SEC_` attributes.
const SEC_FILE: u32 = 0x0080_0000;
const SEC_IMAGE: u32 = 0x0100_0000;
const SEC_RESERVE: u32 = 0x0400_0000;
const SEC_COMMIT: u32 = 0x0800_0000;
const SEC_NOCACHE: u32 = 0x1000_0000;
const SEC_WRITECOMBINE: u32 = 0x4000_0000;
const SEC_LARGE_PAGES: u32 = 0x8000_0000;
const SEC: u32 = SEC_FILE
    | SEC_IMAGE
    | SEC_RESERVE
    | SEC_COMMIT
    | SEC_NOCACHE
    | SEC_WRITECOMBINE
    | SEC_LARGE_PAGES;

/// The validated arguments of `CreateFileMapping`.
struct Wanted {
    /// Exactly one of `PAGE_READONLY`, `PAGE_READWRITE` and `PAGE_WRITECOPY`.
    protection: u32,
    reserve: bool,
    /// The caching modifier that the `SEC_` attributes imply, or zero.
    caching: u32,
    len: u64,
    file: Option<(Arc<File>, u32)>,
}

impl Wanted {
    /// Checks all arguments except the name, in the order in which Windows reports errors.
    fn parse(file: Handle, protection: u32, len: u64) -> Result<Wanted> {
        let (sec, base) = (protection & SEC, protection & !SEC);
        match base {
            READONLY | READWRITE | WRITECOPY => {}
            0x20 | 0x40 | 0x80 => return Err(NOT_SUPPORTED),
            _ => return Err(INVALID_PARAMETER),
        }
        let in_memory = file.is_null() || file.addr() == CURRENT_PROCESS;
        if file.addr() == CURRENT_PROCESS && len == 0 {
            return Err(INVALID_PARAMETER);
        }
        let kinds = sec & (SEC_RESERVE | SEC_COMMIT | SEC_IMAGE);
        if sec & SEC_FILE != 0 || kinds.count_ones() > 1 || (sec != 0 && kinds == 0) {
            return Err(INVALID_PARAMETER);
        }
        if sec & SEC_IMAGE != 0 && sec & (SEC_LARGE_PAGES | SEC_WRITECOMBINE) != 0 {
            return Err(INVALID_PARAMETER);
        }
        if sec & SEC_LARGE_PAGES != 0 && (sec & SEC_COMMIT == 0 || !in_memory) {
            return Err(INVALID_PARAMETER);
        }
        let file = if in_memory { None } else { Some(handle::file(file)?) };
        if let Some((_, access)) = &file {
            let needed = READ_DATA | if base == READWRITE { WRITE_DATA } else { 0 };
            if access & needed != needed {
                return Err(ACCESS_DENIED);
            }
        }
        if sec & SEC_IMAGE != 0 {
            return Err(BAD_EXE_FORMAT);
        }
        let negative = len > i64::MAX.cast_unsigned();
        if negative && !in_memory && base != READWRITE {
            return Err(NOT_ENOUGH_MEMORY);
        }
        if negative || in_memory && len == 0 {
            return Err(INVALID_PARAMETER);
        }
        // No process has an address space of this size.
        if in_memory && len >= 1 << 47 {
            return Err(NOT_ENOUGH_MEMORY);
        }
        if sec & SEC_LARGE_PAGES != 0 {
            return Err(PRIVILEGE_NOT_HELD);
        }
        let caching = match sec & (SEC_NOCACHE | SEC_WRITECOMBINE) {
            0 => 0,
            SEC_WRITECOMBINE => WRITECOMBINE,
            _ => NOCACHE,
        };
        Ok(Wanted { protection: base, reserve: sec & SEC_RESERVE != 0, caching, len, file })
    }

    /// Returns the rights of the new handle. They are the same if the call opens an existing
    /// mapping.
    fn access(&self) -> u32 {
        let write = if self.protection == READWRITE { MAP_WRITE } else { 0 };
        CREATED_MAPPING | write
    }

    fn make(&self, name: Option<&str>, sharing: pagemate::Sharing) -> Result<Section> {
        let mut options = SectionOptions::new();
        options.len(self.len).sharing(sharing).sparse(self.reserve);
        if self.protection != READWRITE {
            options.access(Access::Read).protection(Protection::ReadOnly);
        }
        if let Some((file, _)) = &self.file {
            options.file(file.inner());
        }
        let made = match name {
            Some(name) => options.open_or_create(name),
            None => options.create_unnamed(),
        };
        made.map_err(|error| {
            let kind = error.kind();
            self.code_of(kind, Code::from(error))
        })
    }

    fn code_of(&self, kind: ErrorKind, code: Code) -> Code {
        match (kind, &self.file) {
            _ if code == BAD_ENVIRONMENT => code,
            // Row 12 of `docs/platforms.md`: if a length exceeds the address space, Windows reports
            // a lack of memory, not of disk space.
            (ErrorKind::NoSpace, Some(_)) if self.len >= 1 << 47 => NOT_ENOUGH_MEMORY,
            (ErrorKind::NoSpace, Some(_)) => DISK_FULL,
            (ErrorKind::NoSpace, None) => COMMITMENT_LIMIT,
            (ErrorKind::InvalidInput, Some(_)) if self.len == 0 => FILE_INVALID,
            (ErrorKind::InvalidInput | ErrorKind::OutOfRange, _) => NOT_ENOUGH_MEMORY,
            _ => code,
        }
    }
}

/// Creates a mapping, or opens an existing one. An empty name means an unnamed mapping.
///
/// # Safety
///
/// `attributes` is null or points to valid attributes.
unsafe fn create(
    file: Handle,
    attributes: *const SecurityAttributes,
    protection: u32,
    len: u64,
    name: Result<Option<String>>,
) -> Result<Handle> {
    let name = name?.filter(|name| !name.is_empty());
    let wanted = Wanted::parse(file, protection, len)?;
    name.as_deref().map_or(Ok(()), name::check)?;
    // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
    let (inherit, sharing) = unsafe { security::wanted(attributes) }?;
    let section = wanted.make(name.as_deref(), sharing)?;
    let found = name.is_some() && !section.was_created();
    let caching = if found { 0 } else { wanted.caching };
    let object = Object::Mapping(Arc::new(Mapping::new(section)?.with_caching(caching)));
    let handle = handle::open(Entry { object, access: wanted.access() }, inherit)?;
    error::set_last(if found { ALREADY_EXISTS.0 } else { 0 });
    Ok(handle)
}

/// Creates a mapping, or opens the existing one with its name.
///
/// # Safety
///
/// `attributes` is null or points to valid attributes; `name` is null or points to a string that
/// ends in a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateFileMappingA(
    file: Handle,
    attributes: *const SecurityAttributes,
    protection: u32,
    len_high: u32,
    len_low: u32,
    name: *const u8,
) -> Handle {
    // SAFETY: the caller guarantees that `name` is null or points to a string that ends in a NUL.
    let name = unsafe { name::narrow(name) };
    // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
    let made = unsafe { create(file, attributes, protection, join(len_high, len_low), name) };
    answer("CreateFileMappingA", made, std::ptr::null_mut())
}

/// Does the same as [`CreateFileMappingA`], for 16-bit characters.
///
/// # Safety
///
/// As for [`CreateFileMappingA`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn CreateFileMappingW(
    file: Handle,
    attributes: *const SecurityAttributes,
    protection: u32,
    len_high: u32,
    len_low: u32,
    name: *const u16,
) -> Handle {
    // SAFETY: the caller guarantees that `name` is null or points to a string that ends in a NUL.
    let name = unsafe { name::wide(name) };
    // SAFETY: the caller guarantees that `attributes` is null or points to valid attributes.
    let made = unsafe { create(file, attributes, protection, join(len_high, len_low), name) };
    answer("CreateFileMappingW", made, std::ptr::null_mut())
}
