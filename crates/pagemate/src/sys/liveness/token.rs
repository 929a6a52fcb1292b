//! Seats beside a file: each is a file of its own.
//!
//! A user that may only read a file can hold shared locks on all of its bytes, and then nobody takes a
//! seat in it. A process that meets such a lock makes a *token* instead: a file in the same directory
//! whose number stands for the seat, with an exclusive lock. Readers of the object cannot open a token
//! before it is locked, and cannot make one: only those of the object's owner and of root count, and
//! only they may write to an object that others may only read. A token without its lock is removed by
//! every sweep of the directory, as an object is that was not finished.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::lock;

/// Begins the file names of tokens.
pub(crate) const PREFIX: &str = ".pagemate:seat-";

/// Tells the seat of a token from one in a file.
const BESIDE: u32 = 1 << 29;

/// How often a number that is in use, or a file that was swept unfinished, is passed over.
const TRIES: u32 = 64;

/// The number of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token(u32);

impl Token {
    /// The token that stands for this seat, if one does.
    pub(crate) fn of(seat: u32) -> Option<Token> {
        (seat & BESIDE != 0).then_some(Token(seat))
    }

    /// The seat that it stands for.
    pub(super) fn seat(self) -> u32 {
        self.0
    }

    fn file(self) -> String {
        format!("{PREFIX}{:08x}", self.0)
    }

    /// Makes a new one, locked, in the directory `dir`.
    pub(super) fn make(dir: BorrowedFd<'_>) -> io::Result<(Token, OwnedFd)> {
        for _ in 0..TRIES {
            // The standard library's hashes begin with a random number.
            #[allow(clippy::cast_possible_truncation, reason = "any 29 bits")]
            let random = RandomState::new().build_hasher().finish() as u32;
            let token = Token(random & (BESIDE - 1) | BESIDE);
            match token.make_this(dir) {
                Ok(Some(fd)) => return Ok((token, fd)),
                Ok(None) => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    /// `None` if the number is in use, or a sweep came before the lock.
    fn make_this(self, dir: BorrowedFd<'_>) -> io::Result<Option<OwnedFd>> {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::CLOEXEC;
        // Others open it only once it is locked.
        let fd = match rustix::fs::openat(dir, self.file(), flags, Mode::RUSR | Mode::WUSR) {
            Ok(fd) => fd,
            Err(Errno::EXIST) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if !lock::try_exclude(fd.as_fd())? || rustix::fs::fstat(&fd)?.st_nlink == 0 {
            return Ok(None);
        }
        rustix::fs::fchmod(&fd, Mode::from_raw_mode(0o644))?;
        Ok(Some(fd))
    }

    /// Whether a process has the seat. `owner` is the user whose object it is at.
    pub(crate) fn is_taken(self, dir: BorrowedFd<'_>, owner: u32) -> io::Result<bool> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(dir, self.file(), flags, Mode::empty()) {
            Ok(fd) => fd,
            // A link, or a socket, is none of ours.
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let stat = rustix::fs::fstat(&fd)?;
        // A stranger can make a file of that name once the owner's is gone.
        let is_ours = stat.st_uid == owner || stat.st_uid == 0;
        let is_file = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
        Ok(is_ours && is_file && lock::is_excluded_at(fd.as_fd(), 0)?)
    }

    /// Removes the file of a token that this process made.
    pub(super) fn remove(self, dir: BorrowedFd<'_>) {
        // Should it fail, a sweep removes it.
        _ = rustix::fs::unlinkat(dir, self.file(), AtFlags::empty());
    }
}
