//! What lives in the directories, and what the dead left there.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::io::Errno;

use super::super::{Entry, Swept};
use super::close::{Outcome, sweep};
use super::holders::{self, Sought};
use super::lock::{self, Holder};
use super::open::read_trailer;
use super::record::Record;
use super::trailer::Memory;
use super::{directory, open_file, refusal, seat, sharing_of, trailer, unseen};
use crate::access::{Access, Kind};
use crate::error::{Error, Result};
use crate::name::{Name, Namespace};
use crate::sys::sync::{self, State};

const NAMESPACES: [Namespace; 2] = [Namespace::Local, Namespace::Global];

/// Sweeping takes at most one part in this many of a busy creator's time.
const PAUSE: u32 = 50;

/// Every live object this user can look at; the dead are swept on the way.
pub(crate) fn list() -> Result<Vec<Entry>> {
    let mut found = Vec::new();
    for namespace in NAMESPACES {
        for path in files_of(namespace)? {
            // Others' objects that we may not look at are left out, and so is what is damaged.
            found.extend(look(&path, namespace).ok().flatten());
        }
    }
    let (sought, mut entries): (Vec<Sought>, Vec<Entry>) = found.into_iter().unzip();
    for (entry, holders) in entries.iter_mut().zip(holders::of(&sought)) {
        entry.holders = holders;
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

/// The live object called `name`.
pub(crate) fn find(name: &Name) -> Result<Option<Entry>> {
    let Some(dir) = directory::existing(name.namespace())? else { return Ok(None) };
    let path = directory::file_in(dir, name.namespace(), name.as_str());
    let found = look(&path, name.namespace())?;
    Ok(found.map(|(sought, mut entry)| {
        entry.holders = holders::of(&[sought]).pop().unwrap_or_default();
        entry
    }))
}

/// Sweeps both directories.
pub(crate) fn prune() -> Result<Swept> {
    let mut swept = Swept::default();
    for namespace in NAMESPACES {
        for path in files_of(namespace)? {
            sweep_if_dead(&path, &mut swept);
        }
    }
    Ok(swept)
}

/// Sweeps `dir` unless this process did so a moment ago, measured by what it cost.
pub(super) fn sweep_in_passing(dir: &Path, namespace: Namespace) {
    static NEXT: [Mutex<Option<(PathBuf, Instant)>>; 2] = [Mutex::new(None), Mutex::new(None)];
    let Ok(mut next) = NEXT[namespace as usize].try_lock() else { return };
    let start = Instant::now();
    if matches!(&*next, Some((last, next)) if last.as_os_str() == dir.as_os_str() && start < *next)
    {
        return;
    }
    for path in files(dir, namespace).unwrap_or_default() {
        sweep_if_dead(&path, &mut Swept::default());
    }
    let pause = (start.elapsed() * PAUSE).max(Duration::from_millis(1));
    *next = Some((dir.to_owned(), Instant::now() + pause));
}

fn sweep_if_dead(path: &Path, swept: &mut Swept) {
    let Ok(fd) = open_file(path, Access::Read) else { return };
    if matches!(lock::ask(fd.as_fd()), Ok(Holder::Nobody))
        && let Outcome::Removed(bytes) = sweep(path)
    {
        swept.objects += 1;
        swept.bytes += bytes;
    }
}

/// The objects' files of a namespace, in a directory that was checked.
fn files_of(namespace: Namespace) -> Result<Vec<PathBuf>> {
    directory::existing(namespace)?.map_or(Ok(Vec::new()), |dir| files(&dir, namespace))
}

/// The objects' files in `dir`, unfinished ones included; none if there is no such directory.
fn files(dir: &Path, namespace: Namespace) -> Result<Vec<PathBuf>> {
    let read = match std::fs::read_dir(dir) {
        Ok(read) => read,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::os(format!("{} cannot be read", dir.display()), error)),
    };
    let paths = read.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(paths.filter(|path| is_unfinished(path) || directory::is_objects(path, namespace)).collect())
}

fn is_unfinished(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_bytes().starts_with(unseen::PREFIX.as_bytes()))
}

/// Describes the object at `path` if it is alive; why not, if it is but cannot be described.
fn look(path: &Path, namespace: Namespace) -> Result<Option<(Sought, Entry)>> {
    let fd = match open_file(path, Access::Read) {
        Ok(fd) => fd,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(refusal::stands_there(path, Access::Read, error)),
    };
    match lock::ask(fd.as_fd()).map_err(|e| Error::os("its lock cannot be read", e))? {
        Holder::Handles if !is_unfinished(path) => {}
        Holder::Nobody => {
            sweep(path);
            return Ok(None);
        }
        Holder::Handles | Holder::Sweeper => return Ok(None),
    }
    let mut bytes = trailer::ROOM;
    let (stat, trailer) = read_trailer(fd.as_fd(), &mut bytes)?;
    let name = trailer.name(namespace)?;
    let dir = path.parent().unwrap_or(path).to_owned();
    if path != directory::file_in(dir, namespace, trailer.bare) {
        return Err(refusal::of_another_name(&name));
    }
    let record = match trailer.memory {
        Memory::Here => None,
        Memory::Elsewhere { .. } => Some(Record::read(fd.as_fd())?),
    };
    let (state, waiting) = match state_of(fd.as_fd(), trailer.kind) {
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
    Ok(Some((Sought::new(path.to_owned(), &stat), entry)))
}

/// What a sync object is like, and about how many sleep for it.
fn state_of(fd: BorrowedFd<'_>, kind: Kind) -> Option<(State, u32)> {
    if kind == Kind::Section {
        return None;
    }
    let mut bytes = [0; 32];
    rustix::io::pread(fd, &mut bytes, 0).ok().filter(|read| *read == bytes.len())?;
    sync::state(kind, &bytes, |seat| seat::is_taken(fd, 0, seat).map_err(std::io::Error::other))
}
