//! The reservation of memory for a file.

use std::os::fd::BorrowedFd;

use rustix::fs::FallocateFlags;
use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

/// The number of bytes that one call reserves. If a signal interrupts the call, the kernel undoes
/// the whole call, so a longer call might never succeed in a program with a timer.
const STEP: u64 = 2 << 20;

/// Reserves memory for the file from offset `from` on, and makes the file `to` bytes long.
pub(crate) fn reserve(fd: BorrowedFd<'_>, from: u64, to: u64) -> rustix::io::Result<()> {
    check_file_limit(to)?;
    let mut at = from;
    while at < to {
        let step = STEP.min(to - at);
        match rustix::fs::fallocate(fd, FallocateFlags::empty(), at, step) {
            Ok(()) => at += step,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Fails with `FBIG` if `len` exceeds this process's limit for the length of files. Without this
/// check the kernel would send SIGXFSZ, which ends the process.
pub(crate) fn check_file_limit(len: u64) -> rustix::io::Result<()> {
    match getrlimit(Resource::Fsize).current {
        Some(limit) if limit < len => Err(Errno::FBIG),
        _ => Ok(()),
    }
}
