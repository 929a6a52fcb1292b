//! What this process has mapped or set aside, by address.

use std::collections::BTreeMap;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crate::memory::mapping::Mapping;
use crate::memory::page_state::{COPIED, Pages};

/// Memory comes in these, and views begin at multiples of the granularity.
pub(crate) const PAGE: usize = 4096;
pub(crate) const GRANULARITY: usize = 64 << 10;

/// Where the addresses of a process end.
pub(crate) const END: usize = 1 << 47;

/// A run of pages that came into being by one call, and goes by one.
#[derive(Debug)]
pub(crate) struct Region {
    /// In bytes; whole pages.
    pub(crate) len: usize,
    /// The `PAGE_` protection it was asked for with, which is the most it can have.
    pub(crate) protection: u32,
    pub(crate) kind: Kind,
    /// A modifier with which its protections are told: `PAGE_NOCACHE` or `PAGE_WRITECOMBINE`.
    pub(crate) caching: u32,
    pages: Pages,
}

#[derive(Debug)]
pub(crate) enum Kind {
    View(Seen),
    /// By `VirtualAlloc`.
    Private,
}

/// What a view shows.
#[derive(Debug)]
pub(crate) struct Seen {
    /// From which byte of the mapping on.
    pub(crate) offset: u64,
    /// The user's file under it, by device and inode.
    pub(crate) file: Option<(u64, u64)>,
    /// Of memory that comes into being as it is committed.
    pub(crate) sparse: Option<Arc<OwnedFd>>,
    /// Gone with its last handle, which views outlive.
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

    /// The protection of the page at this index, as it was set; zero if it is not committed.
    pub(crate) fn protection_at(&self, page: usize) -> u32 {
        u32::from(self.pages.at(page) & !COPIED)
    }

    /// How many pages from this one on have the same.
    pub(crate) fn alike_from(&self, page: usize) -> usize {
        self.pages.alike(page, !COPIED)
    }

    /// Whether the page at this index of a shared view is copied on write, and for how many that
    /// holds.
    pub(crate) fn copied_from(&self, page: usize) -> (bool, usize) {
        (self.pages.at(page) & COPIED != 0, self.pages.alike(page, COPIED))
    }

    /// Notes what these pages have from now on.
    pub(crate) fn protect(&mut self, pages: Range<usize>, protection: u32) {
        self.pages.change(pages, |own| own & COPIED | byte(protection));
    }

    /// Notes whether these pages of a shared view are copied on write.
    pub(crate) fn note_copied(&mut self, pages: Range<usize>, copied: bool) {
        self.pages.change(pages, |own| own & !COPIED | if copied { COPIED } else { 0 });
    }
}

fn byte(protection: u32) -> u8 {
    u8::try_from(protection).expect("the modifiers of protections are refused")
}

/// All regions, by their first address.
pub(crate) struct Regions(BTreeMap<usize, Region>);

static REGIONS: Mutex<Regions> = Mutex::new(Regions(BTreeMap::new()));

/// The regions, which nobody else changes meanwhile.
pub(crate) fn regions() -> MutexGuard<'static, Regions> {
    REGIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Regions {
    pub(crate) fn insert(&mut self, base: usize, region: Region) {
        self.0.insert(base, region);
    }

    /// The region that an address lies in, and where it begins.
    pub(crate) fn find(&mut self, address: usize) -> Option<(usize, &mut Region)> {
        let (base, region) = self.0.range_mut(..=address).next_back()?;
        (address - base < region.len).then_some((*base, region))
    }

    pub(crate) fn remove(&mut self, base: usize) -> Option<Region> {
        self.0.remove(&base)
    }

    /// Whether some view shows this file.
    pub(crate) fn shows(&self, file: (u64, u64)) -> bool {
        self.0.values().any(|region| match &region.kind {
            Kind::View(seen) => seen.file == Some(file),
            Kind::Private => false,
        })
    }
}
