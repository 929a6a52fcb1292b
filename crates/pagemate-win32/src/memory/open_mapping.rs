//! `OpenFileMapping`.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::sync::Arc;

use pagemate::{Access, ErrorKind, SectionOptions};

use crate::error::{INVALID_HANDLE, INVALID_PARAMETER, Result, answer};
use crate::handle::entry::{Entry, Object};
use crate::handle::number::Handle;
use crate::handle::process_table as handle;
use crate::handle::rights::{
    self, MAP_EXECUTE, MAP_READ, MAP_WRITE, MAXIMUM_ALLOWED, MOST_OF_A_READER,
};
use crate::object::mapping::Mapping;
use crate::text::name;

/// `FILE_MAP_COPY` and `FILE_MAP_EXECUTE`. Their values differ from those of the rights `SECTION_…`
/// that they request.
const FILE_MAP_COPY: u32 = 0x1;
const FILE_MAP_EXECUTE: u32 = 0x20;

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
    // If the object is missing and the rights are also refused, Windows reports that the object is
    // missing. So open the name before returning the refusal.
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

/// Opens a mapping that exists because some process has a handle to it.
///
/// # Safety
///
/// `name` is null or points to a string that ends in a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn OpenFileMappingA(access: u32, inherit: i32, name: *const u8) -> Handle {
    // SAFETY: the caller guarantees that `name` is null or points to a string that ends in a NUL.
    let name = unsafe { name::narrow(name) };
    answer("OpenFileMappingA", open(access, inherit, name), std::ptr::null_mut())
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
    answer("OpenFileMappingW", open(access, inherit, name), std::ptr::null_mut())
}
