//! Changes the protection of pages, and keeps track of copy-on-write pages.
#![allow(unsafe_code, reason = "protecting memory")]

use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use pagemate::os::unix::SectionExt;
use rustix::mm::{MapFlags, MprotectFlags};

use crate::error::{INVALID_PARAMETER, NOT_SUPPORTED, Result};
use crate::memory::address::{self, MapRequest, as_pointer};
use crate::memory::page_protection::{
    NOACCESS, READONLY, READWRITE, WRITECOPY, prot, without_modifiers,
};
use crate::memory::region::{Kind, PAGE, Region};
use crate::object::mapping::Mapping;

/// Returns whether pages of a region may get `protection`. `most` is the protection with which the
/// region was created. A copy-on-write page needs only the permission to read.
pub(crate) fn permits(kind: &Kind, most: u32, protection: u32) -> bool {
    match (kind, without_modifiers(protection)) {
        (_, NOACCESS) => true,
        (Kind::Private, protection) => protection != WRITECOPY,
        (Kind::View(_), READONLY | WRITECOPY) => most != NOACCESS,
        (Kind::View(_), _) => most == READWRITE,
    }
}

/// Sets the protection of committed pages.
pub(crate) fn set_protection(
    base: usize,
    region: &mut Region,
    pages: Range<usize>,
    protection: u32,
) -> Result<()> {
    if !permits(&region.kind, region.protection, protection) {
        return Err(INVALID_PARAMETER);
    }
    // The section determines the caching modifier of its views.
    let protection = match region.kind {
        Kind::View(_) => without_modifiers(protection),
        Kind::Private => protection,
    };
    if let (Kind::View(_), READONLY | READWRITE) = (&region.kind, region.protection) {
        set_shared(base, region, &pages, protection)?;
    } else {
        mprotect(base, &pages, protection)?;
    }
    region.protect(pages, protection);
    Ok(())
}

fn mprotect(base: usize, pages: &Range<usize>, protection: u32) -> Result<()> {
    let flags = MprotectFlags::from_bits_retain(prot(protection).bits());
    let (start, len) = (base + pages.start * PAGE, pages.len() * PAGE);
    // SAFETY: the pages lie inside a region of this library. Other threads of the program may
    // access them at the same time; the program is responsible for that, as on Windows.
    Ok(unsafe { rustix::mm::mprotect(as_pointer(start), len, flags) }?)
}

/// Sets the protection of pages of a shared view, some of which may be copy-on-write.
///
/// `PAGE_WRITECOPY` makes a page copy-on-write. Another protection that permits writing makes a
/// copy-on-write page shared again, if the program has not written to it. A page that was written
/// keeps its private copy.
fn set_shared(
    base: usize,
    region: &mut Region,
    pages: &Range<usize>,
    protection: u32,
) -> Result<()> {
    let mut runs = Vec::new();
    let mut page = pages.start;
    while page < pages.end {
        let (copied, alike) = region.copy_on_write_from(page);
        let alike = alike.min(pages.end - page);
        let (written, alike) =
            if copied { is_written(base / PAGE + page, alike)? } else { (false, alike) };
        let remaps = match protection {
            WRITECOPY => !copied,
            READWRITE => copied && !written,
            _ => false,
        };
        runs.push((page..page + alike, remaps));
        page += alike;
    }
    // Acquire the descriptor before the first change, so that a failure leaves all pages unchanged.
    let remap =
        if runs.iter().any(|(_, remaps)| *remaps) { Some(Remap::of(region)?) } else { None };
    for (run, remaps) in runs {
        match &remap {
            Some(remap) if remaps => {
                remap.map(base, &run, protection)?;
                region.set_copy_on_write(run, protection == WRITECOPY);
            }
            _ => mprotect(base, &run, protection)?,
        }
    }
    Ok(())
}

/// The memory of a view's section, from which pages of the view are mapped again.
struct Remap {
    memory: Memory,
    offset: u64,
}

enum Memory {
    Sparse(Arc<OwnedFd>),
    Mapping(Arc<Mapping>),
}

impl Remap {
    /// Returns the memory of the section that a view maps.
    ///
    /// Fails if all handles to the mapping are closed and no descriptor of its memory is left.
    fn of(region: &Region) -> Result<Remap> {
        let Kind::View(source) = &region.kind else { return Err(INVALID_PARAMETER) };
        let memory = match (&source.sparse, source.mapping.upgrade()) {
            (Some(sparse), _) => Memory::Sparse(Arc::clone(sparse)),
            (None, Some(mapping)) => Memory::Mapping(mapping),
            (None, None) => return Err(NOT_SUPPORTED),
        };
        Ok(Remap { memory, offset: source.offset })
    }

    fn map(&self, base: usize, pages: &Range<usize>, protection: u32) -> Result<()> {
        let memory = match &self.memory {
            Memory::Sparse(fd) => fd.as_fd(),
            Memory::Mapping(mapping) => mapping.section().memory(),
        };
        let request = MapRequest {
            len: pages.len() * PAGE,
            prot: prot(protection),
            flags: if protection == WRITECOPY { MapFlags::PRIVATE } else { MapFlags::SHARED },
            source: Some((memory, self.offset + (pages.start * PAGE) as u64)),
        };
        // SAFETY: the pages lie inside a view of this library, and are replaced by the same part of
        // the section.
        unsafe { address::replace(base + pages.start * PAGE, request) }
    }
}

/// Returns whether the program has written to a page of a copy-on-write view, and the number of
/// consecutive pages from it on for which the answer is the same, at most `pages`.
///
/// `page` is the address of the page divided by the page size. If the state cannot be determined,
/// the call fails: mapping a written page again would discard its private copy.
pub(crate) fn is_written(page: usize, pages: usize) -> Result<(bool, usize)> {
    const ENTRY: usize = 8;
    /// Bits of an entry of `/proc/self/pagemap`: the page is in memory; it is swapped out; it is
    /// backed by the file.
    const PRESENT: u64 = 1 << 63;
    const SWAPPED: u64 = 1 << 62;
    const FILE: u64 = 1 << 61;
    let map = std::fs::File::open("/proc/self/pagemap")?;
    let mut first = None;
    let mut alike = 0;
    let mut entries = [0; 512 * ENTRY];
    while alike < pages {
        let wanted = ENTRY * (pages - alike).min(entries.len() / ENTRY);
        let entries = &mut entries[..wanted];
        map.read_exact_at(entries, ((page + alike) * ENTRY) as u64)?;
        for entry in entries.chunks_exact(ENTRY) {
            let entry = u64::from_ne_bytes(entry.try_into().expect("eight bytes"));
            let written = entry & (PRESENT | SWAPPED) != 0 && entry & FILE == 0;
            if *first.get_or_insert(written) != written {
                return Ok((!written, alike));
            }
            alike += 1;
        }
    }
    Ok((first.unwrap_or(false), pages))
}
