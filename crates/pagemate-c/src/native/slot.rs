//! Handles that one thread at a time may use, and whose memory is never freed.
//!
//! A call enters the [`Slot`] of its handle, and leaves it at its end. A call by another thread meanwhile, and a
//! call after the handle was closed, fail. A [`Pool`] keeps closed handles for later endpoints, so that a program
//! which opens and closes endpoints in a loop uses no more and more memory.

use std::cell::UnsafeCell;
use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::argument::{Out, required};
use super::status::{Failure, Outcome, Status, run};

/// The handle is closed. The content is `None`.
const CLOSED: u32 = 0;

/// The handle is open, and no thread is in a call with it.
const FREE: u32 = 1;

/// A thread is in a call with the handle, and has exclusive access to the content.
const IN_USE: u32 = 2;

/// The content of a handle, and the exclusive access to it.
#[derive(Debug)]
pub(super) struct Slot<T> {
    state: AtomicU32,
    content: UnsafeCell<Option<T>>,
}

// SAFETY: only the thread that has changed `state` from `FREE` or `CLOSED` to `IN_USE` accesses `content`, until it
// changes `state` back. `T: Send` allows that these are different threads over time.
unsafe impl<T: Send> Sync for Slot<T> {}

impl<T> Default for Slot<T> {
    fn default() -> Slot<T> {
        Slot { state: AtomicU32::new(CLOSED), content: UnsafeCell::new(None) }
    }
}

impl<T> Slot<T> {
    /// Takes the exclusive access to the content of an open handle.
    ///
    /// # Errors
    ///
    /// `PAGEMATE_IN_USE` if another thread has it, and `PAGEMATE_INVALID_INPUT` if the handle is closed.
    #[inline]
    pub(super) fn enter(&self, call: &str, handle: &str) -> Outcome<Entered<'_, T>> {
        // Acquire: the accesses of the last call happen before those of this one.
        match self.state.compare_exchange(FREE, IN_USE, Ordering::Acquire, Ordering::Relaxed) {
            Ok(_) => Ok(Entered { slot: self, after: FREE }),
            Err(state) => Err(refused(state, call, handle)),
        }
    }
}

#[cold]
fn refused(state: u32, call: &str, handle: &str) -> Failure {
    if state == CLOSED {
        return Failure::invalid(call, format_args!("{handle} was closed before"));
    }
    let cause =
        format!("{call}: another thread is in a call with this {handle}; use one thread at a time");
    Failure::new(Status::PAGEMATE_IN_USE, cause)
}

/// The exclusive access to the content of a handle. Dropping it ends the access.
#[derive(Debug)]
pub(super) struct Entered<'a, T> {
    slot: &'a Slot<T>,
    /// The state of the slot after this access.
    after: u32,
}

impl<T> Deref for Entered<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this thread has changed `state` to `IN_USE`, so that no other one accesses the content. The
        // reference borrows `self`, of which there is one, so no other reference to the content is mutable.
        unsafe { &*self.slot.content.get() }.as_ref().expect("an open handle has content")
    }
}

impl<T> DerefMut for Entered<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`. The reference borrows `self` mutably, so it is the only one.
        unsafe { &mut *self.slot.content.get() }.as_mut().expect("an open handle has content")
    }
}

impl<T> Drop for Entered<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // Release: the accesses of this call happen before those of the next one.
        self.slot.state.store(self.after, Ordering::Release);
    }
}

/// A type of handles with a slot each.
pub(super) trait Handle: Default + Sync + 'static {
    type Content;

    fn slot(&self) -> &Slot<Self::Content>;

    fn pool() -> &'static Pool<Self>;
}

/// The closed handles of a type, the one that was closed first at the front. A new handle uses it, so that a stale
/// pointer refers to a closed handle for as long as possible.
#[derive(Debug)]
pub(super) struct Pool<H: 'static> {
    closed: Mutex<VecDeque<&'static H>>,
}

impl<H: Handle> Pool<H> {
    pub(super) const fn new() -> Pool<H> {
        Pool { closed: Mutex::new(VecDeque::new()) }
    }

    /// Returns a closed handle. In a child of `fork` the lock of the pool may belong to a thread that does not
    /// exist there. Therefore this function does not wait for it, and returns a new handle instead.
    fn take(&self) -> &'static H {
        let pooled = self.closed.try_lock().ok().and_then(|mut closed| closed.pop_front());
        pooled.unwrap_or_else(|| Box::leak(Box::default()))
    }

    /// Keeps a closed handle for later. If the lock is not free, the memory of the handle is lost.
    fn give(&self, handle: &'static H) {
        if let Ok(mut closed) = self.closed.try_lock() {
            closed.push_back(handle);
        }
    }
}

/// Opens a handle with the content that `create` returns, and stores its address in `out`, or stores NULL and
/// returns the failure.
pub(super) fn open_handle<H: Handle>(
    call: &str,
    argument: &str,
    out: Out<'_, Option<NonNull<H>>>,
    create: impl FnOnce() -> Outcome<H::Content>,
) -> Status {
    run(|| {
        let out = required(call, argument, out)?;
        out.write(None);
        let content = create()?;
        let handle = H::pool().take();
        let slot = handle.slot();
        // SAFETY: the handle is closed and is not in the pool, so only calls with a stale pointer may
        // reach it, and `enter` refuses them because `state` is `CLOSED`.
        unsafe { *slot.content.get() = Some(content) };
        // Release: a thread that enters the slot finds the content.
        slot.state.store(FREE, Ordering::Release);
        out.write(Some(NonNull::from(handle)));
        Ok(())
    })
}

/// Closes a handle. NULL is valid.
pub(super) fn close_handle<H: Handle>(
    call: &str,
    name: &str,
    handle: Option<&'static H>,
) -> Status {
    run(|| {
        let Some(handle) = handle else { return Ok(()) };
        let mut entered = handle.slot().enter(call, name)?;
        entered.after = CLOSED;
        // SAFETY: this thread has entered the slot, and no reference to the content exists.
        let content = unsafe { &mut *handle.slot().content.get() }.take();
        drop(entered);
        H::pool().give(handle);
        drop(content);
        Ok(())
    })
}
