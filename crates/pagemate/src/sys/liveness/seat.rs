//! Seats in a file: exclusive locks on bytes past its end, held by a description that a child closes.
//!
//! All handles of a process to one file share that description, so that many handles cost one
//! descriptor more. It is opened with the handle and not at the first lock: by then a server may have
//! given up the right to open the file. For the same reason a child of `fork(3)` opens one of its own
//! before `fork` returns in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::ops::Bound;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Weak};

use rustix::fs::Stat;

use super::fork::{self, Alone, Birth, Hook, PerProcess};
use super::lock;
use super::slot::{self, Slot};
use super::token::Token;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::fault;

/// Seats are numbered from this one.
pub(crate) const FIRST: u32 = 1;

/// The last number of a seat in the file. Numbers come round to the first one again. Higher ones are
/// those of [`Token`]s.
const LAST: u32 = (1 << 29) - 1;

/// How many bytes each lock has for its seats.
const BYTES: u64 = 1 << 30;

/// How many numbers that a process has are passed over.
const TRIES: u32 = 1 << 12;

/// Where the bytes of seats begin: past the end of every object.
const FIRST_BYTE: u64 = 1 << 62;

/// Where a file is, if it has a name.
pub(crate) trait Origin: Send + Sync {
    /// Opens the file once more by its name, for where `/proc` is missing.
    fn open(&self) -> io::Result<OwnedFd>;

    /// The directory that the file is in.
    fn directory(&self) -> io::Result<Arc<dyn AsFd>>;
}

/// The seats that this process has, or may take, in one file. Its clones and all others that were
/// opened for the same file share one description.
#[derive(Clone, Debug)]
pub(crate) struct Seats(Arc<File>);

struct File {
    id: Id,
    origin: Option<Box<dyn Origin>>,
    state: PerProcess<State>,
}

/// Changed by a thread that is [`Alone`].
#[derive(Debug, Default)]
struct State {
    /// The description. A child that was not noticed opens its own when it needs one.
    slot: Option<&'static Slot>,
    /// The bytes that are locked through it. The kernel grants a lock to the same description again,
    /// so that two handles would not notice each other.
    taken: BTreeSet<u64>,
    /// The tokens of this process, by their seats.
    tokens: BTreeMap<u32, &'static Slot>,
}

/// Device and inode of a file.
type Id = (u64, u64);

fn id_of(stat: &Stat) -> Id {
    #[allow(clippy::unnecessary_cast, clippy::cast_sign_loss, reason = "narrower on some systems")]
    (stat.st_dev as u64, stat.st_ino)
}

/// The files in which this process has seats.
static FILES: PerProcess<BTreeMap<Id, Weak<File>>> = PerProcess::new();

static IN_CHILDREN: Hook = Hook::new(in_child);

impl Seats {
    /// Opens a description for seats in the file that `file` is open on, or shares the one that is
    /// there.
    ///
    /// # Errors
    ///
    /// `Unsupported` where it cannot be opened for want of `/proc` and of a name.
    pub(crate) fn open(file: BorrowedFd<'_>, origin: Option<Box<dyn Origin>>) -> Result<Seats> {
        let stat = look(file)?;
        let id = id_of(&stat);
        // No reference is dropped under the lock, which the end of the last one takes.
        let known = known(id);
        if let Some(known) = known {
            let own = known.description(file, &mut fork::alone())?;
            // The numbers of inodes without a name may come again.
            if is_same(&look(own)?, &look(file)?) {
                return Ok(Seats(known));
            }
        }
        let new = Arc::new(File { id, origin, state: PerProcess::new() });
        new.description(file, &mut fork::alone())?;
        FILES.get(&mut fork::alone()).insert(id, Arc::downgrade(&new));
        Ok(Seats(new))
    }

    /// Takes a seat at the lock that is `at` bytes into the memory of `file`. `next` gives a number
    /// that no process was given before.
    pub(crate) fn take(
        &self,
        file: BorrowedFd<'_>,
        at: u64,
        mut next: impl FnMut() -> u32,
    ) -> Result<u32> {
        let first = first_byte(at)?;
        let mut alone = fork::alone();
        let own = self.0.description(file, &mut alone)?;
        fault::point("seat-after-open");
        for _ in 0..TRIES {
            let seat = next() % LAST + FIRST;
            let byte = first + u64::from(seat);
            if self.0.state.get(&mut alone).taken.contains(&byte) {
                continue;
            }
            let taken = lock::try_exclude_at(own, byte);
            if taken.map_err(|e| Error::os("a seat at it cannot be taken", e))? {
                self.0.state.get(&mut alone).taken.insert(byte);
                fault::point("seat-after-take");
                return Ok(seat);
            }
            if !lock::is_excluded_at(own, byte)
                .map_err(|e| Error::os("its lock cannot be read", e))?
            {
                // A shared lock, which no seat has: a reader of the file is in the way.
                return self.0.take_token(file, &mut alone);
            }
        }
        let cause = "other processes hold locks on every seat at it that was tried";
        Err(Error::new(ErrorKind::TimedOut, cause))
    }

