//! Mutexes.
//!
//! The kernel gives a mutex again to a thread that has it, and counts. Here that is refused.
#![allow(unsafe_code, reason = "Win32 calls")]

use std::cell::Cell;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle};
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use windows_sys::Win32::System::Threading::{GetCurrentThreadId, ReleaseMutex};

use super::super::{Got, Home, Spec};
use super::inside::{Place, Words};
use super::{kernel, wait};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::object::{Existing, native};

/// A handle to a lock, which threads of this process may share.
#[derive(Debug)]
pub(crate) struct Mutex {
    /// One in memory of the user's has none before it is locked: until then it may be that what
    /// stands there is something else, which is to be left as it is.
    handle: OnceLock<OwnedHandle>,
    /// The id of the thread that took the lock by this handle; zero is none. It stays there if that
    /// thread ends, and its id may become another's.
    holder: AtomicU32,
    /// Where it stands, if that is in memory of the user's.
    place: Option<Place>,
}

/// By which handle a thread has a lock.
#[derive(Clone, Copy, Debug)]
enum Mine {
    ByThis,
    ByAnother,
}

impl Mine {
    fn refused(self) -> Error {
        let cause = match self {
            Mine::ByThis => "this thread has it already, and would wait for itself",
            Mine::ByAnother => {
                "this thread has it already, by another handle, and would wait for itself"
            }
        };
        Error::new(ErrorKind::InvalidInput, cause)
    }
}

thread_local! {
    /// How many locks this thread took and has not given back.
    #[allow(clippy::missing_const_for_thread_local, reason = "seen where it is emulated only")]
    static HELD: Cell<u32> = const { Cell::new(0) };
}

/// The calling thread.
fn this_thread() -> u32 {
    // SAFETY: it tells a number, which is never zero.
    unsafe { GetCurrentThreadId() }
}

impl Mutex {
    fn new(handle: OwnedHandle) -> Mutex {
        Mutex { handle: handle.into(), holder: AtomicU32::new(0), place: None }
    }

    /// What was just made, and is this thread's if it was to be locked from the start.
    fn made(handle: OwnedHandle, spec: &Spec) -> Mutex {
        let mutex = Mutex::new(handle);
        if spec.is_locked() {
            mutex.have(Got::Released);
        }
        mutex
    }

    pub(crate) fn create(name: &Name, spec: &Spec, existing: Existing) -> Result<(Mutex, bool)> {
        Ok(match kernel::create(name, spec, existing)? {
            (handle, true) => (Mutex::made(handle, spec), true),
            (handle, false) => (Mutex::new(handle), false),
        })
    }

    pub(crate) fn open(name: &Name) -> Result<Mutex> {
        kernel::open(name, kernel::MUTEX).map(Mutex::new)
    }

    #[allow(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "other systems can fail at it"
    )]
    pub(crate) fn check_name(&self) -> Result<()> {
        Ok(())
    }

    pub(crate) fn unnamed(spec: &Spec) -> Result<Mutex> {
        Ok(Mutex::made(kernel::unnamed(spec)?, spec))
    }

    /// The mutex of a handle that somebody handed us.
    pub(crate) fn of(handle: OwnedHandle) -> Result<Mutex> {
        kernel::taken(handle, kernel::MUTEX).map(Mutex::new)
    }

    /// A mutex that stands in memory of the user's.
    ///
    /// # Safety
    ///
    /// As [`Place::new`].
    #[allow(clippy::unnecessary_wraps, reason = "other systems can fail at it")]
    pub(crate) unsafe fn inside(
        words: NonNull<Words>,
        _: u64,
        home: Box<dyn Home>,
    ) -> Result<Mutex> {
        // SAFETY: the caller's promise.
        let place = unsafe { Place::new(words, home) };
        Ok(Mutex { handle: OnceLock::new(), holder: AtomicU32::new(0), place: Some(place) })
    }

    /// Its handle, once there is one.
    pub(crate) fn handle(&self) -> BorrowedHandle<'_> {
        self.handle.get().expect("it was opened").as_handle()
    }

    /// The handle to wait by.
    fn opened(&self) -> Result<BorrowedHandle<'_>> {
        let handle = match (self.handle.get(), &self.place) {
            (None, Some(place)) => {
                let handle = place.open()?;
                // If another thread is faster, either is good.
                self.handle.get_or_init(|| handle).as_handle()
            }
            _ => self.handle(),
        };
        Ok(handle)
    }

    /// Takes the lock; `None` if it could not be had in time.
    pub(crate) fn lock(&self, deadline: Deadline) -> Result<Option<Got>> {
        let handle = self.opened()?;
        match self.mine(handle) {
            // Who only looks finds that somebody has it.
            Some(Mine::ByAnother) if matches!(deadline, Deadline::Now) => return Ok(None),
            Some(mine) => return Err(mine.refused()),
            None => {}
        }
        let got = wait::one(handle, deadline)?;
        Ok(got.map(|got| self.have(got)))
    }

    /// Gives the lock back; false if this thread does not have it by this handle.
    pub(crate) fn unlock(&self) -> bool {
        if self.holder.load(Ordering::Relaxed) != this_thread() {
            return false;
        }
        self.holder.store(0, Ordering::Relaxed);
        _ = HELD.try_with(|held| held.set(held.get().saturating_sub(1)));
        if let Some(place) = &self.place {
            place.leave();
        }
        // SAFETY: the handle is open. It fails for a thread that only has the id of one that had it.
        unsafe { ReleaseMutex(self.handle().as_raw_handle()) != 0 }
    }

    /// Whether this thread has it by this handle.
    pub(crate) fn is_mine(&self) -> bool {
        self.holder.load(Ordering::Relaxed) == this_thread()
            && native::is_owned(self.handle()).unwrap_or(true)
    }

    /// What to wait for, if this thread does not have it already.
    pub(super) fn prepared(&self) -> Result<BorrowedHandle<'_>> {
        let handle = self.opened()?;
        self.mine(handle).map_or(Ok(handle), |mine| Err(mine.refused()))
    }

    /// Whether this thread has it already: it would have it twice, and not know.
    fn mine(&self, handle: BorrowedHandle<'_>) -> Option<Mine> {
        if self.is_mine() {
            return Some(Mine::ByThis);
        }
        let by_another = has_any() && native::is_owned(handle) == Some(true);
        by_another.then_some(Mine::ByAnother)
    }

    /// Notes that this thread has it, and tells how.
    pub(super) fn have(&self, got: Got) -> Got {
        self.holder.store(this_thread(), Ordering::Relaxed);
        _ = HELD.try_with(|held| held.set(held.get().saturating_add(1)));
        self.place.as_ref().map_or(got, |place| place.enter(got))
    }
}

/// Whether this thread may have any lock.
fn has_any() -> bool {
    // Of a thread that is ending nobody knows.
    HELD.try_with(|held| held.get() != 0).unwrap_or(true)
}
