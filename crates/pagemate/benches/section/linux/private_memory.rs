//! Private memory of this process, for copies to, from and inside it.
#![allow(unsafe_code, reason = "mapping memory")]

use rustix::mm::{Advice, MapFlags, ProtFlags};

/// The size of the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pages {
    /// The smallest page size of the processor, as in shared memory.
    Small,
    /// Huge pages, as far as the kernel has them.
    Huge,
}

/// Anonymous memory, with all its pages present.
#[derive(Debug)]
pub(crate) struct Private {
    at: *mut u8,
    len: usize,
}

/// The size and alignment of a huge page.
const HUGE: usize = 2 << 20;

impl Private {
    pub(crate) fn new(len: usize, pages: Pages) -> Private {
        let len = len.next_multiple_of(HUGE);
        let prot = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the kernel chooses the address, so that no existing mapping is replaced.
        let at = unsafe {
            rustix::mm::mmap_anonymous(std::ptr::null_mut(), len, prot, MapFlags::PRIVATE)
        };
        let at = at.expect("memory");
        let advice = match pages {
            Pages::Small => Advice::LinuxNoHugepage,
            Pages::Huge => Advice::LinuxHugepage,
        };
        // SAFETY: the range is our own mapping, and the advice changes no byte.
        unsafe { rustix::mm::madvise(at, len, advice) }.expect("the advice");
        let at = at.cast::<u8>();
        // SAFETY: the range was just mapped for writing, and is `len` bytes long.
        unsafe { at.write_bytes(1, len) };
        Private { at, len }
    }

    pub(crate) fn bytes(&self, len: usize) -> &[u8] {
        assert!(len <= self.len);
        // SAFETY: the memory is mapped and was initialised in `new`; writing to it takes `&mut
        // self`.
        unsafe { std::slice::from_raw_parts(self.at, len) }
    }

    pub(crate) fn bytes_mut(&mut self, len: usize) -> &mut [u8] {
        assert!(len <= self.len);
        // SAFETY: the memory is mapped, and `&mut self` excludes other references.
        unsafe { std::slice::from_raw_parts_mut(self.at, len) }
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // SAFETY: the range that `new` mapped; every slice of it borrows `self`, so none is left.
        unsafe { rustix::mm::munmap(self.at.cast(), self.len) }.expect("its end");
    }
}