    /// Whether this process has the seat, by any handle.
    pub(crate) fn has(&self, at: u64, seat: u32) -> bool {
        let Ok(first) = first_byte(at) else { return false };
        let mut alone = fork::alone();
        self.0.state.get(&mut alone).taken.contains(&(first + u64::from(seat)))
    }

    /// Leaves a seat that this process took.
    pub(crate) fn leave(&self, at: u64, seat: u32) {
        if let Some(token) = Token::of(seat) {
            return self.0.leave_token(token, &mut fork::alone());
        }
        let Ok(first) = first_byte(at) else { return };
        let byte = first + u64::from(seat);
        let mut alone = fork::alone();
        let state = self.0.state.get(&mut alone);
        if state.taken.remove(&byte)
            && let Some(fd) = state.slot.and_then(Slot::fd)
        {
            // Should it fail, the seat stays taken for as long as the description is there.
            _ = lock::release_at(fd, byte);
        }
    }
}

/// Whether a process has this seat at the lock that is `at` bytes into the memory of `file`, whose
/// description holds no seats.
///
/// Only an exclusive lock counts. A user that may only read the file can hold shared locks alone, and
/// would otherwise make every dead owner look alive. The file tells nothing of a [`Token`], which is
/// taken for alive.
pub(crate) fn is_taken(file: BorrowedFd<'_>, at: u64, seat: u32) -> Result<bool> {
    if Token::of(seat).is_some() {
        return Ok(true);
    }
    let byte = first_byte(at)? + u64::from(seat);
    lock::is_excluded_at(file, byte).map_err(|e| Error::os("its lock cannot be read", e))
}

/// Where the seats of the lock begin that is `at` bytes into a file's memory.
fn first_byte(at: u64) -> Result<u64> {
    // Locks are aligned to eight bytes. Each may have as many seats as there are numbers.
    let first = (at / 8).checked_mul(BYTES).and_then(|at| at.checked_add(FIRST_BYTE));
    first.filter(|first| i64::try_from(first + u64::from(LAST)).is_ok()).ok_or_else(|| {
        let cause = "it stands too far from the beginning of its section";
        Error::new(ErrorKind::OutOfRange, cause)
    })
}

/// The file, if this process has seats in it.
fn known(id: Id) -> Option<Arc<File>> {
    let mut alone = fork::alone();
    IN_CHILDREN.register(&mut alone);
    FILES.get(&mut alone).get(&id).and_then(Weak::upgrade)
}

