//! Where pages come in one size, one by one, when they are touched.

use std::os::fd::BorrowedFd;

use super::super::Mode;
use super::mapping::Mapping;

pub(super) fn huge_page() -> Option<usize> {
    None
}

pub(super) fn gather(_: BorrowedFd<'_>, _: u64) {}

pub(super) fn collapse(_: &Mapping) {}

pub(super) fn populate(_: &Mapping, _: Mode) {}

/// Memory there is a file's, of which the system may keep no page at all.
pub(super) fn give_back(_: BorrowedFd<'_>, _: u64) {}
