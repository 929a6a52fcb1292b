//! Processes, by `/proc`.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Dir, Mode, OFlags};

/// Returns the entries of a directory that are numbers. Empty if the directory cannot be read.
pub(super) fn numbers(dir: &Path) -> Vec<u32> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let Ok(fd) = rustix::fs::openat(CWD, dir, flags, Mode::empty()) else { return Vec::new() };
    let Ok(entries) = Dir::read_from(&fd) else { return Vec::new() };
    let names = entries.flatten();
    names.filter_map(|entry| entry.file_name().to_str().ok()?.parse().ok()).collect()
}

/// Returns the pids of all processes.
pub(super) fn all() -> Vec<u32> {
    numbers(Path::new("/proc"))
}

/// Returns the path of an entry in the directory of a process.
pub(super) fn path(pid: u32, entry: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{entry}"))
}

/// Returns whether a process runs as this user, both by its real and by its effective user id. The owner of its
/// directory in `/proc` does not tell, because that is root for many processes of others.
pub(super) fn is_own(pid: u32) -> bool {
    let own = rustix::process::geteuid().as_raw().to_string();
    let status = fs::read_to_string(path(pid, "status")).unwrap_or_default();
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    ids.is_some_and(|ids| {
        let mut ids = ids.split_whitespace().take(2);
        ids.next() == Some(&own) && ids.next() == Some(&own)
    })
}

/// Returns the environment of a process, or nothing if it cannot be read.
pub(super) fn environment(pid: u32) -> Vec<(OsString, OsString)> {
    let bytes = fs::read(path(pid, "environ")).unwrap_or_default();
    let variables = bytes.split(|byte| *byte == 0);
    let pairs = variables.filter_map(|variable| {
        let at = variable.iter().position(|byte| *byte == b'=')?;
        let text = |bytes| OsStr::from_bytes(bytes).to_owned();
        Some((text(&variable[..at]), text(&variable[at + 1..])))
    });
    pairs.filter(|(name, _)| !name.is_empty()).collect()
}

/// Returns whether the command line of a process contains this word.
pub(super) fn has_argument(pid: u32, word: &str) -> bool {
    let line = fs::read(path(pid, "cmdline")).unwrap_or_default();
    line.split(|byte| *byte == 0).any(|argument| argument == word.as_bytes())
}
