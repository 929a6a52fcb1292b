//! File descriptors of objects, and POSIX shared memory.
//!
//! Every object implements `AsFd` and `TryFrom<OwnedFd>`, and `OwnedFd` implements `TryFrom` of every
//! object. Pass a descriptor by inheritance or over a Unix socket (`SCM_RIGHTS`), and convert it into an
//! object again in the receiving process.
//!
//! # Closing
//!
//! A handle whose descriptor was borrowed by `AsFd` may share its lock on the name with a duplicate. When
//! such a handle is dropped, it therefore does not unlock the name: it closes its descriptor, and the name
//! lives until the last duplicate is closed, here or in another process. Borrowing the descriptor has no
//! other effect.
//!
//! # Examples
//!
//! ```
//! use std::os::fd::AsFd;
//!
//! use pagemate::{Section, SectionOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let section = SectionOptions::new().len(4096).create_unnamed()?;
//! section.map()?.write_at(0, b"This is common data!")?;
//! let descriptor = section.as_fd().try_clone_to_owned()?;
//! let received = Section::try_from(descriptor)?;
//! assert_eq!(&received.map()?.read::<[u8; 20]>(0)?, b"This is common data!");
//! # Ok(())
//! # }
//! ```

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::access::Access;
use crate::error::{Error, Quoted, Result};
use crate::kind::Kind;
use crate::section::{Section, SectionOptions};
use crate::sync::{Event, Mutex, Semaphore};
use crate::sys::object::Object;
use crate::sys::sync;

/// Borrows the descriptor of a section, to pass it to another process.
///
/// The descriptor of a named section shares the lock that keeps the name alive: a process with a
/// duplicate of it is a holder of the name (see [Closing](self#closing)). The descriptor of a
/// section over a file belongs to that file and holds no name.
impl AsFd for Section {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.object().lend()
    }
}

/// Access to the descriptors of a section for code that implements a lifetime of its own on top, as the
/// Win32 calls of this project do.
pub trait SectionExt {
    /// Returns the descriptor of the memory, to map or inspect it while the section lives.
    ///
    /// Do not duplicate this descriptor or pass it on: use [`as_fd`](AsFd::as_fd) for that. Dropping
    /// the section may unlock this descriptor, which would also end the hold of a duplicate. A
    /// mapping that was made through it survives the section, and does not hold the name unless
    /// the process has forked since.
    fn memory(&self) -> BorrowedFd<'_>;

    /// Returns whether the section is over a file of the user.
    fn is_over_file(&self) -> bool;

    /// Returns the descriptor that holds the name, to pass it on: a process with a duplicate is a
    /// holder. `None` if the section has no name.
    fn name_holder(&self) -> Option<BorrowedFd<'_>>;

    /// Returns whether no other handle holds the name, here or in another process. Clones of this section
    /// share its handle. True if the section has no name.
    ///
    /// # Errors
    ///
    /// The error of the operating system if the lock on the name cannot be tested.
    fn is_sole_holder(&self) -> Result<bool>;
}

impl SectionExt for Section {
    fn memory(&self) -> BorrowedFd<'_> {
        self.object().memory()
    }

    fn is_over_file(&self) -> bool {
        self.object().is_over_file()
    }

    fn name_holder(&self) -> Option<BorrowedFd<'_>> {
        self.object().lend_name()
    }

    fn is_sole_holder(&self) -> Result<bool> {
        self.object().is_sole_holder().map_err(|e| e.during("test holders", ""))
    }
}

/// Options of sections that only Unix has.
pub trait SectionOptionsExt<'f> {
    /// Makes the new section a *mirror*: it gives a name here to memory that belongs to another system of
    /// names, such as the sections of Windows programs under Wine.
    ///
    /// `file` is the memory. It needs no path: other processes open the descriptor of this process. `origin`
    /// describes its source for lists, in 1 to 1,024 bytes without control characters. The name lives exactly
    /// as long as this process holds the section. Other processes that open it do not keep the name, so that
    /// a mirror ends together with its original. They keep the memory, and their
    /// [`check_name`](Section::check_name) then fails with [`Orphaned`](crate::ErrorKind::Orphaned).
    ///
    /// # Platforms
    ///
    /// Only on Linux; on other systems creation fails with [`Unsupported`](crate::ErrorKind::Unsupported). An
    /// opener must be in the pid namespace of this process, and must have the right to inspect it (`/proc`,
    /// `ptrace(2)`): any process of the same user has, unless this process is not dumpable.
    ///
    /// Any process that can write to `file` can truncate it, unless it is sealed. An access to a truncated
    /// page ends the accessing process with SIGBUS.
    ///
    /// # Errors
    ///
    /// The functions that create a section return, besides those of [`file`](SectionOptions::file):
    ///
    /// - [`OutOfRange`](crate::ErrorKind::OutOfRange): the length is more than that of the file.
    /// - [`InvalidInput`](crate::ErrorKind::InvalidInput): the sharing is not the default, or `origin` is not
    ///   such a text.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(target_os = "linux")]
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use pagemate::os::unix::SectionOptionsExt;
    /// use pagemate::{Section, SectionOptions};
    ///
    /// # let name = &format!("doc-mirror-{}", std::process::id());
    /// # let path = std::env::temp_dir().join(name);
    /// let file = std::fs::File::options().read(true).write(true).create_new(true).open(&path)?;
    /// std::fs::remove_file(&path)?;
    /// file.set_len(4096)?;
    /// let mirror = SectionOptions::new().mirror(&file, "an example").create_new(name)?;
    /// let opened = Section::open(name)?;
    /// drop(mirror);
    /// assert!(opened.check_name().is_err());
    /// assert!(Section::open(name).is_err());
    /// # Ok(())
    /// # }
    /// # #[cfg(not(target_os = "linux"))]
    /// # fn main() {}
    /// ```
    fn mirror(&mut self, file: &'f File, origin: &'f str) -> &mut Self;
}

