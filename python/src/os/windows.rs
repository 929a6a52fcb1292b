//! Handles of Windows.
#![allow(unsafe_code, reason = "Python passes handles as numbers")]

use std::fs::File;
use std::io;
use std::os::windows::io::{BorrowedHandle, OwnedHandle};
use std::path::Path;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

use crate::error::Result;
use crate::section::Section;

/// Error codes of the core are codes of `GetLastError`.
pub(crate) const CODES_ARE_ERRNO: bool = false;

/// Opens a file.
pub(crate) fn open_path(path: &Path, write: bool) -> io::Result<File> {
    File::options().read(true).write(write).open(path)
}

/// Registers the functions of this platform.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(from_handle, module)?)
}

/// Makes a section from a handle that another process passed on. The handle stays open.
#[pyfunction]
fn from_handle(py: Python<'_>, handle: isize) -> Result<Section> {
    let copy = duplicate(handle)?;
    Ok(Section::new(py.detach(|| pagemate::Section::try_from(copy))?))
}

/// Returns the file under a Python file object, by a handle of its own.
pub(crate) fn file_of(object: &Bound<'_, PyAny>) -> Result<File> {
    let fd = object.call_method0("fileno")?;
    let c_library = object.py().import("msvcrt")?;
    Ok(File::from(duplicate(c_library.getattr("get_osfhandle")?.call1((fd,))?.extract()?)?))
}

/// Returns a new handle to the object of `handle`.
fn duplicate(handle: isize) -> Result<OwnedHandle> {
    let handle = std::ptr::without_provenance_mut(handle.cast_unsigned());
    // SAFETY: the borrow ends before this function returns, and its only use is `DuplicateHandle`, which
    // fails if there is no such handle. Null and -1, which stands for the process itself, are refused by
    // it or by the calls that expect a file or a section.
    let borrowed = unsafe { BorrowedHandle::borrow_raw(handle) };
    borrowed.try_clone_to_owned().map_err(|error| PyOSError::new_err(error).into())
}
