//! Mapped memory that consists of a header of atomics and of slots. The layout is checked once.
//!
//! A [`HeaderRegion`] is made from a mapping that is long enough and aligned for its header. With a
//! [`SlotLayout`] that lies inside the mapping it becomes a [`SlotRegion`]. After that, an access
//! takes a position, which is reduced modulo the number of slots. So no access can fail, and none
//! is outside the memory.
#![allow(unsafe_code, reason = "references into mapped memory")]

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::NonNull;

use crate::primitive::AtomicU64;
use crate::shareable::Plain;
use crate::sys::copy::{copy_in, copy_out};
use crate::sys::object::Mapping;

/// The length of the sequence word, which lies directly before the payload of each slot.
pub(crate) const SEQUENCE_LEN: u64 = 8;

/// A type that consists of atomics.
///
/// # Safety
///
/// Every byte of the type belongs to an atomic integer, and any bytes are valid. References to it may
/// therefore refer to memory that other processes write.
pub(crate) unsafe trait Atomics {
    /// Whether the number of slots behind this header may be any. Otherwise it is a power of two, and a
    /// position is reduced to a slot in one step less.
    const ANY_COUNT: bool = false;
}

/// Mapped memory that begins with a header. Other processes may write any value to it.
#[derive(Debug)]
pub(crate) struct HeaderRegion<H> {
    header: NonNull<H>,
    /// Keeps the memory mapped.
    mapping: Mapping,
}

// SAFETY: the pointer refers to atomics in the mapping, which is `Send` and is moved together with
// the pointer.
unsafe impl<H: Atomics + Send> Send for HeaderRegion<H> {}
// SAFETY: a shared reference gives access to atomics only.
unsafe impl<H: Atomics + Sync> Sync for HeaderRegion<H> {}

impl<H: Atomics> HeaderRegion<H> {
    /// Returns the region of a writable mapping. `None` if the mapping is too short or not aligned for
    /// the header.
    ///
    /// # Safety
    ///
    /// The mapping must be writable, and no other code of this process may access it.
    pub(crate) unsafe fn new(mapping: Mapping) -> Option<HeaderRegion<H>> {
        let header: NonNull<H> = mapping.base().cast();
        HeaderRegion { header, mapping }.with_header()
    }

    /// Returns the header.
    #[inline]
    pub(crate) fn header(&self) -> &H {
        // SAFETY: `new` checked that the header lies in the mapping, which `self` keeps, and that it is
        // aligned. `Atomics` admits any bytes, and other accesses at the same time.
        unsafe { self.header.as_ref() }
    }

    /// Returns the same region with a longer header. `None` if the mapping is too short for it, or not
    /// aligned.
    pub(crate) fn with_header<L: Atomics>(self) -> Option<HeaderRegion<L>> {
        let header: NonNull<L> = self.mapping.base().cast();
        let fits = self.mapping.len() >= size_of::<L>() && header.is_aligned();
        fits.then_some(HeaderRegion { header, mapping: self.mapping })
    }

    /// Adds slots behind the header, for messages of type `T`. `None` if the slots do not lie in the
    /// mapping, overlap the header, are not aligned for `T`, or are shorter than `T`.
    pub(crate) fn with_slots<T: Plain>(self, layout: SlotLayout) -> Option<SlotRegion<H, T>> {
        let align = align_of::<T>() as u64;
        let fits = layout.len >= size_of::<T>() as u64
            && layout.first.is_multiple_of(align)
            && layout.stride.is_multiple_of(align);
        if fits { self.with_untyped_slots(layout) } else { None }
    }

    /// Adds slots behind the header, for messages that are bytes. `None` if the slots do not lie in the
    /// mapping, or overlap the header.
    pub(crate) fn with_byte_slots(self, layout: SlotLayout) -> Option<SlotRegion<H, [u8]>> {
        self.with_untyped_slots(layout)
    }

    /// Adds slots behind the header, after every check that does not depend on the type of the messages.
    fn with_untyped_slots<M: ?Sized>(self, layout: SlotLayout) -> Option<SlotRegion<H, M>> {
        let end = layout.end()?;
        let is_word = |number: u64| number.is_multiple_of(SEQUENCE_LEN);
        let is_valid = (layout.count.is_power_of_two() || (H::ANY_COUNT && layout.count > 0))
            && is_word(layout.first)
            && is_word(layout.stride)
            && layout.first >= size_of::<H>() as u64 + SEQUENCE_LEN
            && layout.stride >= (layout.len.checked_add(SEQUENCE_LEN)?)
            && end <= self.mapping.len() as u64;
        if !is_valid {
            return None;
        }
        let first = usize::try_from(layout.first).ok()?;
        let stride = usize::try_from(layout.stride).ok()?;
        let len = usize::try_from(layout.len).ok()?;
        // SAFETY: `first <= end`, which is at most the length of the mapping.
        let payloads = unsafe { self.mapping.base().add(first) };
        let last = layout.count - 1;
        let mask = layout.count.checked_next_power_of_two()? - 1;
        Some(SlotRegion { payloads, stride, mask, last, len, region: self, message: PhantomData })
    }
}

