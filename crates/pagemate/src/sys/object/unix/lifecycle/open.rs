//! Opening live objects. An attempt to open a dead object sweeps it and fails with `NotFound`.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use crate::access::{Access, Protection};
use crate::error::{Error, ErrorKind, Result};
use crate::kind::Kind;
use crate::name::Name;
use crate::sys::fault;
use crate::sys::liveness::fork;
use crate::sys::liveness::lock::{self, Holder};
use crate::sys::object::unix::error;
use crate::sys::object::unix::format::file_record::FileRecord;
use crate::sys::object::unix::format::trailer::{self, Memory, Trailer};
use crate::sys::object::unix::lifecycle::close::release_handle;
use crate::sys::object::unix::lifecycle::sweep::{Outcome, sweep};
use crate::sys::object::unix::location::file_id::{self, Id};
use crate::sys::object::unix::location::file_location::FileLocation;
use crate::sys::object::unix::location::resolve;
use crate::sys::object::unix::retry::RetryLimiter;
use crate::sys::object::unix::{Named, Object};

impl Object {
    /// Opens the live object called `name`.
    pub(crate) fn open(name: &Name, kind: Kind, access: Access) -> Result<Object> {
        let location = resolve::location(name)?;
        if let Some(object) = Object::open_at(&location, name, kind, access)? {
            return Ok(object);
        }
        let Some(location) = resolve::moved_location(&location, name)? else {
            return Err(error::not_found());
        };
        Object::open_at(&location, name, kind, access)?.ok_or_else(error::not_found)
    }

    /// Opens the live object called `name` at `location`. `None` if there is none.
    pub(crate) fn open_at(
        location: &FileLocation,
        name: &Name,
        kind: Kind,
        access: Access,
    ) -> Result<Option<Object>> {
        let mut retries = RetryLimiter::default();
        let before = fork::now();
        loop {
            let (fd, opened_for) = match open_to_hold(location, access) {
                Ok(opened) => opened,
                Err(Errno::NOENT) => return Ok(None),
                Err(error) => match error::open_failed(location, access, error) {
                    error if error.kind() == ErrorKind::NotFound => return Ok(None),
                    error => return Err(error),
                },
            };
            fault::point("open-before-ask");
            match lock::ask(fd.as_fd())? {
                Holder::Handles => {
                    fault::point("open-before-share");
                    if lock::try_share(fd.as_fd())? {
                        fault::point("open-after-share");
                        match Description::read(fd.as_fd(), name, kind, access) {
                            Ok(Some(found)) => {
                                return Ok(Some(Object {
                                    fd: Some(fd),
                                    named: Some(Named {
                                        opened_mirror: found.is_mirror,
                                        ..Named::new(location.clone(), opened_for, before, found.id)
                                    }),
                                    memory: found.memory,
                                    len: found.len,
                                    asked_len: found.asked_len,
                                    protection: found.protection,
                                    access,
                                    seats: None,
                                }));
                            }
                            // A sweep removed the name after the test and before the lock, or the
                            // creator of a mirror has closed it.
                            Ok(None) => {}
                            // The last holder may have closed its handle and failed to remove the
                            // name, because this shared lock existed.
                            Err(error) => {
                                release_handle(
                                    fd,
                                    opened_for,
                                    location,
                                    None,
                                    before.has_not_forked_since(),
                                );
                                return Err(error);
                            }
                        }
                    }
                }
                Holder::Nobody => {
                    drop(fd);
                    match sweep(location) {
                        // Another process has opened the object or is sweeping it, so try again.
                        Outcome::InUse => {}
                        Outcome::Absent | Outcome::Removed(_) => return Ok(None),
                        Outcome::NotRemovable => {
                            is_object_file(location)?;
                            return Ok(None);
                        }
                    }
                }
                Holder::Sweeper => {}
            }
            retries.back_off()?;
        }
    }
}

/// Releases the shared lock of an opener of a mirror: its name lives exactly as long as its creator
/// holds it. Returns whether the creator still does. If not, the opener starts over, and sweeps the
/// name: its own lock may have kept the creator from removing it.
fn is_held_by_creator(fd: BorrowedFd<'_>) -> Result<bool> {
    lock::release(fd)?;
    Ok(matches!(lock::ask(fd)?, Holder::Handles))
}

/// Fails if a file exists at `location` that is not a regular file.
fn is_object_file(location: &FileLocation) -> Result<()> {
    match location.stat().map(|stat| FileType::from_raw_mode(stat.st_mode)) {
        Ok(FileType::Directory) => Err(error::not_an_object(location, "a directory")),
        Ok(FileType::RegularFile) | Err(_) => Ok(()),
        Ok(_) => Err(error::not_an_object(location, "a pipe, a socket or a device")),
    }
}

