//! Handles that child processes inherit.
//!
//! A program that is started has its parent's descriptors, if they do not close on `exec`, and
//! nothing else of it. So an inheritable handle has two that stay open: one that holds the object,
//! with a lock of its own, and a note (a small nameless file whose link in `/proc` says what it is)
//! of which handle that is and what it may do. A child finds the notes among its descriptors.
#![allow(unsafe_code, reason = "taking over descriptors that a parent left")]

use std::any::Any;
use std::fs::DirEntry;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use pagemate::os::unix::SectionExt;
use pagemate::sync::{Event, Mutex, Semaphore};
use pagemate::{Access, Name, Section, SectionOptions};
use rustix::fs::{FlockOperation, MemfdFlags};
use rustix::io::{FdFlags, retry_on_intr};

use crate::error::{INVALID_HANDLE, Result};
use crate::file::object::File;
use crate::handle::rights::MAP_WRITE;
use crate::handle::table::{Entry, Handle, Object};
use crate::memory::mapping::Mapping;
use crate::pointer::read_unless_null;
use crate::process::object::Process;
use crate::sync::object as sync;

/// What notes are called.
const NOTE: &str = "pagemate:handle";
/// As `/proc` has it.
const LINK: &str = "/memfd:pagemate:handle";
/// No descriptor of ours has the number of a standard stream, which a child would take for its own.
const FIRST: RawFd = 3;
/// No note is longer: a name has at most 3,072 bytes.
const LONGEST: usize = 4096;

/// What keeps a handle for a child that is yet to come.
#[derive(Debug)]
pub(crate) struct Inherited {
    note: OwnedFd,
    /// What `held` has.
    fd: RawFd,
    _held: Held,
}

/// What has the descriptor that a child is to have.
type Held = Box<dyn Any + Send + Sync>;

/// That, the descriptor's number, and the name that it holds.
type Holding = (Held, RawFd, String);

impl Inherited {
    pub(crate) fn new(handle: Handle, entry: &Entry) -> Result<Inherited> {
        let mut len = 0;
        let (kind, (held, fd, name)) = match &entry.object {
            Object::Mapping(mapping) => {
                let section = mapping.section();
                len = section.len();
                let kind = if mapping.over_file() { "over-file" } else { "memory" };
                (kind, hold_section(section)?)
            }
            Object::File(file) => ("file", hold(file.inner().as_fd())?),
            Object::Mutex(mutex) => {
                ("mutex", hold_named(mutex.core.name(), &mutex.core, |name| Mutex::open(name))?)
            }
            Object::Event(event) => {
                ("event", hold_named(event.name(), &**event, |name| Event::open(name))?)
            }
            Object::Semaphore(semaphore) => {
                let open = |name: &str| Semaphore::open(name);
                ("semaphore", hold_named(semaphore.name(), &**semaphore, open)?)
            }
            Object::Process(process) => {
                len = process.id().into();
                ("process", hold(process.as_fd())?)
            }
            // A child has no threads of ours.
            Object::Thread(_) | Object::MainThread(_) => return Err(INVALID_HANDLE),
        };
        let (number, access, maker) = (handle.addr(), entry.access, maker());
        // SAFETY: `held` has it.
        let (device, inode) = file_of(unsafe { BorrowedFd::borrow_raw(fd) })?;
        let text = format!("{maker} {number} {access} {kind} {fd} {device} {inode} {len} {name}");
        let note = write_note(&text)?;
        Ok(Inherited { note, fd, _held: held })
    }

    /// The descriptors that a child is to have.
    pub(crate) fn descriptors(&self) -> [RawFd; 2] {
        [self.note.as_raw_fd(), self.fd]
    }
}

/// Creates a note, which stays open on `exec`.
fn write_note(text: &str) -> Result<OwnedFd> {
    let note = rustix::fs::memfd_create(NOTE, MemfdFlags::CLOEXEC)?;
    let note = rustix::io::fcntl_dupfd_cloexec(note, FIRST)?;
    rustix::io::fcntl_setfd(&note, FdFlags::empty())?;
    rustix::io::pwrite(&note, text.as_bytes(), 0)?;
    Ok(note)
}

/// The length in bytes of the random data by which a maker is known.
const MARK: usize = 16;

