//! The inventory: listing live objects, and removing the files of dead ones.

use std::ffi::c_char;
use std::mem::MaybeUninit;

use pagemate::inventory;

use super::argument::{close, create_handle, required, text};
use super::entry::{Entry, OwnedEntry};
use super::status::{Failure, Status, run};

/// A list of live objects at the time of the call that created it.
///
/// Several threads may read one list at the same time. No thread may use it during or after
/// pagemate_inventory_free().
#[derive(Debug)]
pub struct Inventory {
    entries: Vec<OwnedEntry>,
}

/// Lists all live objects that this user may open, sorted by name, and removes the files of dead ones.
/// Thread-safe. pagemate_inventory_unreachable() reports a namespace that is left out.
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
        let entries = inventory::list()?.entries.into_iter().map(OwnedEntry::from).collect();
        Ok(Inventory { entries })
    })
}

/// Checks that pagemate_inventory_list() reaches the objects of every namespace. Thread-safe.
///
/// If the directory of one namespace cannot be used, the list has the objects of the other one alone.
///
/// @return PAGEMATE_OK: the list is complete. Otherwise the status of the first directory that is left out;
///         pagemate_last_error_message() names the directory and the remedy. Always PAGEMATE_OK on Windows.
#[unsafe(no_mangle)]
pub extern "C" fn pagemate_inventory_unreachable() -> Status {
    run(|| inventory::list()?.unreachable.into_iter().next().map_or(Ok(()), |e| Err(e.into())))
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
/// No thread may use the list during or after the call. The call always succeeds. NULL is ignored,
/// as by free().
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
