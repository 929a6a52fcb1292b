//! The state of the pages of a region, as `VirtualQuery` reports it.

use std::os::fd::OwnedFd;

use rustix::fs::SeekFrom;

use crate::error::Result;
use crate::memory::page_protection::{READWRITE, WRITECOPY};
use crate::memory::protection::is_written;
use crate::memory::region::{Kind, PAGE, Region};

/// A run of pages in the same state.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) pages: usize,
    pub(super) committed: bool,
    pub(super) protection: u32,
}

impl Region {
    /// Returns the state of a page, and the number of consecutive pages from it on that have the
    /// same state.
    pub(super) fn run(&self, base: usize, page: usize) -> Result<Run> {
        let mut run = Run {
            pages: self.same_protection_from(page),
            committed: self.protection_at(page) != 0,
            protection: self.protection_at(page),
        };
        if let Kind::View(source) = &self.kind {
            if let Some(fd) = &source.sparse {
                let (committed, pages) = committed(fd, source.offset / PAGE as u64 + page as u64);
                run.committed = committed;
                run.pages = run.pages.min(usize::try_from(pages).unwrap_or(usize::MAX));
                run.protection = if committed { run.protection } else { 0 };
            }
            if run.protection == WRITECOPY {
                let (written, pages) = is_written(base / PAGE + page, run.pages)?;
                run.pages = pages;
                run.protection = if written { READWRITE } else { WRITECOPY };
            }
        }
        Ok(run)
    }
}

/// Returns whether a page of a sparse section is committed, and the number of consecutive pages
/// from it on for which the answer is the same.
fn committed(fd: &OwnedFd, page: u64) -> (bool, u64) {
    let at = page * PAGE as u64;
    let seek = |whence: SeekFrom| rustix::fs::seek(fd, whence);
    match seek(SeekFrom::Data(at)) {
        Ok(data) if data == at => {
            let end = seek(SeekFrom::Hole(at)).unwrap_or(u64::MAX);
            (true, (end / PAGE as u64).saturating_sub(page).max(1))
        }
        Ok(data) => (false, data / PAGE as u64 - page),
        // The rest of the file is a hole.
        Err(_) => (false, u64::MAX),
    }
}
