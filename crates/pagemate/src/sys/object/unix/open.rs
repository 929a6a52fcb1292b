//! Opening what is alive, and only that.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use rustix::fs::{FileType, Stat};
use rustix::io::Errno;

use super::close::{Outcome, let_go, may_release, sweep};
use super::lock::{self, Holder};
use super::refusal::{self, Patience};
use super::trailer::{self, Trailer};
use super::{Named, Object, directory, fork, open_file};
use crate::access::{Access, Kind};
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::fault;

impl Object {
    /// Opens a live object.
    pub(crate) fn open(name: &Name, kind: Kind, access: Access) -> Result<Object> {
        Object::open_at(&directory::file(name)?, name, kind, access)
    }

    pub(super) fn open_at(path: &Path, name: &Name, kind: Kind, access: Access) -> Result<Object> {
        let mut patience = Patience::default();
        let before = fork::now();
        loop {
            let fd = match open_file(path, access) {
                Ok(fd) => fd,
                Err(Errno::NOENT) => return Err(refusal::not_found()),
                Err(error) => return Err(refusal::stands_there(path, access, error)),
            };
            fault::point("open-before-ask");
            match lock::ask(fd.as_fd()).map_err(|e| Error::os("its lock cannot be read", e))? {
                Holder::Handles => {
                    fault::point("open-before-share");
                    let shared = lock::try_share(fd.as_fd());
                    if shared.map_err(|e| Error::os("its lock cannot be taken", e))? {
                        fault::point("open-after-share");
                        let mut bytes = trailer::ROOM;
                        let (stat, trailer) = match describe(fd.as_fd(), name, &mut bytes) {
                            Ok(described) => described,
                            // Our shared lock may have kept the last holder from removing it.
                            Err(error) => {
                                let_go(fd, access, path, may_release(before));
                                return Err(error);
                            }
                        };
                        // Without its name it died between the question and the lock.
                        if directory::stands_at(path, &stat) {
                            if trailer.kind != kind {
                                let_go(fd, access, path, may_release(before));
                                return Err(refusal::wrong_kind());
                            }
                            return Ok(Object {
                                fd: Some(fd),
                                named: Some(Named::new(path.to_owned(), before)),
                                len: trailer.data_len,
                                protection: trailer.protection,
                                access,
                            });
                        }
                    }
                }
                Holder::Nobody => {
                    drop(fd);
                    match sweep(path) {
                        // Somebody came to life, or is sweeping.
                        Outcome::Kept => {}
                        Outcome::Absent | Outcome::Removed(_) => return Err(refusal::not_found()),
                        Outcome::Stuck => {
                            is_object_file(path)?;
                            return Err(refusal::not_found());
                        }
                    }
                }
                Holder::Sweeper => std::thread::yield_now(),
            }
            patience.wear()?;
        }
    }
}

/// Refuses what is no file.
fn is_object_file(path: &Path) -> Result<()> {
    match directory::stat_of(path).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
        Ok(FileType::Directory) => Err(refusal::no_object(path, "a directory")),
        Ok(FileType::RegularFile) | Err(_) => Ok(()),
        Ok(_) => Err(refusal::no_object(path, "a pipe, a socket or a device")),
    }
}

fn describe<'a>(
    fd: BorrowedFd<'_>,
    name: &Name,
    bytes: &'a mut [MaybeUninit<u8>],
) -> Result<(Stat, Trailer<'a>)> {
    let (stat, trailer) = read_trailer(fd, bytes)?;
    if trailer.bare != name.as_str() {
        let other = trailer.name(name.namespace())?;
        return Err(refusal::of_another_name(&other));
    }
    Ok((stat, trailer))
}

/// Reads the trailer of an open file of ours into `bytes`, and checks it.
pub(super) fn read_trailer<'a>(
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
