//! Where the seats of an object's users are: in its own file.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::io::Errno;

use crate::access::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::liveness::{self, Origin, Seats, Token};
use crate::sys::object::unix::Object;
use crate::sys::object::unix::location::file_location::FileLocation;

/// Takes the first seat at an object that no other process has seen yet.
pub(crate) fn first(object: BorrowedFd<'_>, origin: Option<Box<dyn Origin>>) -> Result<Seats> {
    let seats = Seats::open(object, origin)?;
    seats.take(object, 0, || 0)?;
    Ok(seats)
}

/// The place of an object, for its seats.
pub(crate) fn origin(location: FileLocation) -> Box<dyn Origin> {
    Box::new(At(location))
}

struct At(FileLocation);

impl At {
    fn again(&self) -> io::Result<FileLocation> {
        self.0.again().ok_or_else(|| Errno::NOENT.into())
    }
}

impl Origin for At {
    fn open(&self) -> io::Result<OwnedFd> {
        Ok(self.again()?.open(Access::ReadWrite)?)
    }

    fn directory(&self) -> io::Result<Arc<dyn AsFd>> {
        Ok(self.again()?.dir)
    }
}

impl Object {
    /// The seats that this process may take at locks in this object.
    pub(crate) fn seats(&self) -> Result<Seats> {
        let origin = self.named.as_ref().map(|named| origin(named.location.clone()));
        Seats::open(self.seat_file()?, origin)
    }

    /// The file that has the locks of the seats.
    pub(crate) fn seat_file(&self) -> Result<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd).ok_or_else(|| {
            let cause = "a section over a file needs a name to have a lock in it";
            Error::new(ErrorKind::Unsupported, cause)
        })
    }

    /// Device and inode of its file, which no other object has.
    pub(crate) fn id(&self) -> Result<(u64, u64)> {
        let stat = rustix::fs::fstat(self.seat_file()?)
            .map_err(|e| Error::os("it cannot be looked at", e.into()))?;
        #[allow(
            clippy::unnecessary_cast,
            clippy::cast_sign_loss,
            reason = "narrower on some systems"
        )]
        Ok((stat.st_dev as u64, stat.st_ino))
    }

    /// Whether a process has this seat at the lock that is `at` bytes into the object's memory.
    pub(crate) fn is_seat_taken(&self, at: u64, seat: u32) -> Result<bool> {
        let file = self.seat_file()?;
        let Some(token) = Token::of(seat) else { return liveness::is_taken(file, at, seat) };
        let cannot = |error: io::Error| Error::os("its owner's seat cannot be looked at", error);
        let owner = rustix::fs::fstat(file).map_err(|e| cannot(e.into()))?.st_uid;
        // A handle without a name cannot tell. It takes nothing from an owner that may be alive.
        let Some(named) = &self.named else { return Ok(true) };
        let Some(location) = named.location.again() else { return Ok(true) };
        token.is_taken(location.dir.as_fd(), owner).map_err(cannot)
    }
}
