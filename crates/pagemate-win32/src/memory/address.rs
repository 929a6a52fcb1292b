//! Where views and private memory stand: at multiples of Windows' granularity, which Linux does
//! not have.
#![allow(unsafe_code, reason = "mapping memory")]

use std::ffi::c_void;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};

use crate::error::{INVALID_ADDRESS, Result};
use crate::memory::region::GRANULARITY;

/// What is as long as this stands so that huge pages fit.
const HUGE: usize = 2 << 20;

/// What to map.
#[derive(Clone, Copy)]
pub(crate) struct What<'a> {
    /// Whole pages.
    pub(crate) len: usize,
    pub(crate) prot: ProtFlags,
    /// `SHARED` or `PRIVATE`.
    pub(crate) flags: MapFlags,
    /// A descriptor and where to begin in it; none for memory of this process alone.
    pub(crate) from: Option<(BorrowedFd<'a>, u64)>,
}

/// Where the last one was placed; below it there is likely room for another.
static LAST: AtomicUsize = AtomicUsize::new(0);

/// Maps at a place of our choice, and tells which.
pub(crate) fn anywhere(what: What<'_>) -> Result<usize> {
    let align = if what.len >= HUGE { HUGE } else { GRANULARITY };
    let below = LAST.load(Ordering::Relaxed).saturating_sub(what.len.next_multiple_of(align));
    // The kernel takes this for a wish.
    let wish = below / align * align;
    // SAFETY: the kernel chooses a free address, so that nothing mapped is replaced.
    let base = unsafe { map(wish, what, MapFlags::empty()) }?;
    let base = if base.is_multiple_of(align) { base } else { aligned(what, base, align)? };
    LAST.store(base, Ordering::Relaxed);
    Ok(base)
}

/// Maps what the kernel put in between at a multiple of `align`, away from there.
fn aligned(what: What<'_>, unfit: usize, align: usize) -> Result<usize> {
    // SAFETY: just what was mapped, and nobody has seen its address.
    unsafe { rustix::mm::munmap(at(unfit), what.len) }?;
    let room = What {
        len: what.len + align,
        prot: ProtFlags::empty(),
        flags: MapFlags::PRIVATE | MapFlags::NORESERVE,
        from: None,
    };
    // SAFETY: the kernel chooses a free address, so that nothing mapped is replaced.
    let start = unsafe { map(0, room, MapFlags::empty()) }?;
    let base = start.next_multiple_of(align);
    let mapped =
        // SAFETY: it replaces part of the room, which is ours and of which nobody knows.
        unsafe { map(base, what, MapFlags::FIXED) };
    let kept = if mapped.is_ok() { what.len } else { 0 };
    let (before, after) = (base - start, start + room.len - (base + kept));
    for (address, len) in [(start, before), (base + kept, after)] {
        if len > 0 {
            // SAFETY: what is left of the room.
            unsafe { rustix::mm::munmap(at(address), len) }?;
        }
    }
    mapped
}

/// Maps at `base` if that is free.
pub(crate) fn exactly(base: usize, what: What<'_>) -> Result<()> {
    // SAFETY: the kernel refuses to replace what is mapped.
    match unsafe { map(base, what, MapFlags::FIXED_NOREPLACE) } {
        Ok(there) if there == base => Ok(()),
        Ok(elsewhere) => {
            // SAFETY: an old kernel took the address for a wish; nobody has seen this one.
            unsafe { rustix::mm::munmap(at(elsewhere), what.len) }?;
            Err(INVALID_ADDRESS)
        }
        Err(_) => Err(INVALID_ADDRESS),
    }
}

/// Maps over what a region has there.
///
/// # Safety
///
/// `base` and what follows it belong to a region of ours.
pub(crate) unsafe fn over(base: usize, what: What<'_>) -> Result<()> {
    // SAFETY: the caller's promise.
    unsafe { map(base, what, MapFlags::FIXED) }.map(drop)
}

/// # Safety
///
/// With `FIXED`, what is mapped at `base` is the caller's to replace.
unsafe fn map(base: usize, what: What<'_>, how: MapFlags) -> Result<usize> {
    let flags = what.flags | how;
    let mapped = match what.from {
        // SAFETY: the caller's promise.
        Some((fd, offset)) => unsafe {
            rustix::mm::mmap(at(base), what.len, what.prot, flags, fd, offset)
        },
        // SAFETY: the caller's promise.
        None => unsafe { rustix::mm::mmap_anonymous(at(base), what.len, what.prot, flags) },
    };
    mapped.map(<*mut c_void>::addr).map_err(|error| match error {
        Errno::EXIST => INVALID_ADDRESS,
        error => error.into(),
    })
}

/// Gives a region's memory back.
///
/// # Safety
///
/// It was mapped here, and is no region any more.
pub(crate) unsafe fn unmap(base: usize, len: usize) {
    // The next of its size may stand here again.
    let above = base.saturating_add(len.next_multiple_of(GRANULARITY));
    _ = LAST.compare_exchange(base, above, Ordering::Relaxed, Ordering::Relaxed);
    // SAFETY: the caller's promise. It cannot fail for a whole mapping.
    _ = unsafe { rustix::mm::munmap(at(base), len) };
}

pub(crate) fn at(address: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(address)
}
