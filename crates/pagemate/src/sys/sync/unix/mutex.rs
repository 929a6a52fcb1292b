//! Mutexes.

use std::io;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::super::words::watch::Seating;
use super::super::words::{Waiter, mutex as protocol};
use super::super::{Got, Home, Spec};
use super::cell::{Cell, Words};
use super::thread::{self, Who};
use crate::access::Kind;
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::name::Name;
use crate::primitive;
use crate::sys::liveness::{FIRST, Seats};
use crate::sys::object::{Existing, Object};

/// A handle to a lock, which threads of this process may share.
#[derive(Clone, Debug)]
pub(crate) struct Mutex(Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    cell: Cell,
    seats: Seats,
    /// Our seat at it, beneath the life in which it was taken; zero is none.
    seat: AtomicU64,
    /// The pid of that life.
    pid: AtomicU32,
    /// The thread that has the lock by this handle, as [`Who`].
    holder: AtomicU64,
    /// The thread that last had it looked after.
    looked_after: AtomicU64,
}

impl Mutex {
    fn new(cell: Cell) -> Result<Mutex> {
        // Now, and not when it is locked: by then this process may have no right to open the file.
        let seats = cell.object().seats()?;
        Ok(Mutex(Arc::new(Inner {
            cell,
            seats,
            seat: AtomicU64::new(0),
            pid: AtomicU32::new(0),
            holder: AtomicU64::new(0),
            looked_after: AtomicU64::new(0),
        })))
    }

    pub(crate) fn create(name: &Name, spec: &Spec, existing: Existing) -> Result<(Mutex, bool)> {
        let (cell, made) = Cell::create(name, spec, existing)?;
        let mutex = Mutex::new(cell)?;
        if made && spec.is_locked() {
            mutex.0.begin();
        }
        Ok((mutex, made))
    }

    pub(crate) fn open(name: &Name) -> Result<Mutex> {
        Mutex::new(Cell::open(name, Kind::Mutex)?)
    }

    pub(crate) fn unnamed(spec: &Spec) -> Result<Mutex> {
        let mutex = Mutex::new(Cell::unnamed(spec)?)?;
        if spec.is_locked() {
            mutex.0.begin();
        }
        Ok(mutex)
    }

    /// The mutex in an object that somebody handed us.
    pub(crate) fn of(object: Object) -> Result<Mutex> {
        Mutex::new(Cell::of(object)?)
    }

    /// A mutex that stands in memory of the user's, `offset` bytes from its beginning.
    ///
    /// # Safety
    ///
    /// As [`Cell::new`].
    #[allow(unsafe_code, reason = "the caller's promise is handed on")]
    pub(crate) unsafe fn inside(
        words: NonNull<Words>,
        offset: u64,
        home: Box<dyn Home>,
    ) -> Result<Mutex> {
        // SAFETY: the caller's promise.
        Mutex::new(unsafe { Cell::new(words, offset, home) })
    }

    /// Fails if another program removed the object's name.
    pub(crate) fn check_name(&self) -> Result<()> {
        self.object().check_name()
    }

    pub(crate) fn object(&self) -> &Object {
        self.0.cell.object()
    }

    /// Takes the lock; `None` if it could not be had in time.
    #[inline]
    pub(crate) fn lock(&self, deadline: Deadline) -> Result<Option<Got>> {
        let who = Who::am_i();
        let seat = self.0.prepare(who)?;
        let got = if protocol::try_fast(&self.0.cell.words().word, seat) {
            Some(Got::Released)
        } else {
            self.0.wait(seat, deadline)?
        };
        if got.is_some() {
            self.0.have(who);
        }
        Ok(got)
    }

    /// Whether this thread has it by this handle.
    pub(crate) fn is_mine(&self) -> bool {
        self.0.holder.load(Ordering::Relaxed) == Who::am_i().0
    }

    /// Gives the lock back; false if this thread does not have it by this handle.
    #[inline]
    pub(crate) fn unlock(&self) -> bool {
        let inner = &*self.0;
        let who = Who::am_i();
        if inner.holder.load(Ordering::Relaxed) != who.0 {
            return false;
        }
        inner.holder.store(0, Ordering::Relaxed);
        protocol::unlock(&inner.cell.words().word, inner.seat_number());
        true
    }

    /// Gives a lock back as it was had: for one that could not be had together with others.
    pub(super) fn undo(&self, got: Got) {
        match got {
            Got::Released => _ = self.unlock(),
            Got::Abandoned => self.0.give_up(),
        }
    }

    /// This thread as one of those who wait for several; its seat is taken.
    pub(super) fn locker(&self) -> Result<impl Waiter<Got = Got> + '_> {
        let seat = self.0.prepare(Who::am_i())?;
        Ok(self.0.locker(seat))
    }

    /// Notes that this thread has it, which it took as one of several.
    pub(super) fn have(&self) {
        self.0.have(Who::am_i());
    }

    pub(super) fn cell(&self) -> &Cell {
        &self.0.cell
    }
}

impl Inner {
    #[allow(clippy::cast_possible_truncation, reason = "the lower half")]
    fn seat_number(&self) -> u32 {
        self.seat.load(Ordering::Relaxed) as u32
    }

