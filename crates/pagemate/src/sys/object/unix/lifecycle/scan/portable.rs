//! Everywhere else: a directory is read from its beginning, and entries seen before are skipped.

use std::ffi::CStr;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;

use rustix::fs::{Dir, FileType};

/// Visits the entries of a directory from `from` on, which is 0 or an earlier result. `None` if the
/// directory ended, or else where to go on: the visitor broke off.
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
