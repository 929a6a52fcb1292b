//! Descriptors, and POSIX shared memory.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use crate::access::{Access, Kind};
use crate::error::{Error, Quoted, Result};
use crate::section::Section;
use crate::sync::{Event, Mutex, Semaphore};
use crate::sys::object::Object;
use crate::sys::sync;

/// A section's descriptor, to be handed to another process. Of a named section it takes part in
/// the lock that keeps the name alive: a process that has it is a holder. Over a file it is one of
/// that file, and holds no name.
impl AsFd for Section {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.object().lend()
    }
}

/// What those need who give a section rules of their own, as the Win32 face does.
pub trait SectionExt {
    /// The descriptor of its memory, to be mapped or looked at while the section is there. Unlike
    /// [`as_fd`](AsFd::as_fd), which is for handing it on, it is no sign that others have it: the
    /// end of the section may unlock it, whoever kept a copy. What was mapped by it stays mapped
    /// and does not keep the name, unless the process has forked since.
    fn memory(&self) -> BorrowedFd<'_>;

    /// Whether its memory is a file of the user's, and not pagemate's own.
    fn is_over_file(&self) -> bool;

    /// The descriptor that holds its name, to be handed on: a process that has it is a holder.
    /// `None` if there is no name.
    fn name_holder(&self) -> Option<BorrowedFd<'_>>;
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
}

/// Takes any mappable descriptor as a section: one that another process handed on, or a file of the
/// user's. The section has the access that the descriptor was opened with and the file's present
/// length. Of a named section it has the data only; a descriptor of another kind of object is
/// [`WrongKind`](crate::ErrorKind::WrongKind). Unless the memory is sealed, another process that has
/// it open for writing can shorten it; touching the lost part then ends this process with SIGBUS. So
/// does touching memory that was never reserved when the system has no more.
impl TryFrom<OwnedFd> for Section {
    type Error = Error;

    fn try_from(fd: OwnedFd) -> Result<Section> {
        let object =
            Object::from_raw(fd, Kind::Section).map_err(|e| e.during("take descriptor", ""))?;
        Ok(Section::new(object, None, false))
    }
}

macro_rules! handed_on {
    ($($object:ident)*) => {$(
        /// Its descriptor, to be handed to another process, where [`TryFrom`] makes the same object
        /// of it. As with a [`Section`], a process that has it is a holder of the name.
        impl AsFd for $object {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.object().object().lend()
            }
        }

        /// Takes a descriptor that another process handed on. Of a named object the kind is
        /// checked; for one without a name the sender's word stands.
        impl TryFrom<OwnedFd> for $object {
            type Error = Error;

            fn try_from(fd: OwnedFd) -> Result<$object> {
                let object = Object::from_raw(fd, Kind::$object).and_then(sync::$object::of);
                object.map($object::handed_on).map_err(|e| e.during("take descriptor", ""))
            }
        }
    )*};
}

handed_on! { Mutex Event Semaphore }

/// Opens memory that is not pagemate's: the POSIX object called `name`, as `shm_open(3)` takes it.
///
/// It lives by POSIX' rules: its name stays until somebody unlinks it, and whoever may write to it
/// can cut it short, which ends a process that touches what is gone with SIGBUS.
///
/// # Errors
///
/// [`NotFound`](crate::ErrorKind::NotFound), [`PermissionDenied`](crate::ErrorKind::PermissionDenied),
/// and [`InvalidInput`](crate::ErrorKind::InvalidInput) if it has no length yet.
pub fn open_posix(name: &str, access: Access) -> Result<Section> {
    let object =
        Object::posix(name, access).map_err(|e| e.during("open POSIX object", Quoted(name)))?;
    Ok(Section::new(object, None, false))
}
