//! Mutexes: handles to the words of a mutex, with the seat that the process uses to own it.

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::super::words::watch::SeatLiveness;
use super::super::words::{Waiter, mutex as protocol};
use super::super::{Acquired, LockMemory, Spec};
use super::mapped_words::{MappedWords, Words};
use super::thread::{self, Owned, ThreadId};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::kind::Kind;
use crate::name::Name;
use crate::primitive;
use crate::sys::liveness::{FIRST, Seats};
use crate::sys::object::{Existing, Object};

/// A handle to a mutex, which threads of this process may share.
#[derive(Clone, Debug)]
pub(crate) struct Mutex(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    mapped: MappedWords,
    seats: Seats,
    /// Bits 32 to 63: the generation in which this handle took its seat. Bits 0 to 31: the seat.
    /// The word is 0 before the handle has taken a seat.
    seat: AtomicU64,
    /// The pid of the process in that generation.
    pid: AtomicU32,
    /// The [`ThreadId`] of the thread that owns the mutex by this handle, or [`ThreadId::NONE`].
    owner: AtomicU64,
    /// The [`ThreadId`] of the thread that last [prepared](Inner::prepare) an acquisition, or
    /// [`ThreadId::NONE`]. That thread does not have to prepare an acquisition again.
    prepared: AtomicU64,
}

impl Mutex {
    fn new(mapped: MappedWords) -> Result<Mutex> {
        // Open the description of seats now and not at the first lock, because the process may give
        // up the right to open the file in between.
        let seats = mapped.object().seats()?;
        Ok(Mutex(Arc::new(Inner {
            mapped,
            seats,
            seat: AtomicU64::new(0),
            pid: AtomicU32::new(0),
            owner: AtomicU64::new(ThreadId::NONE.0),
            prepared: AtomicU64::new(ThreadId::NONE.0),
        })))
    }

    pub(crate) fn create(name: &Name, spec: &Spec, existing: Existing) -> Result<(Mutex, bool)> {
        let (mapped, created) = MappedWords::create(name, spec, existing)?;
        let mutex = Mutex::new(mapped)?;
        if created && spec.is_locked() {
            mutex.0.own_new_mutex();
        }
        Ok((mutex, created))
    }

    pub(crate) fn open(name: &Name) -> Result<Mutex> {
        Mutex::new(MappedWords::open(name, Kind::Mutex)?)
    }

    pub(crate) fn unnamed(spec: &Spec) -> Result<Mutex> {
        let mutex = Mutex::new(MappedWords::unnamed(spec)?)?;
        if spec.is_locked() {
            mutex.0.own_new_mutex();
        }
        Ok(mutex)
    }

    /// Returns the mutex in an object that another process created and sent.
    pub(crate) fn of(object: Object) -> Result<Mutex> {
        Mutex::new(MappedWords::of(object)?)
    }

    /// Returns a mutex whose words lie in a user's section, `offset` bytes from its beginning.
    ///
    /// # Safety
    ///
    /// `words` is aligned and refers to readable and writable memory that `memory` keeps mapped at this
    /// address, and that this process accesses by atomics and by copies in assembly only: the contract of
    /// [`MappedWords::new`].
    #[allow(unsafe_code, reason = "it passes the contract of `MappedWords::new` on")]
    pub(crate) unsafe fn embedded(
        words: NonNull<Words>,
        offset: u64,
        memory: Box<dyn LockMemory>,
    ) -> Result<Mutex> {
        // SAFETY: the caller of this function promises the contract of `MappedWords::new`, which is stated above:
        // mapped, aligned words without plain accesses.
        Mutex::new(unsafe { MappedWords::new(words, offset, memory) })
    }

