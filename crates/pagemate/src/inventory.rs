//! What is alive, who holds it, and what the dead left behind.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::access::{Kind, Protection, Sharing};
use crate::error::{Error, ErrorKind, Quoted, Result};
use crate::name::Name;
use crate::sys::object;

pub use crate::sys::sync::State;

/// A live object.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub kind: Kind,
    /// Its length in bytes.
    pub len: u64,
    /// What views of it may do. On Windows this shows only to those who may write to it; to others
    /// it is `ReadWrite`.
    pub protection: Protection,
    /// Which other users may open it. On Windows an object's descriptor can say more than there is
    /// a word for here: this is what it grants to everyone, or else to this user's group.
    pub sharing: Sharing,
    /// When it was made, where that is known.
    pub created: Option<SystemTime>,
    /// The pid that made it, in its maker's pid namespace. Not known on Windows.
    pub creator: Option<u32>,
    /// The uid of its owner. Windows has none.
    pub owner: Option<u32>,
    /// The pids of the processes with a handle to it, as far as this user may look. Other users'
    /// processes are not seen without privilege, nor those of a pid namespace beside this one. On
    /// macOS and Windows none are seen. A process that merely has the file open is no holder.
    pub holders: Vec<u32>,
    /// The file that is its memory, as its maker wrote it down: for a section over a file, on Unix.
    pub file: Option<PathBuf>,
    /// What a sync object is like at this moment.
    pub state: Option<State>,
    /// About how many threads sleep until they can have it. Who was killed meanwhile may be counted.
    pub waiting: Option<u32>,
}

/// What [`prune`] gave back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// How many dead objects there were.
    pub objects: u64,
    /// How many bytes they had.
    pub bytes: u64,
}

/// Every live object that this user may look at, by name. The dead are swept on the way.
///
/// # Platforms
///
/// On Windows these are the named file mappings of all programs, in this logon session and in the
/// machine's namespace, which are the same one for services. Each is opened for a moment, and so
/// held: a name whose last holder goes just then lives that moment longer.
///
/// # Errors
///
/// The directory of objects cannot be read.
pub fn list() -> Result<Vec<Entry>> {
    let entries = object::list().map_err(|e| e.during("list objects", ""))?;
    Ok(entries.into_iter().map(Entry::from).collect())
}

/// The live object called `name`.
///
/// # Errors
///
/// [`NotFound`](ErrorKind::NotFound): no process holds it.
pub fn find(name: impl AsRef<str>) -> Result<Entry> {
    let name = Name::new(name.as_ref())?;
    let found = object::find(&name).and_then(|found| {
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "no process holds it"))
    });
    found.map(Entry::from).map_err(|error| error.during("find", Quoted(&name.to_string())))
}

/// Gives back what dead processes left, which creating and listing also do in passing. On Windows
/// there is never anything: the kernel takes it back at once.
///
/// # Errors
///
/// The directory of objects cannot be read.
pub fn prune() -> Result<Pruned> {
    let swept = object::prune().map_err(|e| e.during("prune", ""))?;
    Ok(Pruned { objects: swept.objects, bytes: swept.bytes })
}

impl From<object::Entry> for Entry {
    fn from(entry: object::Entry) -> Entry {
        let object::Entry {
            name,
            kind,
            len,
            protection,
            sharing,
            created,
            creator,
            owner,
            holders,
            file,
            state,
            waiting,
        } = entry;
        Entry {
            name,
            kind,
            len,
            protection,
            sharing,
            created,
            creator,
            owner,
            holders,
            file,
            state,
            waiting,
        }
    }
}
