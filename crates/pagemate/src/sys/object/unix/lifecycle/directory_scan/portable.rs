//! Directories on other systems: each reader starts at the beginning and skips the entries that an
//! earlier one visited.

use std::ffi::CStr;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;

use rustix::fs::{Dir, FileType};

/// Visits the entries of a directory from position `from` on, which is 0 or an earlier result.
/// Returns the position after the last visited entry if the visitor stopped the walk, and `None` at
/// the end of the directory.
pub(crate) fn walk(
    dir: OwnedFd,
    from: u64,
    mut visit: impl FnMut(&CStr, FileType) -> ControlFlow<()>,
) -> rustix::io::Result<Option<u64>> {
    for (entry, at) in Dir::new(dir)?.zip(1..) {
        let entry = entry?;
        if at > from && visit(entry.file_name(), entry.file_type()).is_break() {
            return Ok(Some(at));
        }
    }
    Ok(None)
}
