//! Notes: the descriptors by which a parent tells its children about an inheritable handle.
#![allow(unsafe_code, reason = "the random bytes that the kernel chooses at exec")]

use std::any::Any;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::fs::MemfdFlags;
use rustix::io::FdFlags;

use crate::error::Result;
use crate::pointer::read_unless_null;

/// The name of each note's memfd.
const NOTE_NAME: &str = "pagemate:handle";
/// The beginning of the link in `/proc/self/fd` to a note.
pub(super) const NOTE_LINK: &str = "/memfd:pagemate:handle";
/// The lowest descriptor for a note or an object. The numbers of the standard streams are never
/// used, because a child would use them for its own streams.
pub(super) const FIRST_DESCRIPTOR: RawFd = 3;
/// The maximum length of a note, which is more than an object's name of 3,072 bytes needs.
pub(super) const MAX_NOTE_LEN: usize = 4096;

/// The descriptors that keep an inheritable handle for later children.
#[derive(Debug)]
pub(crate) struct Inherited {
    pub(super) note: OwnedFd,
    /// The number of the descriptor in `_held`.
    pub(super) fd: RawFd,
    pub(super) _held: Holder,
}

/// The owner of the descriptor of an object that a child inherits.
pub(super) type Holder = Box<dyn Any + Send + Sync>;

impl Inherited {
    /// Returns the descriptors that a child inherits.
    pub(crate) fn descriptors(&self) -> [RawFd; 2] {
        [self.note.as_raw_fd(), self.fd]
    }
}

/// Creates a note without close-on-exec.
pub(super) fn write_note(text: &str) -> Result<OwnedFd> {
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
pub(super) fn program_mark() -> String {
    // SAFETY: `getauxval` reads only the auxiliary vector of this process.
    let random = unsafe { libc::getauxval(libc::AT_RANDOM) };
    let random = std::ptr::with_exposed_provenance(usize::try_from(random).unwrap_or(0));
    // SAFETY: `AT_RANDOM` is the address of 16 random bytes that live as long as the program; zero,
    // which is null, means that it is missing.
    let random: [u8; MARK_LEN] = unsafe { read_unless_null(random) }.unwrap_or_default();
    format!("{:032x}", u128::from_ne_bytes(random))
}

/// Returns the device and inode of a descriptor.
pub(super) fn file_of(fd: BorrowedFd<'_>) -> Result<(u64, u64)> {
    let stat = rustix::fs::fstat(fd)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// The contents of a note.
pub(super) struct Note<'a> {
    /// The mark of the program that created the note.
    pub(super) mark: &'a str,
    pub(super) handle: usize,
    pub(super) access: u32,
    pub(super) kind: &'a str,
    pub(super) fd: RawFd,
    /// The device and inode of the object.
    pub(super) file: (u64, u64),
    /// The length of a section, or the number of a process.
    pub(super) len: u64,
    pub(super) name: &'a str,
}

impl<'a> Note<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Note<'a>> {
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
}
