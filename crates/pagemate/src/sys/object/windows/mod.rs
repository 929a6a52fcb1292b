//! Named memory as Windows has it: the kernel's own file mappings.
//!
//! A section of ours is an ordinary one, which any program opens by its name, and everybody's are
//! ours to open. A handle is the hold on the name; the kernel takes it back at every kind of death,
//! so that nothing dead is ever left.
#![allow(unsafe_code, reason = "Win32 calls")]

mod inventory;
mod mapping;
pub(crate) mod named;
pub(crate) mod native;
pub(crate) mod security;

use std::fs::File;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle};
use std::sync::{Arc, OnceLock};

use windows_sys::Win32::Foundation::{
    DuplicateHandle, ERROR_ACCESS_DENIED, ERROR_BAD_EXE_FORMAT, ERROR_COMMITMENT_LIMIT,
    ERROR_DISK_FULL, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_NO_SYSTEM_RESOURCES,
    ERROR_NOT_ENOUGH_MEMORY, ERROR_OUTOFMEMORY, ERROR_PRIVILEGE_NOT_HELD, INVALID_HANDLE_VALUE,
};
use windows_sys::Win32::Storage::FileSystem::{FILE_READ_DATA, FILE_WRITE_DATA};
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP_READ, FILE_MAP_WRITE, OpenFileMappingW, PAGE_READONLY,
    PAGE_READWRITE, SEC_COMMIT, SEC_RESERVE, SECTION_ALL_ACCESS, SECTION_QUERY,
};
use windows_sys::Win32::System::SystemInformation::{
    GetSystemInfo, GlobalMemoryStatusEx, MEMORYSTATUSEX, SYSTEM_INFO,
};
use windows_sys::Win32::System::Threading::GetCurrentProcess;

use self::named::{already_exists, code_of, owned, spelled};
use self::security::Descriptor;
use super::{Backing, Existing, Spec};
use crate::access::{Access, Kind, Protection};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, Namespace};

pub(crate) use self::inventory::{find, for_questions, list, prune, session, unreachable};
pub(crate) use self::mapping::Mapping;

/// What offsets of a mapping are a multiple of.
pub(crate) fn allocation_granularity() -> u64 {
    sizes().1
}

fn page_size() -> u64 {
    sizes().0
}

/// The page size and the allocation granularity.
fn sizes() -> (u64, u64) {
    static SIZES: OnceLock<(u64, u64)> = OnceLock::new();
    *SIZES.get_or_init(|| {
        let mut info = SYSTEM_INFO::default();
        // SAFETY: the call fills our own structure.
        unsafe { GetSystemInfo(&raw mut info) };
        (info.dwPageSize.into(), info.dwAllocationGranularity.into())
    })
}

/// A handle to shared memory.
#[derive(Debug)]
pub(crate) struct Object {
    handle: OwnedHandle,
    /// The user's file under it, if that can be written to: what a flush has to reach.
    file: Option<Arc<File>>,
    len: u64,
    protection: Protection,
    access: Access,
}

impl Object {
    /// Makes an object and gives it its name; true if it was made.
    pub(crate) fn create(
        name: &Name,
        spec: &Spec<'_>,
        existing: Existing,
    ) -> Result<(Object, bool)> {
        let spec = settled(spec)?;
        let spelled = spelled(name);
        let open = || open_handle(&spelled, spec.access);
        let make = || {
            let descriptor = Descriptor::new(spec.sharing, SECTION_ALL_ACCESS, rights)?;
            make(&spec, Some(&descriptor), Some(&spelled))
                .map_err(|error| cannot_create(name, &spec, error))
        };
        match named::create(existing, open, make)? {
            (handle, true) => Ok((Object::made(handle, &spec)?, true)),
            (handle, false) => Ok((Object::describe(handle, spec.access)?, false)),
        }
    }

    /// Opens a live object.
    pub(crate) fn open(name: &Name, _: Kind, access: Access) -> Result<Object> {
        Object::describe(open_handle(&spelled(name), access)?, access)
    }

    /// Makes a section without a name.
    pub(crate) fn unnamed(spec: &Spec<'_>) -> Result<Object> {
        let spec = settled(spec)?;
        let (handle, _) = make(&spec, None, None).map_err(|e| cannot_make(&spec, e))?;
        Object::made(handle, &spec)
    }

