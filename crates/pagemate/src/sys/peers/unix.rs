//! Peers on Unix: seats are locks on the object's file, and threads sleep in the kernel's futexes.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;
use crate::name::Name;
use crate::primitive::AtomicU32;
use crate::sys::liveness::{Seats, generation};
use crate::sys::object::Object;
use crate::sys::wait;

/// The offset of the seats in the object: see [`Seats::take`]. An object has one group of seats.
const AT: u64 = 0;

/// The processes that use an object.
#[derive(Debug)]
pub(crate) struct Peers {
    object: Arc<Object>,
    seats: Seats,
}

impl Peers {
    pub(crate) fn open(object: Arc<Object>, _: Option<&Name>, _: u64) -> Result<Peers> {
        let seats = object.seats()?;
        Ok(Peers { object, seats })
    }

    pub(crate) fn object(&self) -> &Object {
        &self.object
    }

    pub(crate) fn take(&self, next: impl FnMut() -> u32) -> Result<Seat> {
        let number = self.seats.take(self.object.seat_file()?, AT, next)?;
        Ok(Seat { number, generation: generation(), seats: self.seats.clone() })
    }

    pub(crate) fn is_alive(&self, seat: u32) -> Result<bool> {
        self.object.is_seat_taken(AT, seat)
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

    #[allow(clippy::unused_self, reason = "the function of other systems names the object")]
    pub(crate) fn wake(&self, word: &AtomicU32, _offset: usize, count: u32) {
        wait::wake(word.into(), count);
    }
}

/// A seat that this process took. Dropping it releases the seat.
#[derive(Debug)]
pub(crate) struct Seat {
    number: u32,
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
        self.generation == generation()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.is_mine() {
            self.seats.leave(AT, self.number);
        }
    }
}
