//! Errors: each kind of error of the core is a class of `pagemate._errors`.

use pagemate::ErrorKind;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyType;

/// The result of a function that Python calls.
pub(crate) type Result<T> = std::result::Result<T, Error>;

/// An error of the core, or an exception.
pub(crate) enum Error {
    /// The core returned an error.
    Core(pagemate::Error),
    /// Python raised an exception.
    Python(PyErr),
}

impl From<pagemate::Error> for Error {
    fn from(error: pagemate::Error) -> Error {
        Error::Core(error)
    }
}

impl From<PyErr> for Error {
    fn from(error: PyErr) -> Error {
        Error::Python(error)
    }
}

impl From<Error> for PyErr {
    fn from(error: Error) -> PyErr {
        match error {
            Error::Python(error) => error,
            Error::Core(error) => {
                Python::attach(|py| exception(py, &error).unwrap_or_else(|failed| failed))
            }
        }
    }
}

/// Makes the exception for an error of the core.
pub(crate) fn exception(py: Python<'_>, error: &pagemate::Error) -> PyResult<PyErr> {
    let class = py.import("pagemate._errors")?.getattr(class_of(error.kind()))?;
    let instance = class.cast::<PyType>()?.call1((format!("{error:#}"), errno(error)))?;
    Ok(PyErr::from_value(instance))
}

/// Makes the exception for an error of the core, for closures that return exceptions.
pub(crate) fn raise(error: pagemate::Error) -> PyErr {
    Error::Core(error).into()
}

/// Returns the error of a call on a closed object.
#[cold]
pub(crate) fn closed(what: &str) -> Error {
    PyValueError::new_err(format!("the {what} is closed")).into()
}

fn class_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::NotFound => "NotFoundError",
        ErrorKind::AlreadyExists => "AlreadyExistsError",
        ErrorKind::PermissionDenied => "PermissionDeniedError",
        ErrorKind::InvalidName => "InvalidNameError",
        ErrorKind::InvalidInput => "InvalidInputError",
        ErrorKind::OutOfRange => "OutOfRangeError",
        ErrorKind::NoSpace => "NoSpaceError",
        ErrorKind::WrongKind => "WrongKindError",
        ErrorKind::WrongVersion => "WrongVersionError",
        ErrorKind::Corrupted => "CorruptedError",
        ErrorKind::Orphaned => "OrphanedError",
        ErrorKind::TimedOut => "TimedOutError",
        ErrorKind::NotOwner => "NotOwnerError",
        ErrorKind::Unsupported => "UnsupportedError",
        _ => "Error",
    }
}

/// Returns the value of `errno` for an exception. On Windows the code of the system is no `errno` value, so
/// that only the class tells the kind.
fn errno(error: &pagemate::Error) -> Option<i32> {
    error.raw_os_error().filter(|_| crate::os::CODES_ARE_ERRNO)
}
