//! The part of a record that only mirrors have: the path of the creator's descriptor, and the origin
//! of the memory.

use std::os::fd::{AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// The maximum length of an origin in bytes.
pub(super) const MAX_ORIGIN: usize = 1024;

/// Returns the path by which other processes reach a descriptor of this process.
pub(super) fn path_of_own(file: BorrowedFd<'_>) -> Result<PathBuf> {
    if !cfg!(target_os = "linux") {
        let cause =
            "a mirror needs a path to a descriptor of another process, which only Linux has";
        return Err(Error::new(ErrorKind::Unsupported, cause));
    }
    let pid = rustix::process::getpid();
    Ok(PathBuf::from(format!("/proc/{}/fd/{}", pid.as_raw_nonzero(), file.as_raw_fd())))
}

/// Returns whether `path` has the form `/proc/PID/fd/N`.
pub(super) fn is_path(path: &[u8]) -> bool {
    let is_number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let parts: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    matches!(parts[..], [b"", b"proc", pid, b"fd", fd] if is_number(pid) && is_number(fd))
}

/// Returns whether a text can be the origin of a mirror.
pub(super) fn is_origin(text: &str) -> bool {
    (1..=MAX_ORIGIN).contains(&text.len()) && !text.contains(char::is_control)
}

/// Returns the error for a mirror whose creator's descriptor does not lead to the recorded file.
pub(super) fn lost(path: &Path, origin: &str) -> Error {
    let cause = format!(
        "it mirrors memory of {origin}, and {} does not lead to this memory; open it in the pid \
         namespace of the process that mirrors it, or end that process",
        path.display()
    );
    Error::new(ErrorKind::Corrupted, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_descriptors_of_processes_are_paths_of_mirrors() {
        assert!(is_path(b"/proc/17/fd/4"));
        for other in [
            &b"/proc/self/fd/4"[..],
            b"/proc/17/fd/",
            b"/proc/17/fd/4/x",
            b"/proc/17/root/4",
            b"proc/17/fd/4",
            b"/etc/passwd",
            b"",
        ] {
            assert!(!is_path(other), "{}", String::from_utf8_lossy(other));
        }
    }
}
