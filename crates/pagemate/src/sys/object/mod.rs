//! Shared memory as each system keeps it: see [`sys`](super) for what a platform provides.

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::access::{Access, Kind, Protection, Sharing};
use crate::name::Name;
use crate::sys::state::State;

#[cfg(not(any(unix, windows)))]
compile_error!("pagemate runs on Linux, Windows and macOS");

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use self::unix as platform;
#[cfg(windows)]
use self::windows as platform;

pub(crate) use platform::{
    Mapping, Object, allocation_granularity, find, list, prune, unreachable,
};
#[cfg(windows)]
pub(crate) use platform::{for_questions, named, native, security, session};

/// What a new object is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec<'f> {
    pub(crate) kind: Kind,
    /// In bytes; whole pages for memory, exact for a file; 0 takes a file's own length.
    pub(crate) len: u64,
    pub(crate) protection: Protection,
    pub(crate) sharing: Sharing,
    pub(crate) access: Access,
    pub(crate) backing: Backing,
    /// The user's file that is to be the memory.
    pub(crate) file: Option<&'f File>,
    /// What the memory begins with; what follows is zero.
    #[cfg_attr(windows, expect(dead_code, reason = "there what needs it is not made of memory"))]
    pub(crate) content: &'f [u8],
    /// Whether its maker has the first seat at it, before anybody else sees it.
    #[cfg_attr(windows, expect(dead_code, reason = "as above"))]
    pub(crate) seated: bool,
}

/// When memory is set aside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Backing {
    /// All of it at creation.
    #[default]
    Reserved,
    /// The same, in huge pages as far as the system has them.
    Huge,
    /// Page by page at first touch.
    Sparse,
}

/// What to do when the name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    Refuse,
    Open,
}

/// A range of an object to map, already checked to lie inside it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    /// A multiple of the allocation granularity.
    pub(crate) offset: u64,
    pub(crate) len: usize,
    pub(crate) mode: Mode,
    pub(crate) prefault: bool,
    #[cfg_attr(
        windows,
        expect(dead_code, reason = "large pages are no wish there but a privilege")
    )]
    pub(crate) huge_pages: bool,
}

/// How a view sees the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    ReadWrite,
    CopyOnWrite,
}

/// A live object as the inventory finds it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: Name,
    pub(crate) kind: Kind,
    pub(crate) len: u64,
    pub(crate) protection: Protection,
    pub(crate) sharing: Sharing,
    pub(crate) created: Option<SystemTime>,
    pub(crate) creator: Option<u32>,
    pub(crate) owner: Option<u32>,
    pub(crate) holders: Vec<u32>,
    pub(crate) file: Option<PathBuf>,
    pub(crate) state: Option<State>,
    pub(crate) waiting: Option<u32>,
}

/// What a sweep gave back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
}

/// How long anyone waits for another process that is in the middle of something.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
