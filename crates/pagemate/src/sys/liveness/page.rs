//! A page that the kernel zeroes in every forked child, by any call that makes one.
#![allow(unsafe_code, reason = "mmap(2)")]

use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// Words of one process. All are zero in a new process.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Page {
    /// The generation of this process; zero until its first call.
    pub(super) generation: AtomicU32,
    /// The pid of this process while one of its threads is [`Alone`](super::fork::Alone), or zero.
    pub(super) alone: AtomicU32,
}

/// Where the system cannot zero a page, the handlers of `fork(3)` do it.
static FALLBACK: Page = Page { generation: AtomicU32::new(0), alone: AtomicU32::new(0) };

/// The page, once it is mapped.
static PAGE: AtomicPtr<Page> = AtomicPtr::new(std::ptr::null_mut());

#[inline]
pub(super) fn page() -> &'static Page {
    // Acquire: the zeros of a page that another thread mapped.
    let page = PAGE.load(Ordering::Acquire);
    // SAFETY: a pointer that is not null leads to a mapping that is never unmapped or to a static,
    // and any bytes make these atomics.
    unsafe { page.as_ref() }.unwrap_or_else(|| first())
}

#[cold]
fn first() -> &'static Page {
    let new = wiped_on_fork().unwrap_or_else(|| std::ptr::from_ref(&FALLBACK).cast_mut());
    let (null, release, acquire) = (std::ptr::null_mut(), Ordering::Release, Ordering::Acquire);
    // A page that comes second stays mapped and unused: that takes two threads at this instant.
    let kept = PAGE.compare_exchange(null, new, release, acquire).err().unwrap_or(new);
    // SAFETY: as in `page`.
    unsafe { &*kept }
}

cfg_select! {
    target_os = "linux" => {
        /// Maps a page that the kernel zeroes in every child (Linux 4.14).
        fn wiped_on_fork() -> Option<*mut Page> {
            use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

            let len = rustix::param::page_size();
            let rights = ProtFlags::READ | ProtFlags::WRITE;
            // SAFETY: a new mapping at an address of the kernel's choice takes no memory from others.
            let page = unsafe { mmap_anonymous(std::ptr::null_mut(), len, rights, MapFlags::PRIVATE) };
            let page = page.ok()?;
            // SAFETY: the page is ours, and zeros stay zeros; an advice that does not exist is
            // refused.
            let believes_anything = unsafe { libc::madvise(page, len, -1) } == 0;
            // SAFETY: the page is ours, and it is meant to be zero in children.
            let wiped = unsafe { madvise(page, len, Advice::LinuxWipeOnFork) };
            // An emulator that grants every advice keeps none.
            if wiped.is_ok() && !believes_anything {
                return Some(page.cast());
            }
            // SAFETY: nothing else has its address.
            _ = unsafe { munmap(page, len) };
            None
        }
    }
    _ => {
        fn wiped_on_fork() -> Option<*mut Page> {
            None
        }
    }
}

/// Makes the page that of a new process, in a child of `fork(3)`. Where the kernel zeroed it, that
/// is done.
pub(super) fn wipe() {
    let page = page();
    if std::ptr::eq(page, &raw const FALLBACK) {
        page.generation.store(0, Ordering::Relaxed);
        page.alone.store(0, Ordering::Relaxed);
    }
}