/// The position of the slots in a mapping, in bytes. Another process may have written these
/// numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotLayout {
    /// The offset of the first payload. The sequence word of the slot is before it.
    pub(crate) first: u64,
    /// The distance from one payload to the next.
    pub(crate) stride: u64,
    /// The number of slots, a power of two unless the header admits [any number](Atomics::ANY_COUNT).
    pub(crate) count: u64,
    /// The length of a payload.
    pub(crate) len: u64,
}

impl SlotLayout {
    /// Returns the offset of the end of the last payload. `None` if it exceeds 64 bits.
    pub(crate) fn end(&self) -> Option<u64> {
        let last = self.count.checked_sub(1)?.checked_mul(self.stride)?;
        self.first.checked_add(last)?.checked_add(self.len)
    }
}

/// Mapped memory with a header and slots. Each slot can store a message of type `M`.
#[derive(Debug)]
pub(crate) struct SlotRegion<H, M: ?Sized> {
    payloads: NonNull<u8>,
    stride: usize,
    /// The lowest number of ones that is not below `last`.
    mask: u64,
    /// The number of slots minus one.
    last: u64,
    /// The length of the payload of a slot in bytes.
    len: usize,
    region: HeaderRegion<H>,
    message: PhantomData<fn(&M)>,
}

// SAFETY: the pointer refers to slots in the mapping that `region` owns, so both move to the other thread
// together. The slots are accessed by atomics and by racing copies only.
unsafe impl<H: Atomics + Send, M: ?Sized> Send for SlotRegion<H, M> {}
// SAFETY: a shared reference gives access by atomics and racing copies only, which other processes make at
// the same time anyway.
unsafe impl<H: Atomics + Sync, M: ?Sized> Sync for SlotRegion<H, M> {}

impl<H: Atomics, M: ?Sized> SlotRegion<H, M> {
    #[inline]
    pub(crate) fn header(&self) -> &H {
        self.region.header()
    }

    /// Returns the number of slots.
    #[inline]
    pub(crate) fn count(&self) -> u64 {
        self.last + 1
    }

    /// Returns the length of the payload of each slot in bytes.
    #[inline]
    pub(crate) fn payload_len(&self) -> usize {
        self.len
    }

    /// Returns the address of the payload of the slot at this position. Other processes may access it
    /// at any time.
    #[inline]
    pub(crate) fn payload(&self, position: u64) -> NonNull<u8> {
        #[allow(clippy::cast_possible_truncation, reason = "a slot's number, which fits")]
        let slot = if H::ANY_COUNT {
            (position & self.mask).min(self.last) as usize
        } else {
            (position & self.mask) as usize
        };
        // SAFETY: without `ANY_COUNT` the mask is `last`. So `slot` is below the number of slots, all of which lie in the mapping: see
        // `with_untyped_slots`.
        unsafe { self.payloads.add(slot * self.stride) }
    }

    /// Returns the sequence word of the slot at this position.
    #[inline]
    pub(crate) fn sequence(&self, position: u64) -> &AtomicU64 {
        // SAFETY: `with_untyped_slots` checked that the word before each payload lies in the mapping behind the
        // header.
        let word: NonNull<AtomicU64> = unsafe { self.payload(position).sub(8) }.cast();
        // SAFETY: the word lies in the mapping, and is aligned because the first payload and the stride
        // are multiples of eight. It is accessed as this atomic only, because no payload overlaps it.
        unsafe { word.as_ref() }
    }

    /// Loads the first line of a payload into the cache, to read it.
    #[inline]
    pub(crate) fn prefetch_to_read(&self, position: u64) {
        prefetch::to_read(self.payload(position));
    }

    /// Loads the first lines of a slot into the cache, to write them: that of the sequence word, and the next one.
    #[inline]
    pub(crate) fn prefetch_to_write(&self, position: u64) {
        let word = NonNull::from(self.sequence(position)).cast::<u8>();
        prefetch::to_write(word.as_ptr());
        prefetch::to_write(word.as_ptr().wrapping_add(64));
    }

