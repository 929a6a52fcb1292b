//! Lists live objects and their holders, and reclaims the memory of dead ones.
//!
//! An object is *live* while some process holds it. An object is *dead* when its last holder was
//! killed before it could remove the object's file. A dead object's name is free, but its file keeps
//! its memory until pagemate removes it. Only Unix has dead objects: on Windows the kernel reclaims
//! everything at once.

use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::access::{Protection, Sharing};
use crate::error::{Error, ErrorKind, Quoted, Result};
use crate::kind::Kind;
use crate::name::{Name, ToName};
use crate::sys::object;

use crate::channel;
use crate::sys::object_state::LONGEST;
pub use crate::sys::object_state::State;
use crate::sys::sync;

/// A live object, as it was when it was listed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Entry {
    /// The name of the object.
    pub name: Name,
    /// The kind of the object.
    pub kind: Kind,
    /// The length of its memory in bytes.
    pub len: u64,
    /// The upper limit for the access of its views. On Windows only a user that may write to the
    /// object can query it; for other users it is `ReadWrite`.
    pub protection: Protection,
    /// The other users that may open it. If a Windows security descriptor grants rights that
    /// [`Sharing`] cannot express, this is the access that it grants to everyone, or else to this
    /// user's group.
    pub sharing: Sharing,
    /// The time of its creation. Not known on Windows.
    pub created: Option<SystemTime>,
    /// The pid of its creator, in the creator's pid namespace. Not known on Windows.
    pub creator: Option<u32>,
    /// The uid of its owner. Not known on Windows.
    pub owner: Option<u32>,
    /// The pids of the processes with a handle to the object, as far as this user may inspect them.
    /// Processes of other users are visible only with privilege; processes of a sibling pid
    /// namespace are not visible. A process that has the file open but has no lock on it is not a
    /// holder. Empty on macOS and Windows.
    pub holders: Vec<u32>,
    /// The path of the file under a section over a file, as its creator recorded it. Only on Unix.
    pub file: Option<PathBuf>,
    /// The origin of a mirrored section, as its creator described it: see `SectionOptionsExt::mirror` in
    /// `os::unix`. Only on Unix.
    pub origin: Option<String>,
    /// The state of a sync object or a channel. Not known on Windows.
    pub state: Option<State>,
    /// The approximate number of threads that wait for a sync object. A thread that was killed while
    /// it waited may still be counted. Not known on Windows.
    pub waiting: Option<u32>,
}

impl Entry {
    /// Returns the name of the service if this object is the channel for the responses to one of its clients: see
    /// [`request`](crate::channel::request). This is decided by the name alone, so a program can choose such a name for
    /// another channel.
    pub fn service(&self) -> Option<Name> {
        let is_channel = matches!(self.kind, Kind::Channel);
        is_channel.then(|| channel::request::service_of(&self.name)).flatten()
    }
}

/// The result of [`list`](fn@list).
#[derive(Debug)]
#[non_exhaustive]
pub struct Listing {
    /// The live objects that this user may inspect, in order of name.
    pub entries: Vec<Entry>,
    /// An error for each live object that cannot be described, because its file is damaged
    /// ([`Corrupted`](ErrorKind::Corrupted)), or because an incompatible release of pagemate created it
    /// ([`WrongVersion`](ErrorKind::WrongVersion), [`WrongKind`](ErrorKind::WrongKind)). The error names
    /// the file, because the name that a damaged file stores is unreliable. Empty on Windows.
    pub damaged: Vec<Error>,
    /// An error for each directory of objects that cannot be used. [`prune`] leaves it out, too. Empty on
    /// Windows.
    pub unreachable: Vec<Error>,
}

/// The result of [`prune`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pruned {
    /// The number of dead objects that were removed.
    pub objects: u64,
    /// The number of bytes that they occupied.
    pub bytes: u64,
}

/// Returns every live object that this user may inspect, and the reasons why others are left out.
///
/// On Unix this call also removes dead objects.
///
/// # Platforms
///
/// On Windows the list has the named file mappings of all programs, in the namespaces of this logon
/// session and of the machine (for services both are the same). The call opens each mapping for a
/// moment, and so holds it: a name whose last holder closes it at that moment lives that much longer.
///
/// # Errors
///
/// The error of the operating system if no directory of objects can be read. If one of two can be, see
/// [`Listing::unreachable`].
///
/// # Examples
///
/// ```
/// # fn main() -> pagemate::Result<()> {
/// for entry in pagemate::inventory::list()?.entries {
///     println!("{} {:?} {} bytes", entry.name, entry.kind, entry.len);
/// }
/// # Ok(())
/// # }
/// ```
pub fn list() -> Result<Listing> {
    let during = |error: Error| error.during("list objects", "");
    let listed = object::list(read_state).map_err(during)?;
    Ok(Listing {
        entries: listed.entries.into_iter().map(Entry::from).collect(),
        damaged: listed.damaged.into_iter().map(during).collect(),
        unreachable: listed.unreachable.into_iter().map(during).collect(),
    })
}

/// Returns the names of the live objects of this kind that this user may inspect, in order.
///
/// It takes less time than [`list`](fn@list), because it does not look for the holders. Mirrors are left out:
/// their names belong to another system (`SectionOptionsExt::mirror` in `os::unix`). On Windows only sections
/// are found.
///
/// # Errors
///
/// Those of [`list`](fn@list).
pub fn names(kind: Kind) -> Result<Vec<Name>> {
    object::names(kind).map_err(|error| error.during("list names", ""))
}

/// Returns the live object named `name`.
///
/// # Errors
///
/// - [`NotFound`](ErrorKind::NotFound): no process holds an object of this name.
/// - [`InvalidName`](ErrorKind::InvalidName): see [`Name::new`].
pub fn find(name: impl ToName) -> Result<Entry> {
    let name = name.to_name()?;
    let found = object::find(&name, read_state).and_then(|found| {
        found.ok_or_else(|| Error::new(ErrorKind::NotFound, "no process holds it"))
    });
    found.map(Entry::from).map_err(|error| error.during("find", Quoted(&name.to_string())))
}

/// Removes dead objects and frees their memory.
///
/// Creating and listing objects also do this in passing. A program needs this call only to free the
/// memory at a certain time. On Windows it does nothing, because the kernel frees the memory at once.
///
/// # Errors
///
/// The error of the operating system if no directory of objects can be read.
pub fn prune() -> Result<Pruned> {
    let swept = object::prune().map_err(|e| e.during("prune", ""))?;
    Ok(Pruned { objects: swept.objects, bytes: swept.bytes })
}

/// Reads the state of an object from its first bytes: see [`sys::object_state`](crate::sys::object_state).
fn read_state(
    kind: Kind,
    bytes: &[u8; LONGEST],
    is_alive: &dyn Fn(u32) -> io::Result<bool>,
) -> Option<(State, u32)> {
    match kind {
        Kind::Channel => channel::read_state(bytes, is_alive),
        kind => sync::read_state(kind, bytes, is_alive),
    }
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
            origin,
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
            origin,
            state,
            waiting,
        }
    }
}
