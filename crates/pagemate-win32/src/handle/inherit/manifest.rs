//! Manifests: memfds by which a process passes inheritable handles to its children.
#![allow(unsafe_code, reason = "the random bytes that the kernel chooses at exec")]

use std::any::Any;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::fs::MemfdFlags;
use rustix::io::FdFlags;

use crate::error::Result;
use crate::pointer::read_unless_null;

/// The name of the memfd of each manifest.
const MANIFEST_NAME: &str = "pagemate:handle";
/// The beginning of the link in `/proc/self/fd` to a manifest.
pub(super) const MANIFEST_LINK: &str = "/memfd:pagemate:handle";
/// The lowest descriptor for a manifest or an object. The numbers of the standard streams are never
/// used, because a child replaces these streams.
pub(super) const FIRST_DESCRIPTOR: RawFd = 3;
/// The maximum length of a manifest. A manifest with the longest object name, of 3,072 bytes, fits.
pub(super) const MAX_MANIFEST_LEN: usize = 4096;

/// The two descriptors without close-on-exec that an inheritable handle owns.
#[derive(Debug)]
pub(crate) struct Inherited {
    pub(super) manifest: OwnedFd,
    /// The number of the object's descriptor, which `_held` owns.
    pub(super) fd: RawFd,
    pub(super) _held: Holder,
}

/// The owner of the object's descriptor.
pub(super) type Holder = Box<dyn Any + Send + Sync>;

impl Inherited {
    /// Returns the numbers of both descriptors.
    pub(crate) fn descriptors(&self) -> [RawFd; 2] {
        [self.manifest.as_raw_fd(), self.fd]
    }
}

/// Creates a manifest without close-on-exec.
pub(super) fn write_manifest(text: &str) -> Result<OwnedFd> {
    let manifest = rustix::fs::memfd_create(MANIFEST_NAME, MemfdFlags::CLOEXEC)?;
    let manifest = rustix::io::fcntl_dupfd_cloexec(manifest, FIRST_DESCRIPTOR)?;
    rustix::io::fcntl_setfd(&manifest, FdFlags::empty())?;
    rustix::io::pwrite(&manifest, text.as_bytes(), 0)?;
    Ok(manifest)
}

/// The length in bytes of the random data that identifies a program.
const MARK_LEN: usize = 16;

/// Returns the mark of the running program: random bytes that the kernel chooses at `exec`, in
/// hexadecimal.
///
/// Each manifest begins with the mark of the program that created it. `exec` changes the mark, and
/// a forked child keeps it. So a process with another mark than the manifest's has to restore the
/// handle.
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

/// The contents of a manifest.
pub(super) struct Manifest<'a> {
    /// The mark of the program that created the manifest.
    pub(super) mark: &'a str,
    pub(super) handle: usize,
    pub(super) access: u32,
    pub(super) kind: &'a str,
    pub(super) fd: RawFd,
    /// The device and inode of the object.
    pub(super) file: (u64, u64),
    /// For a section its length, for a process its number, otherwise zero.
    pub(super) len: u64,
    pub(super) name: &'a str,
}

impl<'a> Manifest<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Manifest<'a>> {
        let mut parts = text.splitn(9, ' ');
        let parsed = Manifest {
            mark: parts.next()?,
            handle: parts.next()?.parse().ok()?,
            access: parts.next()?.parse().ok()?,
            kind: parts.next()?,
            fd: parts.next()?.parse().ok()?,
            file: (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?),
            len: parts.next()?.parse().ok()?,
            name: parts.next()?,
        };
        // The table does not accept larger handles.
        (parsed.fd >= 0 && parsed.handle <= 1 << 26).then_some(parsed)
    }
}
