//! Handles.

use std::os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle};

use crate::error::{Error, Result};
use crate::section::Section;
use crate::sys::object::Object;

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
