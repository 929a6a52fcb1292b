//! What several calls refuse in the same words.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use crate::access::Access;
use crate::error::{Error, ErrorKind, Quoted, Result};
use crate::name::Name;
use crate::sys::liveness::lock::{self, Holder};
use crate::sys::object::PATIENCE;
use crate::sys::object::unix::location::file_location::FileLocation;

/// How long a caller has been waiting for others; the clock starts with the first setback.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    start: Option<Instant>,
    setbacks: u32,
}

impl Patience {
    /// So often a caller tries again at once: an honest process is done by then.
    const EAGER: u32 = 8;

    /// From then on it sleeps, twice as long each time, up to this.
    const LONGEST: Duration = Duration::from_millis(10);

    /// Counts a setback and sleeps, or fails once it has gone on for too long.
    ///
    /// A process of another user may hold the lock for as long as it likes, so a caller that did not
    /// sleep would use a whole processor.
    pub(crate) fn wear(&mut self) -> Result<()> {
        let start = *self.start.get_or_insert_with(Instant::now);
        if start.elapsed() > PATIENCE {
            return Err(busy());
        }
        match self.setbacks.checked_sub(Patience::EAGER) {
            None => std::thread::yield_now(),
            Some(late) => {
                let nap = Duration::from_micros(50) * (1 << late.min(8));
                std::thread::sleep(nap.min(Patience::LONGEST));
            }
        }
        self.setbacks += 1;
        Ok(())
    }
}

pub(crate) fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "no process holds it")
}

pub(crate) fn already_exists() -> Error {
    Error::new(ErrorKind::AlreadyExists, "some process already holds an object of this name")
}

/// The error for an object whose name another program removed.
pub(crate) fn orphaned(location: &FileLocation) -> Error {
    let cause = format!(
        "another program removed {}, so that other processes no longer find this object; close every \
         handle to it and create it again ('pagemate doctor' names settings that remove objects)",
        location.path().display()
    );
    Error::new(ErrorKind::Orphaned, cause)
}

pub(crate) fn wrong_kind() -> Error {
    Error::new(ErrorKind::WrongKind, "the name belongs to an object of another kind")
}

pub(crate) fn busy() -> Error {
    Error::new(ErrorKind::TimedOut, "another process is busy with it and does not finish")
}

pub(crate) fn too_long() -> Error {
    Error::new(ErrorKind::NoSpace, "so many bytes are more than this system can address")
}

pub(crate) fn denied(cause: &'static str) -> Error {
    Error::new(ErrorKind::PermissionDenied, cause)
}

pub(crate) fn cannot_open(error: Errno) -> Error {
    Error::os("it cannot be opened", error.into())
}

/// Why the file of an object could not be opened for `access`.
pub(crate) fn stands_there(location: &FileLocation, access: Access, error: Errno) -> Error {
    match error {
        Errno::LOOP => no_object(location, "a symbolic link"),
        Errno::ISDIR => no_object(location, "a directory"),
        Errno::NXIO => no_object(location, "a socket"),
        Errno::ACCESS => not_shared(location, access),
        error => cannot_open(error),
    }
}

/// What another user's object grants, as far as can be seen.
fn not_shared(location: &FileLocation, access: Access) -> Error {
    let owner = match location.stat() {
        Ok(stat) => stat.st_uid,
        Err(error) => return cannot_open(error),
    };
    let cause = match (access, location.open(Access::Read)) {
        // Dead or alive can be asked by whoever may read.
        (Access::ReadWrite, Ok(fd)) if matches!(lock::ask(fd.as_fd()), Ok(Holder::Nobody)) => {
            return not_found();
        }
        (Access::ReadWrite, Ok(_)) => format!("user {owner} shares it for reading only"),
        _ => format!("user {owner} does not share it with this one"),
    };
    Error::os_as(ErrorKind::PermissionDenied, cause, Errno::ACCESS.into())
}

pub(crate) fn no_object(location: &FileLocation, what: &str) -> Error {
    let cause = format!("{what} stands in its place; remove {}", location.path().display());
    Error::new(ErrorKind::Corrupted, cause)
}

/// The error for a file in the place of one object with the trailer of `other`.
pub(crate) fn of_another_name(other: &Name) -> Error {
    let cause = format!("its file belongs to another name, {}", Quoted(&other.to_string()));
    Error::new(ErrorKind::Corrupted, cause)
}
