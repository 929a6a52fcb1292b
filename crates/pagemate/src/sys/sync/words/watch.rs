//! The watchers of a mutex: the waiters that test frequently whether the owner is alive.
//!
//! A mutex has two watcher places, the halves of one 64-bit word. All other waiters sleep for long
//! slices, so the tests cost as much for thousands of waiters as for two.
//!
//! | Half of the word | Meaning | Ended by |
//! |---|---|---|
//! | 0 | the place is free | `try_join` of a waiter that has waited for one slice |
//! | a seat | that waiter watches, or was killed | `leave`; `clear_dead` once the seat is dead |
//!
//! A waiter does not become a watcher if another thread of its process is one, so that one death
//! does not remove both watchers. If the last watcher stops waiting, it wakes another waiter, which
//! becomes a watcher. The seat of a killed watcher stays in the word until the other watcher, or
//! any waiter whose slice has ended, clears it. If both watchers are dead, the next waiter whose
//! slice ends becomes a watcher.

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

/// The state of one waiter with respect to the watcher places of a mutex.
pub(crate) struct Watch<'a> {
    places: &'a AtomicU64,
    seat: u32,
    /// Whether this waiter may become a watcher, because it has waited for one slice.
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

    /// Returns whether this waiter tests frequently. A new waiter tests frequently without a
    /// watcher place, so that a short wait does not change the places.
    pub(super) fn is_frequent(&self) -> bool {
        self.is_watcher.get() || !self.may_join.get()
    }

    /// Takes a free watcher place, if this waiter has waited for one slice and no thread of its
    /// process is a watcher.
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

    /// Frees the places of dead watchers, and returns whether there were any. After this call the
    /// waiter may become a watcher.
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

    /// Frees this waiter's place. Returns whether it was the last watcher.
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
