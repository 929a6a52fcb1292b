//! What an object says of the file that is its memory, and whether to believe it. It stands where
//! other objects have their data; `docs/layout.md` has the map.

use std::ffi::OsStr;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, RawMode, Stat};
use rustix::io::Errno;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::access::Access;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::object::unix::location::directory;
use crate::sys::object::unix::location::inspect::{Inspected, path_of};

/// The record's length in bytes.
pub(crate) const LEN: u64 = 4096;

/// Where the path begins.
const PATH_AT: usize = size_of::<Header>();

/// The longest path there is room for.
const LONGEST: usize = 4096 - PATH_AT;

/// Permissions that let others than the owner write.
pub(crate) const OTHERS_WRITE: RawMode = 0o022;

#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
struct Header {
    device: u64,
    inode: u64,
    len: u64,
    path_len: u32,
    zero: [u8; 4],
}

const _: () = assert!(size_of::<Header>() == 32);

/// A record that makes sense. Whether it is true is another question.
#[derive(Debug)]
pub(crate) struct FileRecord {
    device: u64,
    inode: u64,
    /// Of the memory, in bytes.
    pub(crate) len: u64,
    pub(crate) path: PathBuf,
}

impl FileRecord {
    /// The record of a section of `len` bytes over a file that is open.
    pub(crate) fn of(file: BorrowedFd<'_>, len: u64) -> Result<FileRecord> {
        let lost = |path: &Path| {
            let cause = format!(
                "no path leads to the file ({}), so that nobody could open it by the section's \
                 name; make the section without a name and hand its descriptor on",
                path.display()
            );
            Error::new(ErrorKind::InvalidInput, cause)
        };
        let path = path_of(file).map_err(|e| Error::os("the file's path cannot be read", e))?;
        let stat = rustix::fs::fstat(file)
            .map_err(|e| Error::os("the file cannot be looked at", e.into()))?;
        let (device, inode) = (device(&stat), stat.st_ino);
        let record = FileRecord { device, inode, len, path };
        match rustix::fs::statat(CWD, &record.path, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) if record.is_of(&found) => {}
            Ok(_) | Err(_) => return Err(lost(&record.path)),
        }
        if record.path.as_os_str().len() > LONGEST {
            let cause =
                format!("the file's path is longer than the {LONGEST} bytes there is room for");
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        Ok(record)
    }

    /// All its bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let path = self.path.as_os_str().as_bytes();
        let header = Header {
            device: self.device,
            inode: self.inode,
            len: self.len,
            path_len: path.len().try_into().expect("a path that was measured"),
            zero: [0; 4],
        };
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend_from_slice(path);
        bytes.resize(PATH_AT + LONGEST, 0);
        bytes
    }

    /// Reads the record out of an object's file.
    pub(crate) fn read(object: BorrowedFd<'_>) -> Result<FileRecord> {
        let mut bytes = [MaybeUninit::uninit(); PATH_AT + LONGEST];
        let (bytes, _) = rustix::io::pread(object, &mut bytes, 0)
            .map_err(|e| Error::os("the record of its file cannot be read", e.into()))?;
        decode(bytes).ok_or_else(|| {
            let cause = "it is over a file, but what it says of that file makes no sense";
            Error::new(ErrorKind::Corrupted, cause)
        })
    }

    /// Opens the file for `access`, if it is the one that is meant and if whoever made `object`
    /// may be believed.
    pub(crate) fn follow(&self, object: &Stat, access: Access) -> Result<OwnedFd> {
        let refused = |error| self.refusal(access, error);
        // Looked at first: to open a device can do something, and to look cannot.
        let (inspected, stat) = Inspected::look(&self.path).map_err(refused)?;
        self.check(object, &stat)?;
        let file = inspected.open(access).map_err(refused)?;
        let stat = rustix::fs::fstat(&file).map_err(refused)?;
        self.check(object, &stat)?;
        Ok(file)
    }

    /// Refuses another file than the one that is meant, and one that `object` has no right to name.
    fn check(&self, object: &Stat, file: &Stat) -> Result<()> {
        if !self.is_of(file) {
            return Err(self.lost());
        }
        let path = self.path.display();
        let unsafe_to_follow = |why: String| {
            let cause = format!("it is over the file {path}, but {why}: it is not safe to open");
            Err(Error::new(ErrorKind::PermissionDenied, cause))
        };
        let (maker, owner) = (object.st_uid, file.st_uid);
        // A second name makes an object of a file that was written for something else.
        if object.st_mode & OTHERS_WRITE != 0 || object.st_nlink > 1 {
            return unsafe_to_follow(format!("others than user {maker} could have said so"));
        }
        // Who chooses a file for us to write to must be somebody who could write to it himself.
        if maker != 0 && maker != rustix::process::geteuid().as_raw() && owner != maker {
            let why = format!("user {maker} made the section and the file is user {owner}'s");
            return unsafe_to_follow(why);
        }
        let have = u64::try_from(file.st_size).unwrap_or(0);
        if have < self.len {
            let cause = format!(
                "it is over the file {path}, which was cut short: it has {have} of {} bytes; make \
                 it as long again, or let those who hold the section end",
                self.len
            );
            return Err(Error::new(ErrorKind::Corrupted, cause));
        }
        Ok(())
    }

    /// Whether this is the file, and one that can be mapped.
    fn is_of(&self, stat: &Stat) -> bool {
        directory::is_file(stat) && (device(stat), stat.st_ino) == (self.device, self.inode)
    }

    fn lost(&self) -> Error {
        let cause = format!(
            "it is over the file {}, which was moved, replaced or removed; put it back, or let \
             those who hold the section end",
            self.path.display()
        );
        Error::new(ErrorKind::Corrupted, cause)
    }

    /// Why the file could not be opened.
    fn refusal(&self, access: Access, error: Errno) -> Error {
        match error {
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::LOOP
            | Errno::ISDIR
            | Errno::NXIO
            | Errno::NAMETOOLONG => self.lost(),
            error => {
                let what = match access {
                    Access::Read => "reading",
                    Access::ReadWrite => "reading and writing",
                };
                let path = self.path.display();
                let cause =
                    format!("it is over the file {path}, which cannot be opened for {what}");
                Error::os(cause, error.into())
            }
        }
    }
}

/// Makes sense of `bytes`, which may be anything at all.
fn decode(bytes: &[u8]) -> Option<FileRecord> {
    let (header, _) = Header::read_from_prefix(bytes).ok()?;
    let path_len = usize::try_from(header.path_len).ok()?;
    let path = bytes.get(PATH_AT..PATH_AT.checked_add(path_len)?)?;
    let makes_sense = path.starts_with(b"/") && !path.contains(&0);
    let fits = header.len > 0 && i64::try_from(header.len).is_ok();
    (makes_sense && fits).then(|| FileRecord {
        device: header.device,
        inode: header.inode,
        len: header.len,
        path: PathBuf::from(OsStr::from_bytes(path)),
    })
}

/// What the kernel knows a file's device as, which is signed on some systems.
fn device(stat: &Stat) -> u64 {
    let wide = i128::from(stat.st_dev) & i128::from(u64::MAX);
    wide.try_into().expect("64 bits")
}
