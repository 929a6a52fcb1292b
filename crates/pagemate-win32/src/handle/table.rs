//! This process' handles.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pagemate::sync::{Event, Semaphore};

use crate::error::{
    ACCESS_DENIED, INVALID_HANDLE, NOACCESS, Result, TOO_MANY_OPEN_FILES, answer, done,
};
use crate::file::object::File;
use crate::fork;
use crate::handle::inherit::{self, Inherited};
use crate::handle::limit;
use crate::handle::rights::{self, MAXIMUM_ALLOWED, Rights};
use crate::memory::mapping::Mapping;
use crate::pointer::write_unless_null;
use crate::process::object::Process;
use crate::sync::object as sync;
use crate::sync::thread::Thread;

/// A handle as C has it: a number in the place of an address, and a multiple of four.
pub type Handle = *mut c_void;

/// What `GetCurrentProcess` gives, and `INVALID_HANDLE_VALUE`: the same number.
pub(crate) const CURRENT_PROCESS: usize = usize::MAX;

/// What `GetCurrentThread` gives.
pub(crate) const CURRENT_THREAD: usize = usize::MAX - 1;

/// The numbers from here on stand for this process, this thread and their tokens.
const FIRST_PSEUDO: usize = usize::MAX - 5;

/// A child process inherits the handle (`HANDLE_FLAG_INHERIT`).
const INHERIT: u32 = 1;
/// The handle cannot be closed (`HANDLE_FLAG_PROTECT_FROM_CLOSE`).
const PROTECT_FROM_CLOSE: u32 = 2;

/// `DuplicateHandle` closes the handle it is given, or grants what that one may do.
const DUPLICATE_CLOSE_SOURCE: u32 = 1;
const DUPLICATE_SAME_ACCESS: u32 = 2;

/// As many handles as Windows has.
const MOST: usize = 1 << 24;

/// What handles stand for. An object lives until its last handle is closed and the last call that
/// uses one has returned.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    Mapping(Arc<Mapping>),
    File(Arc<File>),
    Mutex(Arc<sync::Mutex>),
    Event(Arc<Event>),
    Semaphore(Arc<Semaphore>),
    Thread(Arc<Thread>),
    Process(Arc<Process>),
    /// The first thread of a process that was started: all that is known of it is the process.
    MainThread(Arc<Process>),
}

impl Object {
    /// Whether it is a mutex, an event or a semaphore.
    pub(crate) fn is_sync(&self) -> bool {
        matches!(self, Object::Mutex(_) | Object::Event(_) | Object::Semaphore(_))
    }

    /// The rights of its kind.
    fn rights(&self) -> &'static Rights {
        match self {
            Object::Mapping(_) => &rights::MAPPING,
            Object::File(_) => &rights::FILE,
            Object::Mutex(_) => &rights::MUTEX,
            Object::Event(_) | Object::Semaphore(_) => &rights::STATE,
            Object::Thread(_) | Object::MainThread(_) => &rights::THREAD,
            Object::Process(_) => &rights::PROCESS,
        }
    }
}

/// An object, and what one handle may do with it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) object: Object,
    /// The rights that its kind of object knows.
    pub(crate) access: u32,
}

/// A handle's place in the table.
#[derive(Debug)]
struct Slot {
    entry: Entry,
    protected: bool,
    /// What a child gets, if it inherits the handle.
    inherited: Option<Inherited>,
}

#[derive(Debug)]
pub(crate) struct Table {
    /// By index. Handles that a parent left may have any.
    slots: BTreeMap<usize, Slot>,
    /// Indices that were given back, and from which on none was ever given out.
    free: Vec<usize>,
    next: usize,
    /// Whether the handles that our parent left us were taken over.
    adopted: bool,
}

static TABLE: Mutex<Table> =
    Mutex::new(Table { slots: BTreeMap::new(), free: Vec::new(), next: 0, adopted: false });

/// The table, as it is.
pub(crate) fn locked() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn table() -> MutexGuard<'static, Table> {
    fork::register_handlers();
    let mut table = locked();
    table.adopt();
    table
}

/// The place that a handle stands for. Its two lowest bits are the program's own.
fn index(handle: Handle) -> Option<usize> {
    (handle.addr() >> 2).checked_sub(1)
}

fn handle_of(index: usize) -> Handle {
    std::ptr::without_provenance_mut((index + 1) << 2)
}

fn is_pseudo(handle: Handle) -> bool {
    handle.addr() >= FIRST_PSEUDO
}

