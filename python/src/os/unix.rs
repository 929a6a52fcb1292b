//! File descriptors.
#![allow(unsafe_code, reason = "Python passes file descriptors as numbers")]

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;

use crate::argument::access;
use crate::error::Result;
use crate::section::Section;

/// Error codes of the core are values of `errno`.
pub(crate) const CODES_ARE_ERRNO: bool = true;

/// Opens a file. The call does not wait for the other end of a named pipe, and no terminal becomes that of this
/// process. The core refuses both afterwards.
pub(crate) fn open_path(path: &Path, write: bool) -> io::Result<File> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    File::options().read(true).write(write).custom_flags(flags).open(path)
}

/// Registers the functions of this platform.
pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(open_posix, module)?)?;
    module.add_function(wrap_pyfunction!(from_fd, module)?)
}

/// Opens the POSIX shared memory object `name`, which `shm_open` created.
#[pyfunction]
#[pyo3(signature = (name, *, writable = true))]
fn open_posix(py: Python<'_>, name: &str, writable: bool) -> Result<Section> {
    let opened = py.detach(|| pagemate::os::unix::open_posix(name, access(writable)))?;
    Ok(Section::new(opened))
}

/// Makes a section from a file descriptor that another process passed on. The descriptor stays open.
#[pyfunction]
fn from_fd(py: Python<'_>, fd: RawFd) -> Result<Section> {
    let copy = duplicate(fd)?;
    let section = py.detach(|| pagemate::Section::try_from(copy))?;
    Ok(Section::new(section))
}

/// Returns the file under a Python file object, by a descriptor of its own.
pub(crate) fn file_of(object: &Bound<'_, PyAny>) -> Result<File> {
    let fd: RawFd = object.call_method0("fileno")?.extract()?;
    Ok(File::from(duplicate(fd)?))
}

/// Returns the number of the descriptor of a section. A process with a duplicate of it holds the name.
pub(crate) fn descriptor(section: &pagemate::Section) -> RawFd {
    section.as_fd().as_raw_fd()
}

/// Returns a new descriptor of the open file of `fd`.
fn duplicate(fd: RawFd) -> Result<OwnedFd> {
    if fd < 0 {
        return Err(PyValueError::new_err("a file descriptor is at least 0").into());
    }
    // SAFETY: `fd` is not -1. The borrow ends before this function returns, and its only use is
    // F_DUPFD_CLOEXEC, which fails with EBADF if no file has this number.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    borrowed.as_fd().try_clone_to_owned().map_err(|error| PyOSError::new_err(error).into())
}