    /// Takes a handle that somebody handed us, with the access that it has.
    pub(crate) fn from_raw(handle: OwnedHandle) -> Result<Object> {
        if !native::is_a(handle.as_handle(), Kind::Section)? {
            let cause = "the handle is not one to a file mapping";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let granted = native::granted_access(handle.as_handle())?;
        if granted & FILE_MAP_READ == 0 {
            let cause = "the handle does not allow reading";
            return Err(Error::new(ErrorKind::PermissionDenied, cause));
        }
        let writes = granted & FILE_MAP_WRITE != 0;
        Object::describe(handle, if writes { Access::ReadWrite } else { Access::Read })
    }

    /// What `make` just made.
    fn made(handle: OwnedHandle, spec: &Spec<'_>) -> Result<Object> {
        let handle = narrowed(handle, spec.access)?;
        let written = spec.file.filter(|_| spec.protection == Protection::ReadWrite);
        let file = written.map(File::try_clone).transpose();
        let file = file.map_err(|e| Error::os("the file's handle cannot be cloned", e))?;
        Ok(Object {
            handle,
            file: file.map(Arc::new),
            len: spec.len,
            protection: spec.protection,
            access: spec.access,
        })
    }

    /// What somebody else made. Its protection shows only to those who may write (row 46): the
    /// kernel lets nobody ask, but refuses them a writable view.
    fn describe(handle: OwnedHandle, access: Access) -> Result<Object> {
        let len = match native::section_len(handle.as_handle())? {
            Some(len) => len,
            None => mapping::measure(handle.as_handle())?,
        };
        let writable = access == Access::Read || mapping::may_be_written(handle.as_handle())?;
        let protection = if writable { Protection::ReadWrite } else { Protection::ReadOnly };
        Ok(Object { handle, file: None, len, protection, access })
    }

    /// The kernel lets nobody remove the name of an object that a process holds.
    #[allow(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "other systems can fail at it"
    )]
    pub(crate) fn check_name(&self) -> Result<()> {
        Ok(())
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn protection(&self) -> Protection {
        self.protection
    }

    pub(crate) fn access(&self) -> Access {
        self.access
    }

    pub(crate) fn handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

/// The rights of a handle with `access`.
fn rights(access: Access) -> u32 {
    match access {
        Access::Read => SECTION_QUERY | FILE_MAP_READ,
        Access::ReadWrite => SECTION_QUERY | FILE_MAP_READ | FILE_MAP_WRITE,
    }
}

fn open_handle(spelled: &[u16], access: Access) -> Result<OwnedHandle> {
    let opened = open_for(spelled, rights(access)).or_else(|error| {
        // A descriptor written by hand may grant the memory and not the question how much it is.
        match code_of(&error) {
            ERROR_ACCESS_DENIED => open_for(spelled, rights(access) & !SECTION_QUERY),
            _ => Err(error),
        }
    });
    opened.map_err(named::cannot_open)
}

fn open_for(spelled: &[u16], rights: u32) -> io::Result<OwnedHandle> {
    // SAFETY: the name ends with a NUL.
    named::opened(unsafe { OpenFileMappingW(rights, 0, spelled.as_ptr()) })
}

/// Makes a section, or opens the one that has its name; true if it was made.
fn make(
    spec: &Spec<'_>,
    descriptor: Option<&Descriptor>,
    spelled: Option<&[u16]>,
) -> io::Result<(OwnedHandle, bool)> {
    let under = spec.file.map_or(INVALID_HANDLE_VALUE, AsRawHandle::as_raw_handle);
    let protection = match spec.protection {
        Protection::ReadOnly => PAGE_READONLY,
        Protection::ReadWrite => PAGE_READWRITE,
    };
    let commit = match spec.backing {
        Backing::Reserved | Backing::Huge => SEC_COMMIT,
        Backing::Sparse => SEC_RESERVE,
    };
    let attributes = descriptor.map(Descriptor::attributes);
    let attributes = attributes.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let name = spelled.map_or(std::ptr::null(), <[u16]>::as_ptr);
    let (high, low) = halves(spec.len);
    // SAFETY: the file's handle is open, the attributes and their descriptor live on, and the name
    // ends with a NUL.
    let handle =
        unsafe { CreateFileMappingW(under, attributes, protection | commit, high, low, name) };
    named::made(handle)
}

/// The creator's handle with no more access than it asked for.
fn narrowed(handle: OwnedHandle, access: Access) -> Result<OwnedHandle> {
    if access == Access::ReadWrite {
        return Ok(handle);
    }
    let mut narrow = std::ptr::null_mut();
    // SAFETY: it gives a number that stands for this process.
    let process = unsafe { GetCurrentProcess() };
    let wide = handle.as_raw_handle();
    // SAFETY: `handle` is open, and `narrow` is ours to write to.
    let done =
        unsafe { DuplicateHandle(process, wide, process, &raw mut narrow, rights(access), 0, 0) };
    if done == 0 {
        let error = io::Error::last_os_error();
        return Err(Error::os("its handle cannot be narrowed", error));
    }
    Ok(owned(narrow).expect("DuplicateHandle gives a handle when it says so"))
}

fn halves(number: u64) -> (u32, u32) {
    let low = u32::try_from(number & u64::from(u32::MAX)).expect("32 bits");
    let high = u32::try_from(number >> 32).expect("32 bits");
    (high, low)
}

/// What is to be made, with the length and the protection that it will have, or why it cannot be.
fn settled<'f>(spec: &Spec<'f>) -> Result<Spec<'f>> {
    let mut spec = *spec;
    match spec.file {
        Some(file) => settle_over(file, &mut spec)?,
        None => spec.len = whole_pages(spec.len)?,
    }
    Ok(spec)
}

