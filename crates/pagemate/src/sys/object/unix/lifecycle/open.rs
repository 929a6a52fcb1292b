//! Opening what is alive, and only that.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use crate::access::{Access, Kind, Protection};
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::fault;
use crate::sys::liveness::fork;
use crate::sys::liveness::lock::{self, Holder};
use crate::sys::object::unix::error::{self, Patience};
use crate::sys::object::unix::format::file_record::FileRecord;
use crate::sys::object::unix::format::trailer::{self, Memory, Trailer};
use crate::sys::object::unix::lifecycle::close::{Outcome, let_go, may_release, sweep};
use crate::sys::object::unix::location::directory::{self, Id};
use crate::sys::object::unix::location::file_location::FileLocation;
use crate::sys::object::unix::{Named, Object};

impl Object {
    /// Opens a live object.
    pub(crate) fn open(name: &Name, kind: Kind, access: Access) -> Result<Object> {
        let location = directory::location(name)?;
        match Object::open_at(&location, name, kind, access) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                match directory::elsewhere(&location, name)? {
                    Some(location) => Object::open_at(&location, name, kind, access),
                    None => Err(error),
                }
            }
            result => result,
        }
    }

    pub(crate) fn open_at(
        location: &FileLocation,
        name: &Name,
        kind: Kind,
        access: Access,
    ) -> Result<Object> {
        let mut patience = Patience::default();
        let before = fork::now();
        loop {
            let (fd, opened_for) = match open_to_hold(location, access) {
                Ok(opened) => opened,
                Err(Errno::NOENT) => return Err(error::not_found()),
                Err(error) => return Err(error::stands_there(location, access, error)),
            };
            fault::point("open-before-ask");
            match lock::ask(fd.as_fd()).map_err(|e| Error::os("its lock cannot be read", e))? {
                Holder::Handles => {
                    fault::point("open-before-share");
                    let shared = lock::try_share(fd.as_fd());
                    if shared.map_err(|e| Error::os("its lock cannot be taken", e))? {
                        fault::point("open-after-share");
                        match Held::new(fd.as_fd(), name, kind, access) {
                            Ok(Some(held)) => {
                                return Ok(Object {
                                    fd: Some(fd),
                                    named: Some(Named::new(
                                        location.clone(),
                                        opened_for,
                                        before,
                                        held.id,
                                    )),
                                    memory: held.memory,
                                    len: held.len,
                                    protection: held.protection,
                                    access,
                                    seats: None,
                                });
                            }
                            // It died between the question and the lock.
                            Ok(None) => {}
                            // Our shared lock may have kept the last holder from removing it.
                            Err(error) => {
                                let_go(fd, opened_for, location, None, may_release(before));
                                return Err(error);
                            }
                        }
                    }
                }
                Holder::Nobody => {
                    drop(fd);
                    match sweep(location) {
                        // Somebody came to life, or is sweeping.
                        Outcome::Kept => {}
                        Outcome::Absent | Outcome::Removed(_) => return Err(error::not_found()),
                        Outcome::Stuck => {
                            is_object_file(location)?;
                            return Err(error::not_found());
                        }
                    }
                }
                Holder::Sweeper => {}
            }
            patience.wear()?;
        }
    }
}

/// Refuses what is no file.
fn is_object_file(location: &FileLocation) -> Result<()> {
    match location.stat().map(|stat| FileType::from_raw_mode(stat.st_mode)) {
        Ok(FileType::Directory) => Err(error::no_object(location, "a directory")),
        Ok(FileType::RegularFile) | Err(_) => Ok(()),
        Ok(_) => Err(error::no_object(location, "a pipe, a socket or a device")),
    }
}

/// What an opener finds in an object that it holds.
struct Held {
    id: Id,
    len: u64,
    protection: Protection,
    memory: Option<OwnedFd>,
}

impl Held {
    /// Looks into the object; `None` if it has lost its name.
    fn new(fd: BorrowedFd<'_>, name: &Name, kind: Kind, access: Access) -> Result<Option<Held>> {
        let mut bytes = trailer::ROOM;
        let begin = &mut bytes[..trailer::len_with(name)];
        let (stat, trailer) = match read_trailer(fd, begin) {
            Ok(found) if found.1.bare == name.as_str() => found,
            Ok(_) | Err(_) => return Err(not_of(fd, name)),
        };
        // The count of links does not tell alone: somebody may have given the file another name.
        if stat.st_nlink == 0 || trailer.removed {
            return Ok(None);
        }
        if trailer.kind != kind {
            return Err(error::wrong_kind());
        }
        let protection = trailer.protection;
        let (len, memory) = match trailer.memory {
            Memory::Here => (trailer.data_len, None),
            Memory::Elsewhere { .. } => {
                let record = FileRecord::read(fd)?;
                // No view of a read-only section writes.
                let access = if protection == Protection::ReadOnly { Access::Read } else { access };
                (record.len, Some(record.follow(&stat, access)?))
            }
        };
        Ok(Some(Held { id: Id::of(&stat), len, protection, memory }))
    }
}

/// Why the trailer of a file is not that of the object `name`. The name in it may be a longer one.
#[cold]
fn not_of(fd: BorrowedFd<'_>, name: &Name) -> Error {
    let mut whole = trailer::ROOM;
    let other = read_trailer(fd, &mut whole)
        .and_then(|(_, trailer)| trailer.name(name.namespace()))
        .map(|other| error::of_another_name(&other));
    other.unwrap_or_else(|error| error)
}

/// Opens an object's file, and says for what.
///
/// The object of a section over a file is its owner's alone to write to. Others whom it lets write
/// hold it by reading, and write to the file.
fn open_to_hold(location: &FileLocation, access: Access) -> rustix::io::Result<(OwnedFd, Access)> {
    match location.open(access) {
        Err(Errno::ACCESS) if access == Access::ReadWrite => {
            let fd = location.open(Access::Read)?;
            let mut bytes = trailer::ROOM;
            let trailer = read_trailer(fd.as_fd(), &mut bytes).map(|(_, trailer)| trailer);
            let elsewhere = Memory::Elsewhere { others_write: true };
            if trailer.is_ok_and(|trailer| trailer.memory == elsewhere) {
                Ok((fd, Access::Read))
            } else {
                Err(Errno::ACCESS)
            }
        }
        opened => opened.map(|fd| (fd, access)),
    }
}

/// Reads the trailer of an open file of ours into `bytes`, and checks it.
pub(crate) fn read_trailer<'a>(
    fd: BorrowedFd<'_>,
    bytes: &'a mut [MaybeUninit<u8>],
) -> Result<(Stat, Trailer<'a>)> {
    let stat = rustix::fs::fstat(fd).map_err(|e| Error::os("it cannot be looked at", e.into()))?;
    if !directory::is_file(&stat) {
        return Err(Error::new(ErrorKind::Corrupted, "what stands in its place is not a file"));
    }
    let file_len = u64::try_from(stat.st_size).unwrap_or(0);
    let at = file_len.saturating_sub(trailer::LEN);
    let (read, _) = rustix::io::pread(fd, bytes, at)
        .map_err(|e| Error::os("its trailer cannot be read", e.into()))?;
    let trailer = trailer::decode(read, file_len)?;
    Ok((stat, trailer))
}
