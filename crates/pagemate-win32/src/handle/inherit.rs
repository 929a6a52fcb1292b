//! Handles that child processes inherit.
//!
//! A program that is started inherits the descriptors of its parent that are not close-on-exec, and
//! nothing else. So an inheritable handle owns two descriptors without close-on-exec: one of the
//! object, which holds the object's name, and a note. The note is a memfd that records the handle's
//! value, its rights and the object. The child recognizes notes by their links in `/proc/self/fd`.
#![allow(unsafe_code, reason = "taking over descriptors that a parent left")]

use std::any::Any;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use pagemate::os::unix::SectionExt;
use pagemate::sync::{Event, Mutex, Semaphore};
use pagemate::{Access, Name, Section, SectionOptions};
use rustix::fs::{CWD, Dir, DirEntry, FlockOperation, MemfdFlags, Mode, OFlags};
use rustix::io::{FdFlags, retry_on_intr};

use crate::error::{INVALID_HANDLE, Result};
use crate::file::object::File;
use crate::handle::rights::MAP_WRITE;
use crate::handle::table::{Entry, Handle, Object};
use crate::memory::mapping::Mapping;
use crate::pointer::read_unless_null;
use crate::process::object::Process;
use crate::sync::object as sync;

/// The name of each note's memfd.
const NOTE_NAME: &str = "pagemate:handle";
/// The beginning of the link in `/proc/self/fd` to a note.
const NOTE_LINK: &str = "/memfd:pagemate:handle";
/// The lowest descriptor for a note or an object. The numbers of the standard streams are never
/// used, because a child would use them for its own streams.
const FIRST_DESCRIPTOR: RawFd = 3;
/// The maximum length of a note, which is more than an object's name of 3,072 bytes needs.
const MAX_NOTE_LEN: usize = 4096;

/// The descriptors that keep an inheritable handle for later children.
#[derive(Debug)]
pub(crate) struct Inherited {
    note: OwnedFd,
    /// The number of the descriptor in `_held`.
    fd: RawFd,
    _held: Holder,
}

/// The owner of the descriptor of an object that a child inherits.
type Holder = Box<dyn Any + Send + Sync>;

/// The owner of a descriptor, the descriptor's number, and the object's name or an empty string.
type Holding = (Holder, RawFd, String);

impl Inherited {
    pub(crate) fn new(handle: Handle, entry: &Entry) -> Result<Inherited> {
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
            // A thread does not exist in a child process.
            Object::Thread(_) | Object::MainThread(_) => return Err(INVALID_HANDLE),
        };
        let (number, access, mark) = (handle.addr(), entry.access, program_mark());
        // SAFETY: `held` owns the descriptor and outlives the borrow.
        let (device, inode) = file_of(unsafe { BorrowedFd::borrow_raw(fd) })?;
        let text = format!("{mark} {number} {access} {kind} {fd} {device} {inode} {len} {name}");
        let note = write_note(&text)?;
        Ok(Inherited { note, fd, _held: held })
    }

    /// Returns the descriptors that a child inherits.
    pub(crate) fn descriptors(&self) -> [RawFd; 2] {
        [self.note.as_raw_fd(), self.fd]
    }
}

/// Creates a note without close-on-exec.
fn write_note(text: &str) -> Result<OwnedFd> {
    let note = rustix::fs::memfd_create(NOTE_NAME, MemfdFlags::CLOEXEC)?;
    let note = rustix::io::fcntl_dupfd_cloexec(note, FIRST_DESCRIPTOR)?;
    rustix::io::fcntl_setfd(&note, FdFlags::empty())?;
    rustix::io::pwrite(&note, text.as_bytes(), 0)?;
    Ok(note)
}

/// The length in bytes of the random data of a program mark.
const MARK_LEN: usize = 16;