    /// Returns a number that all processes know which use an embedded mutex: any, because nothing is found
    /// by it on Unix.
    #[allow(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "the one of Windows is random"
    )]
    pub(crate) fn number(&self) -> Result<u64> {
        Ok(0)
    }

    /// Returns an error if another program removed the object's name.
    pub(crate) fn check_name(&self) -> Result<()> {
        self.object().check_name()
    }

    pub(crate) fn object(&self) -> &Object {
        self.0.mapped.object()
    }

    /// Acquires the mutex. Returns `None` if it was not acquired before the deadline.
    ///
    /// An uncontended lock calls no function and stores nothing but the owner: an exchange waits until
    /// all earlier stores have reached the cache, so each store on this path would take time.
    #[inline]
    pub(crate) fn lock(&self, deadline: Deadline) -> Result<Option<Acquired>> {
        let thread = ThreadId::current_if_known();
        let word = &self.0.mapped.words().word;
        if self.0.prepared.load(Ordering::Relaxed) == thread.0
            && protocol::try_lock_uncontended(word, self.0.seat_number())
        {
            self.0.record_owner(thread);
            return Ok(Some(Acquired::Released));
        }
        self.0.prepare_and_wait(deadline)
    }

    /// Returns whether this thread owns the mutex by this handle.
    pub(crate) fn is_mine(&self) -> bool {
        self.0.owner.load(Ordering::Relaxed) == ThreadId::current().0
    }

    /// Releases the mutex. Returns false if this thread does not own it by this handle.
    #[inline]
    pub(crate) fn unlock(&self) -> bool {
        let inner = &*self.0;
        if inner.owner.load(Ordering::Relaxed) != ThreadId::current_if_known().0 {
            begin_generation();
            return false;
        }
        inner.owner.store(ThreadId::NONE.0, Ordering::Relaxed);
        protocol::unlock(&inner.mapped.words().word, inner.seat_number());
        true
    }

    /// Abandons the mutex, if this thread owns it by this handle.
    pub(crate) fn abandon(&self) {
        self.0.abandon_if_owned_by(ThreadId::current());
    }

    /// Restores the state before an acquisition: releases the mutex, or abandons it again. A wait
    /// for several objects calls this if it could not acquire the others.
    pub(super) fn undo(&self, acquired: Acquired) {
        match acquired {
            Acquired::Released => _ = self.unlock(),
            Acquired::Abandoned => self.0.abandon(),
        }
    }

    /// Returns a waiter of the calling thread. The process has a seat from then on.
    pub(super) fn waiter(&self) -> Result<impl Waiter<Output = Acquired> + '_> {
        let seat = self.0.prepare(ThreadId::current())?;
        Ok(self.0.waiter(seat))
    }

    /// Records that this thread owns the mutex, which it acquired by a [`waiter`](Mutex::waiter).
    pub(super) fn record_acquired(&self) {
        self.0.record_owner(ThreadId::current());
    }

    pub(super) fn mapped(&self) -> &MappedWords {
        &self.0.mapped
    }
}

/// Begins the generation of a process whose first call was the attempt to release a mutex that its parent
/// owns.
#[cold]
fn begin_generation() {
    _ = ThreadId::current();
}

impl Inner {
    fn weak(self: &Arc<Inner>) -> Weak<dyn Owned> {
        let weak: Weak<Inner> = Arc::downgrade(self);
        weak
    }

    #[allow(clippy::cast_possible_truncation, reason = "the lower half")]
    fn seat_number(&self) -> u32 {
        self.seat.load(Ordering::Relaxed) as u32
    }

