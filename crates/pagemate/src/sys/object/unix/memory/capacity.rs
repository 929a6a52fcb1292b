//! How much memory there is, so that a request for more fails with the numbers in its message.

use std::fmt;
use std::path::Path;

use rustix::io::Errno;

use crate::error::{Error, ErrorKind, Result};
use crate::sys::object::unix::memory::cgroup;

/// A number of bytes, for people.
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

/// Requests below this are left to `fallocate`, which says no soon enough.
const WORTH_ASKING: u64 = 16 << 20;

/// What the file system of `dir` has free; `None` if it does not count, as ramfs.
pub(crate) fn of(dir: &Path) -> Option<Bytes> {
    let stat = rustix::fs::statvfs(dir).ok().filter(|stat| stat.f_blocks != 0)?;
    Some(Bytes(stat.f_bavail.saturating_mul(stat.f_frsize)))
}

/// Refuses a large request that the file system or the machine cannot back.
pub(crate) fn check(dir: &Path, wanted: u64) -> Result<()> {
    if wanted < WORTH_ASKING {
        return Ok(());
    }
    if let Some(Bytes(free)) = of(dir)
        && free < wanted
    {
        return Err(too_much(dir, wanted));
    }
    let limits =
        [("the machine", available_memory()), ("this process' control group", cgroup::available())];
    for (whose, available) in limits {
        if let Some(available) = available
            && available < wanted
        {
            let (wanted, available) = (Bytes(wanted), Bytes(available));
            let cause = format!("{wanted} are wanted, but {whose} has only {available} available");
            return Err(Error::new(ErrorKind::NoSpace, cause));
        }
    }
    Ok(())
}

/// The error for a request that does not fit into `dir`.
pub(crate) fn too_much(dir: &Path, wanted: u64) -> Error {
    let free = of(dir).map_or_else(|| "too little".to_owned(), |free| free.to_string());
    let cause = format!(
        "{} are wanted, but {} has only {free} free; ask for less, end what `pagemate list` shows, or \
         have it made larger",
        Bytes(wanted),
        dir.display()
    );
    Error::new(ErrorKind::NoSpace, cause)
}

/// The error for a file longer than a file may be.
pub(crate) fn too_large(wanted: u64) -> Error {
    let cause = format!(
        "{} are wanted, which is more than one file may have here; see `ulimit -f`",
        Bytes(wanted)
    );
    Error::new(ErrorKind::NoSpace, cause)
}

/// The error for a file system that reserves no memory for files.
pub(crate) fn not_reserved(dir: &Path, error: Errno) -> Error {
    let cause = format!(
        "the file system of {} cannot reserve memory (it lacks fallocate(2), as ramfs does); set \
         PAGEMATE_DIR to a directory on a tmpfs",
        dir.display()
    );
    Error::os_as(ErrorKind::Unsupported, cause, error.into())
}

/// The error for a file that `dir` has no room for, however little is in it.
pub(crate) fn no_file(dir: &Path, error: Errno) -> Error {
    let free = rustix::fs::statvfs(dir).map_or(0, |stat| stat.f_favail);
    let cause = format!("no file can be made in {}, which has {free} files free", dir.display());
    Error::os_as(ErrorKind::NoSpace, cause, error.into())
}

/// What the kernel could give without killing anyone; `None` where it does not say.
fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let field = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()
    };
    let kib = field("MemAvailable:")?.saturating_add(field("SwapFree:").unwrap_or(0));
    Some(kib.saturating_mul(1024))
}
