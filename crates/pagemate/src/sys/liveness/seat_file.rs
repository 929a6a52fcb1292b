//! Seat files: seats that are files of their own, beside the file of the object.
//!
//! A user who may only read a file can hold shared locks on all of its bytes, so that no process can take
//! a seat in it. A process that finds such a lock creates a *seat file* instead: a file in the same
//! directory, with the seat's number in its name and an exclusive lock. Other users cannot open a seat
//! file before it is locked. They cannot forge one either: only seat files of the object's owner and of
//! root count, and only these two may write to an object that other users may only read. Every sweep of
//! the directory removes seat files without a lock, as it removes unfinished objects.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::lock;
use crate::error::{Error, ErrorKind, Result};
use crate::random::random_number;

/// The prefix of the file names of seat files.
pub(crate) const SEAT_FILE_PREFIX: &str = ".pagemate:seat-";

/// The bit that is set in the numbers of seats in seat files, and in no other seat.
const SEAT_FILE_BIT: u32 = 1 << 29;

/// The number of attempts to create a seat file. An attempt fails if the number is in use, or if a
/// sweep removes the file before it is locked.
const TRIES: u32 = 64;

/// A seat file, identified by the number of its seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SeatFile(u32);

impl SeatFile {
    /// Returns the seat file of a seat, or `None` if the seat is in the object's file.
    pub(crate) fn of(seat: u32) -> Option<SeatFile> {
        (seat & SEAT_FILE_BIT != 0).then_some(SeatFile(seat))
    }

    /// Returns the number of its seat.
    pub(super) fn seat(self) -> u32 {
        self.0
    }

    fn file_name(self) -> String {
        format!("{SEAT_FILE_PREFIX}{:08x}", self.0)
    }

    /// Creates a seat file in the directory `dir`, and locks it.
    pub(super) fn create(dir: BorrowedFd<'_>) -> Result<(SeatFile, OwnedFd)> {
        for _ in 0..TRIES {
            #[allow(clippy::cast_possible_truncation, reason = "any 29 bits")]
            let random = random_number() as u32;
            let file = SeatFile(random & (SEAT_FILE_BIT - 1) | SEAT_FILE_BIT);
            if let Some(fd) = file.create_file(dir)? {
                return Ok((file, fd));
            }
        }
        let cause = "no seat file can be created beside it: all numbers that were tried are in use";
        Err(Error::new(ErrorKind::TimedOut, cause))
    }

    /// Creates and locks the file. Returns `None` if the number is in use, or if a sweep removed the file
    /// before it was locked.
    fn create_file(self, dir: BorrowedFd<'_>) -> Result<Option<OwnedFd>> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
        // The file has mode 0600 until it is locked: a user that could open it earlier could lock
        // it first.
        let fd = match rustix::fs::openat(dir, self.file_name(), flags, Mode::RUSR | Mode::WUSR) {
            Ok(fd) => fd,
            Err(Errno::EXIST) => return Ok(None),
            Err(error) => return Err(cannot_create(error.into())),
        };
        let failed = |error: Errno| cannot_create(error.into());
        if !lock::try_exclude(fd.as_fd())? || rustix::fs::fstat(&fd).map_err(failed)?.st_nlink == 0
        {
            return Ok(None);
        }
        rustix::fs::fchmod(&fd, Mode::from_raw_mode(0o644)).map_err(failed)?;
        Ok(Some(fd))
    }

    /// Returns whether a process has the seat. `owner` is the owner of the object.
    pub(crate) fn is_taken(self, dir: BorrowedFd<'_>, owner: u32) -> Result<bool> {
        let cannot_test =
            |error: Errno| Error::os("its owner's seat file cannot be tested", error.into());

        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(dir, self.file_name(), flags, Mode::empty()) {
            Ok(fd) => fd,
            // A symbolic link or a socket is not a seat file.
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(false),
            Err(error) => return Err(cannot_test(error)),
        };
        let stat = rustix::fs::fstat(&fd).map_err(cannot_test)?;
        // Check the owner: after the seat file was removed, another user can create a file of that
        // name.
        let is_trusted = stat.st_uid == owner || stat.st_uid == 0;
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        Ok(is_trusted && is_file && lock::is_excluded_at(fd.as_fd(), 0)?)
    }

    /// Removes a seat file that this process created.
    pub(super) fn remove(self, dir: BorrowedFd<'_>) {
        // If this fails, a sweep removes the file.
        _ = rustix::fs::unlinkat(dir, self.file_name(), AtFlags::empty());
    }
}

/// Returns the error for a seat file that the system refuses to create.
pub(super) fn cannot_create(error: io::Error) -> Error {
    Error::os("no seat file can be created beside it", error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_file_is_taken_while_it_is_locked_and_belongs_to_a_trusted_user() {
        let path = std::env::temp_dir().join(format!("pagemate-lock-file-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        let dir = std::fs::File::open(&path).unwrap();
        let user = rustix::process::geteuid().as_raw();
        let [(first, lock), (second, _)] = [(); 2].map(|()| SeatFile::create(dir.as_fd()).unwrap());
        let taken = |file: SeatFile| file.is_taken(dir.as_fd(), user).unwrap();
        assert_ne!(first, second);
        assert_eq!(SeatFile::of(first.seat()), Some(first));
        assert_eq!(first.seat() & !(SEAT_FILE_BIT - 1), SEAT_FILE_BIT);
        assert!(taken(first) && !taken(second));
        // The second seat file exists, but no process has it locked.
        let file = path.join(second.file_name());
        assert!(file.is_file() && path.join(first.file_name()).is_file());
        let mode = std::os::unix::fs::MetadataExt::mode(&file.metadata().unwrap());
        assert_eq!(mode & 0o777, 0o644);
        // The file with this number exists, so the number is not used again.
        assert!(second.create_file(dir.as_fd()).unwrap().is_none());
        // The seat files of root count for every owner, those of others for their own objects.
        assert_eq!(first.is_taken(dir.as_fd(), user + 1).unwrap(), user == 0);
        second.remove(dir.as_fd());
        assert!(!file.exists() && !taken(second));
        std::fs::create_dir(&file).unwrap();
        assert!(!taken(second));
        std::fs::remove_dir(&file).unwrap();
        // A symbolic link to a locked file and a pipe are not seat files. The test of a pipe must
        // not block.
        std::os::unix::fs::symlink(path.join(first.file_name()), &file).unwrap();
        assert!(!taken(second));
        std::fs::remove_file(&file).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&file).status().unwrap().success());
        assert!(!taken(second));
        std::fs::remove_file(&file).unwrap();
        if user == 0 {
            std::os::unix::fs::chown(path.join(first.file_name()), Some(1), None).unwrap();
            assert!(first.is_taken(dir.as_fd(), 1).unwrap() && !taken(first));
            std::os::unix::fs::chown(path.join(first.file_name()), Some(0), None).unwrap();
        }
        let others = [(); 4].map(|()| SeatFile::create(dir.as_fd()).unwrap().0);
        for file in others {
            file.remove(dir.as_fd());
        }
        drop(lock);
        assert!(!taken(first));
        first.remove(dir.as_fd());
        std::fs::remove_dir(path).unwrap();
    }
}
