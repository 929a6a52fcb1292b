//! Descriptors that a child must not keep, stored in slots so that every child finds and closes them.
//!
//! Slots are never freed. A child of `fork(3)` finds all descriptors. A bare `clone` may run when
//! another thread of the parent has opened a descriptor and has not stored it yet. The child of
//! that `clone` does not find the descriptor and keeps it open. Therefore no thread takes a lock
//! through a descriptor before it has stored the descriptor.
//!
//! | `fd` | Meaning | Ended by |
//! |---|---|---|
//! | 0 | the slot is free | `store` |
//! | a descriptor plus 1 | the slot owns that descriptor | `close`; `replace`, which stores another one |
#![allow(unsafe_code, reason = "makes owned descriptors from the numbers in the slots")]

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use super::fork::ProcessGuard;

/// A descriptor that belongs to one generation, or a free slot.
#[derive(Debug)]
pub(super) struct Slot {
    /// The descriptor plus one, or 0.
    fd: AtomicI32,
    /// The generation that opened the descriptor.
    generation: AtomicU32,
    /// The inode of the file: after a program has closed all descriptors, as daemons do, another file
    /// may have the same descriptor.
    inode: AtomicU64,
}

#[derive(Debug)]
struct Chunk {
    slots: [Slot; 64],
    next: AtomicPtr<Chunk>,
}

impl Chunk {
    const fn new() -> Chunk {
        let slots = [const {
            Slot { fd: AtomicI32::new(0), generation: AtomicU32::new(0), inode: AtomicU64::new(0) }
        }; 64];
        Chunk { slots, next: AtomicPtr::new(std::ptr::null_mut()) }
    }

    fn next(&self) -> Option<&'static Chunk> {
        // Acquire: makes the content of the chunk visible, published by the Release in `store`.
        // SAFETY: the pointer is null or was stored by `store`, which leaked the chunk.
        unsafe { self.next.load(Ordering::Acquire).as_ref() }
    }
}

static FIRST: Chunk = Chunk::new();

fn chunks() -> impl Iterator<Item = &'static Chunk> {
    std::iter::successors(Some(&FIRST), |chunk| chunk.next())
}

fn slots() -> impl Iterator<Item = &'static Slot> {
    chunks().flat_map(|chunk| &chunk.slots)
}

/// Stores a descriptor of this generation in a slot.
pub(super) fn store(fd: OwnedFd, generation: u32, _: &mut ProcessGuard) -> &'static Slot {
    let free = slots().find(|slot| slot.fd.load(Ordering::Relaxed) == 0);
    let slot = free.unwrap_or_else(|| {
        let chunk: &'static Chunk = Box::leak(Box::new(Chunk::new()));
        let last = chunks().last().expect("FIRST is a chunk");
        // Release: publishes the chunk to the Acquire in `Chunk::next`.
        last.next.store(std::ptr::from_ref(chunk).cast_mut(), Ordering::Release);
        &chunk.slots[0]
    });
    let fd = above_standard_streams(fd);
    let inode = rustix::fs::fstat(&fd).map_or(0, |stat| stat.st_ino);
    slot.inode.store(inode, Ordering::Relaxed);
    slot.set(fd, generation);
    slot
}

/// Closes the descriptors that other generations opened.
pub(super) fn close_others(generation: u32) {
    for slot in slots() {
        if slot.generation.load(Ordering::Relaxed) != generation {
            slot.close();
        }
    }
}

/// Returns a descriptor of the same description whose number is above the standard streams. If the
/// program has closed a standard stream, the descriptor of the file could otherwise have its
/// number, and the output of the program would be written into the file.
fn above_standard_streams(fd: OwnedFd) -> OwnedFd {
    const FIRST: RawFd = 3;
    if fd.as_raw_fd() >= FIRST {
        return fd;
    }
    rustix::io::fcntl_dupfd_cloexec(&fd, FIRST).unwrap_or(fd)
}

impl Slot {
    /// Returns the descriptor, unless the program closed it.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        let fd = self.fd.load(Ordering::Relaxed).checked_sub(1).filter(|fd| *fd >= 0)?;
        // SAFETY: the slot owns the descriptor. A slot is emptied before its descriptor is closed, and
        // only by a thread that holds the process lock, as the caller does. If the program itself
        // closed the descriptor, `fstat` fails or the comparison below finds another inode.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        let stat = rustix::fs::fstat(fd).ok()?;
        (stat.st_ino == self.inode.load(Ordering::Relaxed)).then_some(fd)
    }

    /// Closes the descriptor and frees the slot.
    pub(super) fn close(&self) {
        let fd = self.fd().map(|fd| fd.as_raw_fd());
        // Free the slot first: the number may refer to another file as soon as it is closed.
        self.fd.store(0, Ordering::Relaxed);
        if let Some(fd) = fd {
            // SAFETY: `Slot::fd` found that the descriptor still refers to the file of this slot. The slot
            // owned it and is free now, so this is the only owner.
            drop(unsafe { OwnedFd::from_raw_fd(fd) });
        }
    }

    /// Replaces the descriptor by another descriptor of the same file. The caller has checked by
    /// [`fd`](Slot::fd) that the old descriptor still refers to that file.
    pub(super) fn replace(&self, fd: OwnedFd, generation: u32) {
        let old = self.fd.swap(0, Ordering::Relaxed) - 1;
        // SAFETY: `Slot::fd` found that the descriptor still refers to the file of this slot. The slot
        // owned it and is empty now, so this is the only owner.
        drop(unsafe { OwnedFd::from_raw_fd(old) });
        self.set(above_standard_streams(fd), generation);
    }

    fn set(&self, fd: OwnedFd, generation: u32) {
        self.generation.store(generation, Ordering::Relaxed);
        // Release: publishes the generation and the inode. The readers hold the process lock, or
        // are children that this thread forks; neither needs Acquire.
        self.fd.store(fd.into_raw_fd() + 1, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::liveness::fork;

    #[test]
    fn all_stored_descriptors_are_found_also_those_of_further_chunks() {
        // No process has this generation.
        let generation = u32::MAX;
        let mut guard = fork::lock_process();
        let stored = [(); 150].map(|()| {
            let fd = std::fs::File::open("/").unwrap();
            store(fd.into(), generation, &mut guard)
        });
        let is_stored = |slot: &&Slot| slot.generation.load(Ordering::Relaxed) == generation;
        let found = || slots().filter(is_stored).filter(|slot| slot.fd().is_some()).count();
        assert_eq!(found(), stored.len());
        for slot in stored {
            slot.close();
        }
        assert_eq!(found(), 0);
        // The next descriptors are stored in the free slots.
        let count = slots().count();
        store(std::fs::File::open("/").unwrap().into(), generation, &mut guard).close();
        assert_eq!(slots().count(), count);
    }
}
