//! Lists of live objects and their properties.

use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;

use crate::access::Access;
use crate::error::{ErrorKind, Result};
use crate::kind::Kind;
use crate::name::Name;
use crate::sys::liveness;
use crate::sys::liveness::lock::{self, Holder};
use crate::sys::object::unix::format::file_record::FileRecord;
use crate::sys::object::unix::format::trailer;
use crate::sys::object::unix::format::trailer::Memory;
use crate::sys::object::unix::holders::{self, Query};
use crate::sys::object::unix::lifecycle::open::read_trailer;
use crate::sys::object::unix::lifecycle::prune::for_each_file;
use crate::sys::object::unix::lifecycle::sweep::sweep;
use crate::sys::object::unix::location::file_location::{FileLocation, FileName};
use crate::sys::object::unix::location::resolve;
use crate::sys::object::unix::{error, sharing_of};
use crate::sys::object::{Entry, Listing};
use crate::sys::object_state::{self, ReadState, State};

/// Returns every live object that this user can inspect, and the errors of those that cannot be described.
/// Sweeps dead objects on the way.
pub(crate) fn list(read_state: ReadState) -> Result<Listing> {
    use ErrorKind::{Corrupted, WrongKind, WrongVersion};
    let (mut found, mut damaged) = (Vec::new(), Vec::new());
    let unreachable = for_each_file(|location| match describe(location, read_state) {
        Ok(described) => found.extend(described),
        Err(error) if matches!(error.kind(), Corrupted | WrongKind | WrongVersion) => {
            damaged.push(error.during("list object", location.path().display()));
        }
        // This user has no right to read the object.
        Err(_) => {}
    })?;
    let (queries, mut entries): (Vec<Query>, Vec<Entry>) = found.into_iter().unzip();
    for (entry, holders) in entries.iter_mut().zip(holders::of(&queries)) {
        entry.holders = holders;
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Listing { entries, damaged, unreachable })
}

/// Returns the names of the live objects of a kind that this user can inspect, without mirrors.
pub(crate) fn names(kind: Kind) -> Result<Vec<Name>> {
    let mut found = Vec::new();
    for_each_file(|location| {
        let described = describe(location, |_, _, _| None).ok().flatten().map(|(_, entry)| entry);
        let is_wanted = |entry: &Entry| entry.kind == kind && entry.origin.is_none();
        found.extend(described.filter(is_wanted).map(|entry| entry.name));
    })?;
    found.sort();
    Ok(found)
}

/// Returns the live object called `name`. `None` if there is none.
pub(crate) fn find(name: &Name, read_state: ReadState) -> Result<Option<Entry>> {
    let Some(dir) = resolve::existing(name.namespace())? else { return Ok(None) };
    let found = describe(&FileLocation::of(dir, name), read_state)?;
    Ok(found.map(|(query, mut entry)| {
        entry.holders = holders::of(&[query]).pop().unwrap_or_default();
        entry
    }))
}

/// Describes the object at `location`. `None` if it is not live. Fails if it is live and damaged,
/// or if this user has no right to read it.
fn describe(location: &FileLocation, read_state: ReadState) -> Result<Option<(Query, Entry)>> {
    let fd = match location.open(Access::Read) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error::open_failed(location, Access::Read, error)),
    };
    match lock::ask(fd.as_fd())? {
        Holder::Handles if !location.file.is_unfinished() => {}
        Holder::Nobody => {
            sweep(location);
            return Ok(None);
        }
        Holder::Handles | Holder::Sweeper => return Ok(None),
    }
    let mut bytes = trailer::EMPTY_BUFFER;
    let (stat, trailer) = read_trailer(fd.as_fd(), &mut bytes)?;
    let name = trailer.name(location.dir.namespace())?;
    if location.file != FileName::of(name.namespace(), trailer.bare) {
        return Err(error::name_mismatch(&name));
    }
    let record = match trailer.memory {
        Memory::SameFile => None,
        memory => Some(FileRecord::read(fd.as_fd(), memory == Memory::Mirror)?),
    };
    let (state, waiting) = match state_of(fd.as_fd(), trailer.kind, read_state) {
        Some((state, waiting)) => (Some(state), Some(waiting)),
        None => (None, None),
    };
    let len = record.as_ref().map_or(trailer.data_len, |record| record.len);
    let (file, origin) = record.map(|record| (record.path, record.origin)).unzip();
    let entry = Entry {
        name,
        kind: trailer.kind,
        len,
        protection: trailer.protection,
        sharing: sharing_of(&stat, trailer.memory),
        created: Some(trailer.created),
        creator: Some(trailer.creator),
        owner: Some(stat.st_uid),
        holders: Vec::new(),
        file,
        origin: origin.flatten(),
        state,
        waiting,
    };
    Ok(Some((Query::new(location.path(), &stat), entry)))
}

/// Returns the state of a sync object or a channel, and the approximate number of its waiters. `None`
/// for a section.
fn state_of(fd: BorrowedFd<'_>, kind: Kind, read_state: ReadState) -> Option<(State, u32)> {
    if kind == Kind::Section {
        return None;
    }
    let mut bytes = [0; object_state::LONGEST];
    // An object may be shorter than the longest state. The rest then stays zero.
    rustix::io::pread(fd, &mut bytes, 0).ok()?;
    let is_alive = |seat| liveness::is_taken(fd, 0, seat).map_err(std::io::Error::other);
    read_state(kind, &bytes, &is_alive)
}
