//! Large pages and early ones, as Linux gives them. All of it is a wish: a refusal costs time, never
//! bytes.
#![allow(unsafe_code, reason = "madvise(2)")]

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::fs::FallocateFlags;
use rustix::mm::{MapFlags, ProtFlags};

use crate::sys::object::Mode;
use crate::sys::object::unix::lifecycle::staging;
use crate::sys::object::unix::memory::mapping::Mapping;

/// The length of a huge page, if the system has them.
pub(crate) fn huge_page() -> Option<usize> {
    const UNKNOWN: usize = 0;
    const NONE: usize = 1;
    // No `OnceLock`: a child forked while another thread fills one waits for that thread for ever.
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

/// Gathers huge pages for the first `len` bytes of a file without any memory yet, as far as the
/// system has them.
///
/// To zero a huge page costs a fraction of what its small ones cost one by one, and to gather them
/// later costs several times as much. A part of each has to be there already, or the kernel sees
/// nothing to gather.
pub(crate) fn gather(fd: BorrowedFd<'_>, len: u64) {
    let Some(huge) = huge_page() else { return };
    let whole = len - len % huge as u64;
    if whole == 0 {
        return;
    }
    for at in (0..whole).step_by(huge) {
        if staging::reserve(fd, at, at + 1).is_err() {
            return;
        }
    }
    let Ok(whole) = usize::try_from(whole) else { return };
    if let Ok(mapping) = Mapping::new(fd, 0, whole, ProtFlags::READ, MapFlags::SHARED) {
        collapse(&mapping);
    }
}

/// Moves what is mapped into huge pages.
pub(crate) fn collapse(mapping: &Mapping) {
    advise(mapping, libc::MADV_COLLAPSE);
}

/// Brings all pages in; Linux before 5.14 does not know how.
pub(crate) fn populate(mapping: &Mapping, mode: Mode) {
    advise(
        mapping,
        match mode {
            Mode::Read => libc::MADV_POPULATE_READ,
            Mode::ReadWrite | Mode::CopyOnWrite => libc::MADV_POPULATE_WRITE,
        },
    );
}

/// Gives the pages of the first `len` bytes of a file back, so that they read as zeros.
pub(crate) fn give_back(fd: BorrowedFd<'_>, len: u64) {
    if len > 0 {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        _ = rustix::fs::fallocate(fd, flags, 0, len);
    }
}

/// Gives one of the advices above, which move bytes to other pages or bring pages in.
fn advise(mapping: &Mapping, advice: libc::c_int) {
    let base = mapping.base().as_ptr().cast();
    // SAFETY: it is mapped while it is borrowed, and none of these advices changes a byte.
    _ = unsafe { libc::madvise(base, mapping.len(), advice) };
}