impl Table {
    /// Takes over what our parent left us, once and before anything else has a number.
    fn adopt(&mut self) {
        if std::mem::replace(&mut self.adopted, true) {
            return;
        }
        for (handle, entry, inherited) in inherit::left_by_parent() {
            let Some(index) = index(handle).filter(|index| *index < MOST) else { continue };
            self.slots.insert(index, Slot { entry, protected: false, inherited: Some(inherited) });
        }
    }

    fn slot(&mut self, handle: Handle) -> Result<&mut Slot> {
        let slot = index(handle).and_then(|index| self.slots.get_mut(&index));
        slot.ok_or(INVALID_HANDLE)
    }

    fn insert(&mut self, entry: Entry, inherit: bool) -> Result<Handle> {
        let index = self.vacant();
        if index >= MOST {
            return Err(TOO_MANY_OPEN_FILES);
        }
        let handle = handle_of(index);
        let inherited = if inherit { Some(Inherited::new(handle, &entry)?) } else { None };
        self.slots.insert(index, Slot { entry, protected: false, inherited });
        self.free.pop();
        limit::make_room(self.slots.len());
        Ok(handle)
    }

    /// Returns the index of the next handle: that of the last one that was closed, if there is any.
    fn vacant(&mut self) -> usize {
        if let Some(free) = self.free.last() {
            return *free;
        }
        while self.slots.contains_key(&self.next) {
            self.next += 1;
        }
        self.next
    }

    /// Takes a handle out; what it held goes when the caller drops it.
    fn remove(&mut self, handle: Handle) -> Result<Slot> {
        let index = index(handle).ok_or(INVALID_HANDLE)?;
        if self.slots.get(&index).is_none_or(|slot| slot.protected) {
            return Err(INVALID_HANDLE);
        }
        let removed = self.slots.remove(&index).ok_or(INVALID_HANDLE)?;
        self.free.push(index);
        Ok(removed)
    }
}

/// Makes a handle.
pub(crate) fn open(entry: Entry, inherit: bool) -> Result<Handle> {
    table().insert(entry, inherit)
}

/// What a handle stands for, and what it may do with it.
pub(crate) fn entry(handle: Handle) -> Result<Entry> {
    match handle.addr() {
        CURRENT_PROCESS => {
            let object = Object::Process(Arc::new(Process::this()?));
            Ok(Entry { object, access: rights::PROCESS.all })
        }
        CURRENT_THREAD => {
            let object = Object::Thread(Thread::current()?);
            Ok(Entry { object, access: rights::THREAD.all })
        }
        _ => Ok(table().slot(handle)?.entry.clone()),
    }
}

macro_rules! of_kind {
    ($(#[$doc:meta] $name:ident: $variant:ident($object:ty)),* $(,)?) => {$(
        #[$doc]
        pub(crate) fn $name(handle: Handle) -> Result<(Arc<$object>, u32)> {
            match entry(handle)? {
                Entry { object: Object::$variant(object), access } => Ok((object, access)),
                _ => Err(INVALID_HANDLE),
            }
        }
    )*};
}

of_kind! {
    /// A mapping, and what the handle may do with it.
    mapping: Mapping(Mapping),
    /// A file, and what the handle may do with it.
    file: File(File),
    /// A mutex, and what the handle may do with it.
    mutex: Mutex(sync::Mutex),
    /// An event, and what the handle may do with it.
    event: Event(Event),
    /// A semaphore, and what the handle may do with it.
    semaphore: Semaphore(Semaphore),
    /// A process, and what the handle may do with it.
    process: Process(Process),
}

/// The mutex of this name, if this process has a handle to it.
pub(crate) fn find_mutex(name: &str) -> Option<Arc<sync::Mutex>> {
    let name = pagemate::Name::new(name).ok()?;
    table().slots.values().find_map(|slot| match &slot.entry.object {
        Object::Mutex(mutex) if mutex.core.name() == Some(&name) => Some(Arc::clone(mutex)),
        _ => None,
    })
}

/// The process of this number, if there is a handle to it. Of several, one that runs has its number still.
pub(crate) fn find_process(id: u32) -> Option<Arc<Process>> {
    let table = table();
    let found = table.slots.values().filter_map(|slot| match &slot.entry.object {
        Object::Process(process) if process.id() == id => Some(process),
        _ => None,
    });
    found.min_by_key(|process| process.end().is_some()).cloned()
}

/// Gives `run` the descriptors that hold inheritable handles for a child. Meanwhile they stay so.
pub(crate) fn with_inheritable<T>(run: impl FnOnce(&[RawFd]) -> T) -> T {
    let table = table();
    let inherited = table.slots.values().filter_map(|slot| slot.inherited.as_ref());
    let descriptors: Vec<_> = inherited.flat_map(Inherited::descriptors).collect();
    run(&descriptors)
}

