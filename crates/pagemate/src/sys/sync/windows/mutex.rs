//! Mutexes of the kernel.
//!
//! The kernel's mutexes are recursive: the owner can acquire them again. Here that is an error.
#![allow(unsafe_code, reason = "Win32 calls")]

use std::cell::Cell;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle};
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use windows_sys::Win32::System::Threading::{GetCurrentThreadId, ReleaseMutex};

use super::super::{Acquired, LockMemory, Spec};
use super::embedded::{EmbeddedWords, Words};
use super::{kernel, wait};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::sys::object::{Existing, native};

/// A handle to a mutex, which threads of this process may share.
#[derive(Debug)]
pub(crate) struct Mutex {
    /// The handle of the kernel mutex. An embedded mutex opens it at the first lock. Opening it
    /// writes to the words, and before the first lock the memory may contain data of another kind.
    handle: OnceLock<OwnedHandle>,
    /// The id of the thread that acquired the mutex by this handle, or 0. If that thread ends
    /// without releasing the mutex, the id stays, and the system may give the id to another thread.
    owner: AtomicU32,
    /// The words of an embedded mutex.
    embedded: Option<EmbeddedWords>,
}

/// The handle by which the calling thread owns a mutex.
#[derive(Clone, Copy, Debug)]
enum OwnedBy {
    ThisHandle,
    AnotherHandle,
}

impl OwnedBy {
    fn error(self) -> Error {
        let cause = match self {
            OwnedBy::ThisHandle => {
                "this thread already owns it and would wait for itself: unlock it first"
            }
            OwnedBy::AnotherHandle => {
                "this thread already owns it by another handle and would wait for itself: unlock it first"
            }
        };
        Error::new(ErrorKind::InvalidInput, cause)
    }
}

thread_local! {
    /// The number of mutexes that this thread owns.
    #[allow(clippy::missing_const_for_thread_local, reason = "the lint only fires on targets with emulated thread-locals")]
    static HELD: Cell<u32> = const { Cell::new(0) };
}

/// Returns the id of the calling thread.
fn this_thread() -> u32 {
    // SAFETY: the call has no preconditions. The id is never zero.
    unsafe { GetCurrentThreadId() }
}

impl Mutex {
    fn new(handle: OwnedHandle) -> Mutex {
        Mutex { handle: handle.into(), owner: AtomicU32::new(0), embedded: None }
    }

    /// Returns a new mutex. This thread owns it if `spec` requests that.
    fn created(handle: OwnedHandle, spec: &Spec) -> Mutex {
        let mutex = Mutex::new(handle);
        if spec.is_locked() {
            mutex.record_acquired(Acquired::Released);
        }
        mutex
    }

    pub(crate) fn create(name: &Name, spec: &Spec, existing: Existing) -> Result<(Mutex, bool)> {
        Ok(match kernel::create(name, spec, existing)? {
            (handle, true) => (Mutex::created(handle, spec), true),
            (handle, false) => (Mutex::new(handle), false),
        })
    }

    pub(crate) fn open(name: &Name) -> Result<Mutex> {
        kernel::open(name, kernel::MUTEX).map(Mutex::new)
    }

