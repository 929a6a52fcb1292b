//! Objects in shared memory, one implementation for each platform. [`sys`](super) has the contract.

use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::access::{Access, Protection, Sharing};
use crate::error::{Error, Result};
use crate::kind::Kind;
use crate::name::Name;
use crate::sys::object_state::State;

#[cfg(not(any(unix, windows)))]
compile_error!("pagemate runs on Linux, Windows and macOS");

#[cfg(unix)]
mod unix;
mod wait_for_name;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use self::unix as platform;
#[cfg(windows)]
use self::windows as platform;

pub(crate) use self::wait_for_name::open_before;
pub(crate) use platform::{
    CONTENT_APPEARS_WHOLE, Mapping, Object, allocation_granularity, find, list, names, prune,
};
#[cfg(windows)]
pub(crate) use platform::{named, native, open_for_descriptor, security, session};

/// The properties of a new object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec<'f> {
    pub(crate) kind: Kind,
    /// The length in bytes. Memory is rounded up to whole pages, and a file has exactly this
    /// length. For a file, 0 means the file's own length.
    pub(crate) len: u64,
    /// The length that the caller asked for, before it is rounded up. `create` and `unnamed` set it.
    pub(crate) asked_len: u64,
    pub(crate) protection: Protection,
    pub(crate) sharing: Sharing,
    pub(crate) access: Access,
    pub(crate) backing: Backing,
    /// The user's file to use as the memory.
    pub(crate) file: Option<&'f File>,
    /// The origin of `file`, if the object is a mirror of memory that belongs to another system of
    /// names. Other processes then open the creator's descriptor of the file.
    pub(crate) origin: Option<&'f str>,
    /// The initial content of the memory. The bytes after it are zero. If [`CONTENT_APPEARS_WHOLE`]
    /// is false, other processes may open the object before the content is complete, and its first
    /// eight bytes are written last.
    pub(crate) content: &'f [u8],
    /// Whether the creator takes the first seat before other processes can see the object.
    #[cfg_attr(windows, expect(dead_code, reason = "sync objects are kernel objects there"))]
    pub(crate) seated: bool,
}

/// When memory is reserved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Backing {
    /// All memory is reserved at creation.
    #[default]
    Reserved,
    /// All memory is reserved at creation, in huge pages as far as the system has them.
    Huge,
    /// Each page is allocated at its first access.
    Sparse,
}

/// Selects the result of `create` if the name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    Refuse,
    Open,
}

/// Writes the initial content of a new object, whose memory it gets as an object of its own. On Unix no other
/// process can open the new object before it returns.
pub(crate) type Init<'f> = &'f mut dyn FnMut(Object) -> Result<()>;

/// A range of an object to map. The caller has checked that it lies inside the object.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    /// The offset in bytes, a multiple of the allocation granularity.
    pub(crate) offset: u64,
    pub(crate) len: usize,
    pub(crate) mode: Mode,
    pub(crate) prefault: bool,
    #[cfg_attr(
        windows,
        expect(
            dead_code,
            reason = "large pages need a privilege on Windows, so no hint requests them"
        )
    )]
    pub(crate) huge_pages: bool,
}

/// How a view accesses the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Read,
    ReadWrite,
    CopyOnWrite,
}

/// The live objects, and the errors of those that cannot be listed.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) entries: Vec<Entry>,
    /// The errors of live objects that this release cannot describe.
    pub(crate) damaged: Vec<Error>,
    /// The errors of namespaces that cannot be read.
    pub(crate) unreachable: Vec<Error>,
}

/// The inventory's description of a live object.
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
    pub(crate) origin: Option<String>,
    pub(crate) state: Option<State>,
    pub(crate) waiting: Option<u32>,
}

/// The dead objects that a sweep removed, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Swept {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
}

/// How long a call retries while another process is in the middle of a step.
pub(crate) const RETRY_TIMEOUT: Duration = Duration::from_secs(2);
