//! A page that the kernel zeroes in every forked child, by any call that makes one.
//!
//! It is a static, so that its words cost no more to read than other statics.
#![allow(unsafe_code, reason = "madvise(2)")]

use std::sync::atomic::{AtomicU32, Ordering};

/// The words of one process. All are zero in a new process.
///
/// They fill whole pages of every page size, because the kernel zeroes whole pages.
#[derive(Debug)]
#[cfg_attr(target_os = "linux", repr(C, align(65536)))]
#[cfg_attr(not(target_os = "linux"), repr(C))]
pub(super) struct Page {
    /// The generation of this process. Zero in a new process and in a new child, until its first call
    /// into pagemate stores a generation.
    pub(super) generation: AtomicU32,
    /// The pid of this process, once it has begun a generation.
    pub(super) pid: AtomicU32,
    /// The word of the process lock, see [`ProcessGuard`](super::fork::ProcessGuard).
    pub(super) lock: AtomicU32,
}

static PAGE: Page =
    Page { generation: AtomicU32::new(0), pid: AtomicU32::new(0), lock: AtomicU32::new(0) };

/// The states of [`MODE`]. A child inherits the state together with the advice that the kernel has
/// for the page.
const UNKNOWN: u32 = 0;
const ZEROED_BY_KERNEL: u32 = 1;
const ZEROED_BY_HANDLER: u32 = 2;

/// The way in which the page becomes zero in a child.
static MODE: AtomicU32 = AtomicU32::new(UNKNOWN);

/// Returns the generation of this process, or zero before its first call.
#[inline]
pub(super) fn generation() -> u32 {
    // Acquire: makes the work of the thread that began the generation visible, published by the Release in
    // `fork::begin`.
    PAGE.generation.load(Ordering::Acquire)
}

/// Returns the pid of a process that has begun a generation.
pub(super) fn pid() -> u32 {
    PAGE.pid.load(Ordering::Relaxed)
}

/// Returns the page, which becomes zero in each child from now on.
pub(super) fn page() -> &'static Page {
    if MODE.load(Ordering::Relaxed) == UNKNOWN {
        // Two threads may do this at the same time: both give the same advice and store the same mode.
        let zeroed = if is_zeroed_in_children() { ZEROED_BY_KERNEL } else { ZEROED_BY_HANDLER };
        MODE.store(zeroed, Ordering::Relaxed);
    }
    &PAGE
}

cfg_select! {
    target_os = "linux" => {
        /// Asks the kernel to zero the page in every child (Linux 4.14).
        fn is_zeroed_in_children() -> bool {
            let (start, len) = ((&raw const PAGE).cast_mut().cast(), size_of::<Page>());
            // SAFETY: the range is a static of whole pages, and an advice that does not exist changes
            // nothing.
            let grants_anything = unsafe { libc::madvise(start, len, -1) } == 0;
            // SAFETY: the range is a static of whole pages that holds nothing but these atomics, and
            // they are meant to be zero in children.
            let granted = unsafe { libc::madvise(start, len, libc::MADV_WIPEONFORK) } == 0;
            // Some emulators grant every advice and follow none.
            granted && !grants_anything
        }
    }
    _ => {
        fn is_zeroed_in_children() -> bool {
            false
        }
    }
}

/// Zeroes the page, in a child of `fork(3)`, unless the kernel has done so.
pub(super) fn wipe() {
    if MODE.load(Ordering::Relaxed) != ZEROED_BY_KERNEL {
        PAGE.generation.store(0, Ordering::Relaxed);
        PAGE.lock.store(0, Ordering::Relaxed);
    }
}
