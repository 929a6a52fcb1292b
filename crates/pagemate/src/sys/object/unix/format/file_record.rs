//! The record of a section over a user's file: the device, the inode and the path of that file, and
//! the checks before a process opens the file by that path. The record lies at the beginning of the
//! object's own file, where other objects have their data. `docs/layout.md` has its bytes.
//!
//! The file of a mirror has no path. Its record has the path of a descriptor of the mirror's creator,
//! `/proc/PID/fd/N`, and a text that describes the origin of the memory.

use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, RawMode, Stat};
use rustix::io::Errno;

use super::mirror;
use super::stored::{self, stored};
use crate::access::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::object::unix::location::file_id;
use crate::sys::object::unix::location::inspect::{Inspected, path_of};
use crate::sys::object::unix::location::user_namespace;

/// The record's length in bytes.
pub(crate) const LEN: u64 = 4096;

/// The offset of the path.
const PATH_AT: usize = size_of::<Header>();

/// The maximum length of the path in bytes.
const MAX_PATH: usize = 4096 - PATH_AT;

/// The mode bits that let users other than the owner write.
pub(crate) const OTHERS_WRITE: RawMode = 0o022;

stored! {
    struct Header {
        device: u64,
        inode: u64,
        len: u64,
        path_len: u32,
        origin_len: u32,
    }
}

const _: () = assert!(size_of::<Header>() == 32);

/// A well-formed record. It may still be wrong: [`follow`](FileRecord::follow) checks it against
/// the file.
#[derive(Debug)]
pub(crate) struct FileRecord {
    device: u64,
    inode: u64,
    /// The length of the memory in bytes.
    pub(crate) len: u64,
    pub(crate) path: PathBuf,
    /// The origin of the memory of a mirror. `None` if the record is that of a user's file.
    pub(crate) origin: Option<String>,
}

impl FileRecord {
    /// Creates the record of a section of `len` bytes over an open file.
    pub(crate) fn of(file: BorrowedFd<'_>, len: u64) -> Result<FileRecord> {
        let lost = |path: &Path| {
            let cause = format!(
                "no path leads to the file ({}), so that no process could open it by the section's \
                 name; create the section without a name and pass its descriptor on",
                path.display()
            );
            Error::new(ErrorKind::InvalidInput, cause)
        };
        let path = path_of(file).map_err(|e| Error::os("the file's path cannot be read", e))?;
        let (device, inode) = identity(file)?;
        let record = FileRecord { device, inode, len, path, origin: None };
        match rustix::fs::statat(CWD, &record.path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) if record.is_of(&found) => {}
            Ok(_) | Err(_) => return Err(lost(&record.path)),
        }
        if record.path.as_os_str().len() > MAX_PATH {
            let cause =
                format!("the file's path is longer than {MAX_PATH} bytes; use a shorter path");
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        Ok(record)
    }

    /// Creates the record of a mirror of `len` bytes, which leads to this descriptor of this process.
    pub(crate) fn of_mirror(file: BorrowedFd<'_>, len: u64, origin: &str) -> Result<FileRecord> {
        let (device, inode) = identity(file)?;
        let path = mirror::path_of_own(file)?;
        if !mirror::is_origin(origin) {
            let cause = format!(
                "the origin of a mirror is a text of 1 to {} bytes without control characters",
                mirror::MAX_ORIGIN
            );
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        Ok(FileRecord { device, inode, len, path, origin: Some(origin.to_owned()) })
    }

    /// Encodes the whole record.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let path = self.path.as_os_str().as_bytes();
        let origin = self.origin.as_deref().unwrap_or_default().as_bytes();
        let header = Header {
            device: self.device,
            inode: self.inode,
            len: self.len,
            path_len: path
                .len()
                .try_into()
                .expect("the path was checked to be shorter than MAX_PATH"),
            origin_len: origin.len().try_into().expect("the origin was checked to be short"),
        };
        let mut bytes = header.to_bytes().to_vec();
        bytes.extend_from_slice(path);
        bytes.extend_from_slice(origin);
        bytes.resize(PATH_AT + MAX_PATH, 0);
        bytes
    }

    /// Reads the record in an object's file. `is_mirror` tells whether its trailer is that of a mirror.
    pub(crate) fn read(object: BorrowedFd<'_>, is_mirror: bool) -> Result<FileRecord> {
        let mut bytes = [MaybeUninit::uninit(); PATH_AT + MAX_PATH];
        let (bytes, _) = rustix::io::pread(object, &mut bytes, 0)
            .map_err(|e| Error::os("the record of its file cannot be read", e.into()))?;
        let record = decode(bytes).filter(|record| record.origin.is_some() == is_mirror);
        record.ok_or_else(|| {
            let cause = "it is over a user's file, but its record of that file is invalid; end the \
                         processes that hold it, and create it again";
            Error::new(ErrorKind::Corrupted, cause)
        })
    }

    /// Opens the recorded file for `access`. Fails if the path leads to another file, or if the
    /// creator of the object had no right to choose that file. `object` is the object's own file, and
    /// `stat` its state.
    pub(crate) fn follow(
        &self,
        object: BorrowedFd<'_>,
        stat: &Stat,
        access: Access,
    ) -> Result<OwnedFd> {
        let object = (object, stat);
        let failed = |error| self.open_failed(access, error);
        // Inspect before opening: opening a device can have an effect, and inspecting it has none.
        let (inspected, stat) = match self.origin {
            None => Inspected::inspect(&self.path),
            Some(_) => Inspected::inspect_target(&self.path),
        }
        .map_err(failed)?;
        self.check(object, &stat)?;
        let file = inspected.open(access).map_err(failed)?;
        let stat = rustix::fs::fstat(&file).map_err(failed)?;
        self.check(object, &stat)?;
        Ok(file)
    }

