//! File mappings: creates and opens them.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::ffi::c_void;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use pagemate::os::unix::SectionExt;
use pagemate::{Access, ErrorKind, Protection, Section, SectionOptions};
use rustix::fs::{CWD, Mode, OFlags};

use crate::error::{
    self, ACCESS_DENIED, ALREADY_EXISTS, BAD_ENVIRONMENT, BAD_EXE_FORMAT, COMMITMENT_LIMIT, Code,
    DISK_FULL, FILE_INVALID, INVALID_HANDLE, INVALID_PARAMETER, NOT_ENOUGH_MEMORY, NOT_SUPPORTED,
    PRIVILEGE_NOT_HELD, Result, answer,
};
use crate::file::object::File;
use crate::handle::rights::{
    self, CREATED_MAPPING, MAP_EXECUTE, MAP_READ, MAP_WRITE, MAXIMUM_ALLOWED, MOST_OF_A_READER,
    READ_DATA, WRITE_DATA,
};
use crate::handle::table::{self as handle, CURRENT_PROCESS, Entry, Handle, Object};
use crate::join;
use crate::memory::page_protection::{NOCACHE, READONLY, READWRITE, WRITECOMBINE, WRITECOPY};
use crate::system::security::{self, SecurityAttributes};
use crate::text::name;

/// `FILE_MAP_COPY` and `FILE_MAP_EXECUTE`, which do not correspond to rights of a mapping by value.
const FILE_MAP_COPY: u32 = 0x1;
const FILE_MAP_EXECUTE: u32 = 0x20;

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

/// The state that all handles to a mapping share.
#[derive(Debug)]
pub(crate) struct Mapping {
    section: Section,
    over_file: bool,
    /// For a section whose memory is committed on demand: a second descriptor of the memory, which
    /// does not keep the name alive. `None` if all pages are allocated.
    sparse: Option<Arc<OwnedFd>>,
    /// `PAGE_NOCACHE`, `PAGE_WRITECOMBINE` or zero: `VirtualQuery` reports this modifier for views. The
    /// memory is cached nevertheless. A process that opens the section by name does not see the modifier.
    caching: u32,
}

impl Mapping {
    pub(crate) fn new(section: Section) -> Result<Mapping> {
        let over_file = section.is_over_file();
        let sparse = if over_file { None } else { sparse(&section)? };
        Ok(Mapping { section, over_file, sparse, caching: 0 })
    }

    pub(crate) fn caching(&self) -> u32 {
        self.caching
    }

    pub(crate) fn section(&self) -> &Section {
        &self.section
    }

    pub(crate) fn over_file(&self) -> bool {
        self.over_file
    }

    pub(crate) fn sparse(&self) -> Option<&Arc<OwnedFd>> {
        self.sparse.as_ref()
    }

    /// Returns a mapping whose descriptor permits `access`, and the rights to grant.
    ///
    /// Opens the section by name if this mapping's descriptor is read-only and `access` includes
    /// writing. With [`MAXIMUM_ALLOWED`], grants as many rights as possible.
    pub(crate) fn with_access(self: Arc<Self>, access: u32) -> Result<(Arc<Mapping>, u32)> {
        if access & MAXIMUM_ALLOWED != 0 {
            return match Arc::clone(&self).with_access(rights::MAPPING.all) {
                Err(ACCESS_DENIED) => Ok((self, MOST_OF_A_READER)),
                all => all,
            };
        }
        let enough = access & MAP_WRITE == 0
            || self.section.access() == Access::ReadWrite
            || self.section.protection() == Protection::ReadOnly;
        match self.section.name() {
            _ if enough => Ok((self, access)),
            Some(name) => Ok((Arc::new(Mapping::new(Section::open(name.to_string())?)?), access)),
            None => Err(ACCESS_DENIED),
        }
    }
}

