//! What several calls refuse in the same words.

use std::path::Path;
use std::time::Instant;

use rustix::io::Errno;

use super::super::PATIENCE;
use crate::error::{Error, ErrorKind, Result};

/// How long a caller has been waiting for others; the clock starts with the first setback.
#[derive(Debug, Default)]
pub(super) struct Patience(Option<Instant>);

impl Patience {
    /// Counts a setback, and fails once it has gone on for too long.
    pub(super) fn wear(&mut self) -> Result<()> {
        let start = *self.0.get_or_insert_with(Instant::now);
        if start.elapsed() > PATIENCE { Err(busy()) } else { Ok(()) }
    }
}

pub(super) fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "no process holds it")
}

pub(super) fn already_exists() -> Error {
    Error::new(ErrorKind::AlreadyExists, "some process already holds an object of this name")
}

pub(super) fn wrong_kind() -> Error {
    Error::new(ErrorKind::WrongKind, "the name belongs to an object of another kind")
}

pub(super) fn busy() -> Error {
    Error::new(ErrorKind::TimedOut, "another process is busy with it and does not finish")
}

pub(super) fn too_long() -> Error {
    Error::new(ErrorKind::NoSpace, "so many bytes are more than this system can address")
}

pub(super) fn denied(cause: &'static str) -> Error {
    Error::new(ErrorKind::PermissionDenied, cause)
}

pub(super) fn cannot_open(error: Errno) -> Error {
    Error::os("it cannot be opened", error.into())
}

/// Why the file of an object could not be opened.
pub(super) fn stands_there(path: &Path, error: Errno) -> Error {
    match error {
        Errno::LOOP => no_object(path, "a symbolic link"),
        Errno::ISDIR => no_object(path, "a directory"),
        Errno::NXIO => no_object(path, "a socket"),
        error => cannot_open(error),
    }
}

pub(super) fn no_object(path: &Path, what: &str) -> Error {
    let cause = format!("{what} stands in its place; remove {}", path.display());
    Error::new(ErrorKind::Corrupted, cause)
}
