//! Where the seats of an object's users are: in its own file.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;

use super::Object;
use super::place::Place;
use crate::access::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::liveness::{self, ByName, Seats};

/// Takes the first seat at an object that no other process has seen yet.
pub(super) fn first(object: BorrowedFd<'_>, by_name: Option<ByName>) -> Result<Seats> {
    let seats = Seats::open(object, by_name)?;
    seats.take(object, 0, || 0)?;
    Ok(seats)
}

/// How the file at `place` is opened where `/proc` is missing.
pub(super) fn by_name(place: Place) -> ByName {
    Box::new(move || {
        let place = place.again().ok_or(Errno::NOENT)?;
        Ok(place.open(Access::ReadWrite)?)
    })
}

impl Object {
    /// The seats that this process may take at locks in this object.
    pub(crate) fn seats(&self) -> Result<Seats> {
        let by_name = self.named.as_ref().map(|named| by_name(named.place.clone()));
        Seats::open(self.seat_file()?, by_name)
    }

    /// The file that has the locks of the seats.
    pub(crate) fn seat_file(&self) -> Result<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd).ok_or_else(|| {
            let cause = "a section over a file needs a name to have a lock in it";
            Error::new(ErrorKind::Unsupported, cause)
        })
    }

    /// Whether a process has this seat at the lock that is `at` bytes into the object's memory.
    pub(crate) fn is_seat_taken(&self, at: u64, seat: u32) -> Result<bool> {
        liveness::is_taken(self.seat_file()?, at, seat)
    }
}
