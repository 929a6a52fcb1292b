//! Chooses addresses for views and private memory. Windows aligns them to its allocation
//! granularity of 64 KiB; Linux aligns only to pages.
#![allow(unsafe_code, reason = "mapping memory")]

use std::ffi::c_void;
use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};

use crate::error::{INVALID_ADDRESS, Result};
use crate::memory::region::GRANULARITY;

/// Mappings of at least this length are aligned to it, so that the kernel can use huge pages.
const HUGE_PAGE: usize = 2 << 20;

/// The arguments of `mmap`, without the address.
#[derive(Clone, Copy)]
pub(crate) struct MapRequest<'a> {
    /// The length in bytes: a multiple of the page size.
    pub(crate) len: usize,
    pub(crate) prot: ProtFlags,
    /// `SHARED` or `PRIVATE`.
    pub(crate) flags: MapFlags,
    /// The descriptor to map and the offset in it. `None` maps anonymous memory.
    pub(crate) source: Option<(BorrowedFd<'a>, u64)>,
}

/// The address of the last mapping. The next mapping is placed below it if possible.
static LAST_BASE: AtomicUsize = AtomicUsize::new(0);

/// Maps memory at an address that this function chooses, and returns the address.
pub(crate) fn map_anywhere(request: MapRequest<'_>) -> Result<usize> {
    let align = if request.len >= HUGE_PAGE { HUGE_PAGE } else { GRANULARITY };
    let below =
        LAST_BASE.load(Ordering::Relaxed).saturating_sub(request.len.next_multiple_of(align));
    // The kernel takes this address as a hint.
    let hint = below / align * align;
    // SAFETY: without `FIXED` the kernel chooses a free range, so no existing mapping is replaced.
    let base = unsafe { map(hint, request, MapFlags::empty()) }?;
    let base = if base.is_multiple_of(align) { base } else { map_aligned(request, base, align)? };
    LAST_BASE.store(base, Ordering::Relaxed);
    Ok(base)
}

/// Replaces a misaligned mapping at `misaligned` by one at a multiple of `align`.
///
/// Reserves a larger range, maps inside it, and unmaps the rest.
fn map_aligned(request: MapRequest<'_>, misaligned: usize, align: usize) -> Result<usize> {
    // SAFETY: the range was just mapped by the caller, and no other code knows its address.
    unsafe { rustix::mm::munmap(as_pointer(misaligned), request.len) }?;
    let reservation = MapRequest {
        len: request.len + align,
        prot: ProtFlags::empty(),
        flags: MapFlags::PRIVATE | MapFlags::NORESERVE,
        source: None,
    };
    // SAFETY: without `FIXED` the kernel chooses a free range, so no existing mapping is replaced.
    let start = unsafe { map(0, reservation, MapFlags::empty()) }?;
    let base = start.next_multiple_of(align);
    let mapped =
        // SAFETY: the range lies inside the reservation above, which only this function uses.
        unsafe { map(base, request, MapFlags::FIXED) };
    let kept = if mapped.is_ok() { request.len } else { 0 };
    let (before, after) = (base - start, start + reservation.len - (base + kept));
    for (address, len) in [(start, before), (base + kept, after)] {
        if len > 0 {
            // SAFETY: the range is an unused part of the reservation above.
            unsafe { rustix::mm::munmap(as_pointer(address), len) }?;
        }
    }
    mapped
}

/// Maps memory at `base`. Fails if another mapping is in the range.
pub(crate) fn map_at(base: usize, request: MapRequest<'_>) -> Result<()> {
    // SAFETY: with `FIXED_NOREPLACE` the kernel never replaces an existing mapping.
    match unsafe { map(base, request, MapFlags::FIXED_NOREPLACE) } {
        Ok(mapped) if mapped == base => Ok(()),
        Ok(elsewhere) => {
            // SAFETY: kernels before 4.17 ignore `FIXED_NOREPLACE` and map elsewhere. This mapping
            // is new, and no other code knows its address.
            unsafe { rustix::mm::munmap(as_pointer(elsewhere), request.len) }?;
            Err(INVALID_ADDRESS)
        }
        Err(_) => Err(INVALID_ADDRESS),
    }
}

/// Replaces the mapping of pages of a region.
///
/// # Safety
///
/// The range `base..base + request.len` lies inside a region of this library.
pub(crate) unsafe fn replace(base: usize, request: MapRequest<'_>) -> Result<()> {
    // SAFETY: the caller guarantees that the range belongs to a region of this library, so no
    // foreign mapping is replaced.
    unsafe { map(base, request, MapFlags::FIXED) }.map(drop)
}

/// # Safety
///
/// With `FIXED`, the caller owns every mapping in the range `base..base + request.len`.
unsafe fn map(base: usize, request: MapRequest<'_>, fixed: MapFlags) -> Result<usize> {
    let flags = request.flags | fixed;
    let mapped = match request.source {
        // SAFETY: the caller guarantees that it owns the range if `fixed` has `FIXED`. Otherwise the
        // kernel chooses a free range. The descriptor is open, because it is borrowed.
        Some((fd, offset)) => unsafe {
            rustix::mm::mmap(as_pointer(base), request.len, request.prot, flags, fd, offset)
        },
        // SAFETY: the caller guarantees that it owns the range if `fixed` has `FIXED`. Otherwise the
        // kernel chooses a free range.
        None => unsafe {
            rustix::mm::mmap_anonymous(as_pointer(base), request.len, request.prot, flags)
        },
    };
    mapped.map(<*mut c_void>::addr).map_err(|error| match error {
        Errno::EXIST => INVALID_ADDRESS,
        error => error.into(),
    })
}

/// Unmaps the memory of a removed region.
///
/// # Safety
///
/// The range was mapped by this module, and its region was removed from
/// [`regions`](super::region::regions).
pub(crate) unsafe fn unmap(base: usize, len: usize) {
    // Move the start of the search up, so that the next mapping of this length can reuse the
    // address.
    let above = base.saturating_add(len.next_multiple_of(GRANULARITY));
    _ = LAST_BASE.compare_exchange(base, above, Ordering::Relaxed, Ordering::Relaxed);
    // SAFETY: the caller guarantees that the range is a whole mapping of this module and that its
    // region is removed, so no other code of this library uses it. `munmap` of a whole mapping
    // cannot fail.
    _ = unsafe { rustix::mm::munmap(as_pointer(base), len) };
}

pub(crate) fn as_pointer(address: usize) -> *mut c_void {
    std::ptr::with_exposed_provenance_mut(address)
}
