//! Objects as the kernel's file mappings, on Windows.
//!
//! A section of pagemate is an ordinary kernel section. Any program can open it by its name, and
//! pagemate opens the sections of any program. A handle keeps the name. The kernel closes the
//! handles of a process that ends, however it ends, so no dead object is left.
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

use self::named::{already_exists, code_of, kernel_name, owned_handle};
use self::security::Descriptor;
use super::{Backing, Existing, Spec};
use crate::access::{Access, Kind, Protection};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, Namespace};

pub(crate) use self::inventory::{find, list, open_for_descriptor, prune, session, unreachable};
pub(crate) use self::mapping::Mapping;
/// No call of Windows reports a new name in an object directory.
pub(crate) use super::appearance::Poll as NameWatch;

/// Returns the number of bytes of which each offset of a mapping is a multiple.
pub(crate) fn allocation_granularity() -> u64 {
    sizes().1
}

fn page_size() -> u64 {
    sizes().0
}

/// Returns the page size and the allocation granularity.
fn sizes() -> (u64, u64) {
    static SIZES: OnceLock<(u64, u64)> = OnceLock::new();
    *SIZES.get_or_init(|| {
        let mut info = SYSTEM_INFO::default();
        // SAFETY: `info` is a local variable of the type that the call fills.
        unsafe { GetSystemInfo(&raw mut info) };
        (info.dwPageSize.into(), info.dwAllocationGranularity.into())
    })
}

/// A handle to shared memory.
#[derive(Debug)]
pub(crate) struct Object {
    handle: OwnedHandle,
    /// The user's file, if the section can write to it. A flush has to write to that file.
    file: Option<Arc<File>>,
    len: u64,
    protection: Protection,
    access: Access,
}

impl Object {
    /// Creates an object under its name. If the name is taken, opens that object or fails,
    /// depending on `existing`. Returns whether the object was created.
    pub(crate) fn create(
        name: &Name,
        spec: &Spec<'_>,
        existing: Existing,
    ) -> Result<(Object, bool)> {
        let spec = resolve_spec(spec)?;
        let kernel_name = kernel_name(name);
        let open = || open_handle(&kernel_name, spec.access);
        let create = || {
            let descriptor = Descriptor::new(spec.sharing, SECTION_ALL_ACCESS, rights)?;
            create_section(&spec, Some(&descriptor), Some(&kernel_name))
                .map_err(|error| named_creation_error(name, &spec, error))
        };
        match named::create(existing, open, create)? {
            (handle, true) => Ok((Object::from_created(handle, &spec)?, true)),
            (handle, false) => Ok((Object::describe(handle, spec.access)?, false)),
        }
    }

    /// Opens the section called `name`.
    pub(crate) fn open(name: &Name, _: Kind, access: Access) -> Result<Object> {
        Object::describe(open_handle(&kernel_name(name), access)?, access)
    }

    /// Creates a section without a name.
    pub(crate) fn unnamed(spec: &Spec<'_>) -> Result<Object> {
        let spec = resolve_spec(spec)?;
        let created = create_section(&spec, None, None);
        let (handle, _) = created.map_err(|e| creation_error(&spec, e))?;
        Object::from_created(handle, &spec)
    }