    /// Fails if `file` is not the recorded file, or if the creator of `object` had no right to
    /// choose it.
    fn check(&self, (fd, object): (BorrowedFd<'_>, &Stat), file: &Stat) -> Result<()> {
        if !self.is_of(file) {
            return Err(self.lost());
        }
        let path = self.path.display();
        let unsafe_to_follow = |why: String| {
            let cause = format!(
                "it is over the file {path}, but {why}, so that it is not safe to open; trust only \
                 sections that the owner of the file created"
            );
            Err(Error::new(ErrorKind::PermissionDenied, cause))
        };
        let (creator, owner) = (object.st_uid, file.st_uid);
        let own_user = rustix::process::geteuid().as_raw();
        // Another user can write to the record, or may have linked another file to the name of this
        // object.
        if object.st_mode & OTHERS_WRITE != 0 || object.st_nlink > 1 {
            return unsafe_to_follow(format!(
                "other users than {creator} could have written its record"
            ));
        }
        // In a user namespace the overflow id stands for many users, so the owner of the object and
        // the owner of the file may be different users with this one id. The kernel tests whether
        // this process' user owns the object.
        let is_own = || creator == own_user && user_namespace::owns_file(fd);
        if user_namespace::is_ambiguous(creator) && !is_own() {
            return unsafe_to_follow(format!(
                "user {creator} created the section, and in this user namespace that id stands for \
                 every user whom the namespace does not map"
            ));
        }
        // The creator chooses a file that this process opens with its own rights. An untrusted
        // creator could choose a file that only this process's user may write to.
        if creator != 0 && creator != own_user && owner != creator {
            let why = format!("user {creator} created the section and the file is user {owner}'s");
            return unsafe_to_follow(why);
        }
        let have = u64::try_from(file.st_size).unwrap_or(0);
        if have < self.len {
            let cause = format!(
                "it is over the file {path}, which was cut short: it has {have} of {} bytes; restore \
                 its length, or end the processes that hold the section",
                self.len
            );
            return Err(Error::new(ErrorKind::Corrupted, cause));
        }
        Ok(())
    }

    /// Returns whether `stat` is that of the recorded file, and the file can be mapped.
    fn is_of(&self, stat: &Stat) -> bool {
        file_id::is_file(stat) && (device(stat), stat.st_ino) == (self.device, self.inode)
    }

    fn lost(&self) -> Error {
        if let Some(origin) = &self.origin {
            return mirror::lost(&self.path, origin);
        }
        let cause = format!(
            "it is over the file {}, which was moved, replaced or removed; put it back, or end the \
             processes that hold the section",
            self.path.display()
        );
        Error::new(ErrorKind::Corrupted, cause)
    }

    /// Returns the error for a file that could not be opened.
    fn open_failed(&self, access: Access, error: Errno) -> Error {
        match error {
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::LOOP
            | Errno::ISDIR
            | Errno::NXIO
            | Errno::NAMETOOLONG => self.lost(),
            error => {
                let purpose = match access {
                    Access::Read => "reading",
                    Access::ReadWrite => "reading and writing",
                };
                let path = self.path.display();
                let cause =
                    format!("it is over the file {path}, which cannot be opened for {purpose}");
                Error::os(cause, error.into())
            }
        }
    }
}

/// Decodes a record. `None` if `bytes` is not a well-formed one: another program may have written
/// it.
fn decode(bytes: &[u8]) -> Option<FileRecord> {
    let header = Header::from_prefix(bytes)?;
    let path_len = usize::try_from(header.path_len).ok()?;
    let path_end = PATH_AT.checked_add(path_len)?;
    let path = bytes.get(PATH_AT..path_end)?;
    let origin_len = usize::try_from(header.origin_len).ok()?;
    let origin = str::from_utf8(bytes.get(path_end..path_end.checked_add(origin_len)?)?).ok()?;
    let is_path = match origin_len {
        0 => path.starts_with(b"/") && !path.contains(&0),
        _ => mirror::is_path(path) && mirror::is_origin(origin),
    };
    let fits = header.len > 0 && i64::try_from(header.len).is_ok();
    (is_path && fits).then(|| FileRecord {
        device: header.device,
        inode: header.inode,
        len: header.len,
        path: PathBuf::from(OsStr::from_bytes(path)),
        origin: (origin_len > 0).then(|| origin.to_owned()),
    })
}

/// Returns the device and the inode of an open file.
fn identity(file: BorrowedFd<'_>) -> Result<(u64, u64)> {
    let stat =
        rustix::fs::fstat(file).map_err(|e| Error::os("the file cannot be inspected", e.into()))?;
    Ok((device(&stat), stat.st_ino))
}

/// Returns the number of a file's device. Its type is signed on some systems.
fn device(stat: &Stat) -> u64 {
    let wide = i128::from(stat.st_dev) & i128::from(u64::MAX);
    wide.try_into().expect("64 bits")
}
