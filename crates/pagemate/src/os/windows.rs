//! Handles.

use std::os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle};

use crate::error::{Error, Result};
use crate::section::Section;
use crate::sync::{Event, Mutex, Semaphore};
use crate::sys::object::Object;
use crate::sys::sync;

/// A section's handle, to be duplicated into another process. A process that has it is a holder.
impl AsHandle for Section {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.object().handle()
    }
}

/// Any handle to a file mapping as a section, with the access and the length that it has.
impl TryFrom<OwnedHandle> for Section {
    type Error = Error;

    fn try_from(handle: OwnedHandle) -> Result<Section> {
        let object = Object::from_raw(handle).map_err(|e| e.during("take handle", ""))?;
        Ok(Section::new(object, None, false))
    }
}

macro_rules! handed_on {
    ($($object:ident)*) => {$(
        /// Its handle, to be duplicated into another process. A process that has it is a holder of
        /// the name.
        impl AsHandle for $object {
            fn as_handle(&self) -> BorrowedHandle<'_> {
                self.object().handle()
            }
        }

        /// Any handle to such an object, with the rights that it has, of which one is to wait.
        impl TryFrom<OwnedHandle> for $object {
            type Error = Error;

            fn try_from(handle: OwnedHandle) -> Result<$object> {
                let object = sync::$object::of(handle);
                object.map($object::handed_on).map_err(|e| e.during("take handle", ""))
            }
        }
    )*};
}

handed_on! { Mutex Event Semaphore }