/// Returns the mark of the running program: random bytes that the kernel chooses at `exec`, in
/// hexadecimal.
///
/// Each note begins with the mark of the program that created it. The mark changes with `exec`, and
/// a forked child keeps it.
fn program_mark() -> String {
    // SAFETY: `getauxval` reads only the auxiliary vector of this process.
    let random = unsafe { libc::getauxval(libc::AT_RANDOM) };
    let random = std::ptr::with_exposed_provenance(usize::try_from(random).unwrap_or(0));
    // SAFETY: `AT_RANDOM` is the address of 16 random bytes that live as long as the program; zero,
    // which is null, means that it is missing.
    let random: [u8; MARK_LEN] = unsafe { read_unless_null(random) }.unwrap_or_default();
    format!("{:032x}", u128::from_ne_bytes(random))
}

/// Returns the device and inode of a descriptor.
fn file_of(fd: BorrowedFd<'_>) -> Result<(u64, u64)> {
    let stat = rustix::fs::fstat(fd)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// Duplicates a descriptor without close-on-exec.
fn duplicate_for_child(fd: BorrowedFd<'_>) -> Result<Holding> {
    let fd = rustix::io::fcntl_dupfd_cloexec(fd, FIRST_DESCRIPTOR)?;
    rustix::io::fcntl_setfd(&fd, FdFlags::empty())?;
    let number = fd.as_raw_fd();
    Ok((Box::new(fd), number, String::new()))
}

/// Opens a section again, without close-on-exec. Returns the name that the descriptor holds.
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

/// Returns the handles that this process inherited from its parent.
pub(crate) fn inherited_handles() -> Vec<(Handle, Entry, Inherited)> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(CWD, "/proc/self/fd", flags, Mode::empty());
    let Ok(descriptors) = opened else { return Vec::new() };
    // Another copy of this library in this process may take over the notes at the same time. The
    // directory belongs to this process alone, so its lock excludes that copy and no other process.
    let lock = |operation| retry_on_intr(|| rustix::fs::flock(&descriptors, operation));
    if lock(FlockOperation::LockExclusive).is_err() {
        return Vec::new();
    }
    let mut known = Known::new();
    let handles =
        notes(&descriptors).into_iter().filter_map(|note| take_over(note, &mut known)).collect();
    // Unlock explicitly instead of relying on `close`: a child that another thread forked meanwhile
    // may hold a duplicate of the description.
    _ = lock(FlockOperation::Unlock);
    handles
}

/// Returns the notes among this process' descriptors, which `descriptors` lists (`/proc/self/fd`).
///
/// Collects all of them first, because taking one over opens more descriptors. Reads the directory
/// through rustix: `std::fs::read_dir` panics if the system reports an error when it is closed.
fn notes(descriptors: &OwnedFd) -> Vec<RawFd> {
    let Ok(entries) = Dir::read_from(descriptors) else { return Vec::new() };
    let is_note = |entry: &DirEntry| {
        rustix::fs::readlinkat(descriptors, entry.file_name(), Vec::new())
            .is_ok_and(|link| link.to_bytes().starts_with(NOTE_LINK.as_bytes()))
    };
    let notes = entries.flatten().filter(is_note);
    notes.filter_map(|entry| entry.file_name().to_str().ok()?.parse().ok()).collect()
}

/// The synchronisation objects that were taken over, by device and inode.
///
/// All handles to one mutex must share one object. Otherwise a thread that owns the mutex through
/// one handle would wait for itself through another.
type Known = Vec<((u64, u64), Object)>;

