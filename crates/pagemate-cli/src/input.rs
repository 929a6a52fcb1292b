//! Files of the user's to read from.

use std::fmt::Display;
use std::fs::File;
use std::path::Path;

use crate::failure::{Failure, Outcome};

/// Opens a file, and tells its length if that is known before its end: pipes and devices have
/// none, and what `/proc` makes up as it is read has 0.
pub(crate) fn open(path: &Path) -> Outcome<(File, Option<u64>)> {
    let file = File::open(path).map_err(|e| failure(path, e))?;
    let stat = file.metadata().map_err(|e| failure(path, e))?;
    if stat.is_dir() {
        return Err(failure(path, "it is a directory"));
    }
    Ok((file, Some(stat.len()).filter(|len| stat.is_file() && *len > 0)))
}

/// Why a file could not be read.
pub(crate) fn failure(path: &Path, cause: impl Display) -> Failure {
    // Not as a string of Rust's, which doubles the backslashes of Windows.
    let path = path.to_string_lossy();
    Failure::new(format!("read file \"{}\": {cause}", crate::text::in_line(&path)))
}
