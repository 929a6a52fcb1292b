//! Memory of this process alone, to copy to, from and between.
#![allow(unsafe_code, reason = "mapping memory")]

use rustix::mm::{Advice, MapFlags, ProtFlags};

/// Which pages the memory is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pages {
    /// Of the processor's smallest size, which shared memory has too.
    Small,
    /// As huge as the kernel has them.
    Huge,
}

/// Anonymous memory, all of it present.
#[derive(Debug)]
pub(crate) struct Private {
    at: *mut u8,
    len: usize,
}

/// So that huge pages fit.
const HUGE: usize = 2 << 20;

impl Private {
    pub(crate) fn new(len: usize, pages: Pages) -> Private {
        let len = len.next_multiple_of(HUGE);
        let prot = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the kernel chooses the address, so that nothing mapped is replaced.
        let at = unsafe {
            rustix::mm::mmap_anonymous(std::ptr::null_mut(), len, prot, MapFlags::PRIVATE)
        };
        let at = at.expect("memory");
        let advice = match pages {
            Pages::Small => Advice::LinuxNoHugepage,
            Pages::Huge => Advice::LinuxHugepage,
        };
        // SAFETY: advice about our own mapping; it changes no byte.
        unsafe { rustix::mm::madvise(at, len, advice) }.expect("the advice");
        let at = at.cast::<u8>();
        // SAFETY: just mapped for writing, `len` bytes long.
        unsafe { at.write_bytes(1, len) };
        Private { at, len }
    }

    pub(crate) fn bytes(&self, len: usize) -> &[u8] {
        assert!(len <= self.len);
        // SAFETY: mapped, written once in `new`, and writing it again takes `&mut self`.
        unsafe { std::slice::from_raw_parts(self.at, len) }
    }

    pub(crate) fn bytes_mut(&mut self, len: usize) -> &mut [u8] {
        assert!(len <= self.len);
        // SAFETY: mapped, and `&mut self` keeps everyone else out.
        unsafe { std::slice::from_raw_parts_mut(self.at, len) }
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // SAFETY: what `new` mapped; whoever lends it out borrows `self`.
        unsafe { rustix::mm::munmap(self.at.cast(), self.len) }.expect("its end");
    }
}
