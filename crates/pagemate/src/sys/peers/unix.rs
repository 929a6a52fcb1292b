//! Peers on Unix: seats are locks on the object's file, and threads sleep in the kernel's futexes.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::error::Result;
use crate::name::Name;
use crate::primitive::AtomicU32;
use crate::sys::liveness::{Seats, generation, generation_if_begun};
use crate::sys::object::Object;
use crate::sys::sync::LockMemory;
use crate::sys::sync::SleepOn;
use crate::sys::wait;

/// The processes that use an object.
#[derive(Debug)]
pub(crate) struct Peers {
    memory: Arc<dyn LockMemory>,
    /// The offset of the seats in the object: see [`Seats::take`].
    at: u64,
    seats: Seats,
}

impl Peers {
    pub(crate) fn open(
        memory: Arc<dyn LockMemory>,
        at: u64,
        _: Option<&Name>,
        _: u64,
    ) -> Result<Peers> {
        let seats = memory.object().seats()?;
        Ok(Peers { memory, at, seats })
    }

    pub(crate) fn object(&self) -> &Object {
        self.memory.object()
    }

    pub(crate) fn take(&self, next: impl FnMut() -> u32) -> Result<Seat> {
        let number = self.take_number(next)?;
        Ok(Seat { number, at: self.at, generation: generation(), seats: self.seats.clone() })
    }

    fn take_number(&self, next: impl FnMut() -> u32) -> Result<u32> {
        self.seats.take(self.object().file_with_seats()?, self.at, next)
    }

    pub(crate) fn is_alive(&self, seat: u32) -> Result<bool> {
        self.object().is_seat_taken(self.at, seat)
    }

    #[allow(clippy::unused_self, reason = "the function of other systems names the object")]
    pub(crate) fn wait(
        &self,
        word: &AtomicU32,
        _offset: usize,
        expected: u32,
        time: Duration,
    ) -> io::Result<()> {
        wait::wait(word.into(), expected, time).map(drop)
    }

    #[allow(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "other systems make an object"
    )]
    pub(crate) fn sleep_on<'a>(
        &self,
        word: &'a AtomicU32,
        _offset: usize,
        expected: u32,
    ) -> io::Result<SleepOn<'a>> {
        Ok((word.into(), expected))
    }

    #[allow(clippy::unused_self, reason = "the function of other systems names the object")]
    pub(crate) fn wake(&self, word: &AtomicU32, _offset: usize, count: u32) {
        wait::wake(word.into(), count);
    }
}

/// A seat that this process took. Dropping it releases the seat.
#[derive(Debug)]
pub(crate) struct Seat {
    number: u32,
    at: u64,
    generation: u32,
    seats: Seats,
}

impl Seat {
    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Returns whether this process took the seat.
    #[inline]
    pub(crate) fn is_mine(&self) -> bool {
        // A child of the process that took the seat has another generation, or none yet.
        self.generation == generation_if_begun()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.is_mine() {
            self.seats.release(self.at, self.number);
        }
    }
}

/// The seat of a handle: see [`HandleSeat::take`].
#[derive(Debug)]
pub(crate) struct HandleSeat {
    peers: Peers,
    /// The generation in which the seat was taken (bits 32 to 63), and its number (bits 0 to 31); 0 before
    /// the first one.
    seat: AtomicU64,
}

impl HandleSeat {
    pub(crate) fn new(peers: Peers) -> HandleSeat {
        HandleSeat { peers, seat: AtomicU64::new(0) }
    }

    pub(crate) fn peers(&self) -> &Peers {
        &self.peers
    }

    /// Returns the number of the seat, if this process has taken it.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lower half")]
    pub(crate) fn get(&self) -> Option<u32> {
        let seat = self.seat.load(Ordering::Relaxed);
        (seat >> 32 == u64::from(generation())).then_some(seat as u32)
    }

    /// Takes a seat, if this process has none, and returns its number. `is_in_use` returns whether the
    /// shared memory contains a number: numbers wrap around, and a process must not take the number that a
    /// dead one left there.
    #[cold]
    pub(crate) fn take(
        &self,
        mut next: impl FnMut() -> u32,
        is_in_use: impl Fn(u32) -> bool,
    ) -> Result<u32> {
        let old = self.seat.load(Ordering::Relaxed);
        if let Some(seat) = self.get() {
            return Ok(seat);
        }
        self.peers.object().check_name()?;
        let mut seat = self.peers.take_number(&mut next)?;
        while is_in_use(seat) {
            self.peers.seats.release(self.peers.at, seat);
            seat = self.peers.take_number(&mut next)?;
        }
        let new = u64::from(generation()) << 32 | u64::from(seat);
        if self.seat.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed).is_err() {
            // Another thread of this process has taken the seat of the handle meanwhile.
            self.peers.seats.release(self.peers.at, seat);
        }
        Ok(self.get().unwrap_or(seat))
    }
}

impl Drop for HandleSeat {
    fn drop(&mut self) {
        if let Some(seat) = self.get() {
            self.peers.seats.release(self.peers.at, seat);
        }
    }
}
