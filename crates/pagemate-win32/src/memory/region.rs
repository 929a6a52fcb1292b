//! The views and private allocations of this process, by address.

use std::collections::BTreeMap;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Weak};

use crate::error::{INVALID_ADDRESS, INVALID_PARAMETER, Result};
use crate::locks::{Guard, Protected, Rank};
use crate::memory::page_protection::{NOACCESS, NOCACHE, WRITECOMBINE, without_modifiers};
use crate::memory::page_state::{COPY_ON_WRITE, Pages};
use crate::object::mapping::Mapping;

/// The page size, and the granularity of addresses of views and allocations.
pub(crate) const PAGE: usize = 4096;
pub(crate) const GRANULARITY: usize = 64 << 10;

/// The end of a process' address space.
pub(crate) const END: usize = 1 << 47;

/// Refuses a range beyond the address space. The last 64 KiB of it are reserved, as on Windows.
pub(crate) fn check_range(address: usize, len: usize) -> Result<()> {
    if address.checked_add(len).is_some_and(|end| end <= END - GRANULARITY) {
        Ok(())
    } else {
        Err(INVALID_PARAMETER)
    }
}

/// A range of pages that one call mapped or reserved, and that one call releases.
#[derive(Debug)]
pub(crate) struct Region {
    /// The length in bytes: a multiple of the page size.
    pub(crate) len: usize,
    /// The `PAGE_` protection at creation, which is the maximum for each page.
    pub(crate) protection: u32,
    pub(crate) kind: Kind,
    /// The modifier that `VirtualQuery` adds to the protections of a view: `PAGE_NOCACHE`,
    /// `PAGE_WRITECOMBINE` or zero.
    pub(crate) caching: u32,
    pages: Pages,
}

#[derive(Debug)]
pub(crate) enum Kind {
    View(ViewSource),
    /// Memory of `VirtualAlloc`.
    Private,
}

/// The part of a section that a view maps, and the references that the view needs later.
#[derive(Debug)]
pub(crate) struct ViewSource {
    /// The offset of the view in the mapping, in bytes.
    pub(crate) offset: u64,
    /// The device and inode of the user's file. `None` for memory.
    pub(crate) file: Option<(u64, u64)>,
    /// A descriptor of the memory, for a section whose memory is committed on demand.
    pub(crate) sparse: Option<Arc<OwnedFd>>,
    /// The mapping. The reference is weak, because a view does not keep its mapping open: the name
    /// ends with the last handle.
    pub(crate) mapping: Weak<Mapping>,
}

impl Region {
    pub(crate) fn new(len: usize, protection: u32, kind: Kind) -> Region {
        Region {
            len,
            protection,
            kind,
            caching: 0,
            pages: Pages::new(len / PAGE, byte(protection)),
        }
    }

    /// Returns the protection of a page; zero if the page is not committed.
    pub(crate) fn protection_at(&self, page: usize) -> u32 {
        protection_of(self.pages.at(page))
    }

    /// Returns how many pages from `page` on have the same protection.
    pub(crate) fn same_protection_from(&self, page: usize) -> usize {
        self.pages.run_len(page, !COPY_ON_WRITE)
    }

    /// Returns whether a page of a shared view is copy-on-write, and the number of consecutive
    /// pages from it on for which the answer is the same.
    pub(crate) fn copy_on_write_from(&self, page: usize) -> (bool, usize) {
        (self.pages.at(page) & COPY_ON_WRITE != 0, self.pages.run_len(page, COPY_ON_WRITE))
    }

    /// Adds the caching modifier of the region to a protection. Pages without access and
    /// uncommitted pages have no modifier.
    pub(crate) fn with_caching(&self, protection: u32) -> u32 {
        if matches!(protection, 0 | NOACCESS) { protection } else { protection | self.caching }
    }

    /// Returns the indices of the pages that a range touches. `base` is the address of the region.
    pub(crate) fn pages_of(&self, base: usize, address: usize, len: usize) -> Result<Range<usize>> {
        let end = address.checked_add(len).ok_or(INVALID_PARAMETER)?;
        if end > base + self.len {
            return Err(INVALID_ADDRESS);
        }
        Ok((address - base) / PAGE..(end - base).div_ceil(PAGE))
    }

    /// Records the protection of pages.
    pub(crate) fn protect(&mut self, pages: Range<usize>, protection: u32) {
        self.pages.change(pages, |own| own & COPY_ON_WRITE | byte(protection));
    }

    /// Records whether pages of a shared view are copy-on-write.
    pub(crate) fn set_copy_on_write(&mut self, pages: Range<usize>, copied: bool) {
        self.pages
            .change(pages, |own| own & !COPY_ON_WRITE | if copied { COPY_ON_WRITE } else { 0 });
    }
}

/// The shift that packs the caching modifiers of a protection into a byte.
const CACHING_SHIFT: u32 = 5;
const CACHING: u32 = NOCACHE | WRITECOMBINE;

/// Packs a protection and its caching modifier into the byte of a page.
fn byte(protection: u32) -> u8 {
    let packed = without_modifiers(protection) | (protection & CACHING) >> CACHING_SHIFT;
    u8::try_from(packed).expect("check_protection admits no other bits")
}

/// Unpacks the byte of a page.
fn protection_of(byte: u8) -> u32 {
    let packed = u32::from(byte & !COPY_ON_WRITE);
    let caching = packed << CACHING_SHIFT & CACHING;
    packed & !(CACHING >> CACHING_SHIFT) | caching
}

/// All regions, by their first address.
pub(crate) struct Regions(BTreeMap<usize, Region>);

static REGIONS: Protected<Regions> = Protected::new(Rank::Regions, Regions(BTreeMap::new()));

/// Locks the list of regions.
pub(crate) fn regions() -> Guard<Regions> {
    REGIONS.lock()
}

impl Regions {
    pub(crate) fn insert(&mut self, base: usize, region: Region) {
        self.0.insert(base, region);
    }

    /// Returns the region that contains an address, and its base.
    pub(crate) fn find(&mut self, address: usize) -> Option<(usize, &mut Region)> {
        let (base, region) = self.0.range_mut(..=address).next_back()?;
        (address - base < region.len).then_some((*base, region))
    }

    pub(crate) fn remove(&mut self, base: usize) -> Option<Region> {
        self.0.remove(&base)
    }

    /// Returns whether some view maps this file.
    pub(crate) fn has_view_of(&self, file: (u64, u64)) -> bool {
        self.0.values().any(|region| match &region.kind {
            Kind::View(source) => source.file == Some(file),
            Kind::Private => false,
        })
    }
}
