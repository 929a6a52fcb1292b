//! Systems without huge pages, where each page is allocated at its first access. All hints are
//! ignored.

use std::os::fd::BorrowedFd;

use crate::sys::object::Mode;
use crate::sys::object::unix::memory::mapping::Mapping;

pub(crate) fn huge_page_len() -> Option<usize> {
    None
}

pub(crate) fn allocate_huge(_: BorrowedFd<'_>, _: u64) {}

pub(crate) fn collapse(_: &Mapping) {}

pub(crate) fn populate(_: &Mapping, _: Mode) {}

/// Does nothing: on this system the memory is a file on disk, whose pages the system can write
/// back.
pub(crate) fn free_pages(_: BorrowedFd<'_>, _: u64) {}
