//! Handles to sections: create, open, and their properties.
#![allow(unsafe_code, reason = "Win32 calls")]

use std::fs::File;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle};
use std::sync::Arc;

use windows_sys::Win32::Foundation::{DuplicateHandle, ERROR_ACCESS_DENIED, INVALID_HANDLE_VALUE};
use windows_sys::Win32::System::Memory::{
    CreateFileMappingW, FILE_MAP_READ, FILE_MAP_WRITE, OpenFileMappingW, PAGE_READONLY,
    PAGE_READWRITE, SEC_COMMIT, SEC_RESERVE, SECTION_ALL_ACCESS, SECTION_QUERY,
};
use windows_sys::Win32::System::Threading::GetCurrentProcess;

use super::super::{Backing, Existing, Init, Mode, Range, Spec};
use super::error::{creation_error, named_creation_error};
use super::mapping::{self, Mapping};
use super::named::{self, code_of, kernel_name, owned_handle};
use super::native;
use super::security::Descriptor;
use super::sizes::halves;
use super::spec::resolve_spec;
use crate::access::{Access, Protection};
use crate::error::{Error, ErrorKind, Result};
use crate::kind::Kind;
use crate::name::Name;

/// A handle to shared memory.
#[derive(Debug)]
pub(crate) struct Object {
    handle: OwnedHandle,
    /// The user's file, if the section can write to it. A flush has to write to that file.
    file: Option<Arc<File>>,
    len: u64,
    /// The length that the creator requested. The kernel does not store it, so in other handles it
    /// is `len`.
    asked_len: u64,
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
        init: Option<Init<'_>>,
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
            (handle, true) => {
                if let Some(init) = init {
                    init(Object::for_content(&handle, &spec)?)?;
                }
                let object = Object::from_created(handle, &spec)?;
                object.write_content(spec.content)?;
                Ok((object, true))
            }
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

    /// Returns the memory of a new object, for writing its content.
    fn for_content(handle: &OwnedHandle, spec: &Spec<'_>) -> Result<Object> {
        if spec.protection == Protection::ReadOnly {
            let cause =
                "Windows gives nobody write access to read-only memory, not even its creator";
            return Err(Error::new(ErrorKind::Unsupported, cause));
        }
        let handle = handle.try_clone();
        let handle = handle.map_err(|e| Error::os("its handle cannot be duplicated", e))?;
        let spec = Spec { access: Access::ReadWrite, ..*spec };
        Object::from_created(handle, &spec)
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
            asked_len: spec.asked_len,
            protection: spec.protection,
            access: spec.access,
        })
    }

    /// Returns the object of a handle that was opened. The kernel does not report the protection of
    /// a section, but refuses a writable view if the section is read-only. Therefore only a handle
    /// with the right to write can determine the protection (`win32_rows.rs`, row 46).
    fn describe(handle: OwnedHandle, access: Access) -> Result<Object> {
        let len = match native::section_len(handle.as_handle())? {
            Some(len) => len,
            None => mapping::measure(handle.as_handle())?,
        };
        let writable = access == Access::Read || mapping::may_be_written(handle.as_handle())?;
        let protection = if writable { Protection::ReadWrite } else { Protection::ReadOnly };
        Ok(Object { handle, file: None, len, asked_len: len, protection, access })
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

    /// Writes the first bytes of a new object.
    fn write_content(&self, content: &[u8]) -> Result<()> {
        if content.is_empty() {
            return Ok(());
        }
        let (len, mode) = (content.len(), Mode::ReadWrite);
        let mapping =
            self.map(&Range { offset: 0, len, mode, prefault: false, huge_pages: false })?;
        mapping.write_content(content);
        Ok(())
    }

    /// Maps `range`. The caller has checked that it lies inside the object.
    pub(crate) fn map(&self, range: &Range) -> Result<Mapping> {
        Mapping::new(self.handle(), self.file.clone(), range)
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn asked_len(&self) -> u64 {
        self.asked_len
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
pub(super) fn open_for(kernel_name: &[u16], rights: u32) -> io::Result<OwnedHandle> {
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