/// Restores the handle that a note of another program describes. Ignores a note with this program's
/// mark, which belongs to another copy of this library in this process.
///
/// All children of the parent share the note, so it is only read. A new note replaces it in this
/// process.
fn take_over(note: RawFd, known: &mut Known) -> Option<(Handle, Entry, Inherited)> {
    let mut text = [0; MAX_NOTE_LEN];
    // SAFETY: `/proc/self/fd` just listed the descriptor as open. Copies of this library close
    // notes only under the lock that the caller holds.
    let note = unsafe { BorrowedFd::borrow_raw(note) };
    let len = rustix::io::pread(note, &mut text, 0).ok()?;
    let text = str::from_utf8(&text[..len]).ok()?;
    let parsed = Note::parse(text)?;
    let ours = program_mark();
    if parsed.mark == ours {
        return None;
    }
    // SAFETY: the descriptor is open, as above. Its link and its text show that this library
    // created it, and its mark shows that no copy of the library in this process has taken it over.
    let note = unsafe { OwnedFd::from_raw_fd(note.as_raw_fd()) };
    // SAFETY: the borrow is used only for `fstat`, which fails if the descriptor is not open.
    let fd = unsafe { BorrowedFd::borrow_raw(parsed.fd) };
    let file = file_of(fd).ok()?;
    // The program that started this process may have replaced the descriptor by another file, which
    // this library does not own.
    if file != parsed.file {
        return None;
    }
    // SAFETY: `fstat` showed that the descriptor is the object of the note. The parent left it for
    // this process, and no other copy of this library takes over the same note.
    let fd = unsafe { OwnedFd::from_raw_fd(parsed.fd) };
    let object = match known.iter().find(|(other, _)| *other == file) {
        Some((_, object)) => object.clone(),
        None => parsed.object(&fd).ok()?,
    };
    if object.is_sync() {
        known.push((file, object.clone()));
    }
    let entry = Entry { object, access: parsed.access };
    let handle = std::ptr::without_provenance_mut(parsed.handle);
    let own_note = write_note(&text.replacen(parsed.mark, &ours, 1)).ok()?;
    drop(note);
    Some((handle, entry, Inherited { note: own_note, fd: fd.as_raw_fd(), _held: Box::new(fd) }))
}

/// The contents of a note.
struct Note<'a> {
    /// The mark of the program that created the note.
    mark: &'a str,
    handle: usize,
    access: u32,
    kind: &'a str,
    fd: RawFd,
    /// The device and inode of the object.
    file: (u64, u64),
    /// The length of a section, or the number of a process.
    len: u64,
    name: &'a str,
}

impl<'a> Note<'a> {
    fn parse(text: &'a str) -> Option<Note<'a>> {
        let mut parts = text.splitn(9, ' ');
        let parsed = Note {
            mark: parts.next()?,
            handle: parts.next()?.parse().ok()?,
            access: parts.next()?.parse().ok()?,
            kind: parts.next()?,
            fd: parts.next()?.parse().ok()?,
            file: (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?),
            len: parts.next()?.parse().ok()?,
            name: parts.next()?,
        };
        // The table has no more handles.
        (parsed.fd >= 0 && parsed.handle <= 1 << 26).then_some(parsed)
    }

    fn object(&self, fd: &OwnedFd) -> Result<Object> {
        Ok(match self.kind {
            "file" => Object::File(Arc::new(File::new(fd.try_clone()?.into()))),
            "mutex" => {
                Object::Mutex(Arc::new(sync::Mutex::new(self.open_object(fd, Mutex::open)?)))
            }
            "event" => Object::Event(Arc::new(self.open_object(fd, Event::open)?)),
            "semaphore" => Object::Semaphore(Arc::new(self.open_object(fd, Semaphore::open)?)),
            "process" => {
                let id = u32::try_from(self.len).map_err(|_| INVALID_HANDLE)?;
                Object::Process(Arc::new(Process::inherited(id, fd.try_clone()?)))
            }
            _ => Object::Mapping(Arc::new(Mapping::new(self.section(fd)?)?)),
        })
    }

    /// Opens the object by its name, or else from its descriptor.
    fn open_object<T: AsFd + TryFrom<OwnedFd, Error = pagemate::Error>>(
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

    /// Refuses another object that has the same name, which can exist if the environment changed.
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
