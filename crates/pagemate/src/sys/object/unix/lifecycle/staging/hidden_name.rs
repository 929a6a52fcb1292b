//! Everywhere else: files under a name that no object can have, renamed to their own.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::sys::object::unix::beside_the_streams;
use crate::sys::object::unix::lifecycle::staging::{PREFIX, grant};
use crate::sys::object::unix::location::directory::{Directory, Id};
use crate::sys::object::unix::location::file_location::{FileLocation, FileName};

/// A new file under a name that starts with a dot, which no object's spelling does. If its maker
/// dies it is swept like any file that nobody has locked.
#[derive(Debug)]
pub(crate) struct Staged {
    /// `None` once it has its own name.
    fd: Option<OwnedFd>,
    location: FileLocation,
    pub(crate) id: Id,
}

impl Staged {
    pub(crate) fn new(dir: &Arc<Directory>, mode: Mode) -> rustix::io::Result<Staged> {
        let (fd, file) = new_file(dir.as_fd(), mode)?;
        let location = FileLocation { dir: Arc::clone(dir), file };
        let id = grant(&fd, mode).inspect_err(|_| _ = location.unlink())?;
        Ok(Staged { fd: Some(fd), location, id })
    }

    pub(crate) fn fd(&self) -> &OwnedFd {
        self.fd.as_ref().expect("it has no name of its own yet")
    }

    /// Gives the file its name; `EXIST` and the file back if that is taken, `NOENT` if a sweeper
    /// took it for a dead one before it was locked.
    #[allow(
        clippy::result_large_err,
        reason = "the caller tries again with the file, once at most"
    )]
    pub(crate) fn name(mut self, location: &FileLocation) -> Result<OwnedFd, (Staged, Errno)> {
        let flags = RenameFlags::NOREPLACE;
        let (from, own) = (&*self.location.dir, self.location.file.as_c_str());
        match rustix::fs::renameat_with(from, own, &*location.dir, location.file.as_c_str(), flags)
        {
            Ok(()) => Ok(self.fd.take().expect("it had no name of its own yet")),
            Err(error) => Err((self, error)),
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.fd.is_some() {
            // Should it fail, the file is dead as soon as it is closed, and swept.
            _ = self.location.unlink();
        }
    }
}

/// A new file under a name of its own.
fn new_file(dir: BorrowedFd<'_>, mode: Mode) -> rustix::io::Result<(OwnedFd, FileName)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
    loop {
        // A forked child has our count but not our pid; a file that a dead namesake left is passed
        // over.
        let (pid, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let name = FileName::new(&[PREFIX.as_bytes(), format!("{pid}-{count}").as_bytes()]);
        let name = name.expect("two numbers are short");
        match rustix::fs::openat(dir, name.as_c_str(), flags, mode) {
            Ok(fd) => return Ok((beside_the_streams(fd)?, name)),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
    }
}

/// Where memory without a name counts.
pub(crate) const SCRATCH: &str = "/tmp";

/// Memory without a name and a length.
pub(crate) fn scratch() -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = rustix::fs::openat(CWD, SCRATCH, flags, Mode::empty())?;
    let (fd, name) = new_file(dir.as_fd(), Mode::from_raw_mode(0o600))?;
    rustix::fs::unlinkat(&dir, name.as_c_str(), AtFlags::empty())?;
    Ok(fd)
}

/// What has no name cannot be opened once more: who gets it could write to it.
pub(crate) fn narrowed(fd: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    rustix::io::fcntl_dupfd_cloexec(fd, 0)
}

/// Only memfds can be sealed.
#[allow(clippy::unnecessary_wraps, reason = "its twin can fail")]
pub(crate) fn seal(_: &OwnedFd) -> rustix::io::Result<()> {
    Ok(())
}