/// Returns the mark of the program that makes a note: bytes that the kernel chose when it started the
/// program, in hexadecimal. A forked child has the same mark, and the program after an `exec` another.
fn maker() -> String {
    // SAFETY: it takes a number.
    let made_up = unsafe { libc::getauxval(libc::AT_RANDOM) };
    let made_up = std::ptr::with_exposed_provenance(usize::try_from(made_up).unwrap_or(0));
    // SAFETY: getauxval(3) says that so many bytes are there, unless it gives zero.
    let made_up: [u8; MARK] = unsafe { read_unless_null(made_up) }.unwrap_or_default();
    format!("{:032x}", u128::from_ne_bytes(made_up))
}

/// What a descriptor is of, by device and inode.
fn file_of(fd: BorrowedFd<'_>) -> Result<(u64, u64)> {
    let stat = rustix::fs::fstat(fd)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// A copy of a descriptor that stays open.
fn hold(fd: BorrowedFd<'_>) -> Result<Holding> {
    let fd = rustix::io::fcntl_dupfd_cloexec(fd, FIRST)?;
    rustix::io::fcntl_setfd(&fd, FdFlags::empty())?;
    let number = fd.as_raw_fd();
    Ok((Box::new(fd), number, String::new()))
}

/// A descriptor of a section that stays open, and the name it holds.
fn hold_section(section: &Section) -> Result<Holding> {
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
    hold(section.memory())
}

/// The same of a sync object.
fn hold_named<T: AsFd + Send + Sync + 'static>(
    name: Option<&Name>,
    object: &T,
    open: impl FnOnce(&str) -> pagemate::Result<T>,
) -> Result<Holding> {
    let Some(name) = name else { return hold(object.as_fd()) };
    let name = name.to_string();
    let again = open(&name)?;
    if file_of(again.as_fd())? != file_of(object.as_fd())? {
        return Err(INVALID_HANDLE);
    }
    rustix::io::fcntl_setfd(again.as_fd(), FdFlags::empty())?;
    let number = again.as_fd().as_raw_fd();
    Ok((Box::new(again), number, name))
}

/// Returns the handles that this program's parent had made inheritable when it started the program.
pub(crate) fn left_by_parent() -> Vec<(Handle, Entry, Inherited)> {
    let Ok(descriptors) = std::fs::File::open("/proc/self/fd") else { return Vec::new() };
    // Another copy of this library in this process may take the notes over at the same time. The folder is
    // this process's own, so a lock of it excludes that copy and no other process.
    let lock = |operation| retry_on_intr(|| rustix::fs::flock(&descriptors, operation));
    if lock(FlockOperation::LockExclusive).is_err() {
        return Vec::new();
    }
    let mut known = Known::new();
    let left = notes().into_iter().filter_map(|note| take_over(note, &mut known)).collect();
    // A child that another thread forked meanwhile has this description too: closing it would not unlock it.
    _ = lock(FlockOperation::Unlock);
    left
}

/// Returns the notes among this process's descriptors. The list is complete before any is taken over, which
/// opens further descriptors.
fn notes() -> Vec<RawFd> {
    let Ok(descriptors) = std::fs::read_dir("/proc/self/fd") else { return Vec::new() };
    let is_note = |entry: &DirEntry| {
        std::fs::read_link(entry.path())
            .is_ok_and(|link| link.to_str().is_some_and(|link| link.starts_with(LINK)))
    };
    let notes = descriptors.flatten().filter(is_note);
    notes.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The sync objects that were taken over, by device and inode: handles to one share it, or a thread
/// that has a mutex by one of them would wait for itself by another.
type Known = Vec<((u64, u64), Object)>;

/// Makes the handle anew that a note of another program tells of. A note with this program's mark is that of
/// another copy of this library in this process.
///
/// Every child of the parent has the same note, which is therefore only read: a new note takes its place here.
fn take_over(note: RawFd, known: &mut Known) -> Option<(Handle, Entry, Inherited)> {
    let mut text = [0; LONGEST];
    // SAFETY: `/proc` just listed it, and copies of this library close notes only under the lock that the
    // caller holds.
    let note = unsafe { BorrowedFd::borrow_raw(note) };
    let len = rustix::io::pread(note, &mut text, 0).ok()?;
    let text = str::from_utf8(&text[..len]).ok()?;
    let left = Left::parse(text)?;
    let ours = maker();
    if left.maker == ours {
        return None;
    }
    // SAFETY: as above; its link and its text say that this library made it, and that no copy of the library
    // in this process has taken it over.
    let note = unsafe { OwnedFd::from_raw_fd(note.as_raw_fd()) };
    // SAFETY: nothing is done with it but to ask what it is, if it is open.
    let fd = unsafe { BorrowedFd::borrow_raw(left.fd) };
    let file = file_of(fd).ok()?;
    // Whoever started us may have put something else in its place, which is not ours to close.
    if file != left.file {
        return None;
    }
    // SAFETY: it is open, and the note says that it was left for this.
    let fd = unsafe { OwnedFd::from_raw_fd(left.fd) };
    let object = match known.iter().find(|(other, _)| *other == file) {
        Some((_, object)) => object.clone(),
        None => left.object(&fd).ok()?,
    };
    if object.is_sync() {
        known.push((file, object.clone()));
    }
    let entry = Entry { object, access: left.access };
    let handle = std::ptr::without_provenance_mut(left.handle);
    let own_note = write_note(&text.replacen(left.maker, &ours, 1)).ok()?;
    drop(note);
    Some((handle, entry, Inherited { note: own_note, fd: fd.as_raw_fd(), _held: Box::new(fd) }))
}

/// What a note says.
struct Left<'a> {
    /// The mark of the program that made it.
    maker: &'a str,
    handle: usize,
    access: u32,
    kind: &'a str,
    fd: RawFd,
    /// What that was, by device and inode.
    file: (u64, u64),
    /// The length of a section, or the number of a process.
    len: u64,
    name: &'a str,
}

