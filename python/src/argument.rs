//! Arguments that Python passes: sizes, times and words.

use std::time::{Duration, Instant};

use pagemate::{Access, Sharing};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::error::Result;

/// The longest time for which a blocked thread does not look for signals such as Ctrl-C.
const SLICE: Duration = Duration::from_millis(50);

/// A number of bytes: an integer that is not negative.
#[derive(Clone, Copy)]
pub(crate) struct Size(pub(crate) u64);

impl<'py> FromPyObject<'_, 'py> for Size {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Size> {
        value.extract::<u64>().map(Size).map_err(|error| {
            if error.is_instance_of::<PyTypeError>(value.py()) {
                error
            } else {
                PyValueError::new_err("a size or offset must be between 0 and 2**64 - 1")
            }
        })
    }
}

/// The access that the word `writable` asks for.
pub(crate) fn access(writable: bool) -> Access {
    if writable { Access::ReadWrite } else { Access::Read }
}

/// The values of the argument `sharing`.
const SHARINGS: [(&str, Sharing); 5] = [
    ("owner", Sharing::Owner),
    ("group-read", Sharing::Group(Access::Read)),
    ("group-read-write", Sharing::Group(Access::ReadWrite)),
    ("everyone-read", Sharing::Everyone(Access::Read)),
    ("everyone-read-write", Sharing::Everyone(Access::ReadWrite)),
];

/// Reads the argument `sharing`.
pub(crate) fn sharing(word: &str) -> PyResult<Sharing> {
    let found = SHARINGS.iter().find(|(known, _)| *known == word);
    found.map(|(_, sharing)| *sharing).ok_or_else(|| {
        let words = SHARINGS.map(|(known, _)| known).join("', '");
        PyValueError::new_err(format!("sharing is '{word}', but must be one of '{words}'"))
    })
}

/// Returns the word for a sharing.
pub(crate) fn sharing_word(sharing: Sharing) -> &'static str {
    SHARINGS.iter().find(|(_, known)| *known == sharing).map_or("unknown", |(word, _)| word)
}

/// A limit for the time that a call blocks: seconds, or `None` for no limit.
#[derive(Clone, Copy)]
pub(crate) struct Timeout(Option<Duration>);

impl<'py> FromPyObject<'_, 'py> for Timeout {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Timeout> {
        if value.is_none() {
            return Ok(Timeout(None));
        }
        let seconds: f64 = value.extract()?;
        if seconds.is_nan() || seconds < 0.0 {
            return Err(PyValueError::new_err("timeout must be a number of seconds, at least 0"));
        }
        // A time that is too long for a `Duration` sets no limit.
        Ok(Timeout(Duration::try_from_secs_f64(seconds).ok()))
    }
}

impl Timeout {
    /// No waiting at all.
    pub(crate) const ZERO: Timeout = Timeout(Some(Duration::ZERO));

    /// Calls `attempt`, which blocks for at most the given time, until it returns a value or the time is
    /// over. Between two attempts signal handlers of Python run, so that Ctrl-C ends the wait. Other
    /// threads of Python run meanwhile.
    pub(crate) fn wait<T: Send>(
        self,
        py: Python<'_>,
        mut attempt: impl FnMut(Duration) -> pagemate::Result<Option<T>> + Send,
    ) -> Result<Option<T>> {
        // A limit that the clock cannot represent is no limit.
        let end = self.0.and_then(|limit| Instant::now().checked_add(limit));
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let slice = left.map_or(SLICE, |left| left.min(SLICE));
            if let Some(value) = py.detach(|| attempt(slice))? {
                return Ok(Some(value));
            }
            py.check_signals()?;
            if left.is_some_and(|left| left <= slice) {
                return Ok(None);
            }
        }
    }
}
