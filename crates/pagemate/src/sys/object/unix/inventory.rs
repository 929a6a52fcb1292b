//! What lives in the directories, and what the dead left there.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustix::fs::{Dir, FileType};
use rustix::io::Errno;

use crate::access::{Access, Kind};
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, Namespace};
use crate::sys::liveness;
use crate::sys::liveness::lock::{self, Holder};
use crate::sys::object::unix::format::file_record::FileRecord;
use crate::sys::object::unix::format::trailer;
use crate::sys::object::unix::format::trailer::Memory;
use crate::sys::object::unix::holders::{self, Sought};
use crate::sys::object::unix::lifecycle::close::{Outcome, sweep};
use crate::sys::object::unix::lifecycle::open::read_trailer;
use crate::sys::object::unix::lifecycle::passing_sweep;
use crate::sys::object::unix::location::directory::{self, Directory};
use crate::sys::object::unix::location::file_location::{FileLocation, FileName};
use crate::sys::object::unix::{error, sharing_of};
use crate::sys::object::{Entry, Swept};
use crate::sys::state::{self, ReadState, State};

const NAMESPACES: [Namespace; 2] = [Namespace::Local, Namespace::Global];

/// Every live object that this user can look at; the dead are swept on the way.
pub(crate) fn list(read_state: ReadState) -> Result<Vec<Entry>> {
    let mut found = Vec::new();
    // Objects of others that this user may not look at are left out, and so are damaged ones.
    in_reach(|namespace| {
        each_of(namespace, |location| found.extend(look(location, read_state).ok().flatten()))
    })?;
    let (sought, mut entries): (Vec<Sought>, Vec<Entry>) = found.into_iter().unzip();
    for (entry, holders) in entries.iter_mut().zip(holders::of(&sought)) {
        entry.holders = holders;
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// The live object called `name`.
pub(crate) fn find(name: &Name, read_state: ReadState) -> Result<Option<Entry>> {
    let Some(dir) = directory::existing(name.namespace())? else { return Ok(None) };
    let found = look(&FileLocation::of(dir, name), read_state)?;
    Ok(found.map(|(sought, mut entry)| {
        entry.holders = holders::of(&[sought]).pop().unwrap_or_default();
        entry
    }))
}

/// Sweeps both directories.
pub(crate) fn prune() -> Result<Swept> {
    let mut swept = Swept::default();
    in_reach(|namespace| each_of(namespace, |location| sweep_if_dead(location, &mut swept)))?;
    // What else is wrong with the user's directory was no reason to fail.
    _ = directory::tidy();
    Ok(swept)
}

/// Why objects cannot be reached: an error for each namespace of which that is so.
pub(crate) fn unreachable() -> Vec<Error> {
    let reach = |namespace| match directory::existing(namespace)? {
        Some(dir) => read(&dir).map(|_| ()),
        None => Ok(()),
    };
    NAMESPACES.into_iter().filter_map(|namespace| reach(namespace).err()).collect()
}

/// Does it in each namespace that can be reached; fails if none can.
fn in_reach(each: impl FnMut(Namespace) -> Result<()>) -> Result<()> {
    let [local, global] = NAMESPACES.map(each);
    if global.is_ok() { Ok(()) } else { local }
}

/// Removes the name at `place` if its object is dead, and counts it.
pub(crate) fn sweep_if_dead(location: &FileLocation, swept: &mut Swept) {
    let Ok(fd) = location.open(Access::Read) else { return };
    if matches!(lock::ask(fd.as_fd()), Ok(Holder::Nobody))
        && let Outcome::Removed(bytes) = sweep(location)
    {
        swept.objects += 1;
        swept.bytes += bytes;
    }
}

/// Does `visit` to each object's file of a namespace, unfinished ones included.
fn each_of(namespace: Namespace, visit: impl FnMut(&FileLocation)) -> Result<()> {
    directory::existing(namespace)?.map_or(Ok(()), |dir| each_in(&dir, visit))
}

/// The same in one directory.
fn each_in(dir: &Arc<Directory>, mut visit: impl FnMut(&FileLocation)) -> Result<()> {
    for entry in read(dir)? {
        let entry = entry.map_err(|error| cannot_read(dir, error))?;
        let is_file = matches!(entry.file_type(), FileType::RegularFile | FileType::Unknown);
        let file = FileName::new(&[entry.file_name().to_bytes()])
            .filter(|file| is_file && (file.is_unfinished() || file.is_objects(dir.namespace())));
        if let Some(file) = file {
            visit(&FileLocation { dir: Arc::clone(dir), file });
        }
    }
    passing_sweep::forget(dir);
    Ok(())
}

/// Starts to read a directory.
fn read(dir: &Directory) -> Result<Dir> {
    dir.entries().map_err(|error| cannot_read(dir, error))
}

fn cannot_read(dir: &Directory, error: Errno) -> Error {
    Error::os_as(ErrorKind::Os, format!("{} cannot be read", dir.path().display()), error.into())
}

/// Describes the object at `place` if it is alive; why not, if it is but cannot be described.
fn look(location: &FileLocation, read_state: ReadState) -> Result<Option<(Sought, Entry)>> {
    let fd = match location.open(Access::Read) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error::stands_there(location, Access::Read, error)),
    };
    match lock::ask(fd.as_fd()).map_err(|e| Error::os("its lock cannot be read", e))? {
        Holder::Handles if !location.file.is_unfinished() => {}
        Holder::Nobody => {
            sweep(location);
            return Ok(None);
        }
        Holder::Handles | Holder::Sweeper => return Ok(None),
    }
    let mut bytes = trailer::ROOM;
    let (stat, trailer) = read_trailer(fd.as_fd(), &mut bytes)?;
    let name = trailer.name(location.dir.namespace())?;
    if location.file != FileName::of(name.namespace(), trailer.bare) {
        return Err(error::of_another_name(&name));
    }
    let record = match trailer.memory {
        Memory::Here => None,
        Memory::Elsewhere { .. } => Some(FileRecord::read(fd.as_fd())?),
    };
    let (state, waiting) = match state_of(fd.as_fd(), trailer.kind, read_state) {
        Some((state, waiting)) => (Some(state), Some(waiting)),
        None => (None, None),
    };
    let entry = Entry {
        name,
        kind: trailer.kind,
        len: record.as_ref().map_or(trailer.data_len, |record| record.len),
        protection: trailer.protection,
        sharing: sharing_of(&stat, trailer.memory),
        created: Some(trailer.created),
        creator: Some(trailer.creator),
        owner: Some(stat.st_uid),
        holders: Vec::new(),
        file: record.map(|record| record.path),
        state,
        waiting,
    };
    Ok(Some((Sought::new(location.path(), &stat), entry)))
}

/// What a sync object is like, and about how many sleep for it.
fn state_of(fd: BorrowedFd<'_>, kind: Kind, read_state: ReadState) -> Option<(State, u32)> {
    if kind == Kind::Section {
        return None;
    }
    let mut bytes = [0; state::LEN];
    rustix::io::pread(fd, &mut bytes, 0).ok().filter(|read| *read == bytes.len())?;
    let is_alive = |seat| liveness::is_taken(fd, 0, seat).map_err(std::io::Error::other);
    read_state(kind, &bytes, &is_alive)
}
