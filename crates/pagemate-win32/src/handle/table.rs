//! A generic table from handles to entries. `E` is the type of the entries.

use std::collections::BTreeMap;

use crate::error::{INVALID_HANDLE, Result, TOO_MANY_OPEN_FILES};
use crate::handle::limit;
use crate::handle::number::{Handle, handle_of, index};

/// The maximum number of handles, as on Windows.
const MAX_HANDLES: usize = 1 << 24;

/// The entry of a handle, and the properties that belong to the handle and not to its object. `I`
/// is the data that makes a handle inheritable.
#[derive(Debug)]
pub(super) struct Slot<E, I> {
    pub(super) entry: E,
    /// Whether `CloseHandle` refuses the handle.
    pub(super) protected: bool,
    /// Present if the handle is inheritable.
    pub(super) inherited: Option<I>,
}

#[derive(Debug)]
pub(super) struct Table<E, I> {
    /// The slots by index. Inherited handles may have any index.
    slots: BTreeMap<usize, Slot<E, I>>,
    /// The indices of closed handles. `next` is the lowest index that was never used by `insert`.
    free: Vec<usize>,
    next: usize,
}

impl<E, I> Table<E, I> {
    pub(super) const fn new() -> Table<E, I> {
        Table { slots: BTreeMap::new(), free: Vec::new(), next: 0 }
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = &Slot<E, I>> {
        self.slots.values()
    }

    pub(super) fn slot(&mut self, handle: Handle) -> Result<&mut Slot<E, I>> {
        let slot = index(handle).and_then(|index| self.slots.get_mut(&index));
        slot.ok_or(INVALID_HANDLE)
    }

    /// Adds an entry under a new handle. `inherited` is called with the handle.
    pub(super) fn insert(
        &mut self,
        entry: E,
        inherited: impl FnOnce(Handle, &E) -> Result<Option<I>>,
    ) -> Result<Handle> {
        let index = self.vacant();
        if index >= MAX_HANDLES {
            return Err(TOO_MANY_OPEN_FILES);
        }
        let handle = handle_of(index);
        let inherited = inherited(handle, &entry)?;
        self.slots.insert(index, Slot { entry, protected: false, inherited });
        self.free.pop();
        limit::raise_for(self.slots.len());
        Ok(handle)
    }

    /// Adds an entry under a handle that a parent process chose. Ignores a handle that is out of range.
    pub(super) fn insert_inherited(&mut self, handle: Handle, entry: E, inherited: I) {
        if let Some(index) = index(handle).filter(|index| *index < MAX_HANDLES) {
            self.slots.insert(index, Slot { entry, protected: false, inherited: Some(inherited) });
        }
    }

    /// Returns the index for the next handle. The index of the handle that was closed last is
    /// reused first.
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
    pub(super) fn remove(&mut self, handle: Handle) -> Result<Slot<E, I>> {
        let index = index(handle).ok_or(INVALID_HANDLE)?;
        if self.slots.get(&index).is_none_or(|slot| slot.protected) {
            return Err(INVALID_HANDLE);
        }
        let removed = self.slots.remove(&index).ok_or(INVALID_HANDLE)?;
        self.free.push(index);
        Ok(removed)
    }
}
