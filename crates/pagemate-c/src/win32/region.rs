//! What this process has mapped or set aside, by address.

use std::collections::BTreeMap;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::mapping::Mapping;
use super::pages::{COPIED, Pages};

/// Memory comes in these, and views begin at multiples of the granularity.
pub(super) const PAGE: usize = 4096;
pub(super) const GRANULARITY: usize = 64 << 10;

/// Where the addresses of a process end.
pub(super) const END: usize = 1 << 47;

/// A run of pages that came into being by one call, and goes by one.
#[derive(Debug)]
pub(super) struct Region {
    /// In bytes; whole pages.
    pub(super) len: usize,
    /// The `PAGE_` protection it was asked for with, which is the most it can have.
    pub(super) protection: u32,
    pub(super) kind: Kind,
    pages: Pages,
}

#[derive(Debug)]
pub(super) enum Kind {
    View(Seen),
    /// By `VirtualAlloc`.
    Private,
}

/// What a view shows.
#[derive(Debug)]
pub(super) struct Seen {
    /// From which byte of the mapping on.
    pub(super) offset: u64,
    /// The user's file under it, by device and inode.
    pub(super) file: Option<(u64, u64)>,
    /// Of memory that comes into being as it is committed.
    pub(super) sparse: Option<Arc<OwnedFd>>,
    /// Gone with its last handle, which views outlive.
    pub(super) mapping: Weak<Mapping>,
}

impl Region {
    pub(super) fn new(len: usize, protection: u32, kind: Kind) -> Region {
        Region { len, protection, kind, pages: Pages::new(len / PAGE, byte(protection)) }
    }

    /// The protection of the page at this index, as it was set; zero if it is not committed.
    pub(super) fn protection_at(&self, page: usize) -> u32 {
        u32::from(self.pages.at(page) & !COPIED)
    }

    /// How many pages from this one on have the same.
    pub(super) fn alike_from(&self, page: usize) -> usize {
        self.pages.alike(page, !COPIED)
    }

    /// Whether the page at this index of a shared view is copied on write, and for how many that
    /// holds.
    pub(super) fn copied_from(&self, page: usize) -> (bool, usize) {
        (self.pages.at(page) & COPIED != 0, self.pages.alike(page, COPIED))
    }

    /// Notes what these pages have from now on.
    pub(super) fn protect(&mut self, pages: Range<usize>, protection: u32) {
        self.pages.change(pages, |own| own & COPIED | byte(protection));
    }

    /// Notes whether these pages of a shared view are copied on write.
    pub(super) fn note_copied(&mut self, pages: Range<usize>, copied: bool) {
        self.pages.change(pages, |own| own & !COPIED | if copied { COPIED } else { 0 });
    }
}

fn byte(protection: u32) -> u8 {
    u8::try_from(protection).expect("the modifiers of protections are refused")
}

/// All regions, by their first address.
pub(super) struct Regions(BTreeMap<usize, Region>);

static REGIONS: Mutex<Regions> = Mutex::new(Regions(BTreeMap::new()));

/// The regions, which nobody else changes meanwhile.
pub(super) fn regions() -> MutexGuard<'static, Regions> {
    REGIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Regions {
    pub(super) fn insert(&mut self, base: usize, region: Region) {
        self.0.insert(base, region);
    }

    /// The region that an address lies in, and where it begins.
    pub(super) fn find(&mut self, address: usize) -> Option<(usize, &mut Region)> {
        let (base, region) = self.0.range_mut(..=address).next_back()?;
        (address - base < region.len).then_some((*base, region))
    }

    pub(super) fn remove(&mut self, base: usize) -> Option<Region> {
        self.0.remove(&base)
    }

    /// Whether some view shows this file.
    pub(super) fn shows(&self, file: (u64, u64)) -> bool {
        self.0.values().any(|region| match &region.kind {
            Kind::View(seen) => seen.file == Some(file),
            Kind::Private => false,
        })
    }
}