    /// What has to be there before this thread takes the lock: our seat, and somebody who looks
    /// after it when the thread ends.
    #[inline]
    fn prepare(self: &Arc<Inner>, who: Who) -> Result<u32> {
        if self.holder.load(Ordering::Relaxed) == who.0 {
            let cause = "this thread has it already, and would wait for itself";
            return Err(Error::new(ErrorKind::InvalidInput, cause));
        }
        if self.looked_after.load(Ordering::Relaxed) != who.0 {
            thread::look_after(&Arc::downgrade(self));
            self.looked_after.store(who.0, Ordering::Relaxed);
        }
        // Acquire: with the seat comes the pid that was stored before it.
        let seat = self.seat.load(Ordering::Acquire);
        if seat >> 32 != who.life() {
            self.take_seat(who, seat)?;
        }
        Ok(self.seat_number())
    }

    /// Takes a seat in place of `old`, which is none or of another life. A seat of this life stays:
    /// the thread that took it may have the lock by it already.
    #[cold]
    fn take_seat(&self, who: Who, old: u64) -> Result<()> {
        self.cell.object().check_name()?;
        let (at, words) = (self.cell.offset, self.cell.words());
        let next = || words.seats.fetch_add(1, primitive::Ordering::Relaxed);
        let file = self.cell.object().seat_file()?;
        let mut seat = self.seats.take(file, at, next)?;
        // The seat of an owner that died may come again. With it we would own its lock.
        while words.word.load(primitive::Ordering::Relaxed) & protocol::OWNER == seat {
            self.seats.leave(at, seat);
            seat = self.seats.take(file, at, next)?;
        }
        self.pid.store(std::process::id(), Ordering::Relaxed);
        let new = who.life() << 32 | u64::from(seat);
        let (ours, failed) = (Ordering::Release, Ordering::Acquire);
        if self.seat.compare_exchange(old, new, ours, failed).is_err() {
            // Another thread was faster.
            self.seats.leave(self.cell.offset, seat);
        }
        Ok(())
    }

    /// Notes that this thread has had it since it was made.
    fn begin(self: &Arc<Inner>) {
        let who = Who::am_i();
        thread::look_after(&Arc::downgrade(self));
        self.looked_after.store(who.0, Ordering::Relaxed);
        self.pid.store(std::process::id(), Ordering::Relaxed);
        self.seat.store(who.life() << 32 | u64::from(FIRST), Ordering::Relaxed);
        self.have(who);
    }

    #[inline]
    fn have(&self, who: Who) {
        self.holder.store(who.0, Ordering::Relaxed);
        self.cell.words().owner.store(self.pid.load(Ordering::Relaxed), Ordering::Relaxed);
    }

    fn locker(&self, seat: u32) -> protocol::Locker<'_, &Inner> {
        let words = self.cell.words();
        protocol::Locker::new(&words.word, &words.wide, seat, self)
    }

    #[cold]
    fn wait(&self, seat: u32, deadline: Deadline) -> Result<Option<Got>> {
        self.cell.wait(&mut self.locker(seat), deadline)
    }

    /// Abandons the lock, which this handle has.
    fn give_up(&self) {
        self.holder.store(0, Ordering::Relaxed);
        protocol::abandon(&self.cell.words().word, self.seat_number());
    }

    /// A thread is about to end.
    pub(super) fn thread_ends(&self, who: Who) {
        if self.holder.load(Ordering::Relaxed) == who.0 {
            self.give_up();
        }
    }
}

impl Seating for &Inner {
    fn is_alive(&self, seat: u32) -> io::Result<bool> {
        self.cell.object().is_seat_taken(self.cell.offset, seat).map_err(io::Error::other)
    }

    fn is_ours(&self, seat: u32) -> bool {
        self.seats.has(self.cell.offset, seat)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let (holder, life) = (Who(*self.holder.get_mut()), Who::am_i().life());
        if holder.0 != 0 && holder.life() == life {
            self.give_up();
        }
        // After the lock: a seat that is in the word is an owner's. The object outlives this handle
        // where the lock is in a section, and so would the seat.
        if *self.seat.get_mut() >> 32 == life {
            self.seats.leave(self.cell.offset, self.seat_number());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Got, Mutex, Ordering, Spec, Who};
    use crate::access::Sharing;
    use crate::deadline::Deadline;

    #[test]
    fn two_threads_that_lock_a_handle_for_the_first_time_share_one_seat() {
        let spec = Spec::Mutex { sharing: Sharing::Owner, locked: false };
        let mutex = Mutex::unnamed(&spec).unwrap();
        let none = mutex.0.seat.load(Ordering::Relaxed);
        assert_eq!(mutex.lock(Deadline::Now).unwrap(), Some(Got::Released));
        // Another thread saw no seat before this one took its own, and goes on only now.
        mutex.0.take_seat(Who::am_i(), none).unwrap();
        assert!(mutex.unlock());
        assert_eq!(mutex.lock(Deadline::Now).unwrap(), Some(Got::Released), "it stayed locked");
    }
}
