//! The inventory: live objects, their holders, and the files of dead objects.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::path::Path;
use std::time::UNIX_EPOCH;

use pagemate::inventory;

use super::access::{Access, Protection, Sharing, split_sharing};
use super::argument::{close, create_handle, required, text};
use super::event::Reset;
use super::status::{Failure, Status, run};

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
}

impl From<pagemate::Kind> for Kind {
    fn from(kind: pagemate::Kind) -> Kind {
        match kind {
            pagemate::Kind::Section => Kind::Section,
            pagemate::Kind::Mutex => Kind::Mutex,
            pagemate::Kind::Event => Kind::Event,
            pagemate::Kind::Semaphore => Kind::Semaphore,
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
    /// Of a mutex: whether the next owner will learn that it was abandoned.
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
            inventory::State::Mutex { owner, abandoned } => {
                state.owner = owner.unwrap_or(0);
                state.abandoned = abandoned;
            }
            inventory::State::Event { reset, signaled } => {
                state.reset = reset.into();
                state.signaled = signaled;
            }
            inventory::State::Semaphore { count, max } => {
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
    /// The most access that views can have. On Windows only a user who may write to the section sees it.
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
    /// The pids of the holders that this user may see: without privilege, only those of the same user, and
    /// on macOS and Windows none.
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
struct OwnedEntry {
    entry: Entry,
    _name: CString,
    _holders: Vec<u32>,
    _file: Option<CString>,
    _state: Option<Box<State>>,
}

/// A list of live objects at the time of the call that created it.
///
/// Several threads may read one list at the same time. No thread may use it during or after
/// pagemate_inventory_free().
#[derive(Debug)]
pub struct Inventory {
    entries: Vec<OwnedEntry>,
}

impl From<inventory::Entry> for OwnedEntry {
    fn from(found: inventory::Entry) -> OwnedEntry {
        // The pointers below stay valid when the entry moves, because they point into heap allocations of
        // the fields beside them.
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

/// Lists all live objects that this user may open, sorted by name, and removes the files of dead ones.
/// Thread-safe.
///
/// On Windows these are the named file mappings of all programs, and the call holds each of them for a
/// moment while it reads the properties.
///
/// ```c
/// pagemate_inventory *inventory = NULL;
/// size_t count = 0;
/// if (pagemate_inventory_list(&inventory) == PAGEMATE_OK &&
///     pagemate_inventory_count(inventory, &count) == PAGEMATE_OK) {
///     for (size_t i = 0; i < count; i++) {
///         const pagemate_entry *entry = NULL;
///         if (pagemate_inventory_entry(inventory, i, &entry) == PAGEMATE_OK) {
///             printf("%s has %llu bytes\n", entry->name, (unsigned long long)entry->len);
///         }
///     }
/// }
/// pagemate_inventory_free(inventory);
/// ```
///
/// @param inventory  Receives the list, which the caller frees by pagemate_inventory_free(); NULL on failure.
/// @return PAGEMATE_PERMISSION_DENIED or PAGEMATE_OS: a directory of objects cannot be read.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_inventory_list(
    inventory: Option<&mut MaybeUninit<Option<Box<Inventory>>>>,
) -> Status {
    create_handle("list objects", "inventory", inventory, || {
        let entries = inventory::list()?.into_iter().map(OwnedEntry::from).collect();
        Ok(Inventory { entries })
    })
}

/// Finds the live object `name`, and returns a list of one object. Thread-safe.
///
/// @param name       The name: see pagemate_section_create_new().
/// @param inventory  Receives the list, which the caller frees by pagemate_inventory_free(); NULL on failure.
/// @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_INVALID_NAME.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_inventory_find(
    name: *const c_char,
    inventory: Option<&mut MaybeUninit<Option<Box<Inventory>>>>,
) -> Status {
    let call = "find";
    create_handle(call, "inventory", inventory, || {
        // SAFETY: the caller passes NULL or a string that ends in a NUL and is unchanged until this
        // function returns.
        let name = unsafe { text(call, "name", name) }?;
        Ok(Inventory { entries: vec![inventory::find(name)?.into()] })
    })
}

/// Returns the number of objects in a list. Thread-safe.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_inventory_count(
    inventory: Option<&Inventory>,
    count: Option<&mut MaybeUninit<usize>>,
) -> Status {
    let call = "count objects";
    run(|| {
        let inventory = required(call, "inventory", inventory)?;
        required(call, "count", count)?.write(inventory.entries.len());
        Ok(())
    })
}

/// Returns one object of a list. Thread-safe.
///
/// @param inventory  The list.
/// @param index      The index of the object, from 0.
/// @param entry      Receives the entry, which is valid, as all that it points to, until the list is freed.
/// @return PAGEMATE_OUT_OF_RANGE: the list has fewer objects.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_inventory_entry(
    inventory: Option<&Inventory>,
    index: usize,
    entry: Option<&mut MaybeUninit<*const Entry>>,
) -> Status {
    let call = "get object";
    run(|| {
        let entries = &required(call, "inventory", inventory)?.entries;
        let out = required(call, "entry", entry)?;
        let owned = entries.get(index).ok_or_else(|| {
            let message = format!("{call} {index}: the list has {} objects", entries.len());
            Failure::new(Status::PAGEMATE_OUT_OF_RANGE, message)
        })?;
        out.write(&raw const owned.entry);
        Ok(())
    })
}

/// Frees a list and all its entries.
///
/// No other thread may use the list during the call, and nothing may use it later. It always succeeds. NULL
/// is ignored, as by free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_inventory_free(inventory: Option<Box<Inventory>>) -> Status {
    close(inventory)
}

/// Removes the files of dead objects, which killed processes left behind. Thread-safe.
///
/// Calls that create or list objects do the same in passing. On Windows there are no such files.
///
/// @param objects  Receives the number of dead objects removed. May be NULL.
/// @param bytes    Receives the number of bytes freed. May be NULL.
/// @return PAGEMATE_PERMISSION_DENIED or PAGEMATE_OS: a directory of objects cannot be read.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_prune(
    objects: Option<&mut MaybeUninit<u64>>,
    bytes: Option<&mut MaybeUninit<u64>>,
) -> Status {
    run(|| {
        let pruned = inventory::prune()?;
        objects.map(|objects| objects.write(pruned.objects));
        bytes.map(|bytes| bytes.write(pruned.bytes));
        Ok(())
    })
}
