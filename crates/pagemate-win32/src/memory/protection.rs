//! What may be done with pages, and which of them are copied on write.
#![allow(unsafe_code, reason = "protecting memory")]

use std::ops::Range;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use pagemate::os::unix::SectionExt;
use rustix::mm::{MapFlags, MprotectFlags};

use crate::error::{INVALID_PARAMETER, NOT_SUPPORTED, Result};
use crate::memory::address::{self as place, What, at};
use crate::memory::mapping::{Mapping, NOACCESS, READONLY, READWRITE, WRITECOPY};
use crate::memory::region::{Kind, PAGE, Region};
use crate::memory::view::prot;

/// Whether a region that was asked for with `most` may have `protection`. To copy is to read.
pub(crate) fn may_have(kind: &Kind, most: u32, protection: u32) -> bool {
    match (kind, protection) {
        (_, NOACCESS) => true,
        (Kind::Private, _) => protection != WRITECOPY,
        (Kind::View(_), READONLY | WRITECOPY) => most != NOACCESS,
        (Kind::View(_), _) => most == READWRITE,
    }
}

/// Gives committed pages a protection.
pub(crate) fn set(
    base: usize,
    region: &mut Region,
    pages: Range<usize>,
    protection: u32,
) -> Result<()> {
    if !may_have(&region.kind, region.protection, protection) {
        return Err(INVALID_PARAMETER);
    }
    if let (Kind::View(_), READONLY | READWRITE) = (&region.kind, region.protection) {
        set_shared(base, region, &pages, protection)?;
    } else {
        make(base, &pages, protection)?;
    }
    region.protect(pages, protection);
    Ok(())
}

fn make(base: usize, pages: &Range<usize>, protection: u32) -> Result<()> {
    let flags = MprotectFlags::from_bits_retain(prot(protection).bits());
    let (start, len) = (base + pages.start * PAGE, pages.len() * PAGE);
    // SAFETY: these pages are a region's. Who may still touch them is the program's affair, as it is
    // on Windows.
    Ok(unsafe { rustix::mm::mprotect(at(start), len, flags) }?)
}

/// The same in a view whose pages are shared, but for those that are copied on write: these are from
/// when that is asked for until they may be written to otherwise, and those that were written to for
/// ever.
fn set_shared(
    base: usize,
    region: &mut Region,
    pages: &Range<usize>,
    protection: u32,
) -> Result<()> {
    let mut runs = Vec::new();
    let mut page = pages.start;
    while page < pages.end {
        let (copied, alike) = region.copied_from(page);
        let alike = alike.min(pages.end - page);
        let (written, alike) =
            if copied { written(base / PAGE + page, alike)? } else { (false, alike) };
        let anew = match protection {
            WRITECOPY => !copied,
            READWRITE => copied && !written,
            _ => false,
        };
        runs.push((page..page + alike, anew));
        page += alike;
    }
    // All of it, or nothing.
    let again = if runs.iter().any(|(_, anew)| *anew) { Some(Again::of(region)?) } else { None };
    for (run, anew) in runs {
        match &again {
            Some(again) if anew => {
                again.show(base, &run, protection)?;
                region.note_copied(run, protection == WRITECOPY);
            }
            _ => make(base, &run, protection)?,
        }
    }
    Ok(())
}

/// What it takes to map pages of a view anew, with what the section has.
struct Again {
    memory: Memory,
    offset: u64,
}

enum Memory {
    Sparse(Arc<OwnedFd>),
    Mapping(Arc<Mapping>),
}

impl Again {
    /// Fails for a view that has outlived its handles, with which the descriptor went.
    fn of(region: &Region) -> Result<Again> {
        let Kind::View(seen) = &region.kind else { return Err(INVALID_PARAMETER) };
        let memory = match (&seen.sparse, seen.mapping.upgrade()) {
            (Some(sparse), _) => Memory::Sparse(Arc::clone(sparse)),
            (None, Some(mapping)) => Memory::Mapping(mapping),
            (None, None) => return Err(NOT_SUPPORTED),
        };
        Ok(Again { memory, offset: seen.offset })
    }

    fn show(&self, base: usize, pages: &Range<usize>, protection: u32) -> Result<()> {
        let memory = match &self.memory {
            Memory::Sparse(fd) => fd.as_fd(),
            Memory::Mapping(mapping) => mapping.section().memory(),
        };
        let what = What {
            len: pages.len() * PAGE,
            prot: prot(protection),
            flags: if protection == WRITECOPY { MapFlags::PRIVATE } else { MapFlags::SHARED },
            from: Some((memory, self.offset + (pages.start * PAGE) as u64)),
        };
        // SAFETY: these pages are a view's, and show the same as before.
        unsafe { place::over(base + pages.start * PAGE, what) }
    }
}

/// Whether this page of a copy-on-write view has been written to, and for how many of at most
/// `pages` that holds. `page` counts from address zero. What cannot be told is not guessed: to take a
/// page for one that was not written to is to lose what was written.
pub(crate) fn written(page: usize, pages: usize) -> Result<(bool, usize)> {
    const ENTRY: usize = 8;
    /// In memory, swapped out, and still the file's: bits of `/proc/self/pagemap`.
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