impl<'a> Left<'a> {
    fn parse(text: &'a str) -> Option<Left<'a>> {
        let mut parts = text.splitn(9, ' ');
        let left = Left {
            maker: parts.next()?,
            handle: parts.next()?.parse().ok()?,
            access: parts.next()?.parse().ok()?,
            kind: parts.next()?,
            fd: parts.next()?.parse().ok()?,
            file: (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?),
            len: parts.next()?.parse().ok()?,
            name: parts.next()?,
        };
        // As many handles as there can be.
        (left.fd >= 0 && left.handle <= 1 << 26).then_some(left)
    }

    fn object(&self, fd: &OwnedFd) -> Result<Object> {
        Ok(match self.kind {
            "file" => Object::File(Arc::new(File::new(fd.try_clone()?.into()))),
            "mutex" => Object::Mutex(Arc::new(sync::Mutex::new(self.found(fd, Mutex::open)?))),
            "event" => Object::Event(Arc::new(self.found(fd, Event::open)?)),
            "semaphore" => Object::Semaphore(Arc::new(self.found(fd, Semaphore::open)?)),
            "process" => {
                let id = u32::try_from(self.len).map_err(|_| INVALID_HANDLE)?;
                Object::Process(Arc::new(Process::inherited(id, fd.try_clone()?)))
            }
            _ => Object::Mapping(Arc::new(Mapping::new(self.section(fd)?)?)),
        })
    }

    /// What has the name, or else what the descriptor is of.
    fn found<T: AsFd + TryFrom<OwnedFd, Error = pagemate::Error>>(
        &self,
        fd: &OwnedFd,
        open: impl FnOnce(&'a str) -> pagemate::Result<T>,
    ) -> Result<T> {
        if self.name.is_empty() {
            return Ok(T::try_from(fd.try_clone()?)?);
        }
        let found = open(self.name)?;
        self.check(found.as_fd())?;
        Ok(found)
    }

    /// Refuses what has the name but is another object, as it may be in another environment.
    fn check(&self, found: BorrowedFd<'_>) -> Result<()> {
        if file_of(found)? == self.file { Ok(()) } else { Err(INVALID_HANDLE) }
    }

    fn section(&self, fd: &OwnedFd) -> Result<Section> {
        let access = if self.access & MAP_WRITE == 0 { Access::Read } else { Access::ReadWrite };
        if !self.name.is_empty() {
            let section = SectionOptions::new().access(access).open(self.name)?;
            self.check(section.name_holder().ok_or(INVALID_HANDLE)?)?;
            return Ok(section);
        }
        if self.kind == "over-file" {
            let file = std::fs::File::from(fd.try_clone()?);
            let mut options = SectionOptions::new();
            return Ok(options.file(&file).len(self.len).access(access).create_unnamed()?);
        }
        Ok(Section::try_from(fd.try_clone()?)?)
    }
}
