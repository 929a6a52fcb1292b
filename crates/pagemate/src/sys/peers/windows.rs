//! Peers on Windows, where a thread cannot block until another process changes a word.
//!
//! A seat is a kernel mutex that exists as long as its holder has a handle to it: the kernel closes
//! the handles of a process that ends. A sleeper creates a kernel semaphore for its word, reads the
//! word again, and blocks on the semaphore. The waking thread changes the word first, and then
//! releases the semaphore if it exists. The names of the mutex and of the semaphore contain the
//! random number of the object.

use std::io;
use std::os::windows::io::AsHandle;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::access::{Access, Sharing};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::name::{Name, Namespace};
use crate::primitive::{AtomicU32, Ordering, fence};
use crate::sys::object::{self, Existing, Object, security};
use crate::sys::sync::{LockMemory, Mutex, Semaphore, SleepOn, Spec};

/// The maximum number of wake-ups that a semaphore stores. A later sleeper consumes stored wake-ups
/// that were not used, as spurious wake-ups.
const MAX_WAKES: u32 = 64;

/// The number of attempts to take a seat. An attempt fails if the number is in use.
const TRIES: u32 = 1 << 12;

/// The processes that use an object.
#[derive(Debug)]
pub(crate) struct Peers {
    memory: Arc<dyn LockMemory>,
    id: u64,
    namespace: Namespace,
    sharing: Sharing,
}

impl Peers {
    #[allow(clippy::unnecessary_wraps, reason = "the function of Unix can fail")]
    pub(crate) fn open(
        memory: Arc<dyn LockMemory>,
        _at: u64,
        name: Option<&Name>,
        id: u64,
    ) -> Result<Peers> {
        let namespace = name.map_or(Namespace::Local, Name::namespace);
        // The users that may write to the object also use the mutexes and the semaphores of its
        // processes.
        let sharing = match name.map(object::open_for_descriptor) {
            Some(Ok(handle)) => security::sharing_of(handle.as_handle()).unwrap_or(Sharing::Owner),
            _ => Sharing::Owner,
        };
        let sharing = match sharing {
            Sharing::Group(Access::Read) | Sharing::Everyone(Access::Read) => Sharing::Owner,
            sharing => sharing,
        };
        Ok(Peers { memory, id, namespace, sharing })
    }

    pub(crate) fn object(&self) -> &Object {
        self.memory.object()
    }

    pub(crate) fn take(&self, mut next: impl FnMut() -> u32) -> Result<Seat> {
        let spec = Spec::Mutex { sharing: self.sharing, locked: false };
        for _ in 0..TRIES {
            let number = next() & (SEAT_LIMIT - 1);
            if number == 0 {
                continue;
            }
            match Mutex::create(&self.seat_name(number)?, &spec, Existing::Refuse) {
                Ok((mutex, _)) => return Ok(Seat { number, _mutex: mutex }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        let cause = "other processes hold all 4096 seats of it that were tried";
        Err(Error::new(ErrorKind::TimedOut, cause))
    }

    pub(crate) fn is_alive(&self, seat: u32) -> Result<bool> {
        match Mutex::open(&self.seat_name(seat)?) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            // The mutex exists, and this user has no right to open it.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Ok(true),
            Err(error) => Err(error),
        }
    }

    pub(crate) fn wait(
        &self,
        word: &AtomicU32,
        offset: usize,
        expected: u32,
        time: Duration,
    ) -> io::Result<()> {
        let semaphore = self.sleep_on(word, offset, expected)?;
        if word.load(Ordering::Relaxed) == expected {
            semaphore.acquire(Deadline::after(time)).map_err(io::Error::other)?;
        }
        Ok(())
    }

    pub(crate) fn sleep_on(
        &self,
        _: &AtomicU32,
        offset: usize,
        _expected: u32,
    ) -> io::Result<SleepOn<'_>> {
        let spec = Spec::Semaphore { sharing: self.sharing, count: 0, max: MAX_WAKES };
        let name = self.wake_name(offset).map_err(io::Error::other)?;
        let created = Semaphore::create(&name, &spec, Existing::Open);
        let (semaphore, _) = created.map_err(io::Error::other)?;
        // The semaphore exists before the caller looks for progress: a thread that makes progress later
        // finds the semaphore.
        fence(Ordering::SeqCst);
        Ok(semaphore)
    }

    pub(crate) fn wake(&self, _: &AtomicU32, offset: usize, count: u32) {
        fence(Ordering::SeqCst);
        let Ok(name) = self.wake_name(offset) else { return };
        // If the semaphore does not exist, no thread sleeps on the word.
        let Ok(semaphore) = Semaphore::open(&name) else { return };
        for _ in 0..count.min(MAX_WAKES) {
            if !matches!(semaphore.release(1), Ok(Some(_))) {
                return;
            }
        }
    }

    fn seat_name(&self, seat: u32) -> Result<Name> {
        Name::from_parts(self.namespace, &format!("pagemate-seat-{:016x}-{seat:08x}", self.id))
    }

    fn wake_name(&self, offset: usize) -> Result<Name> {
        Name::from_parts(self.namespace, &format!("pagemate-wake-{:016x}-{offset:x}", self.id))
    }
}

/// The numbers of seats are below this one, as on Unix.
const SEAT_LIMIT: u32 = 1 << 29;

/// A seat that this process took. Dropping it releases the seat.
#[derive(Debug)]
pub(crate) struct Seat {
    number: u32,
    _mutex: Mutex,
}

impl Seat {
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Returns whether this process took the seat. It always did, because Windows does not copy
    /// processes.
    #[inline]
    #[allow(clippy::unused_self, reason = "the function of other systems compares generations")]
    pub(crate) fn is_mine(&self) -> bool {
        true
    }
}

/// The seat of a handle: see [`HandleSeat::take`].
#[derive(Debug)]
pub(crate) struct HandleSeat {
    peers: Peers,
    seat: OnceLock<Seat>,
}

impl HandleSeat {
    pub(crate) fn new(peers: Peers) -> HandleSeat {
        HandleSeat { peers, seat: OnceLock::new() }
    }

    pub(crate) fn peers(&self) -> &Peers {
        &self.peers
    }

    /// Returns the number of the seat, if this process has taken it.
    pub(crate) fn get(&self) -> Option<u32> {
        self.seat.get().map(Seat::number)
    }

    /// Takes a seat, if this process has none, and returns its number. `is_in_use` returns whether the
    /// shared memory contains a number: numbers wrap around, and a process must not take the number that a
    /// dead one left there.
    pub(crate) fn take(
        &self,
        mut next: impl FnMut() -> u32,
        is_in_use: impl Fn(u32) -> bool,
    ) -> Result<u32> {
        if let Some(seat) = self.get() {
            return Ok(seat);
        }
        let mut seat = self.peers.take(&mut next)?;
        while is_in_use(seat.number()) {
            seat = self.peers.take(&mut next)?;
        }
        // If another thread was faster, this drops the second seat.
        Ok(self.seat.get_or_init(|| seat).number())
    }
}
