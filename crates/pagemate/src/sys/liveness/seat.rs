//! Seats in a file: exclusive locks on bytes past its end. One description of the file holds them,
//! and forked children close it.
//!
//! All handles of a process to one file share that description, so that many handles cost one
//! additional descriptor. The description is opened together with the first handle, and not at the
//! first lock, because a server may give up the right to open the file in between. For the same
//! reason a child of `fork(3)` opens its own description before `fork` returns in the child.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::ops::Bound;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Weak};

use rustix::fs::Stat;

use super::descriptor_slot::{self, Slot};
use super::fork::{self, ForkKind, Hook, PerProcess, ProcessGuard};
use super::lock;
use super::seat_file::{self, SeatFile};
use crate::error::{Error, ErrorKind, Result};
use crate::sys::fault;

/// The first number of a seat.
pub(crate) const FIRST: u32 = 1;

/// The last number of a seat in the file, after which the numbers wrap around. Higher numbers are those of
/// [`SeatFile`]s.
const LAST: u32 = (1 << 29) - 1;

/// The number of bytes that each mutex has for its seats.
const BYTES: u64 = 1 << 30;

/// The number of attempts to take a seat. An attempt fails if a live process has the number.
const TRIES: u32 = 1 << 12;

/// The offset of the first byte of seats, past the end of every object.
const FIRST_BYTE: u64 = 1 << 62;

/// The location of a file that has a name.
pub(crate) trait Origin: Send + Sync {
    /// Opens the file again by its name, which works without `/proc`.
    fn open(&self) -> io::Result<OwnedFd>;

    /// Returns the directory that contains the file.
    fn directory(&self) -> io::Result<Arc<dyn AsFd>>;
}

/// The seats of this process in one file. All values for the same file share one description.
#[derive(Clone, Debug)]
pub(crate) struct Seats(Arc<File>);

struct File {
    id: Id,
    origin: Option<Box<dyn Origin>>,
    state: PerProcess<State>,
}

/// The seats of one process in one file.
#[derive(Debug, Default)]
struct State {
    /// The description. A child of a bare `clone` opens its own when it first needs one.
    slot: Option<&'static Slot>,
    /// The bytes that this process has locked through the description. The kernel grants a lock
    /// again to the description that holds it. Without this set, two handles of this process could
    /// take the same seat.
    taken: BTreeSet<u64>,
    /// The seat files of this process, by their seats.
    seat_files: BTreeMap<u32, &'static Slot>,
}

/// Device and inode of a file.
type Id = (u64, u64);

fn id_of(stat: &Stat) -> Id {
    #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss, reason = "narrower on some systems")]
    (stat.st_dev as u64, stat.st_ino)
}

/// The files for which this process has a [`Seats`].
static FILES: PerProcess<BTreeMap<Id, Weak<File>>> = PerProcess::new();

static CHILD_HOOK: Hook = Hook::new(in_child);

impl Seats {
    /// Opens a description for seats in the file of `file`, or shares the existing one.
    ///
    /// # Errors
    ///
    /// `Unsupported` if there is neither `/proc` nor a name to open the file by.
    pub(crate) fn open(file: BorrowedFd<'_>, origin: Option<Box<dyn Origin>>) -> Result<Seats> {
        let stat = stat_of(file)?;
        let id = id_of(&stat);
        // Look the file up in a separate statement. Dropping the last reference to it runs
        // `File::drop`, which takes the process lock, so this thread must not drop a reference
        // while it holds that lock.
        let existing = find_existing(id);
        if let Some(existing) = existing {
            let own = existing.description(file, &mut fork::lock_process())?;
            // Compare the files: a file system may reuse the inode number of an unnamed file.
            if is_same_file(&stat_of(own)?, &stat_of(file)?) {
                return Ok(Seats(existing));
            }
        }
        let new = Arc::new(File { id, origin, state: PerProcess::new() });
        new.description(file, &mut fork::lock_process())?;
        FILES.get(&mut fork::lock_process()).insert(id, Arc::downgrade(&new));
        Ok(Seats(new))
    }

