//! Restores the handles that this process inherits from its parent.
#![allow(unsafe_code, reason = "taking ownership of descriptors that a parent opened")]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;

use pagemate::os::unix::SectionExt;
use pagemate::sync::{Event, Mutex as Core, Semaphore};
use pagemate::{Access, Section, SectionOptions};
use rustix::fs::{CWD, Dir, DirEntry, FlockOperation, Mode, OFlags};
use rustix::io::retry_on_intr;

use super::manifest::{
    Inherited, MANIFEST_LINK, MAX_MANIFEST_LEN, Manifest, file_of, program_mark, write_manifest,
};
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
    // Another copy of this library in this process may restore handles at the same time. Both
    // copies lock this directory. Each process has a directory of its own, so the lock excludes no
    // other process.
    let lock = |operation| retry_on_intr(|| rustix::fs::flock(&descriptors, operation));
    if lock(FlockOperation::LockExclusive).is_err() {
        return Vec::new();
    }
    let mut known = Known::new();
    let handles = manifests(&descriptors)
        .into_iter()
        .filter_map(|manifest| restore(manifest, &mut known))
        .collect();
    // Unlock explicitly instead of relying on `close`: a child that another thread forked meanwhile
    // may hold a duplicate of the description.
    _ = lock(FlockOperation::Unlock);
    handles
}

/// Returns the manifests among this process' descriptors, which `descriptors` lists
/// (`/proc/self/fd`).
///
/// Collects all of them first, because restoring a handle opens more descriptors, which change the
/// listing. Reads the directory through rustix, because `std::fs::read_dir` panics if closing the
/// directory fails.
fn manifests(descriptors: &OwnedFd) -> Vec<RawFd> {
    let Ok(entries) = Dir::read_from(descriptors) else { return Vec::new() };
    let is_manifest = |entry: &DirEntry| {
        rustix::fs::readlinkat(descriptors, entry.file_name(), Vec::new())
            .is_ok_and(|link| link.to_bytes().starts_with(MANIFEST_LINK.as_bytes()))
    };
    let manifests = entries.flatten().filter(is_manifest);
    manifests.filter_map(|entry| entry.file_name().to_str().ok()?.parse().ok()).collect()
}

/// The restored synchronisation objects, by device and inode.
///
/// All handles to one mutex must share one object. Otherwise a thread that owns the mutex through
/// one handle would block for ever when it acquires the mutex through another handle.
type Known = Vec<((u64, u64), Object)>;

/// Restores the handle that a manifest describes. Ignores a manifest with this program's mark:
/// another copy of this library in this process created it, and owns the handle.
///
/// The parent and all of its children share the open file of the manifest, so this function only
/// reads it. It then replaces the manifest in this process by a new one.
/// process.
fn restore(manifest: RawFd, known: &mut Known) -> Option<(Handle, Entry, Inherited)> {
    let mut text = [0; MAX_MANIFEST_LEN];
    // SAFETY: `/proc/self/fd` just listed the descriptor as open. Copies of this library close
    // manifests only while they hold the lock that the caller holds now.
    let manifest = unsafe { BorrowedFd::borrow_raw(manifest) };
    let len = rustix::io::pread(manifest, &mut text, 0).ok()?;
    let text = str::from_utf8(&text[..len]).ok()?;
    let parsed = Manifest::parse(text)?;
    let ours = program_mark();
    if parsed.mark == ours {
        return None;
    }
    // SAFETY: the descriptor is open, as above. Its link and its text show that this library
    // created it. Its mark shows that no copy of the library in this process has restored the
    // handle.
    let manifest = unsafe { OwnedFd::from_raw_fd(manifest.as_raw_fd()) };
    // SAFETY: the borrow is used only for `fstat`, which fails if the descriptor is not open.
    let fd = unsafe { BorrowedFd::borrow_raw(parsed.fd) };
    let file = file_of(fd).ok()?;
    // The program that started this process may have put another file in place of the descriptor.
    // That file does not belong to this library.
    if file != parsed.file {
        return None;
    }
    // SAFETY: `fstat` showed that the descriptor is the object that the manifest describes. The
    // parent opened it for its children, and no other copy of this library restores the same
    // handle.
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
    let own_manifest = write_manifest(&text.replacen(parsed.mark, &ours, 1)).ok()?;
    drop(manifest);
    Some((
        handle,
        entry,
        Inherited { manifest: own_manifest, fd: fd.as_raw_fd(), _held: Box::new(fd) },
    ))
}

impl<'a> Manifest<'a> {
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

    /// Opens the object by its name. An object without a name is opened from its descriptor.
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

    /// Refuses an object that has the same name but is another object. A changed environment, such
    /// as `PAGEMATE_DIR`, can lead the name to another object.
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