/// Whether some handle's mapping fits.
pub(crate) fn any_mapping(fits: impl Fn(&Mapping) -> bool) -> bool {
    table().slots.values().any(|slot| match &slot.entry.object {
        Object::Mapping(mapping) => fits(mapping),
        _ => false,
    })
}

/// Closes a handle.
#[unsafe(no_mangle)]
pub extern "C" fn CloseHandle(handle: Handle) -> i32 {
    if is_pseudo(handle) {
        return 1;
    }
    // What goes with it takes system calls, and the table is free meanwhile.
    let removed = table().remove(handle);
    done(removed.map(drop))
}

/// Makes another handle to an object, in this process.
///
/// # Safety
///
/// `target` is null or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn DuplicateHandle(
    source_process: Handle,
    source: Handle,
    target_process: Handle,
    target: *mut Handle,
    access: u32,
    inherit: i32,
    options: u32,
) -> i32 {
    let made = duplicate(source_process, source, target_process, access, inherit != 0, options);
    // The source goes whatever became of the rest.
    if options & DUPLICATE_CLOSE_SOURCE != 0 && source_process.addr() == CURRENT_PROCESS {
        drop(table().remove(source));
    }
    let made = answer(made, std::ptr::null_mut());
    // A handle that nobody is told of stays, as on Windows.
    // SAFETY: the caller says that it can be written to, unless it is null.
    unsafe { write_unless_null(target, made) };
    i32::from(!made.is_null())
}

fn duplicate(
    source_process: Handle,
    source: Handle,
    target_process: Handle,
    access: u32,
    inherit: bool,
    options: u32,
) -> Result<Handle> {
    if source_process.addr() != CURRENT_PROCESS || target_process.addr() != CURRENT_PROCESS {
        return Err(INVALID_HANDLE);
    }
    let mut entry = entry(source)?;
    if options & DUPLICATE_SAME_ACCESS == 0 {
        entry = entry.with_access(access)?;
    }
    open(entry, inherit)
}

impl Entry {
    /// The same object with other rights; with more of them, if its owner lets us.
    fn with_access(self, access: u32) -> Result<Entry> {
        let rights = self.object.rights();
        let asked = rights.duplicated(access);
        match self.object {
            Object::Mapping(mapping) => {
                let (mapping, access) = mapping.with_access(asked)?;
                Ok(Entry { object: Object::Mapping(mapping), access })
            }
            // A descriptor cannot do more than it was opened for.
            Object::File(_) if asked & MAXIMUM_ALLOWED != 0 => Ok(self),
            Object::File(_) if asked & !self.access != 0 => Err(ACCESS_DENIED),
            // Whoever has any handle to another object may have any: its owner let this user in.
            object => Ok(Entry { object, access: rights.at_most(asked) }),
        }
    }
}

/// Tells what children and `CloseHandle` may do with a handle.
///
/// # Safety
///
/// `flags` is null or can be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetHandleInformation(handle: Handle, flags: *mut u32) -> i32 {
    done(information(handle).and_then(|told| {
        // SAFETY: the caller says that it can be written to, unless it is null.
        if unsafe { write_unless_null(flags, told) } { Ok(()) } else { Err(NOACCESS) }
    }))
}

fn information(handle: Handle) -> Result<u32> {
    if is_pseudo(handle) {
        return Ok(0);
    }
    let mut table = table();
    let slot = table.slot(handle)?;
    let inherit = if slot.inherited.is_some() { INHERIT } else { 0 };
    let protected = if slot.protected { PROTECT_FROM_CLOSE } else { 0 };
    Ok(inherit | protected)
}

/// Says what children and `CloseHandle` may do with a handle.
#[unsafe(no_mangle)]
pub extern "C" fn SetHandleInformation(handle: Handle, mask: u32, flags: u32) -> i32 {
    done(set_information(handle, mask, flags))
}

fn set_information(handle: Handle, mask: u32, flags: u32) -> Result<()> {
    if is_pseudo(handle) {
        return Err(ACCESS_DENIED);
    }
    let mut table = table();
    let slot = table.slot(handle)?;
    if mask & INHERIT != 0 {
        if flags & INHERIT == 0 {
            slot.inherited = None;
        } else if slot.inherited.is_none() {
            let handle = std::ptr::without_provenance_mut(handle.addr() & !3);
            slot.inherited = Some(Inherited::new(handle, &slot.entry)?);
        }
    }
    if mask & PROTECT_FROM_CLOSE != 0 {
        slot.protected = flags & PROTECT_FROM_CLOSE != 0;
    }
    Ok(())
}
