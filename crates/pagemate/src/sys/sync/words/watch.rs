//! The watchers of a lock: the waiters that look often whether its owner is alive.
//!
//! A lock has two places for watchers, the halves of one word of 64 bits. Each has the seat of a waiter
//! or 0. All other waiters sleep long, so that a lock costs the same with two waiters and with thousands.
//!
//! A waiter watches once it has waited for one slice and finds a free place, unless another thread of
//! its process watches already: the two watchers die at different times. A watcher that goes away
//! clears its place. The last one wakes a waiter, which takes the place over. A watcher that is killed
//! leaves its seat: the other watcher sees that and clears it, and so does every waiter when it looks
//! up. If both are dead, the next waiter to look up watches.

use std::cell::Cell;
use std::io;

use crate::primitive::{AtomicU64, Ordering};
use crate::sys::fault;

/// Tells which seats are alive.
pub(crate) trait Seating {
    /// Whether a process has this seat.
    fn is_alive(&self, seat: u32) -> io::Result<bool>;

    /// Whether this process has it.
    fn is_ours(&self, seat: u32) -> bool;
}

/// One waiter's part in the watch over a lock.
pub(crate) struct Watch<'a> {
    places: &'a AtomicU64,
    seat: u32,
    /// Whether it has waited for one slice.
    is_due: Cell<bool>,
    /// Whether one of the places is this waiter's.
    watches: Cell<bool>,
}

/// The seats in the two places.
fn seats(places: u64) -> [u32; 2] {
    [crate::sys::wait::low(places), crate::sys::wait::high(places)]
}

fn places([first, second]: [u32; 2]) -> u64 {
    u64::from(second) << 32 | u64::from(first)
}

impl<'a> Watch<'a> {
    pub(crate) fn new(places: &'a AtomicU64, seat: u32) -> Watch<'a> {
        Watch { places, seat, is_due: Cell::new(false), watches: Cell::new(false) }
    }

    /// Whether this waiter looks often. A new waiter does, so that a short wait costs nothing more.
    pub(super) fn is_close(&self) -> bool {
        self.watches.get() || !self.is_due.get()
    }

    /// Takes a free place, if it is time to and no thread of this process watches.
    pub(super) fn join(&self, seating: &impl Seating) {
        if self.watches.get() || !self.is_due.get() {
            return;
        }
        let seen = self.places.load(Ordering::Relaxed);
        let mut next = seats(seen);
        let Some(free) = next.iter().position(|seat| *seat == 0) else { return };
        let other = next[1 - free];
        if other == self.seat || other != 0 && seating.is_ours(other) {
            return;
        }
        next[free] = self.seat;
        self.watches.set(self.change(seen, next));
        if self.watches.get() {
            fault::point("watch-after-join");
        }
    }

    /// Clears the places of watchers that are dead; whether there were any. After that this waiter
    /// may watch.
    pub(super) fn tend(&self, seating: &impl Seating) -> io::Result<bool> {
        self.is_due.set(true);
        let seen = self.places.load(Ordering::Relaxed);
        let mut next = seats(seen);
        for seat in &mut next {
            if *seat != 0 && *seat != self.seat && !seating.is_alive(*seat)? {
                *seat = 0;
            }
        }
        Ok(places(next) != seen && self.change(seen, next))
    }

    /// Leaves its place; whether nobody watches any more.
    pub(super) fn leave(&self) -> bool {
        if !self.watches.replace(false) {
            return false;
        }
        let without = |seen: u64| {
            let mut next = seats(seen);
            let own = next.iter().position(|seat| *seat == self.seat)?;
            next[own] = 0;
            Some(places(next))
        };
        let left = self.places.fetch_update(Ordering::Relaxed, Ordering::Relaxed, without);
        fault::point("watch-after-leave");
        left.ok().and_then(without) == Some(0)
    }

    fn change(&self, seen: u64, next: [u32; 2]) -> bool {
        let (order, failed) = (Ordering::Relaxed, Ordering::Relaxed);
        self.places.compare_exchange(seen, places(next), order, failed).is_ok()
    }
}
