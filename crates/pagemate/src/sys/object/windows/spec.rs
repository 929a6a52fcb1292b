//! Checks the properties of a new section, and completes them.

use std::fs::File;
use std::os::windows::io::AsHandle;

use windows_sys::Win32::Storage::FileSystem::{FILE_READ_DATA, FILE_WRITE_DATA};

use super::super::Spec;
use super::error::{not_a_file, too_long};
use super::native;
use super::sizes::page_size;
use crate::access::{Access, Protection};
use crate::error::{Error, ErrorKind, Result};

/// Determines the length and the protection of a new section. Fails if such a section is
/// impossible.
pub(super) fn resolve_spec<'f>(spec: &Spec<'f>) -> Result<Spec<'f>> {
    let mut spec = Spec { asked_len: spec.len, ..*spec };
    match spec.file {
        Some(file) => {
            resolve_file_spec(file, &mut spec)?;
            spec.asked_len = spec.len;
        }
        None => spec.len = whole_pages(spec.len)?,
    }
    Ok(spec)
}

/// Determines the length and the protection of a new section over a file. The kernel makes most of
/// these checks too, but only if the name is free. These checks return the same errors if the name
/// exists.
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
