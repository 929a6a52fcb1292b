//! Where pages come in one size, one by one, when they are touched.

use std::os::fd::BorrowedFd;

use crate::sys::object::Mode;
use crate::sys::object::unix::memory::mapping::Mapping;

pub(crate) fn huge_page() -> Option<usize> {
    None
}

pub(crate) fn gather(_: BorrowedFd<'_>, _: u64) {}

pub(crate) fn collapse(_: &Mapping) {}

pub(crate) fn populate(_: &Mapping, _: Mode) {}

/// Memory there is a file's, of which the system may keep no page at all.
pub(crate) fn give_back(_: BorrowedFd<'_>, _: u64) {}
