//! Open file description locks (`fcntl_locking(2)`), from which all liveness is derived.
//!
//! Such a lock belongs to one open file description. The kernel drops it when the description ends:
//! when its last descriptor is closed and its last mapping is unmapped, however its process dies.
#![allow(unsafe_code, reason = "rustix has process-associated locks only")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use crate::error::{Error, ErrorKind, Result};

/// Returns the error for a lock operation that failed. `what` names the operation.
fn failed(what: &'static str, error: io::Error) -> Error {
    let remedy = match error.raw_os_error() {
        // The arguments of these calls are always valid, so EINVAL means that the kernel does not
        // know the command.
        Some(libc::EINVAL | libc::ENOSYS | libc::EOPNOTSUPP | libc::ENOLCK) => {
            "the file system or this kernel does not provide open file description locks \
             (F_OFD_SETLK); set PAGEMATE_DIR to a directory on a local file system such as tmpfs"
        }
        // The kernel's fcntl(2) does not return EPERM, so a sandbox refused the call.
        Some(libc::EPERM) => {
            "a sandbox (seccomp) forbids open file description locks (fcntl with F_OFD_SETLK and \
             F_OFD_GETLK); allow them, because pagemate detects by them which processes are alive"
        }
        _ => return Error::os(what, error),
    };
    Error::os_as(ErrorKind::Unsupported, format!("{what}: {remedy}"), error)
}

/// The lock that other descriptions hold on the name of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// No lock: the object is dead.
    Nobody,
    /// The shared lock of at least one handle.
    Handles,
    /// The exclusive lock of a process that is removing the name.
    Sweeper,
}

/// Returns the holders of the lock, without taking it.
pub(crate) fn ask(fd: BorrowedFd<'_>) -> Result<Holder> {
    Ok(match get(fd, of_byte(0, libc::F_WRLCK)?)? {
        found if found == libc::c_int::from(libc::F_UNLCK) => Holder::Nobody,
        found if found == libc::c_int::from(libc::F_RDLCK) => Holder::Handles,
        _ => Holder::Sweeper,
    })
}

/// Returns whether another description holds the exclusive lock of a byte.
///
/// Shared locks do not count: every user who may read the file can hold one.
pub(crate) fn is_excluded_at(fd: BorrowedFd<'_>, byte: u64) -> Result<bool> {
    Ok(get(fd, of_byte(byte, libc::F_RDLCK)?)? != libc::c_int::from(libc::F_UNLCK))
}

/// The byte whose shared lock means that the memory is in use. A handle takes this lock together with
/// the lock of its name, and does not release it with the name: a view that is still mapped keeps the
/// description open, and with it this lock.
const MEMORY: u64 = 1;

/// Takes the shared locks of a handle. Returns false if a sweeper has an exclusive one.
pub(crate) fn try_share(fd: BorrowedFd<'_>) -> Result<bool> {
    let mut lock = of_byte(0, libc::F_RDLCK)?;
    lock.l_len = 2;
    set(fd, lock)
}

/// Takes the exclusive lock of the memory. Returns false if a handle or a view uses it.
pub(crate) fn try_exclude_memory(fd: BorrowedFd<'_>) -> Result<bool> {
    try_exclude_at(fd, MEMORY)
}

/// Releases the lock of the name.
pub(crate) fn release(fd: BorrowedFd<'_>) -> Result<()> {
    release_at(fd, 0)
}

/// Releases the lock of a byte.
pub(crate) fn release_at(fd: BorrowedFd<'_>, byte: u64) -> Result<()> {
    set(fd, of_byte(byte, libc::F_UNLCK)?).map(|_| ())
}

/// Takes the exclusive lock of the name, as a sweeper does. Returns false if another description has a
/// lock of it.
pub(crate) fn try_exclude(fd: BorrowedFd<'_>) -> Result<bool> {
    try_exclude_at(fd, 0)
}

/// Takes the exclusive lock of a byte. Returns false if another description has a lock of it.
pub(crate) fn try_exclude_at(fd: BorrowedFd<'_>, byte: u64) -> Result<bool> {
    set(fd, of_byte(byte, libc::F_WRLCK)?)
}

/// Returns the type of a lock through another description that conflicts with `lock`, or `F_UNLCK`.
fn get(fd: BorrowedFd<'_>, mut lock: Flock) -> Result<libc::c_int> {
    call(fd, libc::F_OFD_GETLK, &mut lock)
        .map_err(|error| failed("its lock cannot be tested", error))?;
    Ok(lock.l_type.into())
}

/// Sets `lock`. Returns false if a lock through another description conflicts with it.
fn set(fd: BorrowedFd<'_>, mut lock: Flock) -> Result<bool> {
    match call(fd, libc::F_OFD_SETLK, &mut lock) {
        Ok(()) => Ok(true),
        Err(error) if matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => {
            Ok(false)
        }
        Err(error) => Err(failed("its lock cannot be taken", error)),
    }
}