/// Opens a second descriptor of a section whose memory is not fully allocated.
fn sparse(section: &Section) -> Result<Option<Arc<OwnedFd>>> {
    let memory = section.memory();
    let stat = rustix::fs::fstat(memory)?;
    // `st_blocks` counts units of 512 bytes on every file system.
    if stat.st_blocks.saturating_mul(512) >= stat.st_size {
        return Ok(None);
    }
    let access = match section.access() {
        Access::Read => OFlags::RDONLY,
        Access::ReadWrite => OFlags::RDWR,
    };
    let itself = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&memory.as_fd()));
    let again = rustix::fs::openat(CWD, itself, access | OFlags::CLOEXEC, Mode::empty())?;
    Ok(Some(Arc::new(again)))
}

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
        // The address space of a process is smaller.
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

    /// Returns the rights of the handle, which do not depend on whether the mapping was created or
    /// opened.
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
            // Row 12: a length beyond the address space is reported as a lack of memory, not of
            // disk space.
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
    // SAFETY: the caller guarantees that `attributes` is null or points to
    // valid attributes.
    let (inherit, sharing) = unsafe { security::wanted(attributes) }?;
    let section = wanted.make(name.as_deref(), sharing)?;
    let found = name.is_some() && !section.was_created();
    let caching = if found { 0 } else { wanted.caching };
    let object = Object::Mapping(Arc::new(Mapping { caching, ..Mapping::new(section)? }));
    let handle = handle::open(Entry { object, access: wanted.access() }, inherit)?;
    error::set_last(if found { ALREADY_EXISTS.0 } else { 0 });
    Ok(handle)
}

fn open(access: u32, inherit: i32, name: Result<Option<String>>) -> Result<Handle> {
    let name = name?.ok_or(INVALID_PARAMETER)?;
    if name.is_empty() {
        return Err(INVALID_HANDLE);
    }
    name::check(&name)?;
    let access = match access {
        // A copy-on-write view needs the right to read.
        FILE_MAP_COPY => MAP_READ,
        _ if access & FILE_MAP_EXECUTE != 0 => access & !FILE_MAP_EXECUTE | MAP_EXECUTE,
        access => access,
    };
    let granted = rights::MAPPING.opened(access);
    let open = |access| SectionOptions::new().access(access).open(&name);
    // Windows reports a missing object before missing rights. So the name is opened before the
    // refusal is returned.
    let (section, access) = match granted {
        Ok(most) if most & MAXIMUM_ALLOWED != 0 => match open(Access::ReadWrite) {
            Ok(section) => (section, rights::MAPPING.all),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                (open(Access::Read)?, MOST_OF_A_READER)
            }
            Err(error) => return Err(error.into()),
        },
        Ok(access) if access & MAP_WRITE != 0 => (open(Access::ReadWrite)?, access),
        Ok(access) => (open(Access::Read)?, access),
        Err(refusal) => {
            open(Access::Read)?;
            return Err(refusal);
        }
    };
    let object = Object::Mapping(Arc::new(Mapping::new(section)?));
    handle::open(Entry { object, access }, inherit != 0)
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
    answer(made, std::ptr::null_mut::<c_void>())
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
    answer(made, std::ptr::null_mut())
}

/// Opens a mapping that some process holds a handle to.
///
/// # Safety
///
/// `name` is null or points to a string that ends in a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn OpenFileMappingA(access: u32, inherit: i32, name: *const u8) -> Handle {
    // SAFETY: the caller guarantees that `name` is null or points to a string that ends in a NUL.
    let name = unsafe { name::narrow(name) };
    answer(open(access, inherit, name), std::ptr::null_mut())
}

/// Does the same as [`OpenFileMappingA`], for 16-bit characters.
///
/// # Safety
///
/// As for [`OpenFileMappingA`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn OpenFileMappingW(access: u32, inherit: i32, name: *const u16) -> Handle {
    // SAFETY: the caller guarantees that `name` is null or points to a string that ends in a NUL.
    let name = unsafe { name::wide(name) };
    answer(open(access, inherit, name), std::ptr::null_mut())
}
