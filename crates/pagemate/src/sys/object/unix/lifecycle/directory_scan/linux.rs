//! Directories on Linux: a reader can continue at the position at which an earlier reader stopped.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;

use rustix::fs::{FileType, RawDir, SeekFrom};

/// Visits the entries of a directory from position `from` on, which is 0 or an earlier result.
/// Returns the position after the last visited entry if the visitor stopped the walk, and `None` at
/// the end of the directory.
pub(crate) fn walk(
    dir: OwnedFd,
    from: u64,
    mut visit: impl FnMut(&CStr, FileType) -> ControlFlow<()>,
) -> rustix::io::Result<Option<u64>> {
    if from != 0 {
        rustix::fs::seek(&dir, SeekFrom::Start(from))?;
    }
    let mut bytes = [MaybeUninit::uninit(); 2048];
    let mut entries = RawDir::new(dir, &mut bytes);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        if visit(entry.file_name(), entry.file_type()).is_break() {
            return Ok(Some(entry.next_entry_cookie()));
        }
    }
    Ok(None)
}
