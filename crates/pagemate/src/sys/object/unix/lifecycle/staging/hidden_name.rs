//! New files on systems without `O_TMPFILE`. A new file has a hidden name, which no object can
//! have, and is later renamed to the file name of its object.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, RenameFlags};
use rustix::io::Errno;

use crate::sys::object::unix::descriptor::above_standard_streams;
use crate::sys::object::unix::lifecycle::staging::file_mode::apply_mode;
use crate::sys::object::unix::location::directory::Directory;
use crate::sys::object::unix::location::file_id::Id;
use crate::sys::object::unix::location::file_location::{
    FileLocation, FileName, UNFINISHED_PREFIX,
};

/// A new file under a name that begins with a dot, which no encoded name does. If its creator dies,
/// the kernel unlocks the file, and a sweep removes it.
#[derive(Debug)]
pub(crate) struct Staged {
    /// `None` after the file got its object's name.
    fd: Option<OwnedFd>,
    location: FileLocation,
    pub(crate) id: Id,
}

impl Staged {
    pub(crate) fn new(dir: &Arc<Directory>, mode: Mode) -> rustix::io::Result<Staged> {
        let (fd, file) = new_file(dir.as_fd(), mode)?;
        let location = FileLocation { dir: Arc::clone(dir), file };
        let id = apply_mode(&fd, mode).inspect_err(|_| _ = location.unlink())?;
        Ok(Staged { fd: Some(fd), location, id })
    }

    pub(crate) fn fd(&self) -> &OwnedFd {
        self.fd.as_ref().expect("it is not linked to its name yet")
    }

    /// Renames the file to its object's name. Fails with `EXIST` if the name is taken, and with
    /// `NOENT` if a sweep removed the file before it was locked. A failure returns the file.
    #[allow(
        clippy::result_large_err,
        reason = "the caller tries again with the file, at most once"
    )]
    pub(crate) fn link(mut self, location: &FileLocation) -> Result<OwnedFd, (Staged, Errno)> {
        let flags = RenameFlags::NOREPLACE;
        let (from, own) = (&*self.location.dir, self.location.file.as_c_str());
        match rustix::fs::renameat_with(from, own, &*location.dir, location.file.as_c_str(), flags)
        {
            Ok(()) => Ok(self.fd.take().expect("it was not linked to its name yet")),
            Err(error) => Err((self, error)),
        }
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if self.fd.is_some() {
            // If this fails, a sweep removes the file, which is dead once its descriptor is closed.
            _ = self.location.unlink();
        }
    }
}

/// Creates a file under an unused hidden name.
fn new_file(dir: BorrowedFd<'_>, mode: Mode) -> rustix::io::Result<(OwnedFd, FileName)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
    loop {
        // The name contains the pid, because a forked child counts from the same number as its
        // parent. A dead process with the same pid may have left a file of this name, so try the
        // next number.
        let (pid, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let name = FileName::new(format!("{UNFINISHED_PREFIX}{pid}-{count}").as_bytes());
        let name = name.expect("two numbers are short");
        match rustix::fs::openat(dir, name.as_c_str(), flags, mode) {
            Ok(fd) => return Ok((above_standard_streams(fd)?, name)),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error),
        }
    }
}

/// The directory of the file system that contains unnamed memory.
pub(crate) const UNNAMED_MEMORY_DIR: &str = "/tmp";

/// Creates an empty file without a name.
pub(crate) fn create_unnamed_file() -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = rustix::fs::openat(CWD, UNNAMED_MEMORY_DIR, flags, Mode::empty())?;
    let (fd, name) = new_file(dir.as_fd(), Mode::from_raw_mode(0o600))?;
    rustix::fs::unlinkat(&dir, name.as_c_str(), AtFlags::empty())?;
    Ok(fd)
}

/// Duplicates the descriptor. On this system a file without a name cannot be opened again, so the
/// duplicate has the right to write.
pub(crate) fn reopen_read_only(fd: &OwnedFd) -> rustix::io::Result<OwnedFd> {
    rustix::io::fcntl_dupfd_cloexec(fd, 0)
}

/// Does nothing: only the files of `memfd_create` can be sealed.
#[allow(clippy::unnecessary_wraps, reason = "the function of Linux can fail")]
pub(crate) fn seal(_: &OwnedFd) -> rustix::io::Result<()> {
    Ok(())
}
