//! The location of an object's file: a checked directory, and a file name in it.

use std::ffi::{CStr, CString};
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat};

use crate::access::Access;
use crate::name::{Name, Namespace};
use crate::sys::liveness;
use crate::sys::object::unix::descriptor::{above_standard_streams, open_flags};
use crate::sys::object::unix::location::directory::Directory;
use crate::sys::object::unix::location::file_id::Id;
use crate::sys::object::unix::location::file_name;

/// The prefix of a file that is not linked to an object's name yet, on systems on which every file
/// has a name.
pub(crate) const UNFINISHED_PREFIX: &str = ".pagemate:new-";

/// The prefix of the file names of the machine's objects. They have no directory of their own,
/// because the owner of that directory could remove every object in it. No encoded name contains a
/// colon.
const GLOBAL_PREFIX: &[u8] = b"pagemate:";

/// The name of a file in a directory of objects. A short name is stored inline, so that a handle
/// allocates no memory for it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum FileName {
    /// The name, followed by at least one zero byte. The array is short because handles are moved
    /// often.
    Short([u8; SHORT + 1]),
    Long(CString),
}

/// The maximum length of a file name that is stored inline.
const SHORT: usize = 62;

/// The maximum length of a file name (`NAME_MAX`).
const MAX: usize = 255;

impl FileName {
    /// Returns the file name of these bytes. `None` if it is longer than file names can be, or
    /// contains a zero.
    pub(crate) fn new(name: &[u8]) -> Option<FileName> {
        let mut bytes = [0; SHORT + 1];
        if name.len() > MAX || name.contains(&0) {
            return None;
        }
        match bytes[..SHORT].get_mut(..name.len()) {
            Some(bytes) => bytes.copy_from_slice(name),
            None => return CString::new(name).ok().map(FileName::Long),
        }
        Some(FileName::Short(bytes))
    }

    /// Returns the file name of the object called `bare` in a namespace's directory.
    pub(crate) fn of(namespace: Namespace, bare: &[u8]) -> FileName {
        let prefix = match namespace {
            Namespace::Local => b"".as_slice(),
            Namespace::Global => GLOBAL_PREFIX,
        };
        let mut bytes = [0; SHORT + 1];
        bytes[..prefix.len()].copy_from_slice(prefix);
        if file_name::encode(bare, &mut bytes[prefix.len()..SHORT]).is_some() {
            return FileName::Short(bytes);
        }
        let name = [prefix, file_name::encode_or_hash(bare).as_slice()].concat();
        FileName::new(&name).expect("240 bytes and the prefix are a legal file name")
    }

    /// Returns whether this is the name of an object's file in a namespace's directory.
    pub(crate) fn belongs_to_object(&self, namespace: Namespace) -> bool {
        match namespace {
            Namespace::Local => !self.as_bytes().starts_with(b"."),
            Namespace::Global => self.as_bytes().starts_with(GLOBAL_PREFIX),
        }
    }

    /// Returns whether this is the name of an unfinished file or of a seat file. Such a file is
    /// locked while it is in use. Without a lock it is dead.
    pub(crate) fn is_unfinished(&self) -> bool {
        let prefixes = [UNFINISHED_PREFIX, liveness::SEAT_FILE_PREFIX];
        prefixes.iter().any(|prefix| self.as_bytes().starts_with(prefix.as_bytes()))
    }

    pub(crate) fn as_c_str(&self) -> &CStr {
        match self {
            FileName::Short(bytes) => {
                CStr::from_bytes_until_nul(bytes).expect("the last byte is zero")
            }
            FileName::Long(name) => name,
        }
    }

    fn as_bytes(&self) -> &[u8] {
        self.as_c_str().to_bytes()
    }
}

impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_c_str().fmt(f)
    }
}

/// The location of an object's file.
#[derive(Clone, Debug)]
pub(crate) struct FileLocation {
    pub(crate) dir: Arc<Directory>,
    pub(crate) file: FileName,
}

impl FileLocation {
    /// Returns the location of the object `name` in the directory of its namespace.
    pub(crate) fn of(dir: Arc<Directory>, name: &Name) -> FileLocation {
        let file = FileName::of(name.namespace(), name.as_bytes());
        FileLocation { dir, file }
    }

    /// Returns the location of a directory entry if it can be an object's file or an unfinished
    /// one.
    pub(crate) fn of_entry(
        dir: &Arc<Directory>,
        name: &CStr,
        kind: FileType,
    ) -> Option<FileLocation> {
        let file = FileName::new(name.to_bytes())?;
        let is_file = matches!(kind, FileType::RegularFile | FileType::Unknown);
        let is_objects = file.is_unfinished() || file.belongs_to_object(dir.namespace());
        (is_file && is_objects).then(|| FileLocation { dir: Arc::clone(dir), file })
    }

    /// Returns the same location with a valid descriptor of its directory: the program may have
    /// closed the old one. `None` if the directory was removed.
    pub(crate) fn revalidated(&self) -> Option<FileLocation> {
        Some(FileLocation { dir: Directory::revalidated(&self.dir)?, file: self.file.clone() })
    }

    /// Opens the file.
    pub(crate) fn open(&self, access: Access) -> rustix::io::Result<OwnedFd> {
        // NONBLOCK: the file may be a pipe, whose open would block until another process opens it
        // too.
        let flags = open_flags(access)
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::CLOEXEC
            | OFlags::NOCTTY;
        let opened = rustix::fs::openat(self.fd(), self.file.as_c_str(), flags, Mode::empty());
        above_standard_streams(opened?)
    }

    /// Inspects the file without opening it.
    pub(crate) fn stat(&self) -> rustix::io::Result<Stat> {
        rustix::fs::statat(self.fd(), self.file.as_c_str(), AtFlags::SYMLINK_NOFOLLOW)
    }

    /// Inspects the file. `None` if it is not the file `id`. The link count is not a substitute for
    /// this test: the file may have a second name, or the directory may have been moved and created
    /// again.
    pub(crate) fn stat_if(&self, id: Id) -> Option<Stat> {
        self.stat().ok().filter(|stat| Id::of(stat) == id)
    }

    pub(crate) fn unlink(&self) -> rustix::io::Result<()> {
        rustix::fs::unlinkat(self.fd(), self.file.as_c_str(), AtFlags::empty())
    }

    /// Returns the path for messages only: files are opened through the descriptor of the
    /// directory.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join(std::ffi::OsStr::from_bytes(self.file.as_c_str().to_bytes()))
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}