    /// Takes a seat for the mutex at offset `at` of `file`. `next` returns a number that it has returned
    /// to no process before.
    pub(crate) fn take(
        &self,
        file: BorrowedFd<'_>,
        at: u64,
        mut next: impl FnMut() -> u32,
    ) -> Result<u32> {
        let first = first_byte(at)?;
        let mut guard = fork::lock_process();
        let own = self.0.description(file, &mut guard)?;
        fault::point("seat-after-open");
        for _ in 0..TRIES {
            let seat = next() % LAST + FIRST;
            let byte = first + u64::from(seat);
            if self.0.state.get(&mut guard).taken.contains(&byte) {
                continue;
            }
            if lock::try_exclude_at(own, byte)? {
                self.0.state.get(&mut guard).taken.insert(byte);
                fault::point("seat-after-take");
                return Ok(seat);
            }
            if !lock::is_excluded_at(own, byte)? {
                // Another description has a shared lock on this byte: a user who may only read the
                // file blocks it.
                return self.0.take_seat_file(file, &mut guard);
            }
        }
        let cause = "other processes hold locks on all 4096 seats of it that were tried";
        Err(Error::new(ErrorKind::TimedOut, cause))
    }

    /// Returns whether this process has the seat, by any handle.
    pub(crate) fn has(&self, at: u64, seat: u32) -> bool {
        let Ok(first) = first_byte(at) else { return false };
        let mut guard = fork::lock_process();
        self.0.state.get(&mut guard).taken.contains(&(first + u64::from(seat)))
    }

    /// Releases a seat that this process took.
    pub(crate) fn release(&self, at: u64, seat: u32) {
        if let Some(file) = SeatFile::of(seat) {
            return self.0.release_seat_file(file, &mut fork::lock_process());
        }
        let Ok(first) = first_byte(at) else { return };
        let byte = first + u64::from(seat);
        let mut guard = fork::lock_process();
        let state = self.0.state.get(&mut guard);
        if state.taken.remove(&byte)
            && let Some(fd) = state.slot.and_then(Slot::fd)
        {
            // If this fails, the seat stays locked until the description is closed.
            _ = lock::release_at(fd, byte);
        }
    }
}

/// Returns whether a live process has this seat of the mutex at offset `at` of `file`. The description
/// of `file` must not hold seats, because the kernel does not report a description's own locks.
///
/// Only an exclusive lock counts. A user who may only read the file can hold shared locks, and would
/// otherwise make every dead owner appear alive. The seat of a [`SeatFile`] is reported as live, because its
/// lock is not in this file.
pub(crate) fn is_taken(file: BorrowedFd<'_>, at: u64, seat: u32) -> Result<bool> {
    if SeatFile::of(seat).is_some() {
        return Ok(true);
    }
    let byte = first_byte(at)? + u64::from(seat);
    lock::is_excluded_at(file, byte)
}

/// Returns the byte before the first seat of the mutex at offset `at`.
fn first_byte(at: u64) -> Result<u64> {
    // Mutexes are aligned to eight bytes, so each multiple of eight has a range of bytes of its own.
    let first = (at / 8).checked_mul(BYTES).and_then(|at| at.checked_add(FIRST_BYTE));
    first.filter(|first| i64::try_from(first + u64::from(LAST)).is_ok()).ok_or_else(|| {
        let cause = "it is too far from the beginning of its section: place it in the first 32 GiB";
        Error::new(ErrorKind::OutOfRange, cause)
    })
}

/// Returns the file if this process has a [`Seats`] for it.
fn find_existing(id: Id) -> Option<Arc<File>> {
    let mut guard = fork::lock_process();
    CHILD_HOOK.register(&mut guard);
    FILES.get(&mut guard).get(&id).and_then(Weak::upgrade)
}

