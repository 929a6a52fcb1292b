//! The available memory. A request for more memory than that fails with both numbers in its
//! message.

use std::fmt;
use std::path::Path;

use rustix::io::Errno;

use crate::error::{Error, ErrorKind, Result};
use crate::sys::object::unix::memory::cgroup;

/// A number of bytes, formatted for messages.
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0;
        match n {
            _ if n >= 10 << 40 => write!(f, "{n} bytes ({} TiB)", n >> 40),
            _ if n >= 10 << 30 => write!(f, "{n} bytes ({} GiB)", n >> 30),
            _ if n >= 1 << 20 => write!(f, "{n} bytes ({} MiB)", n >> 20),
            _ => write!(f, "{n} bytes"),
        }
    }
}

/// The smallest request that is checked in advance. `fallocate` refuses smaller ones fast enough.
const MIN_CHECKED: u64 = 16 << 20;

/// Returns the free bytes of the file system of `dir`. `None` if the file system does not count
/// them, like ramfs.
pub(crate) fn free_space(dir: &Path) -> Option<Bytes> {
    let stat = rustix::fs::statvfs(dir).ok().filter(|stat| stat.f_blocks != 0)?;
    Some(Bytes(stat.f_bavail.saturating_mul(stat.f_frsize)))
}

/// Fails for a large request that exceeds the free memory of the file system, the machine or the
/// control group.
pub(crate) fn check(dir: &Path, requested: u64) -> Result<()> {
    if requested < MIN_CHECKED {
        return Ok(());
    }
    if let Some(Bytes(free)) = free_space(dir)
        && free < requested
    {
        return Err(exceeds_free_space(dir, requested));
    }
    let limits =
        [("the machine", available_memory()), ("this process' control group", cgroup::available())];
    for (owner, available) in limits {
        if let Some(available) = available
            && available < requested
        {
            let (requested, available) = (Bytes(requested), Bytes(available));
            let cause = format!(
                "{requested} are requested, but {owner} has only {available} available; request less, or \
                 end other processes"
            );
            return Err(Error::new(ErrorKind::NoSpace, cause));
        }
    }
    Ok(())
}

/// Returns the error for a request that exceeds the free space of `dir`.
pub(crate) fn exceeds_free_space(dir: &Path, requested: u64) -> Error {
    let free = free_space(dir).map_or_else(|| "too little".to_owned(), |free| free.to_string());
    let cause = format!(
        "{} are requested, but {} has only {free} free; request less, end processes that `pagemate list` \
         shows, or enlarge its file system",
        Bytes(requested),
        dir.display()
    );
    Error::new(ErrorKind::NoSpace, cause)
}

/// Returns the error for a file that exceeds this process's limit for the length of files.
pub(crate) fn exceeds_file_limit(requested: u64) -> Error {
    let cause = format!(
        "{} are requested, which exceeds this process's limit for one file; raise it with `ulimit -f`",
        Bytes(requested)
    );
    Error::new(ErrorKind::NoSpace, cause)
}

/// Returns the error for a file system that cannot reserve memory for files.
pub(crate) fn cannot_reserve(dir: &Path, error: Errno) -> Error {
    let cause = format!(
        "the file system of {} cannot reserve memory (it lacks fallocate(2), as ramfs does); set \
         PAGEMATE_DIR to a directory on a tmpfs",
        dir.display()
    );
    Error::os_as(ErrorKind::Unsupported, cause, error.into())
}

/// Returns the error for a file system that has no free inode for another file.
pub(crate) fn no_free_inode(dir: &Path, error: Errno) -> Error {
    let free = rustix::fs::statvfs(dir).map_or(0, |stat| stat.f_favail);
    let cause = format!(
        "no file can be created in {}, which has {free} files free; remove files from it",
        dir.display()
    );
    Error::os_as(ErrorKind::NoSpace, cause, error.into())
}

/// Returns the memory that the kernel can allocate without killing a process. `None` if the system
/// does not report it.
fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()
    };
    let kib = field("MemAvailable:")?.saturating_add(field("SwapFree:").unwrap_or(0));
    Some(kib.saturating_mul(1024))
}
