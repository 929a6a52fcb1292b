//! What is alive, who holds it, and what the dead left behind.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::path::Path;
use std::time::UNIX_EPOCH;

use pagemate::inventory;

use super::argument::{given, hand_out, take_back, text};
use super::event::Reset;
use super::options::{Access, Protection, Sharing, told};
use super::status::{Failure, Status, call};

/// What stands under a name.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What this release has no word for.
    Other = 0,
    /// Named memory.
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

/// What a sync object was like when somebody looked; the next moment it may be otherwise. What is not of
/// its kind is zero. Later releases may add fields at the end: look at it where it stands.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// Of a mutex: the pid that has it, in its own pid namespace; 0 if none has.
    pub owner: u32,
    /// Of a mutex: whether the next who takes it will be told that it was abandoned.
    pub abandoned: bool,
    /// Of an event: whether it has happened.
    pub signaled: bool,
    /// Of an event: how it resets.
    pub reset: Reset,
    /// Of a semaphore: how many there are to take.
    pub count: u32,
    /// Of a semaphore: the highest count.
    pub max: u32,
    /// About how many threads sleep until they can have it; -1 where that is not known, as on Windows.
    /// Who was killed meanwhile may be counted.
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

/// A live object. Later releases may add fields at the end: look at it where it stands.
#[repr(C)]
#[derive(Debug)]
pub struct Entry {
    /// Its name, UTF-8.
    pub name: *const c_char,
    /// Its length in bytes.
    pub len: u64,
    /// What it is.
    pub kind: Kind,
    /// What views of it may do. On Windows this shows only to those who may write to it.
    pub protection: Protection,
    /// Which other users may open it.
    pub sharing: Sharing,
    /// What those others may do; PAGEMATE_ACCESS_DEFAULT if there are none.
    pub sharing_access: Access,
    /// When it was made, in nanoseconds since 1970; 0 where that is not known, as on Windows.
    pub created: u64,
    /// The pid that made it, in its maker's pid namespace; 0 where that is not known, as on Windows.
    pub creator: u32,
    /// The uid of its owner; -1 on Windows, which has none.
    pub owner: i64,
    /// The pids that hold it, as far as this user may look: other users' processes are not seen without
    /// privilege, and on macOS and Windows none are.
    pub holders: *const u32,
    /// How many they are.
    pub holder_count: usize,
    /// The path of the file that is its memory, as its maker wrote it down; NULL if there is none, and on
    /// Windows.
    pub file: *const c_char,
    /// What a sync object was like; NULL for a section, and where that is not known.
    pub state: *const State,
}

/// An entry with what it points to.
#[derive(Debug)]
struct Kept {
    entry: Entry,
    _name: CString,
    _holders: Vec<u32>,
    _file: Option<CString>,
    _state: Option<Box<State>>,
}

/// Live objects as they were when somebody looked.
#[derive(Debug)]
pub struct Inventory {
    entries: Vec<Kept>,
}

impl From<inventory::Entry> for Kept {
    fn from(found: inventory::Entry) -> Kept {
        let name = CString::new(found.name.to_string()).unwrap_or_default();
        let file = found.file.and_then(|path| CString::new(bytes(&path)).ok());
        let state = found.state.map(|state| Box::new(State::new(state, found.waiting)));
        let since = found.created.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let (sharing, sharing_access) = told(found.sharing);
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
        Kept { entry, _name: name, _holders: found.holders, _file: file, _state: state }
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

/// Lists every live object that this user may look at, by name. The dead are swept on the way.
///
/// On Windows these are the named file mappings of all programs, each of which is held for the moment in
/// which it is looked at.
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
/// @param inventory  Gets the list, to be given back by pagemate_inventory_free(); NULL on failure.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_inventory_list(
    inventory: Option<&mut MaybeUninit<Option<Box<Inventory>>>>,
) -> Status {
    hand_out("list objects", "inventory", inventory, || {
        let entries = inventory::list()?.into_iter().map(Kept::from).collect();
        Ok(Inventory { entries })
    })
}

/// Finds the live object called `name`: a list of one.
///
/// @param name       What it is called.
/// @param inventory  Gets the list, to be given back by pagemate_inventory_free(); NULL on failure.
/// @return PAGEMATE_NOT_FOUND: no process holds it. PAGEMATE_INVALID_NAME.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pagemate_inventory_find(
    name: *const c_char,
    inventory: Option<&mut MaybeUninit<Option<Box<Inventory>>>>,
) -> Status {
    let words = "find";
    hand_out(words, "inventory", inventory, || {
        // SAFETY: the text ends in a NUL and is the caller's until we return.
        let name = unsafe { text(words, "name", name) }?;
        Ok(Inventory { entries: vec![inventory::find(name)?.into()] })
    })
}

/// Tells how many objects there are in a list.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_inventory_count(
    inventory: Option<&Inventory>,
    count: Option<&mut MaybeUninit<usize>>,
) -> Status {
    let words = "count objects";
    call(|| {
        let inventory = given(words, "inventory", inventory)?;
        given(words, "count", count)?.write(inventory.entries.len());
        Ok(())
    })
}

/// Tells of one object in a list. The entry and all it points to are valid until the list is given back.
///
/// @param inventory  The list.
/// @param index      Which one, from 0 on.
/// @param entry      Gets the entry.
/// @return PAGEMATE_OUT_OF_RANGE: there are not so many.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_inventory_entry(
    inventory: Option<&Inventory>,
    index: usize,
    entry: Option<&mut MaybeUninit<*const Entry>>,
) -> Status {
    let words = "look at object";
    call(|| {
        let entries = &given(words, "inventory", inventory)?.entries;
        let out = given(words, "entry", entry)?;
        let kept = entries.get(index).ok_or_else(|| {
            let message = format!("{words} {index}: the list has {}", entries.len());
            Failure::new(Status::PAGEMATE_OUT_OF_RANGE, message)
        })?;
        out.write(&raw const kept.entry);
        Ok(())
    })
}

/// Gives a list back. It always succeeds; NULL is nothing to give back, as for free().
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_inventory_free(inventory: Option<Box<Inventory>>) -> Status {
    take_back(inventory)
}

/// Gives back what dead processes left, which creating and listing also do in passing. On Windows there is
/// never anything: the kernel takes it back at once.
///
/// @param objects  Gets how many dead objects there were. May be NULL.
/// @param bytes    Gets how many bytes they had. May be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_prune(
    objects: Option<&mut MaybeUninit<u64>>,
    bytes: Option<&mut MaybeUninit<u64>>,
) -> Status {
    call(|| {
        let pruned = inventory::prune()?;
        objects.map(|objects| objects.write(pruned.objects));
        bytes.map(|bytes| bytes.write(pruned.bytes));
        Ok(())
    })
}