/// The properties of an object, read under a shared lock.
struct Description {
    id: Id,
    len: u64,
    asked_len: u64,
    protection: Protection,
    memory: Option<OwnedFd>,
    is_mirror: bool,
}

impl Description {
    /// Reads the properties of an object. `None` if its name was removed.
    fn read(
        fd: BorrowedFd<'_>,
        name: &Name,
        kind: Kind,
        access: Access,
    ) -> Result<Option<Description>> {
        let mut bytes = trailer::EMPTY_BUFFER;
        let begin = &mut bytes[..trailer::read_len(name)];
        let (stat, trailer) = match read_trailer(fd, begin) {
            Ok(found) if found.1.bare == name.as_bytes() => found,
            Ok(_) | Err(_) => return Err(wrong_trailer(fd, name)),
        };
        // Check the mark of the sweep too: another program may have linked the file to a second
        // name, so that the link count is not zero.
        if stat.st_nlink == 0 || trailer.removed {
            return Ok(None);
        }
        if trailer.kind != kind {
            return Err(error::wrong_kind());
        }
        let protection = trailer.protection;
        let (len, asked_len, memory) = match trailer.memory {
            Memory::SameFile => (trailer.data_len, trailer.asked_len, None),
            memory => {
                let record = FileRecord::read(fd, memory == Memory::Mirror)?;
                // Views of a read-only section never need the right to write.
                let access = if protection == Protection::ReadOnly { Access::Read } else { access };
                let followed = record.follow(fd, &stat, access);
                // Only its creator holds the name of a mirror. The creator may have closed its
                // descriptor of the memory since the test of byte 0, so test it before an error is
                // reported.
                if memory == Memory::Mirror && !is_held_by_creator(fd)? {
                    return Ok(None);
                }
                (record.len, record.len, Some(followed?))
            }
        };
        let is_mirror = trailer.memory == Memory::Mirror;
        Ok(Some(Description { id: Id::of(&stat), len, asked_len, protection, memory, is_mirror }))
    }
}

/// Returns the error for a file whose trailer is not that of the object `name`. This function reads
/// the whole trailer, because the stored name may be longer than `name`.
#[cold]
fn wrong_trailer(fd: BorrowedFd<'_>, name: &Name) -> Error {
    let mut whole = trailer::EMPTY_BUFFER;
    let other = read_trailer(fd, &mut whole)
        .and_then(|(_, trailer)| trailer.name(name.namespace()))
        .map(|other| error::name_mismatch(&other));
    other.unwrap_or_else(|error| error)
}

/// Opens an object's file to hold the object. Returns the descriptor and its access.
///
/// If the memory of the object is a user's file, only the owner may write to the object's own file.
/// Another user that may write to the memory opens the object's own file read-only.
fn open_to_hold(location: &FileLocation, access: Access) -> rustix::io::Result<(OwnedFd, Access)> {
    match location.open(access) {
        Err(Errno::ACCESS) if access == Access::ReadWrite => {
            let fd = location.open(Access::Read)?;
            let mut bytes = trailer::EMPTY_BUFFER;
            let trailer = read_trailer(fd.as_fd(), &mut bytes).map(|(_, trailer)| trailer);
            let writable_file = Memory::UserFile { others_write: true };
            if trailer.is_ok_and(|trailer| trailer.memory == writable_file) {
                Ok((fd, Access::Read))
            } else {
                Err(Errno::ACCESS)
            }
        }
        opened => opened.map(|fd| (fd, access)),
    }
}

/// Reads the trailer of an open file into `bytes`, and checks it.
pub(crate) fn read_trailer<'a>(
    fd: BorrowedFd<'_>,
    bytes: &'a mut [MaybeUninit<u8>],
) -> Result<(Stat, Trailer<'a>)> {
    let stat =
        rustix::fs::fstat(fd).map_err(|e| Error::os("its file cannot be inspected", e.into()))?;
    if !file_id::is_file(&stat) {
        return Err(Error::new(ErrorKind::Corrupted, "its file is not a plain file; remove it"));
    }
    let file_len = u64::try_from(stat.st_size).unwrap_or(0);
    let at = file_len.saturating_sub(trailer::LEN);
    let (read, _) = rustix::io::pread(fd, bytes, at)
        .map_err(|e| Error::os("its trailer cannot be read", e.into()))?;
    let trailer = trailer::decode(read, file_len)?;
    Ok((stat, trailer))
}
