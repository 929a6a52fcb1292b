//! The watchers of a mutex: the waiters that test frequently whether the owner is alive.
//!
//! A mutex has two watcher places, the halves of one word of 64 bits. All other waiters sleep for long
//! slices, so that the tests cost the same for two waiters and for thousands.
//!
//! | A half | Meaning | Ends with |
//! |---|---|---|
//! | 0 | the place is free | `try_join` of a waiter that has waited for one slice |
//! | a seat | that waiter watches, or was killed | `leave`; `clear_dead` once the seat is dead |
//!
//! A waiter does not join if another thread of its process watches, so that one death does not remove
//! both watchers. A watcher that leaves wakes another waiter if no watcher is left, and that waiter
//! joins. A killed watcher leaves its seat in the word; the other watcher clears it, and so does every
//! waiter after each slice. If both watchers are dead, the next waiter whose slice ends joins.

use std::cell::Cell;
use std::io;

use crate::primitive::{AtomicU64, Ordering};
use crate::sys::fault;
use crate::sys::wait::{high_half, low_half};

/// Tests which seats of a mutex are alive.
pub(crate) trait SeatLiveness {
    /// Returns whether a live process has this seat.
    fn is_alive(&self, seat: u32) -> io::Result<bool>;

    /// Returns whether this process has this seat.
    fn is_own(&self, seat: u32) -> bool;
}

/// One waiter's part in the watch over a mutex.
pub(crate) struct Watch<'a> {
    places: &'a AtomicU64,
    seat: u32,
    /// Whether this waiter has waited for one slice.
    may_join: Cell<bool>,
    /// Whether this waiter has a watcher place.
    is_watcher: Cell<bool>,
}

/// Returns the seats in the two places.
fn seats(places: u64) -> [u32; 2] {
    [low_half(places), high_half(places)]
}

fn places([first, second]: [u32; 2]) -> u64 {
    u64::from(second) << 32 | u64::from(first)
}

impl<'a> Watch<'a> {
    pub(crate) fn new(places: &'a AtomicU64, seat: u32) -> Watch<'a> {
        Watch { places, seat, may_join: Cell::new(false), is_watcher: Cell::new(false) }
    }

    /// Returns whether this waiter tests frequently. A new waiter does, so that a short wait does not
    /// touch the watcher places.
    pub(super) fn is_frequent(&self) -> bool {
        self.is_watcher.get() || !self.may_join.get()
    }

    /// Takes a free place, if this waiter has waited for one slice and no thread of its process
    /// watches.
    pub(super) fn try_join(&self, liveness: &impl SeatLiveness) {
        if self.is_watcher.get() || !self.may_join.get() {
            return;
        }
        let seen = self.places.load(Ordering::Relaxed);
        let mut next = seats(seen);
        let Some(free) = next.iter().position(|seat| *seat == 0) else { return };
        let other = next[1 - free];
        if other == self.seat || other != 0 && liveness.is_own(other) {
            return;
        }
        next[free] = self.seat;
        self.is_watcher.set(self.replace(seen, next));
        if self.is_watcher.get() {
            fault::point("watch-after-join");
        }
    }

    /// Clears the places of dead watchers, and returns whether there were any. After this call the
    /// waiter may join.
    pub(super) fn clear_dead(&self, liveness: &impl SeatLiveness) -> io::Result<bool> {
        self.may_join.set(true);
        let seen = self.places.load(Ordering::Relaxed);
        let mut next = seats(seen);
        for seat in &mut next {
            if *seat != 0 && *seat != self.seat && !liveness.is_alive(*seat)? {
                *seat = 0;
            }
        }
        Ok(places(next) != seen && self.replace(seen, next))
    }

    /// Leaves this waiter's place, and returns whether it was the last watcher.
    pub(super) fn leave(&self) -> bool {
        if !self.is_watcher.replace(false) {
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

    /// Replaces the places if they are still `seen`. Relaxed: the word only decides how often waiters
    /// test, and publishes no other memory.
    fn replace(&self, seen: u64, next: [u32; 2]) -> bool {
        let (order, failed) = (Ordering::Relaxed, Ordering::Relaxed);
        self.places.compare_exchange(seen, places(next), order, failed).is_ok()
    }
}
