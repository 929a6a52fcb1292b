//! Finding the file of a program that is to be started.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::command_line;
use crate::error::{ACCESS_DENIED, BAD_EXE_FORMAT, Code, FILE_NOT_FOUND, Result};
use crate::file::path;

const EXE: &[u8] = b".exe";

/// Finds the program that a call names: the file at a path, or the first in a command line.
pub(super) fn find(application: Option<&OsStr>, line: Option<&OsStr>) -> Result<PathBuf> {
    if let Some(application) = application {
        return at(application.as_bytes());
    }
    let mut found = Err(FILE_NOT_FOUND);
    for name in command_line::names(line.unwrap_or_default().as_bytes()) {
        let looked = look_for(name);
        match looked {
            Ok(_) => return looked,
            // The shortest name says best what is missing.
            Err(_) if found == Err(FILE_NOT_FOUND) => found = looked,
            Err(_) => {}
        }
    }
    found
}

/// Looks for a name: at its path if it has one, or else beside this program, in the folder this process is
/// in, and where commands are.
fn look_for(name: &[u8]) -> Result<PathBuf> {
    if name.iter().any(|byte| matches!(byte, b'/' | b'\\')) {
        return at(name);
    }
    let mut folders = vec![PathBuf::new()];
    if let Ok(this) = std::env::current_exe() {
        folders.splice(..0, this.parent().map(Path::to_owned));
    }
    let commands = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&commands));
    let candidates = spellings(name).map(path::of_file);
    for name in candidates {
        let name = name?;
        if let Some(found) =
            folders.iter().map(|folder| folder.join(&name)).find(|path| path.is_file())
        {
            // A path without a separator would be looked for again.
            return Ok(if found.parent() == Some(Path::new("")) {
                Path::new(".").join(found)
            } else {
                found
            });
        }
    }
    Err(FILE_NOT_FOUND)
}

/// The file at a path.
fn at(name: &[u8]) -> Result<PathBuf> {
    let mut missing = None;
    for name in spellings(name) {
        let path = path::of_file(name)?;
        match std::fs::metadata(&path) {
            Ok(data) if data.is_dir() => return Err(ACCESS_DENIED),
            Ok(_) => return Ok(path),
            Err(error) => _ = missing.get_or_insert(path::not_found(&path, error)),
        }
    }
    Err(missing.unwrap_or(FILE_NOT_FOUND))
}

/// A name as it is, and then with `.exe` or, if it has that, without: programs on Linux have no such end.
fn spellings(name: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let stem = name.len().checked_sub(EXE.len()).map(|at| name.split_at(at));
    let other = match stem {
        Some((stem, end)) if end.eq_ignore_ascii_case(EXE) => stem.to_vec(),
        _ => [name, EXE].concat(),
    };
    [name.to_vec(), other].into_iter()
}

/// The error for a file that was found and could not be started.
pub(super) fn refusal(path: &Path, error: Errno) -> Code {
    let executable = |data: &std::fs::Metadata| data.permissions().mode() & 0o111 != 0;
    match error {
        Errno::NOEXEC | Errno::LIBBAD => BAD_EXE_FORMAT,
        // Nobody may execute it: it is no program.
        Errno::ACCESS if std::fs::metadata(path).is_ok_and(|data| !executable(&data)) => {
            BAD_EXE_FORMAT
        }
        error => error.into(),
    }
}

/// A path that means the same in another folder.
pub(super) fn absolute(path: PathBuf) -> OsString {
    std::path::absolute(&path).unwrap_or(path).into_os_string()
}
