//! The description of an object in the last 4,096 bytes of its file. `docs/layout.md` has the map.

use std::mem::MaybeUninit;
use std::os::fd::BorrowedFd;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::Stat;

use super::file_record;
use super::stored::{self, stored};
use crate::access::{Access, Protection, Sharing};
use crate::error::{Error, ErrorKind, Result};
use crate::kind::Kind;
use crate::name::{Name, Namespace};
use crate::sys::object::Spec;

/// The trailer's length in bytes.
pub(crate) const LEN: u64 = 4096;

/// Returns how many bytes of a trailer an opener of `name` has to read.
pub(crate) fn read_len(name: &Name) -> usize {
    NAME_AT + name.as_bytes().len()
}

/// A buffer for a whole trailer.
pub(crate) const EMPTY_BUFFER: [MaybeUninit<u8>; 4096] = [MaybeUninit::uninit(); 4096];

/// The remedy for damage: the object ends with its last holder.
const REMEDY: &str = "end the processes that hold it, and create it again";

const MAGIC: [u8; 8] = *b"PAGEMATE";
const VERSION: u32 = 1;
/// The offset of the name. Its 1,024 UTF-16 units take at most 3,072 bytes of UTF-8.
const NAME_AT: usize = 1024;

stored! {
    struct Header {
        magic: [u8; 8],
        version: u32,
        kind: u8,
        protection: u8,
        memory: u8,
        others_write: u8,
        data_len: u64,
        created_ns: u64,
        creator: u32,
        name_len: u32,
        /// 0 in a live object. A sweep sets it to 1 after it has found the object dead, and then removes the
        /// name.
        removed: u8,
        zero: [u8; 3],
        /// Feature bits: properties that a reader has to know to use the object. This release defines
        /// none.
        features: u32,
        /// The length that the creator asked for.
        asked_len: u64,
    }
}

const _: () = assert!(size_of::<Header>() == 56);

const REMOVED_AT: u64 = std::mem::offset_of!(Header, removed) as u64;

/// The file that contains an object's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// The object's own file. The memory is before the trailer.
    SameFile,
    /// A user's file. The object's own file has a [`FileRecord`](file_record::FileRecord) before
    /// the trailer. Other users get no right to write to that record, so the trailer stores whether
    /// they may write to the memory.
    UserFile { others_write: bool },
    /// A file that only its creator could open: the object is a mirror. The object's own file has a
    /// record that leads to the creator's descriptor.
    Mirror,
}

/// A trailer that has passed all checks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trailer<'a> {
    pub(crate) kind: Kind,
    pub(crate) protection: Protection,
    pub(crate) memory: Memory,
    pub(crate) data_len: u64,
    /// The length that the creator asked for: at most `data_len`.
    pub(crate) asked_len: u64,
    pub(crate) created: SystemTime,
    pub(crate) creator: u32,
    /// Whether a sweep found the object dead.
    pub(crate) removed: bool,
    /// The stored name without its prefix. It may be illegal, or not UTF-8:
    /// [`name`](Trailer::name) checks it.
    pub(crate) bare: &'a [u8],
}

impl Trailer<'_> {
    /// Returns the name. Fails if it is not a legal one.
    pub(crate) fn name(&self, namespace: Namespace) -> Result<Name> {
        let bare = str::from_utf8(self.bare).map_err(|_| no_name())?;
        Name::from_parts(namespace, bare).map_err(|_| no_name())
    }
}

fn no_name() -> Error {
    Error::new(ErrorKind::Corrupted, "its trailer has no legal name; ".to_owned() + REMEDY)
}

/// Returns the number of bytes before the trailer of a new object.
pub(crate) fn data_len(spec: &Spec<'_>) -> u64 {
    if spec.file.is_some() { file_record::LEN } else { spec.len }
}

fn lets_others_write(sharing: Sharing) -> bool {
    matches!(sharing, Sharing::Group(Access::ReadWrite) | Sharing::Everyone(Access::ReadWrite))
}

/// An encoded trailer.
pub(crate) struct Encoded {
    bytes: [u8; 4096],
    len: usize,
}

