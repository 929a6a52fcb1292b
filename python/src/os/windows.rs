//! Handles of Windows.
#![allow(unsafe_code, reason = "Python passes handles as numbers")]

use std::fs::File;
use std::os::windows::io::BorrowedHandle;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;

use crate::error::Result;

/// Error codes of the core are codes of `GetLastError`.
pub(crate) const CODES_ARE_ERRNO: bool = false;

pub(super) fn add_functions(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}

/// Returns the file under a Python file object, by a handle of its own.
pub(crate) fn file_of(object: &Bound<'_, PyAny>) -> Result<File> {
    let py = object.py();
    let fd = object.call_method0("fileno")?;
    // The function raises `OSError` if no file has this number.
    let handle: isize = py.import("msvcrt")?.getattr("get_osfhandle")?.call1((fd,))?.extract()?;
    // SAFETY: the C library has just returned the handle of this open file. The borrow ends before this
    // function returns, and `object` keeps the file open meanwhile.
    let borrowed = unsafe { BorrowedHandle::borrow_raw(std::ptr::without_provenance_mut(handle.cast_unsigned())) };
    let owned = borrowed.try_clone_to_owned().map_err(PyOSError::new_err)?;
    Ok(File::from(owned))
}