/// The same for a file. The kernel would find most of it out, but only when it makes a section,
/// and not where the name exists.
fn settle_over(file: &File, spec: &mut Spec<'_>) -> Result<()> {
    let have = file.metadata().map_err(not_a_file)?.len();
    if spec.len == 0 {
        spec.len = have;
    }
    let len = spec.len;
    if len == 0 {
        let cause = "the file is empty; give a length to make it grow";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    if i64::try_from(len).is_err() {
        return Err(too_long());
    }
    if spec.access == Access::Read {
        spec.protection = Protection::ReadOnly;
    }
    let granted = native::granted_access(file.as_handle())?;
    let denied = |cause| Err(Error::new(ErrorKind::PermissionDenied, cause));
    match spec.protection {
        _ if granted & FILE_READ_DATA == 0 => denied("the file is not open for reading"),
        Protection::ReadWrite if granted & FILE_WRITE_DATA == 0 => {
            denied("the file is not open for writing")
        }
        Protection::ReadOnly if len > have => {
            let cause = format!("the file has {have} bytes, and read-only it cannot grow to {len}");
            Err(Error::new(ErrorKind::OutOfRange, cause))
        }
        _ => Ok(()),
    }
}

fn whole_pages(len: u64) -> Result<u64> {
    if len == 0 {
        let cause = "a section has at least one byte; set its length (len)";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    len.checked_next_multiple_of(page_size())
        .filter(|len| i64::try_from(*len).is_ok())
        .ok_or_else(too_long)
}

fn is_no_space(error: &io::Error) -> bool {
    matches!(
        code_of(error),
        ERROR_COMMITMENT_LIMIT
            | ERROR_DISK_FULL
            | ERROR_NOT_ENOUGH_MEMORY
            | ERROR_NO_SYSTEM_RESOURCES
            | ERROR_OUTOFMEMORY
    )
}

fn too_long() -> Error {
    Error::new(ErrorKind::NoSpace, "so many bytes are more than this system can address")
}

fn not_a_file(error: io::Error) -> Error {
    Error::os_as(ErrorKind::InvalidInput, "it is not a file that can be mapped", error)
}

fn cannot_grow(len: u64, error: io::Error) -> Error {
    // A parameter is invalid if there are more bytes than a file can have (row 12).
    let too_long = code_of(&error) == ERROR_INVALID_PARAMETER;
    let kind = if too_long || is_no_space(&error) { ErrorKind::NoSpace } else { ErrorKind::Os };
    Error::os_as(kind, format!("the file cannot have {len} bytes"), error)
}

/// Why nothing new came to stand under a name that nobody held.
fn cannot_create(name: &Name, spec: &Spec<'_>, error: io::Error) -> Error {
    match (code_of(&error), name.namespace()) {
        (ERROR_ACCESS_DENIED | ERROR_PRIVILEGE_NOT_HELD, Namespace::Global) => {
            let cause = r"a new Global\ section takes the privilege SeCreateGlobalPrivilege, which \
                services and administrators have: run elevated, or use a name without Global\";
            Error::os_as(ErrorKind::PermissionDenied, cause, error)
        }
        (ERROR_INVALID_HANDLE, _) => already_exists(),
        _ => cannot_make(spec, error),
    }
}

/// Why there is no new section.
fn cannot_make(spec: &Spec<'_>, error: io::Error) -> Error {
    match (spec.file, code_of(&error)) {
        (None, _) => no_memory(spec, error),
        (Some(_), ERROR_BAD_EXE_FORMAT) => not_a_file(error),
        (Some(_), ERROR_ACCESS_DENIED) => {
            Error::os("the file is not open for what the section is to do", error)
        }
        (Some(_), _) => cannot_grow(spec.len, error),
    }
}

fn no_memory(spec: &Spec<'_>, error: io::Error) -> Error {
    if !is_no_space(&error) {
        return Error::os("it cannot be created", error);
    }
    let mut status = MEMORYSTATUSEX {
        dwLength: u32::try_from(size_of::<MEMORYSTATUSEX>()).expect("a small structure"),
        ..MEMORYSTATUSEX::default()
    };
    // SAFETY: the call fills our own structure, whose length it is told.
    _ = unsafe { GlobalMemoryStatusEx(&raw mut status) };
    let (len, left) = (spec.len, status.ullAvailPageFile);
    let cause = format!(
        "{len} bytes cannot be set aside: the system has {left} left in memory and page file"
    );
    Error::os_as(ErrorKind::NoSpace, cause, error)
}