impl<'f> SectionOptionsExt<'f> for SectionOptions<'f> {
    fn mirror(&mut self, file: &'f File, origin: &'f str) -> &mut SectionOptions<'f> {
        self.set_mirror(file, origin)
    }
}

/// Converts a section into its descriptor, which holds the name of a named section from then on. Views and
/// clones of the section stay valid.
///
/// The result is a duplicate, because views and clones of the section keep its descriptor. The
/// conversion therefore fails if the process has no free descriptor.
impl TryFrom<Section> for OwnedFd {
    type Error = Error;

    fn try_from(section: Section) -> Result<OwnedFd> {
        duplicate(section.as_fd())
    }
}

fn duplicate(fd: BorrowedFd<'_>) -> Result<OwnedFd> {
    let duplicate = fd.try_clone_to_owned();
    duplicate.map_err(|e| Error::os("it cannot be duplicated", e).during("take descriptor", ""))
}

/// Converts any mappable descriptor into a section: a descriptor that another process sent, or the
/// descriptor of a file or a device.
///
/// The section has the access that the descriptor was opened with. Its length is the present length of
/// the file; of a named section, the length of the data. The descriptor of a sync object is refused with
/// [`WrongKind`](crate::ErrorKind::WrongKind).
///
/// Unless the memory is sealed, another process with write access can truncate it, and an access to a
/// truncated page ends this process with SIGBUS. So does the first access to a page of sparse memory when
/// no memory is left.
impl TryFrom<OwnedFd> for Section {
    type Error = Error;

    fn try_from(fd: OwnedFd) -> Result<Section> {
        let object =
            Object::from_raw(fd, Kind::Section).map_err(|e| e.during("take descriptor", ""))?;
        Ok(Section::new(object, None, false))
    }
}

macro_rules! descriptor_conversions {
    ($($object:ident)*) => {$(
        /// Borrows the descriptor, to pass it to another process. That process converts it into the
        /// same object with [`TryFrom`], and is then a holder of the name (see
        /// [Closing](self#closing)).
        impl AsFd for $object {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.object().object().lend()
            }
        }

        /// Converts a handle into its descriptor, which holds the name from then on. If a thread owns a
        /// mutex by this handle, the mutex is abandoned.
        ///
        /// The result is a duplicate, so the conversion fails if the process has no free
        /// descriptor.
        impl TryFrom<$object> for OwnedFd {
            type Error = Error;

            fn try_from(object: $object) -> Result<OwnedFd> {
                duplicate(object.as_fd())
            }
        }

        /// Converts a descriptor that another process sent into an object of this kind.
        ///
        /// The descriptor of a named object of another kind is refused with
        /// [`WrongKind`](crate::ErrorKind::WrongKind). An unnamed object carries no kind: the sender
        /// and the receiver have to agree on it.
        impl TryFrom<OwnedFd> for $object {
            type Error = Error;

            fn try_from(fd: OwnedFd) -> Result<$object> {
                let object = Object::from_raw(fd, Kind::$object).and_then(sync::$object::of);
                object.map($object::from_received).map_err(|e| e.during("take descriptor", ""))
            }
        }
    )*};
}

descriptor_conversions! { Mutex Event Semaphore }

/// Opens the POSIX shared memory object `name`, as `shm_open(3)` does.
///
/// The object has the lifetime that POSIX gives it: its name exists until a process unlinks it. Any
/// process with write access can truncate it, and an access to a truncated page ends your process
/// with SIGBUS.
///
/// # Errors
///
/// - [`NotFound`](crate::ErrorKind::NotFound): no POSIX object has this name.
/// - [`PermissionDenied`](crate::ErrorKind::PermissionDenied): its mode does not grant the access.
/// - [`InvalidInput`](crate::ErrorKind::InvalidInput): its length is still zero.
pub fn open_posix(name: &str, access: Access) -> Result<Section> {
    let object =
        Object::posix(name, access).map_err(|e| e.during("open POSIX object", Quoted(name)))?;
    Ok(Section::new(object, None, false))
}
