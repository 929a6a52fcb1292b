//! Seats: which users of an object are alive, by the kernel's word.
//!
//! Who may have to be missed (the owner of a lock) takes a seat at the object: a number that nobody
//! else has or had, and an exclusive lock on the byte of the object's file that stands for it. The
//! number goes where others see it, into the word of a lock; that byte's lock tells whether the seat
//! is still taken, and the kernel drops it at every kind of death. Numbers count up and are not used
//! again, so that nobody sits down where somebody just died.
//!
//! A forked child has its parent's descriptors, but is not its parent. So these locks have a
//! descriptor of their own, which the child closes before it does anything else.
#![allow(unsafe_code, reason = "descriptors that are closed where they are no one's property")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Object, fork, lock, refusal};
use crate::error::{Error, ErrorKind, Result};
use crate::primitive::AtomicU32;
use crate::sys::fault;

/// Seats are numbered from this one.
pub(crate) const FIRST: u32 = 1;

/// Up to this one, and then again.
pub(crate) const LAST: u32 = (1 << 30) - 1;

/// How often a number that somebody has is passed over.
const TRIES: u32 = 1 << 12;

/// Where the bytes of seats begin: past the end of every object.
const FIRST_BYTE: u64 = 1 << 62;

/// The descriptors of this process' seats, which a child is not to have.
static DESCRIPTORS: Mutex<BTreeSet<RawFd>> = Mutex::new(BTreeSet::new());

type Descriptors = MutexGuard<'static, BTreeSet<RawFd>>;

fn descriptors() -> Descriptors {
    DESCRIPTORS.lock().unwrap_or_else(PoisonError::into_inner)
}

thread_local! {
    /// What the thread that forks holds while it does. Without a destructor, so that it is also there
    /// for one that forks at its very end.
    static HELD: RefCell<ManuallyDrop<Option<Descriptors>>> =
        const { RefCell::new(ManuallyDrop::new(None)) };
}

/// Before a fork: keeps others from opening and closing any.
pub(super) fn hold_still() {
    let held = descriptors();
    HELD.with_borrow_mut(|place| **place = Some(held));
}

/// After a fork, in the parent.
pub(super) fn go_on() {
    HELD.with_borrow_mut(|place| drop(place.take()));
}

/// After a fork, in the child.
pub(super) fn leave_all() {
    let Some(mut held) = HELD.with_borrow_mut(|place| place.take()) else { return };
    while let Some(fd) = held.pop_first() {
        // SAFETY: it is open, and nobody in this process uses it any more: who has it in its `Seats`
        // finds that it is from another life.
        drop(unsafe { OwnedFd::from_raw_fd(fd) });
    }
}

/// The descriptor that has the locks of this handle's seats, once there is one.
#[derive(Debug, Default)]
pub(crate) struct Seats {
    /// The life it is from, and the descriptor plus one; zero is none. It changes only while
    /// `DESCRIPTORS` is locked.
    own: AtomicU64,
}

impl Seats {
    fn own(&self) -> Option<RawFd> {
        let own = self.own.load(Ordering::Relaxed);
        let fd = RawFd::try_from(own & u64::from(u32::MAX)).ok()?.checked_sub(1)?;
        (own >> 32 == u64::from(fork::life()) && fd >= 0).then_some(fd)
    }

    fn keep(&self, fd: OwnedFd, descriptors: &mut Descriptors) -> RawFd {
        let fd = fd.into_raw_fd();
        descriptors.insert(fd);
        let own = u64::from(fork::life()) << 32 | u64::from(fd.unsigned_abs() + 1);
        self.own.store(own, Ordering::Relaxed);
        fd
    }

    /// Takes the [`FIRST`] seat at an object that nobody else has seen yet.
    pub(super) fn first(object: BorrowedFd<'_>) -> Result<Seats> {
        // Before there is one: a child is to close it.
        _ = fork::now();
        let mut descriptors = descriptors();
        let seats = Seats::default();
        let own = reopened(object)?;
        let taken = lock::try_exclude_at(own.as_fd(), FIRST_BYTE + u64::from(FIRST));
        taken.map_err(|e| Error::os("a seat at it cannot be taken", e))?;
        seats.keep(own, &mut descriptors);
        Ok(seats)
    }
}

impl Drop for Seats {
    fn drop(&mut self) {
        if *self.own.get_mut() == 0 {
            return;
        }
        let mut descriptors = descriptors();
        if let Some(fd) = self.own()
            && descriptors.remove(&fd)
        {
            // SAFETY: it is open, and ours alone.
            drop(unsafe { OwnedFd::from_raw_fd(fd) });
        }
    }
}

