//! Handles of objects.
//!
//! Every object implements `AsHandle` and `TryFrom<OwnedHandle>`. Pass a handle by inheritance or with
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