    /// Takes a handle of another origin, with the access of that handle.
    pub(crate) fn from_raw(handle: OwnedHandle) -> Result<Object> {
        if !native::is_a(handle.as_handle(), Kind::Section)? {
            let cause = "the handle is not that of a file mapping";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        let granted = native::granted_access(handle.as_handle())?;
        if granted & FILE_MAP_READ == 0 {
            let cause = "the handle has no right to read; open it with FILE_MAP_READ";
            return Err(Error::new(ErrorKind::PermissionDenied, cause));
        }
        let writes = granted & FILE_MAP_WRITE != 0;
        Object::describe(handle, if writes { Access::ReadWrite } else { Access::Read })
    }

    /// Returns the object of a handle that `create_section` created.
    fn from_created(handle: OwnedHandle, spec: &Spec<'_>) -> Result<Object> {
        let handle = restrict_access(handle, spec.access)?;
        let writable = spec.file.filter(|_| spec.protection == Protection::ReadWrite);
        let file = writable.map(File::try_clone).transpose();
        let file = file.map_err(|e| Error::os("the file's handle cannot be cloned", e))?;
        Ok(Object {
            handle,
            file: file.map(Arc::new),
            len: spec.len,
            protection: spec.protection,
            access: spec.access,
        })
    }

    /// Returns the object of a handle that was opened. The kernel does not tell the protection of a
    /// section. It refuses a writable view if the section is read-only, so only a handle with the
    /// right to write can find the protection (row 46).
    fn describe(handle: OwnedHandle, access: Access) -> Result<Object> {
        let len = match native::section_len(handle.as_handle())? {
            Some(len) => len,
            None => mapping::measure(handle.as_handle())?,
        };
        let writable = access == Access::Read || mapping::may_be_written(handle.as_handle())?;
        let protection = if writable { Protection::ReadWrite } else { Protection::ReadOnly };
        Ok(Object { handle, file: None, len, protection, access })
    }

    /// Returns no error: the kernel keeps the name of an object that a process holds.
    #[allow(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "the function of other systems can fail"
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

/// Returns the rights of a handle with `access`.
fn rights(access: Access) -> u32 {
    match access {
        Access::Read => SECTION_QUERY | FILE_MAP_READ,
        Access::ReadWrite => SECTION_QUERY | FILE_MAP_READ | FILE_MAP_WRITE,
    }
}

fn open_handle(kernel_name: &[u16], access: Access) -> Result<OwnedHandle> {
    let opened = open_for(kernel_name, rights(access)).or_else(|error| {
        // A security descriptor of another program may grant the memory without the right to query
        // its length.
        match code_of(&error) {
            ERROR_ACCESS_DENIED => open_for(kernel_name, rights(access) & !SECTION_QUERY),
            _ => Err(error),
        }
    });
    opened.map_err(named::cannot_open)
}

/// Opens a section with these rights. `kernel_name` is a result of `named::kernel_name`.
fn open_for(kernel_name: &[u16], rights: u32) -> io::Result<OwnedHandle> {
    assert_eq!(kernel_name.last(), Some(&0), "a kernel name ends with a NUL");
    // SAFETY: the name ends with a NUL, as asserted above, and is borrowed during the call.
    named::opened_handle(unsafe { OpenFileMappingW(rights, 0, kernel_name.as_ptr()) })
}

/// Creates a section, or opens the section that has its name. Returns whether it was created.
fn create_section(
    spec: &Spec<'_>,
    descriptor: Option<&Descriptor>,
    kernel_name: Option<&[u16]>,
) -> io::Result<(OwnedHandle, bool)> {
    assert!(
        kernel_name.is_none_or(|name| name.last() == Some(&0)),
        "a kernel name ends with a NUL"
    );
    let file = spec.file.map_or(INVALID_HANDLE_VALUE, AsRawHandle::as_raw_handle);
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
    let name = kernel_name.map_or(std::ptr::null(), <[u16]>::as_ptr);
    let (high, low) = halves(spec.len);
    // SAFETY: `spec` borrows the file, so its handle is open. `attributes` and `descriptor`, to
    // which it points, are alive until the end of this function. The name is null or ends with a
    // NUL, as asserted above.
    let handle =
        unsafe { CreateFileMappingW(file, attributes, protection | commit, high, low, name) };
    named::created_handle(handle)
}

/// Replaces the creator's handle by one that has no more than the requested access.
fn restrict_access(handle: OwnedHandle, access: Access) -> Result<OwnedHandle> {
    if access == Access::ReadWrite {
        return Ok(handle);
    }
    let mut restricted = std::ptr::null_mut();
    // SAFETY: GetCurrentProcess takes no argument and returns a constant.
    let process = unsafe { GetCurrentProcess() };
    let original = handle.as_raw_handle();
    // SAFETY: `handle` owns the open handle `original`, and `restricted` is a local variable.
    let done = unsafe {
        DuplicateHandle(process, original, process, &raw mut restricted, rights(access), 0, 0)
    };
    if done == 0 {
        let error = io::Error::last_os_error();
        return Err(Error::os("the rights of its handle cannot be restricted", error));
    }
    Ok(owned_handle(restricted).expect("a successful DuplicateHandle returns a handle"))
}

/// Returns the high and the low 32 bits of a number.
fn halves(number: u64) -> (u32, u32) {
    let low = u32::try_from(number & u64::from(u32::MAX)).expect("32 bits");
    let high = u32::try_from(number >> 32).expect("32 bits");
    (high, low)
}

/// Determines the length and the protection of a new section. Fails if such a section is
/// impossible.
fn resolve_spec<'f>(spec: &Spec<'f>) -> Result<Spec<'f>> {
    let mut spec = *spec;
    match spec.file {
        Some(file) => resolve_file_spec(file, &mut spec)?,
        None => spec.len = whole_pages(spec.len)?,
    }
    Ok(spec)
}

