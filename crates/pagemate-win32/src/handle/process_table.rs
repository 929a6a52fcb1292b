//! The table of this process' handles.

use std::os::fd::RawFd;
use std::sync::Arc;

use pagemate::sync::{Event, Semaphore};

use crate::error::{ACCESS_DENIED, INVALID_HANDLE, Result};
use crate::handle::entry::{Entry, Object};
use crate::handle::inherit::make_inheritable::make_inheritable;
use crate::handle::inherit::manifest::Inherited;
use crate::handle::inherit::restore::inherited_handles;
use crate::handle::number::{CURRENT_PROCESS, CURRENT_THREAD, Handle};
use crate::handle::rights;
use crate::handle::table::{Slot, Table};
use crate::locks::{Guard, Protected, Rank};
use crate::object::file::File;
use crate::object::mapping::Mapping;
use crate::object::mutex::Mutex;
use crate::object::process::Process;
use crate::object::thread::Thread;

/// The handles of this process.
#[derive(Debug)]
pub(super) struct Handles {
    table: Table<Entry, Inherited>,
    /// Whether the handles that this process inherited were restored.
    restored: bool,
}

static HANDLES: Protected<Handles> =
    Protected::new(Rank::Handles, Handles { table: Table::new(), restored: false });

/// Locks the table. The first call restores the inherited handles, before any other handle gets
/// their values.
fn handles() -> Guard<Handles> {
    let mut handles = HANDLES.lock();
    if !std::mem::replace(&mut handles.restored, true) {
        for (handle, entry, inherited) in inherited_handles() {
            handles.table.insert_inherited(handle, entry, inherited);
        }
    }
    handles
}

/// Creates a handle.
pub(crate) fn open(entry: Entry, inherit: bool) -> Result<Handle> {
    let inherited =
        |handle, entry: &Entry| inherit.then(|| make_inheritable(handle, entry)).transpose();
    handles().table.insert(entry, inherited)
}

/// Removes a handle. The caller drops the object after the table is unlocked, because the drop may
/// make system calls.
pub(super) fn remove(handle: Handle) -> Result<Slot<Entry, Inherited>> {
    handles().table.remove(handle)
}

/// Calls `run` with the slot of a handle.
pub(super) fn with_slot<T>(
    handle: Handle,
    run: impl FnOnce(&mut Slot<Entry, Inherited>) -> Result<T>,
) -> Result<T> {
    run(handles().table.slot(handle)?)
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
        _ => Ok(handles().table.slot(handle)?.entry.clone()),
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
    mutex: Mutex(Mutex),
    /// Returns the event of a handle and the handle's rights.
    event: Event(Event),
    /// Returns the semaphore of a handle and the handle's rights.
    semaphore: Semaphore(Semaphore),
    /// Returns the process of a handle and the handle's rights.
    process: Process(Process),
}

/// Returns the object and rights of a handle that has at least one of `rights`.
pub(crate) fn with_right<T>((object, access): (T, u32), rights: u32) -> Result<(T, u32)> {
    if access & rights == 0 { Err(ACCESS_DENIED) } else { Ok((object, access)) }
}

/// Returns the file of a handle that has at least one of `rights`, and all rights of the handle.
pub(crate) fn file_with(handle: Handle, rights: u32) -> Result<(Arc<File>, u32)> {
    with_right(file(handle)?, rights)
}

/// Returns the mutex with this name, if this process has a handle to it.
pub(crate) fn find_mutex(name: &str) -> Option<Arc<Mutex>> {
    let name = pagemate::Name::new(name).ok()?;
    handles().table.slots().find_map(|slot| match &slot.entry.object {
        Object::Mutex(mutex) if mutex.core.name() == Some(&name) => Some(Arc::clone(mutex)),
        _ => None,
    })
}

/// Returns the process with this number, if this process has a handle to it. A number can be
/// reused, so several processes may match. A process that still runs is preferred, because the
/// number is its own.
pub(crate) fn find_process(id: u32) -> Option<Arc<Process>> {
    let handles = handles();
    let found = handles.table.slots().filter_map(|slot| match &slot.entry.object {
        Object::Process(process) if process.id() == id => Some(process),
        _ => None,
    });
    found.min_by_key(|process| process.end().is_some()).cloned()
}

/// Calls `run` with the descriptors of the inheritable handles, to start a child. The table stays
/// locked meanwhile, so that no other thread closes one of them.
pub(crate) fn with_inheritable<T>(run: impl FnOnce(&[RawFd]) -> T) -> T {
    let handles = handles();
    let inherited = handles.table.slots().filter_map(|slot| slot.inherited.as_ref());
    let descriptors: Vec<_> = inherited.flat_map(Inherited::descriptors).collect();
    run(&descriptors)
}

/// Returns whether a handle's mapping satisfies `fits`.
pub(crate) fn any_mapping(fits: impl Fn(&Mapping) -> bool) -> bool {
    handles().table.slots().any(|slot| match &slot.entry.object {
        Object::Mapping(mapping) => fits(mapping),
        _ => false,
    })
}
