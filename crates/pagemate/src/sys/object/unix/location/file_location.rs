//! Where the file of one object stands: a directory that was checked, and a name in it.

use std::ffi::CStr;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{AtFlags, Mode, OFlags, Stat};

use crate::access::Access;
use crate::name::{Name, Namespace};
use crate::sys::liveness;
use crate::sys::object::unix::format::file_name;
use crate::sys::object::unix::lifecycle::staging;
use crate::sys::object::unix::location::directory::{Directory, Id};
use crate::sys::object::unix::{beside_the_streams, flags_of};

/// Begins the file names of the machine's objects. They have no directory of their own: the user
/// who made that first could remove every object in it. No spelling of a name has a colon.
const COMMON: &[u8] = b"pagemate:";

/// The name of a file in a directory of objects. It stands in place, so that a handle that keeps one
/// allocates nothing for it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileName {
    /// The name, and zeros behind it, one at least.
    bytes: [u8; 256],
}

impl FileName {
    /// `None` for more bytes than a file name has anywhere.
    pub(crate) fn new(parts: &[&[u8]]) -> Option<FileName> {
        let mut bytes = [0; 256];
        let mut len = 0;
        for part in parts {
            bytes.get_mut(len..len + part.len())?.copy_from_slice(part);
            len += part.len();
        }
        (len < bytes.len()).then_some(FileName { bytes })
    }

    /// The file name of the object called `bare` in a namespace's directory.
    pub(crate) fn of(namespace: Namespace, bare: &str) -> FileName {
        let spelled = file_name::file_name(bare);
        let prefix = match namespace {
            Namespace::Local => b"".as_slice(),
            Namespace::Global => COMMON,
        };
        FileName::new(&[prefix, spelled.as_bytes()]).expect("a spelling leaves room for the prefix")
    }

    /// Whether a file of this name in a namespace's directory is that of an object.
    pub(crate) fn is_objects(&self, namespace: Namespace) -> bool {
        match namespace {
            Namespace::Local => !self.bytes.starts_with(b"."),
            Namespace::Global => self.bytes.starts_with(COMMON),
        }
    }

    /// Whether it is that of a file that is still being made, or of a liveness token. While it is in
    /// use it is locked, and otherwise it is dead.
    pub(crate) fn is_unfinished(&self) -> bool {
        let prefixes = [staging::PREFIX, liveness::PREFIX];
        prefixes.iter().any(|prefix| self.bytes.starts_with(prefix.as_bytes()))
    }

    pub(crate) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).expect("the last byte is zero")
    }
}

impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_c_str().fmt(f)
    }
}

/// Where the file of one object stands.
#[derive(Clone, Debug)]
pub(crate) struct FileLocation {
    pub(crate) dir: Arc<Directory>,
    pub(crate) file: FileName,
}

impl FileLocation {
    /// The place of the object `name` in the directory of its namespace.
    pub(crate) fn of(dir: Arc<Directory>, name: &Name) -> FileLocation {
        let file = FileName::of(name.namespace(), name.as_str());
        FileLocation { dir, file }
    }

    /// The same place, after a time in which the program may have closed the directory's descriptor;
    /// `None` if the directory is not there any more.
    pub(crate) fn again(&self) -> Option<FileLocation> {
        Some(FileLocation { dir: Directory::again(&self.dir)?, file: self.file })
    }

    /// Opens the file.
    pub(crate) fn open(&self, access: Access) -> rustix::io::Result<OwnedFd> {
        // NONBLOCK: the file may be a pipe that nobody reads.
        let flags = flags_of(access)
            | OFlags::NOFOLLOW
            | OFlags::NONBLOCK
            | OFlags::CLOEXEC
            | OFlags::NOCTTY;
        let opened = rustix::fs::openat(self.fd(), self.file.as_c_str(), flags, Mode::empty());
        beside_the_streams(opened?)
    }

    /// Looks at the file without opening it.
    pub(crate) fn stat(&self) -> rustix::io::Result<Stat> {
        rustix::fs::statat(self.fd(), self.file.as_c_str(), AtFlags::SYMLINK_NOFOLLOW)
    }

    /// The same if it is this very file. A file's count of links does not tell that: it may have
    /// another name, or its directory may have been moved away and made anew.
    pub(crate) fn stat_if(&self, id: Id) -> Option<Stat> {
        self.stat().ok().filter(|stat| Id::of(stat) == id)
    }

    pub(crate) fn unlink(&self) -> rustix::io::Result<()> {
        rustix::fs::unlinkat(self.fd(), self.file.as_c_str(), AtFlags::empty())
    }

    /// For messages: nothing is looked up by it.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join(std::ffi::OsStr::from_bytes(self.file.as_c_str().to_bytes()))
    }

    fn fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}
