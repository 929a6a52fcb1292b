//! Memory that the processes of the test share without pagemate.
#![allow(unsafe_code, reason = "maps memory that processes share")]

use std::sync::atomic::{AtomicU32, AtomicU64};

use rustix::mm::{MapFlags, ProtFlags};

/// The number of victims that a scene can have at a time.
pub(crate) const VICTIMS: usize = 4;

/// The number of messages of a sender of an mpmc channel in one round, or of a client's requests.
pub(crate) const NUMBERS: usize = 256;

/// The most fault points of one kind of channel.
pub(crate) const POINTS: usize = 32;

/// Structures of atomics, which are valid with all bytes zero.
pub(crate) trait Zeroed {}

/// The notes of the victims of one scene.
#[repr(C)]
pub(crate) struct Board {
    /// The life that has opened its endpoints, by victim.
    pub(crate) ready: [AtomicU64; VICTIMS],
    /// How far the victim has come. The kinds of channels count different things.
    pub(crate) done: [AtomicU64; VICTIMS],
    /// Another number of the victim.
    pub(crate) note: [AtomicU64; VICTIMS],
    /// The number of the round. The children of victims end when it changes.
    pub(crate) round: AtomicU64,
    /// How many children the victims began to fork, and how many of them run.
    pub(crate) forks: [AtomicU64; 2],
    /// Nonzero when senders stop sending, and when receivers leave once the channel is empty.
    pub(crate) ends: [AtomicU32; 2],
    /// The deliveries of each message of the round, by sender.
    pub(crate) counts: [[AtomicU32; NUMBERS]; VICTIMS],
}

/// The counts of all scenes of one kind of channel.
#[repr(C)]
pub(crate) struct Totals {
    /// The rounds that were begun, and those that are done.
    pub(crate) begun: AtomicU64,
    pub(crate) done: AtomicU64,
    pub(crate) messages: AtomicU64,
    /// Messages that were delivered again, and messages that a lossy receiver missed.
    pub(crate) again: AtomicU64,
    pub(crate) missed: AtomicU64,
    /// The victims by their end: see `Fate`.
    pub(crate) fates: [AtomicU64; 6],
    /// The deaths and the stops at each point.
    pub(crate) deaths: [AtomicU64; POINTS],
    pub(crate) stops: [AtomicU64; POINTS],
    /// The number of waits of survivors for a dead process, and the longest in nanoseconds.
    pub(crate) waits: AtomicU64,
    pub(crate) longest: AtomicU64,
    /// Waits that took longer than one liveness test and 20 ms.
    pub(crate) late: AtomicU64,
}

impl Zeroed for Board {}
impl Zeroed for Totals {}

/// Maps a structure that this process and its later children share. It is never unmapped.
pub(crate) fn map<T: Zeroed>() -> &'static T {
    let prot = ProtFlags::READ | ProtFlags::WRITE;
    // SAFETY: the kernel chooses the address, so that nothing mapped is replaced.
    let at = unsafe {
        rustix::mm::mmap_anonymous(std::ptr::null_mut(), size_of::<T>(), prot, MapFlags::SHARED)
    };
    let at = at.expect("the memory of the board");
    // SAFETY: the mapping has the size of the structure, is page-aligned and is never unmapped. The
    // structure consists of atomics, and its bytes are zero.
    unsafe { &*at.cast::<T>() }
}
