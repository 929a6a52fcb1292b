//! Entries of the inventory: live objects and their properties.

use std::ffi::{CString, c_char};
use std::path::Path;
use std::time::UNIX_EPOCH;

use pagemate::inventory;

use super::access::{Access, Protection, Sharing, split_sharing};
use super::event::Reset;

/// The kind of an object.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A kind that this release does not know.
    Other = 0,
    /// A section.
    Section = 1,
    /// A mutex.
    Mutex = 2,
    /// An event.
    Event = 3,
    /// A semaphore.
    Semaphore = 4,
    /// A channel.
    Channel = 5,
}

impl From<pagemate::Kind> for Kind {
    fn from(kind: pagemate::Kind) -> Kind {
        match kind {
            pagemate::Kind::Section => Kind::Section,
            pagemate::Kind::Mutex => Kind::Mutex,
            pagemate::Kind::Event => Kind::Event,
            pagemate::Kind::Semaphore => Kind::Semaphore,
            pagemate::Kind::Channel => Kind::Channel,
            _ => Kind::Other,
        }
    }
}

/// The state of a sync object at the time of the listing. Fields that do not apply to its kind are 0.
///
/// Later releases may add fields at the end, so do not copy the struct or rely on its size.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// Of a mutex: the pid of the owner, in the owner's pid namespace; 0 if no thread owns it.
    pub owner: u32,
    /// Of a mutex: whether the next lock will report that it was abandoned.
    pub abandoned: bool,
    /// Of an event: whether it is set.
    pub signaled: bool,
    /// Of an event: the way it is reset.
    pub reset: Reset,
    /// Of a semaphore: the count.
    pub count: u32,
    /// Of a semaphore: the maximum count.
    pub max: u32,
    /// The approximate number of waiting threads, which may include killed ones; -1 if it is not known, as
    /// on Windows.
    pub waiting: i64,
}

impl State {
    fn new(found: inventory::State, waiting: Option<u32>) -> State {
        let mut state = State {
            owner: 0,
            abandoned: false,
            signaled: false,
            reset: Reset::Auto,
            count: 0,
            max: 0,
            waiting: waiting.map_or(-1, i64::from),
        };
        match found {
            inventory::State::Mutex { owner, abandoned, .. } => {
                state.owner = owner.unwrap_or(0);
                state.abandoned = abandoned;
            }
            inventory::State::Event { reset, signaled, .. } => {
                state.reset = reset.into();
                state.signaled = signaled;
            }
            inventory::State::Semaphore { count, max, .. } => {
                state.count = count;
                state.max = max;
            }
            _ => {}
        }
        state
    }
}

/// A live object.
///
/// Later releases may add fields at the end, so do not copy the struct or rely on its size. Everything that
/// it points to belongs to the inventory.
#[repr(C)]
#[derive(Debug)]
pub struct Entry {
    /// The name, UTF-8.
    pub name: *const c_char,
    /// The length in bytes.
    pub len: u64,
    /// The kind.
    pub kind: Kind,
    /// The upper limit for the access of views. On Windows only a user who may write to the section
    /// can query it; for other users it is PAGEMATE_PROTECTION_READ_WRITE.
    pub protection: Protection,
    /// The other users who may open the object.
    pub sharing: Sharing,
    /// The access of those users; PAGEMATE_ACCESS_DEFAULT if there are none.
    pub sharing_access: Access,
    /// The time of creation, in nanoseconds since 1970; 0 if it is not known, as on Windows.
    pub created: u64,
    /// The pid of the creator, in the creator's pid namespace; 0 if it is not known, as on Windows.
    pub creator: u32,
    /// The uid of the owner; -1 on Windows, which has no uids.
    pub owner: i64,
    /// The pids of the holders that this user may inspect: without privilege only holders of the
    /// same user, and on macOS and Windows none.
    pub holders: *const u32,
    /// The number of holders.
    pub holder_count: usize,
    /// The path of the file whose bytes the section shares, as its creator recorded it; NULL if there is
    /// none, and on Windows.
    pub file: *const c_char,
    /// The state of a sync object; NULL for a section, and if it is not known.
    pub state: *const State,
}

/// An entry and the memory that it points to.
#[derive(Debug)]
pub(super) struct OwnedEntry {
    pub(super) entry: Entry,
    _name: CString,
    _holders: Vec<u32>,
    _file: Option<CString>,
    _state: Option<Box<State>>,
}

impl From<inventory::Entry> for OwnedEntry {
    fn from(found: inventory::Entry) -> OwnedEntry {
        // The entry may be moved: the pointers below refer to memory on the heap that other fields
        // own.
        let name = CString::new(found.name.to_string()).unwrap_or_default();
        let file = found.file.and_then(|path| CString::new(bytes(&path)).ok());
        let state = found.state.map(|state| Box::new(State::new(state, found.waiting)));
        let since = found.created.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let (sharing, sharing_access) = split_sharing(found.sharing);
        let entry = Entry {
            name: name.as_ptr(),
            len: found.len,
            kind: found.kind.into(),
            protection: found.protection.into(),
            sharing,
            sharing_access,
            created: since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0),
            creator: found.creator.unwrap_or(0),
            owner: found.owner.map_or(-1, i64::from),
            holders: found.holders.as_ptr(),
            holder_count: found.holders.len(),
            file: file.as_ref().map_or(std::ptr::null(), |file| file.as_ptr()),
            state: state.as_deref().map_or(std::ptr::null(), |state| &raw const *state),
        };
        OwnedEntry { entry, _name: name, _holders: found.holders, _file: file, _state: state }
    }
}

#[cfg(not(windows))]
fn bytes(path: &Path) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec()
}

#[cfg(windows)]
fn bytes(path: &Path) -> Vec<u8> {
    path.to_string_lossy().into_owned().into_bytes()
}