impl File {
    /// Returns the description of this process' seats, and opens it if there is none.
    fn description(
        &self,
        file: BorrowedFd<'_>,
        guard: &mut ProcessGuard,
    ) -> Result<BorrowedFd<'static>> {
        if let Some(fd) = self.state.get(guard).slot.and_then(Slot::fd) {
            return Ok(fd);
        }
        let opened = self.open(file)?;
        let slot = descriptor_slot::store(opened, fork::current(guard), guard);
        let state = self.state.get(guard);
        // If the program closed the previous description, the kernel has dropped its locks.
        state.taken.clear();
        state.slot = Some(slot);
        slot.fd().ok_or_else(|| {
            let cause =
                "the program closed a descriptor of pagemate's: close only your own descriptors";
            Error::new(ErrorKind::Os, cause)
        })
    }

    /// Opens the file again, as a new description with its own locks.
    fn open(&self, file: BorrowedFd<'_>) -> Result<OwnedFd> {
        let is_this =
            |opened: &OwnedFd| stat_of(opened.as_fd()).is_ok_and(|stat| id_of(&stat) == self.id);
        let by_name = || self.origin.as_ref()?.open().ok().filter(is_this);
        // Try the name first, which takes half as long as `/proc`.
        by_name().map_or_else(|| open_by_proc(file).map_err(cannot_reopen), Ok)
    }

    /// Takes a seat by a seat file, because another user's shared locks block the seats in the file.
    fn take_seat_file(&self, file: BorrowedFd<'_>, guard: &mut ProcessGuard) -> Result<u32> {
        let blocked = |cause| {
            let cause = format!("a process that may read it holds locks on its seats, and {cause}");
            Error::new(ErrorKind::TimedOut, cause)
        };
        let Some(origin) = &self.origin else {
            return Err(blocked("it has no name, so there is no directory for a seat file"));
        };
        let user = rustix::process::geteuid();
        if !user.is_root() && user.as_raw() != stat_of(file)?.st_uid {
            return Err(blocked("only processes of its owner can create seat files"));
        }
        let dir = origin.directory().map_err(seat_file::cannot_create)?;
        let (file, fd) = SeatFile::create((*dir).as_fd())?;
        let slot = descriptor_slot::store(fd, fork::current(guard), guard);
        self.state.get(guard).seat_files.insert(file.seat(), slot);
        Ok(file.seat())
    }

    fn release_seat_file(&self, file: SeatFile, guard: &mut ProcessGuard) {
        let Some(slot) = self.state.get(guard).seat_files.remove(&file.seat()) else { return };
        if let Some(dir) = self.origin.as_ref().and_then(|origin| origin.directory().ok()) {
            file.remove((*dir).as_fd());
        }
        slot.close();
    }

    /// Replaces the parent's description by a new one, in a forked child. If that fails, the first call
    /// that needs the description tries again and returns the error.
    fn reopen_in_child(&self, generation: u32, guard: &mut ProcessGuard) {
        let state = self.state.inherit(guard);
        state.taken.clear();
        state.seat_files.clear();
        let Some(slot) = state.slot else { return };
        match slot.fd().and_then(|inherited| self.open(inherited).ok()) {
            Some(own) => slot.replace(own, generation),
            None => state.slot = None,
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let mut guard = fork::lock_process();
        if let Some(slot) = self.state.get(&mut guard).slot.take() {
            slot.close();
        }
        let files = FILES.get(&mut guard);
        if files.get(&self.id).is_some_and(|file| file.strong_count() == 0) {
            files.remove(&self.id);
        }
    }
}

/// Closes the parent's descriptions, in a child. A child of `fork(3)` opens new ones first, while it
/// still has the rights of its parent.
fn in_child(kind: ForkKind, guard: &mut ProcessGuard) {
    let generation = fork::current(guard);
    let mut at = Bound::Unbounded;
    while kind == ForkKind::Forked
        && let Some((id, file)) = FILES.inherit(guard).range((at, Bound::Unbounded)).next()
    {
        at = Bound::Excluded(*id);
        // This is never the last reference to the file. A handle has another one, and no thread of
        // the child can drop that handle during this call.
        if let Some(file) = file.upgrade() {
            file.reopen_in_child(generation, guard);
        }
    }
    descriptor_slot::close_others(generation);
}

