//! Handles of objects.
//!
//! Every object implements `AsHandle` and `TryFrom<OwnedHandle>`, and `OwnedHandle` implements `TryFrom` of
//! every object. Pass a handle by inheritance or with
//! `DuplicateHandle`, and convert it into an object again in the receiving process.

use std::os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle};

use crate::error::{Error, Result};
use crate::section::Section;
use crate::sync::{Event, Mutex, Semaphore};
use crate::sys::object::Object;
use crate::sys::sync;

/// Borrows the handle of a section, to duplicate it into another process. That process is then a holder
/// of the name.
impl AsHandle for Section {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.object().handle()
    }
}

/// Converts a section into a handle, which holds the name from then on. Views and clones of the section stay
/// valid.
///
/// This fails if the kernel refuses to duplicate the handle, which the views and clones keep.
impl TryFrom<Section> for OwnedHandle {
    type Error = Error;

    fn try_from(section: Section) -> Result<OwnedHandle> {
        duplicate(section.as_handle())
    }
}

fn duplicate(handle: BorrowedHandle<'_>) -> Result<OwnedHandle> {
    let duplicate = handle.try_clone_to_owned();
    duplicate.map_err(|e| Error::os("it cannot be duplicated", e).during("take handle", ""))
}

/// Converts any handle of a file mapping into a section, with the access of the handle and the length
/// of the mapping.
impl TryFrom<OwnedHandle> for Section {
    type Error = Error;

    fn try_from(handle: OwnedHandle) -> Result<Section> {
        let object = Object::from_raw(handle).map_err(|e| e.during("take handle", ""))?;
        Ok(Section::new(object, None, false))
    }
}

macro_rules! handle_conversions {
    ($($object:ident)*) => {$(
        /// Borrows the handle, to duplicate it into another process. That process is then a holder of
        /// the name.
        impl AsHandle for $object {
            fn as_handle(&self) -> BorrowedHandle<'_> {
                self.object().handle()
            }
        }

        /// Converts an object into a handle, which holds the name from then on.
        ///
        /// This fails if the kernel refuses to duplicate the handle.
        impl TryFrom<$object> for OwnedHandle {
            type Error = Error;

            fn try_from(object: $object) -> Result<OwnedHandle> {
                duplicate(object.as_handle())
            }
        }

        /// Converts a handle of such an object, which must have the `SYNCHRONIZE` right.
        impl TryFrom<OwnedHandle> for $object {
            type Error = Error;

            fn try_from(handle: OwnedHandle) -> Result<$object> {
                let object = sync::$object::of(handle);
                object.map($object::from_received).map_err(|e| e.during("take handle", ""))
            }
        }
    )*};
}

handle_conversions! { Mutex Event Semaphore }