/// Determines the length and the protection of a new section over a file. The kernel checks most of
/// this too, but only if the name is free. These checks give the same errors if the name exists.
fn resolve_file_spec(file: &File, spec: &mut Spec<'_>) -> Result<()> {
    let file_len = file.metadata().map_err(not_a_file)?.len();
    if spec.len == 0 {
        spec.len = file_len;
    }
    let len = spec.len;
    if len == 0 {
        let cause = "the file is empty; set a length (len) to extend it";
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
        _ if granted & FILE_READ_DATA == 0 => {
            denied("the file is not open for reading; open it for reading too")
        }
        Protection::ReadWrite if granted & FILE_WRITE_DATA == 0 => {
            denied("the file is not open for writing; open it for reading and writing")
        }
        Protection::ReadOnly if len > file_len => {
            let cause = format!(
                "the file has {file_len} bytes, and a read-only section cannot extend it to {len}"
            );
            Err(Error::new(ErrorKind::OutOfRange, cause))
        }
        _ => Ok(()),
    }
}

fn whole_pages(len: u64) -> Result<u64> {
    if len == 0 {
        let cause = "a section needs at least one byte; set its length (len)";
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
    Error::new(ErrorKind::NoSpace, "its length is more than this system can address")
}

fn not_a_file(error: io::Error) -> Error {
    Error::os_as(ErrorKind::InvalidInput, "it is not a file that can be mapped", error)
}

fn cannot_grow(len: u64, error: io::Error) -> Error {
    // ERROR_INVALID_PARAMETER means that the length exceeds the maximum length of a file (row 12).
    let too_long = code_of(&error) == ERROR_INVALID_PARAMETER;
    let kind = if too_long || is_no_space(&error) { ErrorKind::NoSpace } else { ErrorKind::Os };
    Error::os_as(kind, format!("the file cannot be extended to {len} bytes"), error)
}

/// Returns the error for a named section that could not be created.
fn named_creation_error(name: &Name, spec: &Spec<'_>, error: io::Error) -> Error {
    match (code_of(&error), name.namespace()) {
        (ERROR_ACCESS_DENIED | ERROR_PRIVILEGE_NOT_HELD, Namespace::Global) => {
            let cause = r"a new Global\ section needs the privilege SeCreateGlobalPrivilege, which \
                services and administrators have: run elevated, or use a name without Global\";
            Error::os_as(ErrorKind::PermissionDenied, cause, error)
        }
        (ERROR_INVALID_HANDLE, _) => already_exists(),
        _ => creation_error(spec, error),
    }
}

/// Returns the error for a section that could not be created.
fn creation_error(spec: &Spec<'_>, error: io::Error) -> Error {
    match (spec.file, code_of(&error)) {
        (None, _) => no_memory(spec, error),
        (Some(_), ERROR_BAD_EXE_FORMAT) => not_a_file(error),
        (Some(_), ERROR_ACCESS_DENIED) => {
            Error::os("the file is not open with the rights that the section needs", error)
        }
        (Some(_), _) => cannot_grow(spec.len, error),
    }
}

/// Returns the error for a section in memory that could not be created.
fn no_memory(spec: &Spec<'_>, error: io::Error) -> Error {
    if !is_no_space(&error) {
        return Error::os("it cannot be created", error);
    }
    let mut status = MEMORYSTATUSEX {
        dwLength: u32::try_from(size_of::<MEMORYSTATUSEX>()).expect("a small structure"),
        ..MEMORYSTATUSEX::default()
    };
    // SAFETY: `status` is a local variable, and its `dwLength` tells the call its length.
    _ = unsafe { GlobalMemoryStatusEx(&raw mut status) };
    let (len, left) = (spec.len, status.ullAvailPageFile);
    let cause = format!(
        "{len} bytes cannot be reserved: the system has {left} left in memory and page file; request \
         less, or end other processes"
    );
    Error::os_as(ErrorKind::NoSpace, cause, error)
}