    /// Prepares the acquisition by this thread: takes a seat, and registers the mutex to be abandoned
    /// when the thread ends. Returns the seat.
    fn prepare(self: &Arc<Inner>, current: ThreadId) -> Result<u32> {
        if self.owner.load(Ordering::Relaxed) == current.0 {
            let cause = "this thread already owns it and would wait for itself: unlock it first";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        if self.prepared.load(Ordering::Relaxed) != current.0 {
            // Acquire: makes the pid visible, published by the Release in `take_seat`.
            let seat = self.seat.load(Ordering::Acquire);
            if seat >> 32 != current.generation() {
                self.take_seat(current, seat)?;
            }
            thread::abandon_at_exit(self.weak());
            self.prepared.store(current.0, Ordering::Relaxed);
        }
        Ok(self.seat_number())
    }

    /// Takes a seat to replace `old`, which is 0 or of another generation. If another thread has
    /// taken a seat in this generation, the handle keeps that seat, because that thread may already
    /// own the mutex with it.
    #[cold]
    fn take_seat(&self, current: ThreadId, old: u64) -> Result<()> {
        self.mapped.object().check_name()?;
        let (at, words) = (self.mapped.offset, self.mapped.words());
        let next = || words.seats.fetch_add(1, primitive::Ordering::Relaxed);
        let file = self.mapped.object().file_with_seats()?;
        let mut seat = self.seats.take(file, at, next)?;
        // Seat numbers wrap around, so the new number may be that of a dead owner that is still in
        // the word. This process would then seem to own the mutex, so take another number.
        while words.word.load(primitive::Ordering::Relaxed) & protocol::OWNER == seat {
            self.seats.release(at, seat);
            seat = self.seats.take(file, at, next)?;
        }
        self.pid.store(std::process::id(), Ordering::Relaxed);
        let new = current.generation() << 32 | u64::from(seat);
        // Release: publishes the pid to the Acquire in `prepare`. If another thread of this process
        // has stored its seat first, Acquire reads the pid that it published.
        let (success, failure) = (Ordering::Release, Ordering::Acquire);
        if self.seat.compare_exchange(old, new, success, failure).is_err() {
            self.seats.release(self.mapped.offset, seat);
        }
        Ok(())
    }

    /// Records that this thread owns the mutex, which was created locked with the seat [`FIRST`].
    fn own_new_mutex(self: &Arc<Inner>) {
        let current = ThreadId::current();
        thread::abandon_at_exit(self.weak());
        self.prepared.store(current.0, Ordering::Relaxed);
        self.pid.store(std::process::id(), Ordering::Relaxed);
        self.seat.store(current.generation() << 32 | u64::from(FIRST), Ordering::Relaxed);
        self.record_owner(current);
    }

    /// Records the thread that owns the mutex and, in shared memory, the pid for the inventory.
    #[inline]
    fn record_owner(&self, owner: ThreadId) {
        self.owner.store(owner.0, Ordering::Relaxed);
        self.mapped.words().owner.store(self.pid.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn waiter(&self, seat: u32) -> protocol::MutexWaiter<'_, &Inner> {
        let words = self.mapped.words();
        protocol::MutexWaiter::new(&words.word, &words.wide, seat, self)
    }

    /// Acquires a mutex that is not free, or that this thread locks for the first time.
    #[cold]
    fn prepare_and_wait(self: &Arc<Inner>, deadline: Deadline) -> Result<Option<Acquired>> {
        let thread = ThreadId::current();
        let seat = self.prepare(thread)?;
        let acquired = if protocol::try_lock_uncontended(&self.mapped.words().word, seat) {
            Some(Acquired::Released)
        } else {
            self.mapped.wait(&mut self.waiter(seat), deadline)?
        };
        if acquired.is_some() {
            self.record_owner(thread);
        }
        Ok(acquired)
    }

    /// Abandons the mutex, which a thread owns by this handle.
    fn abandon(&self) {
        self.owner.store(ThreadId::NONE.0, Ordering::Relaxed);
        protocol::abandon(&self.mapped.words().word, self.seat_number());
    }
}

impl Owned for Inner {
    fn abandon_if_owned_by(&self, thread: ThreadId) {
        if self.owner.load(Ordering::Relaxed) == thread.0 {
            self.abandon();
        }
    }
}

impl SeatLiveness for &Inner {
    fn is_alive(&self, seat: u32) -> io::Result<bool> {
        self.mapped.object().is_seat_taken(self.mapped.offset, seat).map_err(io::Error::other)
    }

    fn is_own(&self, seat: u32) -> bool {
        self.seats.has(self.mapped.offset, seat)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let (owner, generation) =
            (ThreadId(*self.owner.get_mut()), ThreadId::current().generation());
        if owner != ThreadId::NONE && owner.generation() == generation {
            self.abandon();
        }
        // Release the seat after abandoning the mutex: the seat must be alive while the word
        // contains it. Release it explicitly: the description of the seats stays open while the
        // process has other handles to the file.
        if *self.seat.get_mut() >> 32 == generation {
            self.seats.release(self.mapped.offset, self.seat_number());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Acquired, Mutex, Ordering, Spec, ThreadId};
    use crate::access::Sharing;
    use crate::deadline::Deadline;

    #[test]
    fn two_threads_that_lock_a_handle_for_the_first_time_share_one_seat() {
        let spec = Spec::Mutex { sharing: Sharing::Owner, locked: false };
        let mutex = Mutex::unnamed(&spec).unwrap();
        let none = mutex.0.seat.load(Ordering::Relaxed);
        assert_eq!(mutex.lock(Deadline::Now).unwrap(), Some(Acquired::Released));
        // The first thread calls `take_seat` as if it had loaded the seat before the second thread
        // stored one.
        mutex.0.take_seat(ThreadId::current(), none).unwrap();
        assert!(mutex.unlock());
        assert_eq!(
            mutex.lock(Deadline::Now).unwrap(),
            Some(Acquired::Released),
            "it stayed locked"
        );
    }
}
