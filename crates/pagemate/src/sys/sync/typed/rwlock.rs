//! A read-write lock: a gate, and 64 places, each of which stores the seat of one reader.
//!
//! A mutex, which is not part of this protocol, admits one *keeper* at a time: a writer, or a reader that
//! found the gate closed or no free place. Only the keeper changes the gate. A reader stores its seat in
//! a place and then tests the gate. A keeper closes the gate and then tests the places. So one of the two
//! sees the store of the other.
//!
//! | Gate | Meaning | Ended by |
//! |---|---|---|
//! | [`OPEN`] | readers may enter | `write`, or `enter` without a free place, which close it |
//! | [`CLOSING`] | the keeper waits until readers leave, or died while it did so | the keeper; the next keeper, which reports nothing |
//! | [`CLOSED`] | the keeper writes, or died while it did so | `open`; the next keeper, which adds `ABANDONED` |
//! | one of the first two with [`ABANDONED`] | the same; a writer died or panicked, and no writer has acquired the lock since | `write`, which reports it |
//!
//! | Place | Meaning | Ended by |
//! |---|---|---|
//! | 0 | free | `claim` |
//! | a seat | a reader with this seat, if the seat is alive | `leave`; a keeper, if the seat is dead |
//!
//! No step relies on another process: a keeper that waits tests the seats in the places.

use std::time::Duration;

use super::Sleepers;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::primitive::{AtomicU32, Ordering, fence};
use crate::sys::fault;

/// The number of places, and so of readers at a time.
pub(crate) const READERS: usize = if cfg!(loom) { 2 } else { 64 };

const OPEN: u32 = 0;
const CLOSING: u32 = 1;
const CLOSED: u32 = 2;

/// The bits of the gate that store one of these states.
const STATE: u32 = 3;

/// The bit that is set from the death or the panic of a writer until the next writer acquires the lock.
const ABANDONED: u32 = 4;

/// The longest sleep of a keeper that waits for readers. After it the keeper tests their liveness.
const SLICE: Duration = Duration::from_millis(30);

/// How often a keeper looks at the places before it sleeps.
const LOOKS: u32 = if cfg!(loom) { 0 } else { 100 };

/// The processes that use the lock.
pub(crate) trait Holders: Sleepers {
    /// Returns whether a live process has this seat.
    fn is_alive(&self, seat: u32) -> Result<bool>;
}

/// The words of a lock. Another process may write any value to them.
#[derive(Debug)]
#[cfg_attr(all(test, loom), derive(Default))]
#[repr(C)]
pub(crate) struct RwWords {
    gate: AtomicU32,
    /// The number of readers that left while the gate was closing. The keeper sleeps on this word.
    departures: AtomicU32,
    /// The number of seats that readers have taken.
    pub(crate) seats: AtomicU32,
    zero: [AtomicU32; 13],
    places: [AtomicU32; READERS],
}

#[cfg(not(loom))]
const _: () = assert!(size_of::<RwWords>() == 320);

/// The place of a reader that holds the lock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entered {
    place: usize,
    seat: u32,
    /// Whether a writer died or panicked, and no writer has acquired the lock since.
    pub(crate) abandoned: bool,
}

impl Entered {
    /// Returns the seat of the reader.
    pub(crate) fn seat(self) -> u32 {
        self.seat
    }
}

impl RwWords {
    /// Enters as a reader. Returns `None` if the gate is closed or no place is free.
    #[inline]
    pub(crate) fn try_enter(&self, seat: u32, holders: &impl Holders) -> Option<Entered> {
        if self.gate.load(Ordering::Relaxed) & STATE != OPEN {
            return None;
        }
        let place = self.claim(seat)?;
        fault::point("read-after-claim");
        // SeqCst: pairs with the fence in `close`. Either the thread that closes the gate sees the claim, or this
        // thread sees
        // that the gate is closing.
        fence(Ordering::SeqCst);
        // Acquire: the last writer's writes, published by the Release in `open`.
        let gate = self.gate.load(Ordering::Acquire);
        let entered = Entered { place, seat, abandoned: gate & ABANDONED != 0 };
        if gate & STATE == OPEN {
            return Some(entered);
        }
        self.leave(entered, holders);
        None
    }

    /// Enters as a reader that owns the mutex, and waits for a free place. Returns `None` after the
    /// deadline.
    pub(crate) fn enter(
        &self,
        seat: u32,
        holders: &impl Holders,
        deadline: Deadline,
    ) -> Result<Option<Entered>> {
        let gate = self.begin();
        let mut claimed = self.claim(seat);
        if claimed.is_none() {
            // Readers that leave now wake this thread, and new readers queue for the mutex.
            self.close(gate);
            let waited = self.wait_until(holders, deadline, || self.claim(seat));
            claimed = waited.inspect_err(|_| self.reopen(gate))?;
        }
        fault::point("read-after-claim");
        self.reopen(gate);
        let abandoned = gate & ABANDONED != 0;
        Ok(claimed.map(|place| Entered { place, seat, abandoned }))
    }

    /// Frees the place of a reader.
    #[inline]
    pub(crate) fn leave(&self, entered: Entered, holders: &impl Holders) {
        fault::point("read-before-leave");
        let Entered { place, seat, .. } = entered;
        // Release: the reads of the value happen before the Acquire in `is_empty`. If the place has
        // another value, another program changed the bytes.
        let (success, failure) = (Ordering::Release, Ordering::Relaxed);
        if self.places[place].compare_exchange(seat, 0, success, failure).is_err() {
            return;
        }
        // SeqCst: pairs with the fence in `close`. Either the thread that closes the gate sees the free
        // place, or this thread sees that the gate is closing.
        fence(Ordering::SeqCst);
        if self.gate.load(Ordering::Relaxed) & STATE == CLOSING {
            self.note_departure(holders);
        }
    }