cfg_select! {
    target_os = "linux" => {
        fn open_by_proc(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
            use std::ffi::CStr;
            use std::io::Write;
            use std::os::fd::AsRawFd;

            use rustix::fs::{CWD, Mode, OFlags};

            // The path is on the stack: a child of `fork(3)` calls this function, and must not
            // allocate memory there.
            let mut path = [0; 32];
            write!(&mut path[..31], "/proc/self/fd/{}", fd.as_raw_fd())?;
            let path = CStr::from_bytes_until_nul(&path).expect("the last byte is zero");
            let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY;
            Ok(rustix::fs::openat(CWD, path, flags, Mode::empty())?)
        }

        fn cannot_reopen(error: io::Error) -> Error {
            match error.kind() {
                io::ErrorKind::NotFound => {
                    let cause = "mutexes need /proc, which is not mounted: mount it, or give the object a name";
                    Error::os_as(ErrorKind::Unsupported, cause, error)
                }
                io::ErrorKind::PermissionDenied => {
                    let cause = "this process may not open it again, by /proc or by its name: \
                        open or lock it before giving up the right";
                    Error::os(cause, error)
                }
                _ => Error::os("it cannot be opened again by /proc", error),
            }
        }
    }
    _ => {
        fn open_by_proc(_: BorrowedFd<'_>) -> io::Result<OwnedFd> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn cannot_reopen(_: io::Error) -> Error {
            let cause = "this system does not support mutexes in memory without a name: give it a name";
            Error::new(ErrorKind::Unsupported, cause)
        }
    }
}

fn stat_of(fd: BorrowedFd<'_>) -> Result<Stat> {
    rustix::fs::fstat(fd).map_err(|e| Error::os("its file cannot be inspected (fstat)", e.into()))
}

fn is_same_file(one: &Stat, other: &Stat) -> bool {
    let time = |stat: &Stat| (stat.st_ctime, stat.st_ctime_nsec);
    id_of(one) == id_of(other) && time(one) == time(other)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn memory() -> OwnedFd {
        rustix::fs::memfd_create(c"pagemate-test", rustix::fs::MemfdFlags::CLOEXEC).unwrap()
    }

    #[test]
    fn each_mutex_of_an_object_has_seats_of_its_own() {
        assert_eq!(first_byte(0).unwrap(), 1 << 62);
        assert_eq!(first_byte(8).unwrap(), (1 << 62) + BYTES);
        assert!(first_byte((1 << 35) - 8).is_ok());
        assert_eq!(first_byte(1 << 35).unwrap_err().kind(), ErrorKind::OutOfRange);
        assert_eq!(first_byte(u64::MAX).unwrap_err().kind(), ErrorKind::OutOfRange);
    }

    #[test]
    fn a_seat_is_taken_until_it_is_left() {
        let file = memory();
        let file = file.as_fd();
        let seats = Seats::open(file, None).unwrap();
        assert_eq!(seats.take(file, 0, || 4).unwrap(), 5);
        // The number is in use, so that the next one is tried.
        let mut numbers = 4..;
        assert_eq!(seats.take(file, 0, || numbers.next().unwrap()).unwrap(), 6);
        assert_eq!(seats.take(file, 8, || 4).unwrap(), 5);
        let taken = |at, seat| {
            let is_taken = is_taken(file, at, seat).unwrap();
            assert_eq!(seats.has(at, seat), is_taken);
            is_taken
        };
        assert!(taken(0, 5) && taken(0, 6) && taken(8, 5));
        assert!(!taken(0, 4) && !taken(0, 7) && !taken(8, 6) && !taken(16, 5));
        seats.release(0, 5);
        assert!(!taken(0, 5) && taken(0, 6) && taken(8, 5));
        seats.release(0, 7);
        assert_eq!(seats.take(file, 0, || 4).unwrap(), 5);
        assert!(taken(0, 5));
        // The numbers wrap around.
        assert_eq!(seats.take(file, 0, || LAST).unwrap(), FIRST);
        drop(seats);
        assert!(!is_taken(file, 0, 5).unwrap());
    }

    #[test]
    fn a_seat_file_is_reported_as_taken_and_is_no_seat_in_the_file() {
        let file = memory();
        let in_seat_file = LAST + 1;
        assert!(is_taken(file.as_fd(), 0, in_seat_file).unwrap());
        assert!(SeatFile::of(in_seat_file).is_some() && SeatFile::of(LAST).is_none());
    }

    #[test]
    fn values_for_one_file_share_a_description_and_forget_it_with_the_last() {
        let file = memory();
        let id = id_of(&stat_of(file.as_fd()).unwrap());
        let known = || FILES.get(&mut fork::lock_process()).contains_key(&id);
        let seats = [(); 2].map(|()| Seats::open(file.as_fd(), None).unwrap());
        assert!(Arc::ptr_eq(&seats[0].0, &seats[1].0));
        let [first, second] = seats;
        drop(first);
        assert!(known());
        drop(second);
        assert!(!known());
    }
}
