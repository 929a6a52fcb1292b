//! `DuplicateHandle`.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::sync::Arc;

use crate::error::{ACCESS_DENIED, INVALID_HANDLE, Result, answer};
use crate::handle::entry::{Entry, Object};
use crate::handle::number::{CURRENT_PROCESS, Handle};
use crate::handle::process_table::{self as handle, open};
use crate::handle::rights::{self, MAP_WRITE, MAXIMUM_ALLOWED, MOST_OF_A_READER};
use crate::object::mapping::Mapping;
use crate::pointer::write_unless_null;

/// `DUPLICATE_` options: close the source handle; grant the same rights as the source handle.
const DUPLICATE_CLOSE_SOURCE: u32 = 1;
const DUPLICATE_SAME_ACCESS: u32 = 2;

/// Creates another handle to an object. Both handles belong to this process.
///
/// # Safety
///
/// `target` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn DuplicateHandle(
    source_process: Handle,
    source: Handle,
    target_process: Handle,
    target: *mut Handle,
    access: u32,
    inherit: i32,
    options: u32,
) -> i32 {
    let handle = duplicate(source_process, source, target_process, access, inherit != 0, options);
    // As on Windows, the source handle is closed even if the call fails.
    if options & DUPLICATE_CLOSE_SOURCE != 0 && source_process.addr() == CURRENT_PROCESS {
        drop(handle::remove(source));
    }
    let handle = answer("DuplicateHandle", handle, std::ptr::null_mut());
    // A null `target` is not refused, as on Windows: the new handle is created and the program
    // cannot close it.
    // SAFETY: the caller guarantees that `target` is null or valid for writes.
    unsafe { write_unless_null(target, handle) };
    i32::from(!handle.is_null())
}

fn duplicate(
    source_process: Handle,
    source: Handle,
    target_process: Handle,
    access: u32,
    inherit: bool,
    options: u32,
) -> Result<Handle> {
    if source_process.addr() != CURRENT_PROCESS || target_process.addr() != CURRENT_PROCESS {
        return Err(INVALID_HANDLE);
    }
    let mut entry = handle::entry(source)?;
    if options & DUPLICATE_SAME_ACCESS == 0 {
        entry = entry.with_access(access)?;
    }
    open(entry, inherit)
}

impl Entry {
    /// Returns the same object with the rights `access`. Rights that the source handle lacks are
    /// granted if the user may open the object with them.
    fn with_access(self, access: u32) -> Result<Entry> {
        let rights = self.object.rights();
        let asked = rights.duplicated(access);
        match self.object {
            Object::Mapping(mapping) => with_access_to_mapping(mapping, asked),
            // A descriptor cannot gain access that it was not opened with.
            Object::File(_) if asked & MAXIMUM_ALLOWED != 0 => Ok(self),
            Object::File(_) if asked & !self.access != 0 => Err(ACCESS_DENIED),
            // This process opened the object of any other kind with full access, so a handle to it
            // may have every right.
            object => Ok(Entry { object, access: rights.intersect(asked) }),
        }
    }
}

/// Does the same as [`Entry::with_access`] for a mapping. With [`MAXIMUM_ALLOWED`], grants as many rights
/// as possible.
fn with_access_to_mapping(mapping: Arc<Mapping>, asked: u32) -> Result<Entry> {
    let entry = |mapping, access| Entry { object: Object::Mapping(mapping), access };
    if asked & MAXIMUM_ALLOWED != 0 {
        return match Arc::clone(&mapping).writable() {
            Err(ACCESS_DENIED) => Ok(entry(mapping, MOST_OF_A_READER)),
            writable => Ok(entry(writable?, rights::MAPPING.all)),
        };
    }
    let mapping = if asked & MAP_WRITE == 0 { mapping } else { mapping.writable()? };
    Ok(entry(mapping, asked))
}