/// Where the seats of one lock begin; `cell` is where it stands in the object's memory, in bytes.
fn first_byte(cell: u64) -> Result<u64> {
    // Locks are aligned to eight bytes. Each may have as many seats as there are numbers.
    let first =
        (cell / 8).checked_mul(u64::from(LAST) + 1).and_then(|at| at.checked_add(FIRST_BYTE));
    first.filter(|first| i64::try_from(first + u64::from(LAST)).is_ok()).ok_or_else(|| {
        let cause = "it stands too far from the beginning of its section";
        Error::new(ErrorKind::OutOfRange, cause)
    })
}

impl Object {
    /// The descriptor that tells about seats.
    fn hall(&self) -> Result<BorrowedFd<'_>> {
        self.fd.as_ref().map(AsFd::as_fd).ok_or_else(|| {
            let cause = "a section over a file needs a name to have a lock in it";
            Error::new(ErrorKind::Unsupported, cause)
        })
    }

    /// Takes a seat at the lock that stands at `cell`; `next` is its word that counts them.
    pub(crate) fn take_seat(&self, cell: u64, next: &AtomicU32) -> Result<u32> {
        use crate::primitive::Ordering;
        let first = first_byte(cell)?;
        // Before there is one: the child is to close it.
        _ = fork::now();
        let mut descriptors = descriptors();
        let own = match self.seats.own() {
            Some(fd) => fd,
            None => self.seats.keep(self.again()?, &mut descriptors),
        };
        // SAFETY: it is open as long as it stands there and the descriptors are locked.
        let own = unsafe { BorrowedFd::borrow_raw(own) };
        fault::point("seat-after-open");
        for _ in 0..TRIES {
            let seat = next.fetch_add(1, Ordering::Relaxed) % LAST + FIRST;
            let taken = lock::try_exclude_at(own, first + u64::from(seat));
            if taken.map_err(|e| Error::os("a seat at it cannot be taken", e))? {
                fault::point("seat-after-take");
                return Ok(seat);
            }
        }
        Err(refusal::busy())
    }

    /// Gives a seat back that this process took.
    pub(crate) fn leave_seat(&self, cell: u64, seat: u32) {
        let _descriptors = descriptors();
        if let (Some(own), Ok(first)) = (self.seats.own(), first_byte(cell)) {
            // SAFETY: it is open as long as it stands there and the descriptors are locked.
            let own = unsafe { BorrowedFd::borrow_raw(own) };
            // Should it fail, the seat stays taken for as long as the handle is there.
            _ = lock::release_at(own, first + u64::from(seat));
        }
    }

    /// Whether somebody has this seat at the lock that stands at `cell`.
    pub(crate) fn is_seat_taken(&self, cell: u64, seat: u32) -> Result<bool> {
        is_taken(self.hall()?, cell, seat)
    }
}

/// The same for whoever has the object's file open.
pub(super) fn is_taken(hall: BorrowedFd<'_>, cell: u64, seat: u32) -> Result<bool> {
    let at = first_byte(cell)? + u64::from(seat);
    lock::is_excluded_at(hall, at).map_err(|e| Error::os("its lock cannot be read", e))
}

cfg_select! {
    target_os = "linux" => {
        /// Opens a file once more, with locks of its own.
        fn reopened(fd: BorrowedFd<'_>) -> Result<OwnedFd> {
            use std::os::fd::AsRawFd;

            use rustix::fs::{CWD, Mode, OFlags};
            use rustix::io::Errno;
            let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
            let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY;
            rustix::fs::openat(CWD, path, flags, Mode::empty()).map_err(|error| match error {
                Errno::NOENT => {
                    let cause = "mutexes need /proc, which is not there";
                    Error::os_as(ErrorKind::Unsupported, cause, error.into())
                }
                error => Error::os("it cannot be opened once more, by /proc", error.into()),
            })
        }

        impl Object {
            /// The same for the object's.
            fn again(&self) -> Result<OwnedFd> {
                reopened(self.hall()?)
            }
        }
    }
    _ => {
        fn not_here<T>(cause: &'static str) -> Result<T> {
            Err(Error::new(ErrorKind::Unsupported, cause))
        }

        fn reopened(_: BorrowedFd<'_>) -> Result<OwnedFd> {
            not_here("a mutex that is locked from the start is not to be had on this system")
        }

        impl Object {
            /// Opens the object's file once more, by its name, which it has as long as it is held.
            fn again(&self) -> Result<OwnedFd> {
                let Some(named) = &self.named else {
                    return not_here("locks in memory without a name are not to be had here");
                };
                let place = named.place.again().ok_or_else(refusal::not_found)?;
                place.open(crate::access::Access::ReadWrite).map_err(refusal::cannot_open)
            }
        }
    }
}
