//! Input files named on the command line.

use std::fmt::Display;
use std::fs::File;
use std::path::Path;

use crate::failure::{Failure, Outcome};
use crate::text::escape_line;

/// Opens a file for reading and returns its length, if the length is known in advance.
///
/// Pipes and devices have no length, and files that the kernel generates on each read, such as those
/// in `/proc`, report 0.
pub(crate) fn open(path: &Path) -> Outcome<(File, Option<u64>)> {
    let file = File::open(path).map_err(|e| read_failure(path, e))?;
    let stat = file.metadata().map_err(|e| read_failure(path, e))?;
    if stat.is_dir() {
        return Err(read_failure(path, "it is a directory"));
    }
    Ok((file, Some(stat.len()).filter(|len| stat.is_file() && *len > 0)))
}

/// Returns the failure of reading `path`.
pub(crate) fn read_failure(path: &Path, cause: impl Display) -> Failure {
    // Not `{path:?}`: its escapes would double the backslashes of a Windows path.
    let path = path.to_string_lossy();
    Failure::new(format!("read file \"{}\": {cause}", escape_line(&path)))
}