    #[allow(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "it can fail on other systems"
    )]
    pub(crate) fn check_name(&self) -> Result<()> {
        Ok(())
    }

    pub(crate) fn unnamed(spec: &Spec) -> Result<Mutex> {
        Ok(Mutex::created(kernel::unnamed(spec)?, spec))
    }

    /// Returns the mutex of a handle that another process created and sent.
    pub(crate) fn of(handle: OwnedHandle) -> Result<Mutex> {
        kernel::checked(handle, kernel::MUTEX).map(Mutex::new)
    }

    /// Returns a mutex whose words lie in a user's memory.
    ///
    /// # Safety
    ///
    /// `words` is aligned and refers to readable and writable memory that `memory` keeps mapped at this
    /// address, and that this process accesses by atomics and by copies in assembly only: the contract of
    /// [`EmbeddedWords::new`].
    #[allow(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
    pub(crate) unsafe fn embedded(
        words: NonNull<Words>,
        _: u64,
        memory: Box<dyn LockMemory>,
    ) -> Result<Mutex> {
        // SAFETY: the caller of this function promises the contract of `EmbeddedWords::new`, which is
        // stated above: mapped, aligned words without plain accesses.
        let embedded = unsafe { EmbeddedWords::new(words, memory) };
        Ok(Mutex { handle: OnceLock::new(), owner: AtomicU32::new(0), embedded: Some(embedded) })
    }

    /// Returns the random number of an embedded mutex, and stores it if the mutex has none. All processes
    /// that use the mutex know it.
    pub(crate) fn number(&self) -> Result<u64> {
        self.embedded.as_ref().map_or(Ok(0), EmbeddedWords::number)
    }

    /// Returns the handle of the kernel mutex.
    ///
    /// # Panics
    ///
    /// An embedded mutex was never locked.
    pub(crate) fn handle(&self) -> BorrowedHandle<'_> {
        self.handle.get().expect("a lock opened it").as_handle()
    }

    /// Returns the handle of the kernel mutex, and opens it if necessary.
    fn opened(&self) -> Result<BorrowedHandle<'_>> {
        let handle = match (self.handle.get(), &self.embedded) {
            (None, Some(embedded)) => {
                let handle = embedded.open()?;
                // Another thread may have opened the mutex meanwhile. Both handles refer to the same mutex.
                self.handle.get_or_init(|| handle).as_handle()
            }
            _ => self.handle(),
        };
        Ok(handle)
    }

    /// Acquires the mutex. Returns `None` if it was not acquired before the deadline.
    pub(crate) fn lock(&self, deadline: Deadline) -> Result<Option<Acquired>> {
        let handle = self.opened()?;
        match self.owned_by(handle) {
            // `try_lock` does not wait, so it reports that the mutex is owned, and returns no
            // error.
            Some(OwnedBy::AnotherHandle) if matches!(deadline, Deadline::Now) => return Ok(None),
            Some(owned) => return Err(owned.error()),
            None => {}
        }
        let acquired = wait::one(handle, deadline)?;
        Ok(acquired.map(|acquired| self.record_acquired(acquired)))
    }

    /// Releases the mutex. Returns false if this thread does not own it by this handle.
    pub(crate) fn unlock(&self) -> bool {
        self.release(false)
    }

    fn release(&self, abandoned: bool) -> bool {
        if self.owner.load(Ordering::Relaxed) != this_thread() {
            return false;
        }
        self.owner.store(0, Ordering::Relaxed);
        _ = HELD.try_with(|held| held.set(held.get().saturating_sub(1)));
        // If the mutex is abandoned, do not clear `held`: the next owner then reports the
        // abandonment.
        if let Some(embedded) = self.embedded.as_ref().filter(|_| !abandoned) {
            embedded.clear_held();
        }
        // SAFETY: the call takes no pointers, and the handle is open because `self` owns it. The call
        // fails for a thread whose id was reused from an owner that ended.
        unsafe { ReleaseMutex(self.handle().as_raw_handle()) != 0 }
    }

    /// Abandons the mutex, if this thread owns it by this handle.
    ///
    /// The kernel has no such call: it abandons the mutexes of a thread that ends. A kernel mutex
    /// therefore stays locked until then.
    pub(crate) fn abandon(&self) {
        if self.embedded.is_some() {
            self.release(true);
        }
    }

    /// Returns whether this thread owns the mutex by this handle.
    pub(crate) fn is_mine(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == this_thread()
            && native::is_owned(self.handle()).unwrap_or(true)
    }

    /// Returns the handle to wait for, or an error if this thread already owns the mutex.
    pub(super) fn wait_handle(&self) -> Result<BorrowedHandle<'_>> {
        let handle = self.opened()?;
        self.owned_by(handle).map_or(Ok(handle), |owned| Err(owned.error()))
    }

    /// Returns the handle by which this thread already owns the mutex, if it does. The kernel would
    /// let it acquire the mutex a second time.
    fn owned_by(&self, handle: BorrowedHandle<'_>) -> Option<OwnedBy> {
        if self.is_mine() {
            return Some(OwnedBy::ThisHandle);
        }
        let by_another = may_own_any() && native::is_owned(handle) == Some(true);
        by_another.then_some(OwnedBy::AnotherHandle)
    }

    /// Records that this thread has acquired the mutex, and returns how.
    pub(super) fn record_acquired(&self, acquired: Acquired) -> Acquired {
        self.owner.store(this_thread(), Ordering::Relaxed);
        _ = HELD.try_with(|held| held.set(held.get().saturating_add(1)));
        self.embedded.as_ref().map_or(acquired, |embedded| embedded.mark_held(acquired))
    }
}

/// Returns whether this thread may own a mutex.
fn may_own_any() -> bool {
    // The count of an ending thread may be gone: then ask the kernel.
    HELD.try_with(|held| held.get() != 0).unwrap_or(true)
}
