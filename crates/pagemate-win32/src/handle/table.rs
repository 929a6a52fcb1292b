//! The table of this process' handles.
#![allow(unsafe_code, reason = "exported under Windows' names")]

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::os::fd::RawFd;
use std::sync::Arc;

use pagemate::sync::{Event, Semaphore};

use crate::error::{
    ACCESS_DENIED, INVALID_HANDLE, NOACCESS, Result, TOO_MANY_OPEN_FILES, answer, done,
};
use crate::file::object::File;
use crate::handle::inherit::{self, Inherited};
use crate::handle::limit;
use crate::handle::rights::{self, MAXIMUM_ALLOWED, Rights};
use crate::locks::{Guard, Protected, Rank};
use crate::memory::mapping::Mapping;
use crate::pointer::write_unless_null;
use crate::process::object::Process;
use crate::sync::object as sync;
use crate::sync::thread::Thread;

/// A handle: a number in a pointer type, and a multiple of four.
pub type Handle = *mut c_void;

/// The result of `GetCurrentProcess`, which equals `INVALID_HANDLE_VALUE`.
pub(crate) const CURRENT_PROCESS: usize = usize::MAX;

/// The result of `GetCurrentThread`.
pub(crate) const CURRENT_THREAD: usize = usize::MAX - 1;

/// The first of the pseudo-handles for this process, this thread and their tokens.
const FIRST_PSEUDO: usize = usize::MAX - 5;

/// A child process inherits the handle (`HANDLE_FLAG_INHERIT`).
const INHERIT: u32 = 1;
/// The handle cannot be closed (`HANDLE_FLAG_PROTECT_FROM_CLOSE`).
const PROTECT_FROM_CLOSE: u32 = 2;

/// `DuplicateHandle` closes the source handle, or grants its rights.
const DUPLICATE_CLOSE_SOURCE: u32 = 1;
const DUPLICATE_SAME_ACCESS: u32 = 2;

/// The maximum number of handles, as on Windows.
const MAX_HANDLES: usize = 1 << 24;

/// The object of a handle.
///
/// An object lives until its last handle is closed and the last call that uses it has returned.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    Mapping(Arc<Mapping>),
    File(Arc<File>),
    Mutex(Arc<sync::Mutex>),
    Event(Arc<Event>),
    Semaphore(Arc<Semaphore>),
    Thread(Arc<Thread>),
    Process(Arc<Process>),
    /// The first thread of a child process. Only its process is known.
    MainThread(Arc<Process>),
}

impl Object {
    /// Returns whether this is a mutex, an event or a semaphore.
    pub(crate) fn is_sync(&self) -> bool {
        matches!(self, Object::Mutex(_) | Object::Event(_) | Object::Semaphore(_))
    }

    /// Returns the rights of this kind of object.
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

/// An object, and the rights of one handle to it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) object: Object,
    /// The granted rights. All of them are rights of the object's kind.
    pub(crate) access: u32,
}

/// The entry of a handle in the table.
#[derive(Debug)]
struct Slot {
    entry: Entry,
    protected: bool,
    /// The descriptors for a child, if the handle is inheritable.
    inherited: Option<Inherited>,
}

#[derive(Debug)]
pub(crate) struct Table {
    /// The slots by index. Inherited handles may have any index.
    slots: BTreeMap<usize, Slot>,
    /// The indices of closed handles. `next` is the lowest index that was never used by `insert`.
    free: Vec<usize>,
    next: usize,
    /// Whether the inherited handles were taken over.
    adopted: bool,
}

static TABLE: Protected<Table> = Protected::new(
    Rank::Handles,
    Table { slots: BTreeMap::new(), free: Vec::new(), next: 0, adopted: false },
);

fn table() -> Guard<Table> {
    let mut table = TABLE.lock();
    table.adopt();
    table
}

/// Returns the index of a handle. Its two lowest bits are the program's to use.
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
    /// Takes over the inherited handles, once and before the first handle is created.
    fn adopt(&mut self) {
        if std::mem::replace(&mut self.adopted, true) {
            return;
        }
        for (handle, entry, inherited) in inherit::inherited_handles() {
            let Some(index) = index(handle).filter(|index| *index < MAX_HANDLES) else { continue };
            self.slots.insert(index, Slot { entry, protected: false, inherited: Some(inherited) });
        }
    }

    fn slot(&mut self, handle: Handle) -> Result<&mut Slot> {
        let slot = index(handle).and_then(|index| self.slots.get_mut(&index));
        slot.ok_or(INVALID_HANDLE)
    }

    fn insert(&mut self, entry: Entry, inherit: bool) -> Result<Handle> {
        let index = self.vacant();
        if index >= MAX_HANDLES {
            return Err(TOO_MANY_OPEN_FILES);
        }
        let handle = handle_of(index);
        let inherited = if inherit { Some(Inherited::new(handle, &entry)?) } else { None };
        self.slots.insert(index, Slot { entry, protected: false, inherited });
        self.free.pop();
        limit::raise_for(self.slots.len());
        Ok(handle)
    }

    /// Returns the index for the next handle: that of the last closed handle, if there is one.
    fn vacant(&mut self) -> usize {
        if let Some(free) = self.free.last() {
            return *free;
        }
        while self.slots.contains_key(&self.next) {
            self.next += 1;
        }
        self.next
    }

    /// Removes a handle. The caller drops the object.
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