cfg_select! {
    all(target_os = "linux", target_pointer_width = "32", not(target_arch = "x86_64")) => {
        /// `flock` has 32-bit offsets on these systems, which cannot express the bytes of seats.
        use libc::flock64 as Flock;

        /// Calls fcntl(2) by its number, because the C library's function takes `flock`.
        ///
        /// # Safety
        ///
        /// `command` is one that takes a pointer to a `flock64`.
        unsafe fn fcntl(fd: RawFd, command: libc::c_int, lock: &mut Flock) -> libc::c_int {
            // SAFETY: by the contract of this function the command takes a pointer to a `flock64`, and
            // `lock` is borrowed for longer than the call.
            unsafe { libc::syscall(libc::SYS_fcntl64, fd, command, std::ptr::from_mut(lock)) }
        }
    }
    _ => {
        use libc::flock as Flock;

        /// Calls fcntl(2).
        ///
        /// # Safety
        ///
        /// `command` is one that takes a pointer to a `flock`.
        unsafe fn fcntl(fd: RawFd, command: libc::c_int, lock: &mut Flock) -> libc::c_int {
            // SAFETY: by the contract of this function the command takes a pointer to a `flock`, and
            // `lock` is borrowed for longer than the call.
            unsafe { libc::fcntl(fd, command, std::ptr::from_mut(lock)) }
        }
    }
}

fn of_byte(byte: u64, kind: impl Into<libc::c_int>) -> Result<Flock> {
    // SAFETY: a C struct of integers, for which all zeros are valid. The kernel requires a zero `l_pid`.
    let mut lock: Flock = unsafe { std::mem::zeroed() };
    lock.l_type = kind.into().try_into().expect("lock types fit their field");
    lock.l_whence = libc::SEEK_SET.try_into().expect("SEEK_SET fits its field");
    lock.l_start = byte.try_into().map_err(|_| {
        Error::new(ErrorKind::OutOfRange, "its lock is past the last byte that can be locked")
    })?;
    lock.l_len = 1;
    Ok(lock)
}

fn call(fd: BorrowedFd<'_>, command: libc::c_int, lock: &mut Flock) -> io::Result<()> {
    loop {
        // SAFETY: the callers in this file pass F_OFD_GETLK and F_OFD_SETLK, which take this struct.
        let result = unsafe { fcntl(fd.as_raw_fd(), command, lock) };
        if result != -1 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn missing_locks_are_unsupported_and_the_remedy_is_named() {
        let error = failed("its lock cannot be taken", io::Error::from_raw_os_error(libc::EINVAL));
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.raw_os_error(), Some(libc::EINVAL));
        assert!(error.to_string().contains("set PAGEMATE_DIR"), "{error}");
        let error = failed("its lock cannot be taken", io::Error::from_raw_os_error(libc::EPERM));
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("seccomp"), "{error}");
        let error = failed("its lock cannot be taken", io::Error::from_raw_os_error(libc::EIO));
        assert_eq!(error.kind(), ErrorKind::Os);
    }

    /// Returns two descriptions of one new file for reading and writing, and a third one for
    /// reading.
    fn descriptions() -> [std::fs::File; 3] {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("pagemate-lock-{}-{count}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let mut options = std::fs::OpenOptions::new();
        options.read(true).write(true);
        let first = options.create_new(true).open(&path).unwrap();
        let second = options.create_new(false).open(&path).unwrap();
        let reader = std::fs::File::open(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        [first, second, reader]
    }

    #[test]
    fn a_description_finds_the_locks_of_others_and_not_its_own() {
        let files = descriptions();
        let [first, second, reader] = files.each_ref().map(AsFd::as_fd);
        assert_eq!(ask(first).unwrap(), Holder::Nobody);
        assert!(try_share(first).unwrap());
        assert_eq!(ask(first).unwrap(), Holder::Nobody);
        assert_eq!(ask(second).unwrap(), Holder::Handles);
        assert!(try_share(reader).unwrap());
        assert!(!try_exclude(second).unwrap() && !try_exclude_memory(second).unwrap());
        // A shared lock is not reported.
        assert!(!is_excluded_at(second, 0).unwrap() && !is_excluded_at(second, MEMORY).unwrap());
        release(first).unwrap();
        release(reader).unwrap();
        assert_eq!(ask(second).unwrap(), Holder::Nobody);
        assert!(try_exclude(second).unwrap());
        assert_eq!(ask(first).unwrap(), Holder::Sweeper);
        assert!(is_excluded_at(first, 0).unwrap() && !is_excluded_at(first, MEMORY).unwrap());
        assert!(!try_share(first).unwrap());
        // Releasing the lock of the name does not release the lock of the memory.
        assert!(!try_exclude_memory(second).unwrap());
        release_at(first, MEMORY).unwrap();
        release_at(reader, MEMORY).unwrap();
        assert!(try_exclude_memory(second).unwrap());
        assert!(is_excluded_at(first, MEMORY).unwrap());
    }

    #[test]
    fn a_lock_that_a_description_may_not_take_is_an_error() {
        let files = descriptions();
        let error = try_exclude(files[2].as_fd()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EBADF));
        let past_the_end = try_exclude_at(files[0].as_fd(), 1 << 63).unwrap_err();
        assert_eq!(past_the_end.kind(), ErrorKind::OutOfRange);
    }
}