    #[cold]
    fn note_departure(&self, holders: &impl Holders) {
        fault::point("read-before-wake");
        // Release: pairs with the Acquire in `wait_until`, after which the keeper sees the free place.
        self.departures.fetch_add(1, Ordering::Release);
        holders.wake(&self.departures, 1);
    }

    /// Begins to write: closes the gate, and waits until no reader is left. The caller owns the mutex.
    /// Returns whether the lock was abandoned; `None` after the deadline.
    pub(crate) fn write(&self, holders: &impl Holders, deadline: Deadline) -> Result<Option<bool>> {
        let gate = self.begin();
        self.close(gate);
        fault::point("write-after-close");
        let waited = self.wait_until(holders, deadline, || self.is_empty().then_some(()));
        match waited {
            Ok(Some(())) => {}
            result => {
                self.reopen(gate);
                return result.map(|_| None);
            }
        }
        self.gate.store(CLOSED, Ordering::Relaxed);
        // Release: the gate is closed before the first byte of the value changes. If this process is
        // killed, the next keeper therefore finds the gate closed.
        fence(Ordering::Release);
        fault::point("write-after-acquire");
        Ok(Some(gate & ABANDONED != 0))
    }

    /// Ends writing: opens the gate. The caller owns the mutex.
    #[inline]
    pub(crate) fn open(&self, abandoned: bool) {
        fault::point("write-before-open");
        self.reopen(if abandoned { ABANDONED } else { 0 });
        fault::point("write-after-open");
    }

    /// Called by each new keeper. Returns the bit [`ABANDONED`] of the gate, or sets it if the last keeper
    /// died while it wrote.
    fn begin(&self) -> u32 {
        // Relaxed: the mutex orders the keepers.
        let gate = self.gate.load(Ordering::Relaxed);
        if gate & STATE > CLOSING { ABANDONED } else { gate & ABANDONED }
    }

    /// Closes the gate for readers. `gate` is the bit [`ABANDONED`].
    fn close(&self, gate: u32) {
        self.gate.store(CLOSING | gate, Ordering::Relaxed);
        // SeqCst: pairs with those in `try_enter` and in `leave`.
        fence(Ordering::SeqCst);
    }

    /// Opens the gate. `gate` is the bit [`ABANDONED`].
    fn reopen(&self, gate: u32) {
        // Release: the writes of the value, for the Acquire in `try_enter`.
        self.gate.store(OPEN | gate, Ordering::Release);
    }

    /// Takes a free place.
    fn claim(&self, seat: u32) -> Option<usize> {
        // The search for different seats begins in different cache lines.
        let first = seat as usize % READERS * 16;
        (first..first + READERS).map(|at| at % READERS).find(|at| {
            let place = &self.places[*at];
            // Acquire: a keeper may have closed the gate for this place, and opens it only later.
            place.load(Ordering::Relaxed) == 0
                && place.compare_exchange(0, seat, Ordering::Acquire, Ordering::Relaxed).is_ok()
        })
    }

    /// Returns whether a place contains this seat.
    pub(crate) fn contains(&self, seat: u32) -> bool {
        self.places.iter().any(|place| place.load(Ordering::Relaxed) == seat)
    }

    fn is_empty(&self) -> bool {
        // Acquire: pairs with the Release in `leave`.
        self.places.iter().all(|place| place.load(Ordering::Acquire) == 0)
    }

    /// Clears the places of dead readers.
    fn clear_dead(&self, holders: &impl Holders) -> Result<()> {
        for place in &self.places {
            let seat = place.load(Ordering::Relaxed);
            if seat != 0 && !holders.is_alive(seat)? {
                // The exchange fails if the reader has left meanwhile. The order is Relaxed, because a dead reader has
                // written nothing.
                let (success, failure) = (Ordering::Relaxed, Ordering::Relaxed);
                _ = place.compare_exchange(seat, 0, success, failure);
            }
        }
        Ok(())
    }

    /// Calls `attempt` until it succeeds, or until the deadline. The caller closed the gate.
    fn wait_until<R>(
        &self,
        holders: &impl Holders,
        deadline: Deadline,
        attempt: impl Fn() -> Option<R>,
    ) -> Result<Option<R>> {
        for _ in 0..LOOKS {
            if let Some(result) = attempt() {
                return Ok(Some(result));
            }
            crate::primitive::spin_loop();
        }
        // This finds readers that were killed long ago, before the first sleep.
        let mut is_test_due = true;
        loop {
            // Acquire: pairs with the Release in `note_departure`.
            let seen = self.departures.load(Ordering::Acquire);
            if let Some(result) = attempt() {
                return Ok(Some(result));
            }
            if is_test_due {
                self.clear_dead(holders)?;
                if let Some(result) = attempt() {
                    return Ok(Some(result));
                }
            }
            let Some(time) = deadline.next(SLICE) else { return Ok(None) };
            fault::point("write-before-sleep");
            holders.sleep(&self.departures, seen, time)?;
            is_test_due = self.departures.load(Ordering::Relaxed) == seen;
        }
    }
}