/// Creates a handle.
pub(crate) fn open(entry: Entry, inherit: bool) -> Result<Handle> {
    table().insert(entry, inherit)
}

/// Returns the object of a handle and the handle's rights.
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
    /// Returns the mapping of a handle and the handle's rights.
    mapping: Mapping(Mapping),
    /// Returns the file of a handle and the handle's rights.
    file: File(File),
    /// Returns the mutex of a handle and the handle's rights.
    mutex: Mutex(sync::Mutex),
    /// Returns the event of a handle and the handle's rights.
    event: Event(Event),
    /// Returns the semaphore of a handle and the handle's rights.
    semaphore: Semaphore(Semaphore),
    /// Returns the process of a handle and the handle's rights.
    process: Process(Process),
}

/// Returns the mutex with this name, if this process has a handle to it.
pub(crate) fn find_mutex(name: &str) -> Option<Arc<sync::Mutex>> {
    let name = pagemate::Name::new(name).ok()?;
    table().slots.values().find_map(|slot| match &slot.entry.object {
        Object::Mutex(mutex) if mutex.core.name() == Some(&name) => Some(Arc::clone(mutex)),
        _ => None,
    })
}

/// Returns the process with this number, if this process has a handle to it. If there are several,
/// returns the one that runs, because the number is still its own.
pub(crate) fn find_process(id: u32) -> Option<Arc<Process>> {
    let table = table();
    let found = table.slots.values().filter_map(|slot| match &slot.entry.object {
        Object::Process(process) if process.id() == id => Some(process),
        _ => None,
    });
    found.min_by_key(|process| process.end().is_some()).cloned()
}

/// Calls `run` with the descriptors of the inheritable handles, for a child. The table stays locked
/// meanwhile, so that none of them is closed.
pub(crate) fn with_inheritable<T>(run: impl FnOnce(&[RawFd]) -> T) -> T {
    let table = table();
    let inherited = table.slots.values().filter_map(|slot| slot.inherited.as_ref());
    let descriptors: Vec<_> = inherited.flat_map(Inherited::descriptors).collect();
    run(&descriptors)
}

/// Returns whether a handle's mapping satisfies `fits`.
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
    // Release the table's lock before the object is dropped, because that may make system calls.
    let removed = table().remove(handle);
    done(removed.map(drop))
}

/// Creates another handle to an object, in this process.
///
/// # Safety
///
/// `target` is null or valid for writes.
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
    let handle = duplicate(source_process, source, target_process, access, inherit != 0, options);
    // As on Windows, the source handle is closed even if the call fails.
    if options & DUPLICATE_CLOSE_SOURCE != 0 && source_process.addr() == CURRENT_PROCESS {
        drop(table().remove(source));
    }
    let handle = answer(handle, std::ptr::null_mut());
    // As on Windows, a null `target` leaks the new handle.
    // SAFETY: the caller guarantees that `target` is null or valid for writes.
    unsafe { write_unless_null(target, handle) };
    i32::from(!handle.is_null())
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
    /// Returns the same object with other rights. More rights are granted if the user may open the
    /// object so.
    fn with_access(self, access: u32) -> Result<Entry> {
        let rights = self.object.rights();
        let asked = rights.duplicated(access);
        match self.object {
            Object::Mapping(mapping) => {
                let (mapping, access) = mapping.with_access(asked)?;
                Ok(Entry { object: Object::Mapping(mapping), access })
            }
            // A descriptor cannot gain access that it was not opened with.
            Object::File(_) if asked & MAXIMUM_ALLOWED != 0 => Ok(self),
            Object::File(_) if asked & !self.access != 0 => Err(ACCESS_DENIED),
            // A handle to any other object may have all rights, because opening the object required
            // them.
            object => Ok(Entry { object, access: rights.intersect(asked) }),
        }
    }
}

/// Reports whether a handle is inheritable and protected from `CloseHandle`.
///
/// # Safety
///
/// `flags` is null or valid for writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn GetHandleInformation(handle: Handle, flags: *mut u32) -> i32 {
    done(information(handle).and_then(|information| {
        // SAFETY: the caller guarantees that `flags` is null or valid for writes.
        if unsafe { write_unless_null(flags, information) } { Ok(()) } else { Err(NOACCESS) }
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

/// Sets whether a handle is inheritable and protected from `CloseHandle`.
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