impl Encoded {
    /// Returns the trailer without the zeros at its end.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// Encodes a new object's trailer.
pub(crate) fn encode(name: &Name, spec: &Spec<'_>, creator: u32) -> Encoded {
    let created = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let bare = name.as_bytes();
    let header = Header {
        magic: MAGIC,
        version: VERSION,
        kind: match spec.kind {
            Kind::Section => 1,
            Kind::Mutex => 2,
            Kind::Event => 3,
            Kind::Semaphore => 4,
            Kind::Channel => 5,
        },
        protection: match spec.protection {
            Protection::ReadOnly => 1,
            Protection::ReadWrite => 2,
        },
        memory: match (spec.file, spec.origin) {
            (None, _) => 0,
            (Some(_), None) => 1,
            (Some(_), Some(_)) => 2,
        },
        others_write: (spec.file.is_some() && lets_others_write(spec.sharing)).into(),
        data_len: data_len(spec),
        created_ns: created.as_nanos().try_into().unwrap_or(u64::MAX),
        creator,
        name_len: bare.len().try_into().expect("a name has at most 3072 bytes"),
        removed: 0,
        zero: [0; 3],
        features: 0,
        asked_len: if spec.file.is_some() { 0 } else { spec.asked_len },
    };
    let mut trailer = Encoded { bytes: [0; 4096], len: NAME_AT + bare.len() };
    trailer.bytes[..size_of::<Header>()].copy_from_slice(&header.to_bytes());
    trailer.bytes[NAME_AT..trailer.len].copy_from_slice(bare);
    trailer
}

/// Returns whether the file ends in a trailer of any version.
pub(crate) fn is_present(fd: BorrowedFd<'_>, stat: &Stat) -> bool {
    let mut magic = [0; MAGIC.len()];
    let at = u64::try_from(stat.st_size).ok().and_then(|len| len.checked_sub(LEN));
    at.is_some_and(|at| rustix::io::pread(fd, &mut magic, at) == Ok(magic.len()) && magic == MAGIC)
}

/// Returns the offset of the trailer in a file, which is the end of the data.
pub(crate) fn offset_in(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or(0).saturating_sub(LEN)
}

/// Marks the object as dead in its trailer. The caller holds the exclusive lock.
pub(crate) fn mark_removed(fd: BorrowedFd<'_>, stat: &Stat) {
    // A failure is harmless unless another program linked the file to a second name: without that
    // link, the link count tells openers that the name was removed.
    _ = rustix::io::pwrite(fd, &[1], offset_in(stat) + REMOVED_AT);
}

/// Decodes the trailer of a file of `file_len` bytes. Another program may have written `bytes`, so
/// every field is checked.
pub(crate) fn decode(bytes: &[u8], file_len: u64) -> Result<Trailer<'_>> {
    let corrupted = |cause| Error::new(ErrorKind::Corrupted, format!("{cause}; {REMEDY}"));
    let header = Header::from_prefix(bytes)
        .ok_or_else(|| corrupted("its file is cut short and has no whole trailer"))?;
    if header.magic != MAGIC {
        return Err(corrupted("its file does not end in a trailer of pagemate's"));
    }
    if header.version != VERSION {
        let cause = format!(
            "an incompatible release created it, with layout {}, and this release reads {VERSION}; use \
             one release for all processes that share it",
            header.version
        );
        return Err(Error::new(ErrorKind::WrongVersion, cause));
    }
    if header.features != 0 {
        let cause = format!(
            "a newer release created it, with features {:#x} that this release does not know; use one \
             release for all processes that share it",
            header.features
        );
        return Err(Error::new(ErrorKind::WrongVersion, cause));
    }
    let kind = match header.kind {
        1 => Kind::Section,
        2 => Kind::Mutex,
        3 => Kind::Event,
        4 => Kind::Semaphore,
        5 => Kind::Channel,
        // The trailer has the layout of this release, so the object is not damaged, but of a newer
        // release.
        unknown => {
            let cause = format!(
                "the name belongs to an object of kind {unknown}, which only a newer release knows"
            );
            return Err(Error::new(ErrorKind::WrongKind, cause));
        }
    };
    let protection = match header.protection {
        1 => Protection::ReadOnly,
        2 => Protection::ReadWrite,
        _ => return Err(corrupted("its trailer contains an unknown protection")),
    };
    let memory = match (header.memory, header.others_write) {
        (0, 0) => Memory::SameFile,
        (1, 0) => Memory::UserFile { others_write: false },
        (1, 1) => Memory::UserFile { others_write: true },
        (2, 0) => Memory::Mirror,
        _ => return Err(corrupted("its trailer contains an unknown kind of memory")),
    };
    if memory != Memory::SameFile && header.data_len != file_record::LEN {
        return Err(corrupted(
            "it is over a user's file, but has no space for the record of that file",
        ));
    }
    if header.data_len == 0 || header.data_len.checked_add(LEN) != Some(file_len) {
        return Err(corrupted("its trailer and its file disagree about the length"));
    }
    if header.asked_len > header.data_len {
        return Err(corrupted("its trailer has a requested length that its memory cannot hold"));
    }
    // A section over a user's file stores 0 here, and the requested length in its record.
    let asked_len = if header.asked_len == 0 { header.data_len } else { header.asked_len };
    let bare = usize::try_from(header.name_len)
        .ok()
        .and_then(|len| bytes.get(NAME_AT..NAME_AT.checked_add(len)?))
        .ok_or_else(no_name)?;
    let created = UNIX_EPOCH + Duration::from_nanos(header.created_ns);
    let creator = header.creator;
    let (data_len, removed) = (header.data_len, header.removed != 0);
    Ok(Trailer { kind, protection, memory, data_len, asked_len, created, creator, removed, bare })
}
