//! Takes over the handles that a parent left.
#![allow(unsafe_code, reason = "taking over descriptors that a parent left")]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use pagemate::os::unix::SectionExt;
use pagemate::sync::{Event, Mutex as Core, Semaphore};
use pagemate::{Access, Section, SectionOptions};
use rustix::fs::{CWD, Dir, DirEntry, FlockOperation, Mode, OFlags};
use rustix::io::retry_on_intr;

use super::note::{Inherited, MAX_NOTE_LEN, NOTE_LINK, Note, file_of, program_mark, write_note};
use crate::error::{INVALID_HANDLE, Result};
use crate::handle::entry::{Entry, Object};
use crate::handle::number::Handle;
use crate::handle::rights::MAP_WRITE;
use crate::object::file::File;
use crate::object::mapping::Mapping;
use crate::object::mutex::Mutex;
use crate::object::process::Process;

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

impl<'a> Note<'a> {
    fn object(&self, fd: &OwnedFd) -> Result<Object> {
        Ok(match self.kind {
            "file" => Object::File(Arc::new(File::new(fd.try_clone()?.into()))),
            "mutex" => Object::Mutex(Arc::new(Mutex::new(self.open_object(fd, Core::open)?))),
            "event" => Object::Event(Arc::new(self.open_object(fd, Event::open)?)),
            "semaphore" => Object::Semaphore(Arc::new(self.open_object(fd, Semaphore::open)?)),
            "process" => {
                let id = u32::try_from(self.len).map_err(|_| INVALID_HANDLE)?;
                Object::Process(Arc::new(Process::new(id, fd.try_clone()?)))
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