impl File {
    /// The description that has the seats of this process, opened now if there is none.
    fn description(&self, file: BorrowedFd<'_>, alone: &mut Alone) -> Result<BorrowedFd<'static>> {
        if let Some(fd) = self.state.get(alone).slot.and_then(Slot::fd) {
            return Ok(fd);
        }
        let opened = self.open(file)?;
        let slot = slot::fill(opened, fork::current(alone), alone);
        let state = self.state.get(alone);
        // The locks of a description that the program closed are gone.
        state.taken.clear();
        state.slot = Some(slot);
        slot.fd().ok_or_else(|| Error::new(ErrorKind::Os, "its descriptor was closed meanwhile"))
    }

    /// Opens the file once more, with locks of its own.
    fn open(&self, file: BorrowedFd<'_>) -> Result<OwnedFd> {
        let is_it =
            |opened: &OwnedFd| look(opened.as_fd()).is_ok_and(|stat| id_of(&stat) == self.id);
        let by_name = || self.origin.as_ref()?.open().ok().filter(is_it);
        // By its name first, which takes half as long.
        by_name().map_or_else(|| by_proc(file).map_err(refused), Ok)
    }

    /// Takes a seat beside the file.
    fn take_token(&self, file: BorrowedFd<'_>, alone: &mut Alone) -> Result<u32> {
        let in_the_way = |cause| {
            let cause = format!("a process that may read it holds locks on its seats, and {cause}");
            Error::new(ErrorKind::TimedOut, cause)
        };
        let Some(origin) = &self.origin else {
            return Err(in_the_way("without a name there is no other place for them"));
        };
        let user = rustix::process::geteuid();
        if !user.is_root() && user.as_raw() != look(file)?.st_uid {
            return Err(in_the_way("only its owner's processes can make others"));
        }
        let made = origin.directory().and_then(|dir| Token::make((*dir).as_fd()));
        let (token, fd) = made.map_err(|e| Error::os("no seat can be made beside it", e))?;
        let slot = slot::fill(fd, fork::current(alone), alone);
        self.state.get(alone).tokens.insert(token.seat(), slot);
        Ok(token.seat())
    }

    fn leave_token(&self, token: Token, alone: &mut Alone) {
        let Some(slot) = self.state.get(alone).tokens.remove(&token.seat()) else { return };
        if let Some(dir) = self.origin.as_ref().and_then(|origin| origin.directory().ok()) {
            token.remove((*dir).as_fd());
        }
        slot.empty();
    }

    /// In a forked child: replaces the parent's description by one of its own. Where that fails, the
    /// first call that needs it tries again, and tells why.
    fn renew(&self, generation: u32, alone: &mut Alone) {
        let state = self.state.inherit(alone);
        state.taken.clear();
        state.tokens.clear();
        let Some(slot) = state.slot else { return };
        match slot.fd().and_then(|parents| self.open(parents).ok()) {
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
        let mut alone = fork::alone();
        if let Some(slot) = self.state.get(&mut alone).slot.take() {
            slot.empty();
        }
        let files = FILES.get(&mut alone);
        if files.get(&self.id).is_some_and(|file| file.strong_count() == 0) {
            files.remove(&self.id);
        }
    }
}

/// In a child: leaves the parent's seats to the parent. A child of `fork(3)` opens descriptions of its
/// own while it has the rights of its parent.
fn in_child(birth: Birth, alone: &mut Alone) {
    let generation = fork::current(alone);
    let mut at = Bound::Unbounded;
    while birth == Birth::Forked
        && let Some((id, file)) = FILES.inherit(alone).range((at, Bound::Unbounded)).next()
    {
        at = Bound::Excluded(*id);
        // This does not drop the last reference: one that can be had is a handle's.
        if let Some(file) = file.upgrade() {
            file.renew(generation, alone);
        }
    }
    slot::close_others(generation);
}

cfg_select! {
    target_os = "linux" => {
        fn by_proc(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
            use std::ffi::CStr;
            use std::io::Write;
            use std::os::fd::AsRawFd;

            use rustix::fs::{CWD, Mode, OFlags};

            // On the stack, since a child of `fork(3)` calls this.
            let mut path = [0; 32];
            write!(&mut path[..31], "/proc/self/fd/{}", fd.as_raw_fd())?;
            let path = CStr::from_bytes_until_nul(&path).expect("the last byte is zero");
            let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY;
            Ok(rustix::fs::openat(CWD, path, flags, Mode::empty())?)
        }

        fn refused(error: io::Error) -> Error {
            match error.kind() {
                io::ErrorKind::NotFound => {
                    let cause = "mutexes need /proc, which is not there";
                    Error::os_as(ErrorKind::Unsupported, cause, error)
                }
                io::ErrorKind::PermissionDenied => {
                    let cause = "this process may not open it once more, by /proc or by its name; \
                        open or lock it before giving up the right";
                    Error::os(cause, error)
                }
                _ => Error::os("it cannot be opened once more, by /proc", error),
            }
        }
    }
    _ => {
        fn by_proc(_: BorrowedFd<'_>) -> io::Result<OwnedFd> {
            Err(io::ErrorKind::Unsupported.into())
        }

        fn refused(_: io::Error) -> Error {
            let cause = "mutexes in memory without a name are not to be had on this system";
            Error::new(ErrorKind::Unsupported, cause)
        }
    }
}

fn look(fd: BorrowedFd<'_>) -> Result<Stat> {
    rustix::fs::fstat(fd).map_err(|e| Error::os("it cannot be looked at", e.into()))
}

fn is_same(one: &Stat, other: &Stat) -> bool {
    let time = |stat: &Stat| (stat.st_ctime, stat.st_ctime_nsec);
    id_of(one) == id_of(other) && time(one) == time(other)
}
