//! The descriptors that a child must not keep, stored so that every child finds them.
//! made.
//!
//! Each is in a slot, and slots are never freed. A child of `fork(3)` finds all of them. A child that
//! a bare `clone` makes while *another* thread of its parent is between opening a description and
//! filling its slot misses that one, which is why it is filled before anything is locked through it.
#![allow(unsafe_code, reason = "descriptors that no owner in this process uses any more")]

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, AtomicPtr, AtomicU32, AtomicU64, Ordering};

use super::fork::Alone;

/// A descriptor, or room for one.
#[derive(Debug)]
pub(super) struct Slot {
    /// The descriptor plus one; 0 is none.
    fd: AtomicI32,
    /// The generation that opened it.
    generation: AtomicU32,
    /// The inode of its file: a program that closes all descriptors, as daemons do, may have another
    /// file under the same number.
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
        // Acquire: the chunk itself, by the Release in `fill`.
        // SAFETY: the pointer is null or leads to a chunk that was leaked.
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

/// Keeps a descriptor of this generation in a slot.
pub(super) fn fill(fd: OwnedFd, generation: u32, _: &mut Alone) -> &'static Slot {
    let free = slots().find(|slot| slot.fd.load(Ordering::Relaxed) == 0);
    let slot = free.unwrap_or_else(|| {
        let chunk: &'static Chunk = Box::leak(Box::new(Chunk::new()));
        let last = chunks().last().expect("there is a first");
        last.next.store(std::ptr::from_ref(chunk).cast_mut(), Ordering::Release);
        &chunk.slots[0]
    });
    let fd = beside_the_streams(fd);
    let inode = rustix::fs::fstat(&fd).map_or(0, |stat| stat.st_ino);
    slot.inode.store(inode, Ordering::Relaxed);
    slot.set(fd, generation);
    slot
}

/// Closes what was opened by other generations than this.
pub(super) fn close_others(generation: u32) {
    for slot in slots() {
        if slot.generation.load(Ordering::Relaxed) != generation {
            slot.empty();
        }
    }
}

/// The same description under a number that is no standard stream's, where the output of the program
/// would be written into the file.
fn beside_the_streams(fd: OwnedFd) -> OwnedFd {
    const FIRST: RawFd = 3;
    if fd.as_raw_fd() >= FIRST {
        return fd;
    }
    rustix::io::fcntl_dupfd_cloexec(&fd, FIRST).unwrap_or(fd)
}

impl Slot {
    /// Its descriptor, unless the program closed that.
    pub(super) fn fd(&self) -> Option<BorrowedFd<'_>> {
        let fd = self.fd.load(Ordering::Relaxed).checked_sub(1).filter(|fd| *fd >= 0)?;
        // SAFETY: a slot is emptied before its descriptor is closed, by a thread that is `Alone`, as
        // the caller is. Where the program closed it, the worst is an error.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        let stat = rustix::fs::fstat(fd).ok()?;
        (stat.st_ino == self.inode.load(Ordering::Relaxed)).then_some(fd)
    }

    /// Closes its descriptor.
    pub(super) fn empty(&self) {
        let fd = self.fd().map(|fd| fd.as_raw_fd());
        // First: the number may be another file's as soon as it is closed.
        self.fd.store(0, Ordering::Relaxed);
        if let Some(fd) = fd {
            // SAFETY: it is the file that this slot owned, and the slot does not have it any more.
            drop(unsafe { OwnedFd::from_raw_fd(fd) });
        }
    }

    /// Replaces its descriptor, which [is there](Slot::fd), by another of the same file.
    pub(super) fn replace(&self, fd: OwnedFd, generation: u32) {
        let old = self.fd.swap(0, Ordering::Relaxed) - 1;
        // SAFETY: the caller saw that it is the file that this slot owns, and the slot does not have it
        // any more.
        drop(unsafe { OwnedFd::from_raw_fd(old) });
        self.set(beside_the_streams(fd), generation);
    }

    fn set(&self, fd: OwnedFd, generation: u32) {
        self.generation.store(generation, Ordering::Relaxed);
        // Release: a child that finds it finds what belongs to it.
        self.fd.store(fd.into_raw_fd() + 1, Ordering::Release);
    }
}