    /// Copies bytes out of the slot at this position, from `offset` in its payload on.
    ///
    /// # Panics
    ///
    /// If the bytes do not lie in the payload.
    #[inline]
    pub(crate) fn read_bytes(&self, position: u64, offset: usize, to: &mut [u8]) {
        self.check_range(offset, to.len());
        // SAFETY: `check_range` found that the range begins in the payload.
        let from = unsafe { self.payload(position).add(offset) };
        // SAFETY: `check_range` found that the payload has `to.len()` bytes at `offset`, and `to` is a
        // buffer of this process. Payloads are accessed by racing copies only.
        unsafe { copy_out(from.as_ptr(), to.as_mut_ptr(), to.len()) };
    }

    /// Copies bytes into the slot at this position, from `offset` in its payload on.
    ///
    /// # Panics
    ///
    /// If the bytes do not lie in the payload.
    #[inline]
    pub(crate) fn write_bytes(&self, position: u64, offset: usize, from: &[u8]) {
        self.check_range(offset, from.len());
        // SAFETY: `check_range` found that the range begins in the payload.
        let to = unsafe { self.payload(position).add(offset) };
        // SAFETY: `check_range` found that the payload has `from.len()` bytes at `offset`, and `from` is
        // a buffer of this process. Payloads are accessed by racing copies only.
        unsafe { copy_in(from.as_ptr(), to.as_ptr(), from.len()) };
    }

    /// Panics if `len` bytes from `offset` on do not lie in a payload.
    #[inline]
    fn check_range(&self, offset: usize, len: usize) {
        let fits = offset.checked_add(len).is_some_and(|end| end <= self.len);
        assert!(
            fits,
            "{len} bytes at {offset} do not lie in a message of at most {} bytes",
            self.len
        );
    }
}

impl<H: Atomics, T: Plain> SlotRegion<H, T> {
    /// Copies the value out of the slot at this position.
    #[inline]
    pub(crate) fn read(&self, position: u64) -> T {
        let mut value = MaybeUninit::<T>::uninit();
        let from = self.payload(position).as_ptr();
        // SAFETY: `with_slots` checked that each payload has room for a `T`, and `value` is a local of
        // that size. Payloads are accessed by racing copies only.
        unsafe { copy_out(from, value.as_mut_ptr().cast(), size_of::<T>()) };
        // SAFETY: `copy` wrote all bytes of `value`, and any bytes are a valid plain value.
        unsafe { value.assume_init() }
    }

    /// Copies the value out of the slot at this position into `value`.
    #[inline]
    pub(crate) fn read_into(&self, position: u64, value: &mut T) {
        let from = self.payload(position).as_ptr();
        let to: *mut T = value;
        // SAFETY: `with_slots` checked that each payload has room for a `T`. Any bytes are a valid plain
        // value. Payloads are accessed by racing copies only.
        unsafe { copy_out(from, to.cast(), size_of::<T>()) };
    }

    /// Copies the value into the slot at this position.
    #[inline]
    pub(crate) fn write(&self, position: u64, value: &T) {
        let to = self.payload(position).as_ptr();
        // SAFETY: `with_slots` checked that each payload has room for a `T`. A plain
        // value has no padding, so that all its bytes are initialised.
        unsafe { copy_in(std::ptr::from_ref(value).cast(), to, size_of::<T>()) };
    }
}

/// Loads lines into the cache of this processor before they are needed.
mod prefetch {
    use std::ptr::NonNull;

    cfg_select! {
        all(target_arch = "x86_64", not(miri)) => {
            #[inline]
            pub(super) fn to_read(at: NonNull<u8>) {
                // SAFETY: the instruction has no effect but on the time that a later access takes.
                unsafe {
                    std::arch::asm!(
                        "prefetcht0 [{}]", in(reg) at.as_ptr(),
                        options(nostack, preserves_flags, readonly)
                    );
                }
            }

            #[inline]
            pub(super) fn to_write(at: *const u8) {
                // SAFETY: the instruction has no effect but on the time that a later access takes, at any address. Old
                // processors that do not know it execute it as one without effect.
                unsafe {
                    std::arch::asm!(
                        "prefetchw [{}]", in(reg) at,
                        options(nostack, preserves_flags, readonly)
                    );
                }
            }
        }
        _ => {
            #[inline]
            pub(super) fn to_read(_: NonNull<u8>) {}

            #[inline]
            pub(super) fn to_write(_: *const u8) {}
        }
    }
}
