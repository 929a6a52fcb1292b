//! Huge and prefaulted pages on Linux. The calls are hints: if the kernel refuses one, accesses are
//! slower and no byte differs.
#![allow(unsafe_code, reason = "madvise(2)")]

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::FallocateFlags;
use rustix::mm::{MapFlags, ProtFlags};

use crate::sys::object::Mode;
use crate::sys::object::unix::memory::mapping::Mapping;
use crate::sys::object::unix::memory::reserve::reserve;

/// Returns the length of a huge page. `None` if the system has none.
pub(crate) fn huge_page_len() -> Option<usize> {
    const UNKNOWN: usize = 0;
    const NONE: usize = 1;
    // Not a `OnceLock`: a child that was forked while another thread initialised it would block
    // forever.
    static LEN: AtomicUsize = AtomicUsize::new(UNKNOWN);
    let mut len = LEN.load(Ordering::Relaxed);
    if len == UNKNOWN {
        let text = std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
        let read = text.ok().and_then(|text| text.trim().parse().ok());
        len = read.filter(|len: &usize| len.is_power_of_two()).unwrap_or(NONE);
        LEN.store(len, Ordering::Relaxed);
    }
    (len != NONE).then_some(len)
}

/// Allocates huge pages for the first `len` bytes of a file that has no memory yet, as far as the
/// system has them.
///
/// Zeroing one huge page costs a fraction of zeroing as many small pages, and collapsing small
/// pages later costs several times as much. `MADV_COLLAPSE` skips a range that has no page at all,
/// so one page of each range is reserved first.
pub(crate) fn allocate_huge(fd: BorrowedFd<'_>, len: u64) {
    let Some(huge) = huge_page_len() else { return };
    let whole = len - len % huge as u64;
    if whole == 0 {
        return;
    }
    for at in (0..whole).step_by(huge) {
        if reserve(fd, at, at + 1).is_err() {
            return;
        }
    }
    let Ok(whole) = usize::try_from(whole) else { return };
    if let Ok(mapping) = Mapping::new(fd, 0, whole, ProtFlags::READ, MapFlags::SHARED) {
        collapse(&mapping);
    }
}

/// Moves the mapped pages into huge pages.
pub(crate) fn collapse(mapping: &Mapping) {
    advise(mapping, libc::MADV_COLLAPSE);
}

/// Allocates all pages and maps them. Linux before 5.14 ignores this.
pub(crate) fn populate(mapping: &Mapping, mode: Mode) {
    advise(
        mapping,
        match mode {
            Mode::Read => libc::MADV_POPULATE_READ,
            Mode::ReadWrite | Mode::CopyOnWrite => libc::MADV_POPULATE_WRITE,
        },
    );
}

/// Frees the pages of the first `len` bytes of a file, which then read as zeros.
pub(crate) fn free_pages(fd: BorrowedFd<'_>, len: u64) {
    if len > 0 {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        _ = rustix::fs::fallocate(fd, flags, 0, len);
    }
}

/// Calls madvise(2) with one of the advices above. They move bytes to other pages or make pages
/// present.
fn advise(mapping: &Mapping, advice: libc::c_int) {
    let base = mapping.base().as_ptr().cast();
    // SAFETY: `base` and `len` are those of a `Mapping`, which stays mapped while it is borrowed,
    // and none of the advices above changes a byte.
    _ = unsafe { libc::madvise(base, mapping.len(), advice) };
}
