//! Errors of the bridge.

use std::fmt;
use std::io;

/// The result of a call of the bridge.
pub type Result<T> = std::result::Result<T, Error>;

/// An error of the bridge. Its text has the operation, the cause and the remedy.
#[derive(Debug)]
pub struct Error {
    text: String,
    source: Option<io::Error>,
}

impl Error {
    pub(super) fn new(text: impl Into<String>) -> Error {
        Error { text: text.into(), source: None }
    }

    pub(super) fn os(text: impl Into<String>, source: impl Into<io::Error>) -> Error {
        Error { text: text.into(), source: Some(source.into()) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        self.source.iter().try_for_each(|source| write!(f, ": {source}"))
    }
}

impl std::error::Error for Error {}
