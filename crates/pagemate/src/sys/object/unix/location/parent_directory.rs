//! The parent directory of all objects: the default of the system, or `PAGEMATE_DIR`.

use std::borrow::Cow;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, RawMode, Stat};
use rustix::io::Errno;

use crate::error::{Error, ErrorKind, Result};
use crate::name::Namespace;
use crate::sys::object::unix::descriptor::above_standard_streams;
use crate::sys::object::unix::location::default_dirs;
use crate::sys::object::unix::location::inspect::INSPECT_FLAGS;
use crate::sys::object::unix::memory::capacity;

/// The environment variable that replaces the parent directory of both namespaces.
const VARIABLE: &str = "PAGEMATE_DIR";

const STICKY: RawMode = 0o1000;
const OTHERS_WRITE: RawMode = 0o022;

/// Returns the value of `PAGEMATE_DIR`. A program that runs with more rights than its caller
/// ignores it, because the caller controls the environment.
fn configured_parent() -> Option<OsString> {
    std::env::var_os(VARIABLE).filter(|dir| !dir.is_empty() && !default_dirs::is_privileged())
}

/// Returns the parent directory of a namespace's objects.
pub(crate) fn path(namespace: Namespace) -> Result<Cow<'static, Path>> {
    let Some(dir) = configured_parent().map(PathBuf::from) else {
        return Ok(default_dirs::default(namespace));
    };
    // A relative path leads to another directory after each change of the working directory.
    if dir.is_relative() {
        let cause = format!("{VARIABLE} is {}, but it has to be an absolute path", dir.display());
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    Ok(Cow::Owned(dir))
}

/// Opens the parent directory of all objects. Fails if it lets users rename or remove the files of
/// other users.
pub(crate) fn open(dir: &Path) -> Result<(OwnedFd, Stat)> {
    let failed = |error| unusable(dir, "cannot be used", Some(error));
    let flags = INSPECT_FLAGS | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened =
        rustix::fs::openat(CWD, dir, flags, Mode::empty()).and_then(above_standard_streams);
    let opened = opened.map_err(failed)?;
    let stat = rustix::fs::fstat(&opened).map_err(failed)?;
    if stat.st_mode & OTHERS_WRITE != 0 && stat.st_mode & STICKY == 0 {
        let mode = stat.st_mode & 0o7777;
        let why = format!(
            "has mode {mode:04o}, so that other users can remove files in it (chmod +t prevents that)"
        );
        return Err(unusable(dir, &why, None));
    }
    Ok((opened, stat))
}

/// Returns the error for a directory that cannot be used, with the remedy.
pub(crate) fn unusable(dir: &Path, why: &str, source: Option<Errno>) -> Error {
    let origin = configured_parent().map(|_| format!(" (by {VARIABLE})")).unwrap_or_default();
    let problem = format!("the directory {}{origin} {why}", dir.display());
    if let Some(errno @ (Errno::MFILE | Errno::NFILE)) = source {
        return Error::os(problem, errno.into());
    }
    let parent = dir.parent().unwrap_or(dir);
    let free = matches!(source, Some(Errno::NOSPC | Errno::DQUOT))
        .then(|| capacity::free_space(parent))
        .flatten()
        .map(|free| format!(" ({free} free in {})", parent.display()))
        .unwrap_or_default();
    let remedy = if default_dirs::is_privileged() {
        format!(
            "; correct that: this program runs with more rights than its caller, so that it ignores \
             {VARIABLE}"
        )
    } else {
        format!("; correct that, or set {VARIABLE} to a directory that all processes can use")
    };
    let cause = format!("{problem}{free}{remedy}");
    match source {
        // A missing directory must not be reported as a missing object.
        Some(Errno::NOENT) => Error::os_as(ErrorKind::Os, cause, Errno::NOENT.into()),
        Some(errno) => Error::os(cause, errno.into()),
        None => Error::new(ErrorKind::PermissionDenied, cause),
    }
}
