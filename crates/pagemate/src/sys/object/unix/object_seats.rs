//! The seats at the locks in an object. Their kernel locks are on the object's own file.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

use rustix::io::Errno;

use crate::access::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::liveness::{self, Origin, SeatFile, Seats};
use crate::sys::object::unix::Object;
use crate::sys::object::unix::location::file_location::FileLocation;

/// Takes the first seat at an object that other processes cannot see yet.
pub(crate) fn take_first(object: BorrowedFd<'_>, origin: Option<Box<dyn Origin>>) -> Result<Seats> {
    let seats = Seats::open(object, origin)?;
    seats.take(object, 0, || 0)?;
    Ok(seats)
}

/// Returns the origin through which a child of `fork` reopens the file of an object.
pub(crate) fn origin(location: FileLocation) -> Box<dyn Origin> {
    Box::new(ObjectOrigin(location))
}

struct ObjectOrigin(FileLocation);

impl ObjectOrigin {
    fn revalidated(&self) -> io::Result<FileLocation> {
        self.0.revalidated().ok_or_else(|| Errno::NOENT.into())
    }
}

impl Origin for ObjectOrigin {
    fn open(&self) -> io::Result<OwnedFd> {
        Ok(self.revalidated()?.open(Access::ReadWrite)?)
    }

    fn directory(&self) -> io::Result<Arc<dyn AsFd>> {
        Ok(self.revalidated()?.dir)
    }
}

impl Object {
    /// Returns the seats that this process can take at locks in this object.
    pub(crate) fn seats(&self) -> Result<Seats> {
        let origin = self.named.as_ref().map(|named| origin(named.location.clone()));
        Seats::open(self.file_with_seats()?, origin)
    }

    /// Returns the file that has the kernel locks of the seats.
    pub(crate) fn file_with_seats(&self) -> Result<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd).ok_or_else(|| {
            let cause = "a lock in a section over a user's file needs a name; create the section with a name";
            Error::new(ErrorKind::Unsupported, cause)
        })
    }

    /// Returns the device and the inode of its file, which identify the object.
    pub(crate) fn id(&self) -> Result<(u64, u64)> {
        let stat = rustix::fs::fstat(self.file_with_seats()?)
            .map_err(|e| Error::os("its file cannot be inspected", e.into()))?;
        #[allow(
            clippy::unnecessary_cast,
            clippy::cast_sign_loss,
            reason = "narrower on some systems"
        )]
        Ok((stat.st_dev as u64, stat.st_ino))
    }

    /// Returns whether a process holds this seat at the lock that is `at` bytes into the object's
    /// memory.
    pub(crate) fn is_seat_taken(&self, at: u64, seat: u32) -> Result<bool> {
        let file = self.file_with_seats()?;
        let Some(seat_file) = SeatFile::of(seat) else { return liveness::is_taken(file, at, seat) };
        let owner = rustix::fs::fstat(file)
            .map_err(|e| Error::os("its file cannot be inspected", e.into()))?
            .st_uid;
        // A handle without a name cannot find the seat file. The owner may be alive, so report the
        // seat as taken.
        let Some(named) = &self.named else { return Ok(true) };
        let Some(location) = named.location.revalidated() else { return Ok(true) };
        seat_file.is_taken(location.dir.as_fd(), owner)
    }
}
