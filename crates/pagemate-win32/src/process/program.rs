//! Finds the file of a program that is to be started.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::command_line;
use crate::error::{ACCESS_DENIED, BAD_EXE_FORMAT, Code, FILE_NOT_FOUND, Result};
use crate::file::path;

const EXE: &[u8] = b".exe";

/// Returns the file of a program: the file at the path `application`, or, if that is null, the file
/// for the name at the beginning of `line`.
pub(super) fn find(application: Option<&OsStr>, line: Option<&OsStr>) -> Result<PathBuf> {
    if let Some(application) = application {
        return file_at(application.as_bytes());
    }
    let mut found = Err(FILE_NOT_FOUND);
    for name in command_line::candidate_names(line.unwrap_or_default().as_bytes()) {
        let result = search(name);
        match result {
            Ok(_) => return result,
            // If no file is found for any of the names, report the error for the shortest name,
            // because it is the most likely one.
            Err(_) if found == Err(FILE_NOT_FOUND) => found = result,
            Err(_) => {}
        }
    }
    found
}

/// Finds a program by its name.
///
/// A name with a separator is a path. Any other name is looked up in the directory of this
/// program's file, in the current directory, and in `PATH`.
fn search(name: &[u8]) -> Result<PathBuf> {
    if name.iter().any(|byte| matches!(byte, b'/' | b'\\')) {
        return file_at(name);
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
            // Prefix the current directory, because `posix_spawn` would search a name without a
            // separator in `PATH`.
            return Ok(if found.parent() == Some(Path::new("")) {
                Path::new(".").join(found)
            } else {
                found
            });
        }
    }
    Err(FILE_NOT_FOUND)
}

/// Returns the file at a path.
fn file_at(name: &[u8]) -> Result<PathBuf> {
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

/// Returns a name as given, and then a variant: without the extension `.exe`, or with it if the
/// name lacks it. Programs on Linux usually have no such extension.
fn spellings(name: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let stem = name.len().checked_sub(EXE.len()).map(|at| name.split_at(at));
    let other = match stem {
        Some((stem, end)) if end.eq_ignore_ascii_case(EXE) => stem.to_vec(),
        _ => [name, EXE].concat(),
    };
    [name.to_vec(), other].into_iter()
}

/// Returns the Windows error for a program that exists but cannot be started.
pub(super) fn start_error(path: &Path, error: Errno) -> Code {
    let executable = |data: &std::fs::Metadata| data.permissions().mode() & 0o111 != 0;
    match error {
        Errno::NOEXEC | Errno::LIBBAD => BAD_EXE_FORMAT,
        // The file has no execute permission at all, so it is not a program.
        Errno::ACCESS if std::fs::metadata(path).is_ok_and(|data| !executable(&data)) => {
            BAD_EXE_FORMAT
        }
        error => error.into(),
    }
}

/// Returns an absolute path, which is valid in any current directory.
pub(super) fn absolute(path: PathBuf) -> OsString {
    std::path::absolute(&path).unwrap_or(path).into_os_string()
}
