//! Makes a handle inheritable by later child processes.
#![allow(unsafe_code, reason = "borrowing a descriptor by its number")]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use pagemate::os::unix::SectionExt;
use pagemate::sync::{Event, Mutex, Semaphore};
use pagemate::{Name, Section, SectionOptions};
use rustix::io::FdFlags;

use super::manifest::{FIRST_DESCRIPTOR, Holder, Inherited, file_of, program_mark, write_manifest};
use crate::error::{INVALID_HANDLE, Result};
use crate::handle::entry::{Entry, Object};
use crate::handle::number::Handle;

/// The owner of a descriptor, the number of the descriptor, and the name of the object, which is
/// empty if it has none.
type Holding = (Holder, RawFd, String);

/// Opens the two descriptors that a child inherits in place of the handle.
pub(in crate::handle) fn make_inheritable(handle: Handle, entry: &Entry) -> Result<Inherited> {
    let mut len = 0;
    let (kind, (held, fd, name)) = match &entry.object {
        Object::Mapping(mapping) => {
            let section = mapping.section();
            len = section.len();
            let kind = if mapping.over_file() { "over-file" } else { "memory" };
            (kind, reopen_section(section)?)
        }
        Object::File(file) => ("file", duplicate_for_child(file.inner().as_fd())?),
        Object::Mutex(mutex) => {
            ("mutex", reopen_named(mutex.core.name(), &mutex.core, |name| Mutex::open(name))?)
        }
        Object::Event(event) => {
            ("event", reopen_named(event.name(), &**event, |name| Event::open(name))?)
        }
        Object::Semaphore(semaphore) => {
            let open = |name: &str| Semaphore::open(name);
            ("semaphore", reopen_named(semaphore.name(), &**semaphore, open)?)
        }
        Object::Process(process) => {
            len = process.id().into();
            ("process", duplicate_for_child(process.as_fd())?)
        }
        // A child process does not have the threads of its parent.
        Object::Thread(_) | Object::MainThread(_) => return Err(INVALID_HANDLE),
    };
    let (number, access, mark) = (handle.addr(), entry.access, program_mark());
    // SAFETY: `held` owns the descriptor and outlives the borrow.
    let (device, inode) = file_of(unsafe { BorrowedFd::borrow_raw(fd) })?;
    let text = format!("{mark} {number} {access} {kind} {fd} {device} {inode} {len} {name}");
    let manifest = write_manifest(&text)?;
    Ok(Inherited { manifest, fd, _held: held })
}

/// Duplicates a descriptor without close-on-exec.
fn duplicate_for_child(fd: BorrowedFd<'_>) -> Result<Holding> {
    let fd = rustix::io::fcntl_dupfd_cloexec(fd, FIRST_DESCRIPTOR)?;
    rustix::io::fcntl_setfd(&fd, FdFlags::empty())?;
    let number = fd.as_raw_fd();
    Ok((Box::new(fd), number, String::new()))
}

/// Opens a section again, through a descriptor without close-on-exec. Returns the name of the
/// section if the descriptor holds the name.
fn reopen_section(section: &Section) -> Result<Holding> {
    if let Some(name) = section.name() {
        let name = name.to_string();
        let again = SectionOptions::new().access(section.access()).open(&name)?;
        if file_of(again.memory())? != file_of(section.memory())? {
            return Err(INVALID_HANDLE);
        }
        if let Some(holder) = again.name_holder() {
            rustix::io::fcntl_setfd(holder, FdFlags::empty())?;
            let number = holder.as_raw_fd();
            return Ok((Box::new(again), number, name));
        }
    }
    duplicate_for_child(section.memory())
}

/// Does the same as [`reopen_section`] for a synchronisation object.
fn reopen_named<T: AsFd + Send + Sync + 'static>(
    name: Option<&Name>,
    object: &T,
    open: impl FnOnce(&str) -> pagemate::Result<T>,
) -> Result<Holding> {
    let Some(name) = name else { return duplicate_for_child(object.as_fd()) };
    let name = name.to_string();
    let again = open(&name)?;
    if file_of(again.as_fd())? != file_of(object.as_fd())? {
        return Err(INVALID_HANDLE);
    }
    rustix::io::fcntl_setfd(again.as_fd(), FdFlags::empty())?;
    let number = again.as_fd().as_raw_fd();
    Ok((Box::new(again), number, name))
}
