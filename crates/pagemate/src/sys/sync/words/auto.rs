//! An event that resets by itself: each signal lets exactly one sleeper go, and without a sleeper it
//! stays, once.
//!
//! The state is one word of 64 bits.
//!
//! | Bits | Name | Mean |
//! |---|---|---|
//! | 0 to 23 | turn | how many grants were made |
//! | 24 to 31 | census | how often all registrations were cancelled |
//! | 32 to 46 | sleepers | how many sleepers registered and have no grant yet |
//! | 47 to 61 | granted | how many grants no sleeper has taken yet |
//! | 62 | `LOOKERS` | a thread that waits for all of several objects may be asleep until the event is signaled |
//! | 63 | `SIGNALED` | signaled: a set found no registered sleeper |
//!
//! A sleeper registers before it sleeps on bits 0 to 31. A signal turns one registered sleeper into a
//! grant and begins a new turn in the same step, and then wakes one. Only a sleeper that registered
//! before a grant was made takes one, so that a thread that signals and then waits does not take back
//! its own signal. A sleeper that leaves without a grant deregisters; if as many grants as sleepers
//! were left, its grant becomes the signal.
//!
//! A killed sleeper stays registered. The kernel tells: a signal that wakes nobody takes its grant
//! back, stays as the signal, and cancels all registrations; sleepers that are alive register again. A
//! sleeper that was woken and killed before it took its grant leaves the grant: another that was
//! registered at that time takes it when it looks up, and later sleepers do not.

use std::cell::Cell;
use std::io;

use super::Waiter;
use crate::primitive::{AtomicU64, Ordering};
use crate::sys::fault;
use crate::sys::wait::{self, ALL, Place};

const TURN: u64 = (1 << 24) - 1;
const ONE_CENSUS: u64 = 1 << 24;
const CENSUS: u64 = 0xFF * ONE_CENSUS;
const ONE_SLEEPER: u64 = 1 << 32;
const SLEEPERS: u64 = 0x7FFF * ONE_SLEEPER;
const ONE_GRANT: u64 = 1 << 47;
const GRANTED: u64 = 0x7FFF * ONE_GRANT;
const LOOKERS: u64 = 1 << 62;
const SIGNALED: u64 = 1 << 63;

/// A value of the word. Every value is a state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State(u64);

impl State {
    /// One that nobody sleeps on.
    pub(crate) fn new(signaled: bool) -> State {
        State(if signaled { SIGNALED } else { 0 })
    }

    pub(crate) fn of(word: u64) -> State {
        State(word)
    }

    pub(crate) fn word(self) -> u64 {
        self.0
    }

    pub(crate) fn is_signaled(self) -> bool {
        self.0 & SIGNALED != 0
    }

    /// Whether somebody may be asleep.
    pub(crate) fn has_waiters(self) -> bool {
        self.0 & (SLEEPERS | GRANTED | LOOKERS) != 0
    }

    fn has_sleepers(self) -> bool {
        self.0 & SLEEPERS != 0
    }

    fn has_grants(self) -> bool {
        self.0 & GRANTED != 0
    }

    fn has_lookers(self) -> bool {
        self.0 & LOOKERS != 0
    }

    /// The same state, signaled. The caller wakes the lookers.
    fn signal(self) -> State {
        State((self.0 | SIGNALED) & !LOOKERS)
    }

    fn unsignal(self) -> State {
        State(self.0 & !SIGNALED)
    }

    /// One more sleeper; `None` if there is no room for it.
    fn register(self) -> Option<State> {
        (self.0 & SLEEPERS != SLEEPERS).then(|| State(self.0 + ONE_SLEEPER))
    }

    fn deregister(self) -> State {
        State(if self.has_sleepers() { self.0 - ONE_SLEEPER } else { self.0 })
    }

    /// A sleeper becomes a grant; there is one.
    fn grant(self) -> State {
        let more = if self.0 & GRANTED == GRANTED { 0 } else { ONE_GRANT };
        State(self.next_turn().0 - ONE_SLEEPER + more)
    }

    /// Lets every sleeper that is registered now take a grant.
    fn next_turn(self) -> State {
        let turn = (self.0 + 1) & TURN;
        State(self.0 & !TURN | turn)
    }

    /// One grant less; `None` if there is none.
    fn less_a_grant(self) -> Option<State> {
        self.has_grants().then(|| State(self.0 - ONE_GRANT))
    }

    /// The same state without registrations.
    fn cancel_all(self) -> State {
        let census = (self.0 + ONE_CENSUS) & CENSUS;
        State(self.0 & !(SLEEPERS | CENSUS) | census)
    }
}

/// Changes the state, and returns the old one; `None` if `change` refuses.
fn update(
    event: &AtomicU64,
    order: Ordering,
    change: impl Fn(State) -> Option<State>,
) -> Option<State> {
    let change = |word| change(State(word)).map(State::word);
    event.fetch_update(order, Ordering::Relaxed, change).ok().map(State)
}

/// Signals the event: releases one registered sleeper or, without one, makes it signaled.
pub(crate) fn set(event: &AtomicU64) {
    let next =
        |state: State| Some(if state.has_sleepers() { state.grant() } else { state.signal() });
    // Release: the setter's writes, for the Acquire of the released sleeper.
    let Some(before) = update(event, Ordering::Release, next) else { return };
    if before.has_sleepers() {
        fault::point("set-before-wake");
        if wait::wake(Place::Low(event), 1) == 0 {
            withdraw(event, State::signal);
        }
    } else {
        wake_lookers(event, before);
    }
}

/// Makes it not signaled. Grants stay.
pub(crate) fn clear(event: &AtomicU64) {
    event.fetch_and(!SIGNALED, Ordering::Relaxed);
}

/// Releases one sleeper that is registered now, and leaves the event not signaled.
pub(crate) fn pulse(event: &AtomicU64) {
    let next = |state: State| {
        Some(if state.has_sleepers() {
            state.unsignal().grant()
        } else if state.has_lookers() {
            state.signal()
        } else {
            state.unsignal()
        })
    };
    let Some(before) = update(event, Ordering::Release, next) else { return };
    if before.has_sleepers() {
        fault::point("set-before-wake");
        if wait::wake(Place::Low(event), 1) == 0 {
            withdraw(event, State::unsignal);
        }
    } else if before.has_lookers() && wait::wake(Place::High(event), ALL) == 0 {
        clear(event);
    }
}

/// Takes a grant back for which nobody was asleep, and cancels all registrations: sleepers that are
/// alive register again.
fn withdraw(event: &AtomicU64, left: impl Fn(State) -> State) {
    // First it gives one that was about to sleep the time to find its grant, so that a second signal
    // does not meet this one.
    for () in wait::pauses() {
        if !State(event.load(Ordering::Relaxed)).has_grants() {
            return;
        }
    }
    fault::point("set-before-withdraw");
    let next = |state: State| state.less_a_grant().map(|state| left(state.cancel_all()));
    // Release: as in `set`. Nothing to take back: one that was about to sleep has taken it.
    let Some(before) = update(event, Ordering::Release, next) else { return };
    if before.has_sleepers() {
        // Some may have registered and gone to sleep since.
        wait::wake(Place::Low(event), ALL);
    }
    wake_lookers(event, before);
}

/// Wakes the lookers that had announced themselves before the event was signaled.
fn wake_lookers(event: &AtomicU64, before: State) {
    if before.has_lookers() {
        fault::point("set-before-wake");
        wait::wake(Place::High(event), ALL);
    }
}

/// A thread that waits for such an event.
pub(crate) struct Sleeper<'a> {
    event: &'a AtomicU64,
    /// The state when it registered, if it did.
    registered: Cell<Option<State>>,
}

impl<'a> Sleeper<'a> {
    pub(crate) fn new(event: &'a AtomicU64) -> Sleeper<'a> {
        Sleeper { event, registered: Cell::new(None) }
    }

    /// Whether a grant in this state may be this sleeper's.
    fn is_granted(&self, state: State) -> bool {
        let later = |then: State| (then.0 ^ state.0) & TURN != 0;
        state.has_grants() && self.registered.get().is_some_and(later)
    }

    /// Whether this sleeper is still registered in this state.
    fn is_registered(&self, state: State) -> bool {
        self.registered.get().is_some_and(|then| (then.0 ^ state.0) & CENSUS == 0)
    }
}

impl Waiter for Sleeper<'_> {
    type Got = ();

    fn is_there(&mut self, _: bool) -> io::Result<bool> {
        let state = State(self.event.load(Ordering::Relaxed));
        Ok(state.is_signaled() || self.is_granted(state))
    }

    fn take(&mut self, _: bool, _: bool) -> io::Result<Option<()>> {
        let next = |state: State| {
            if self.is_granted(state) {
                return state.less_a_grant();
            }
            let left = state.is_signaled().then(|| state.unsignal())?;
            Some(if self.is_registered(state) { left.deregister() } else { left })
        };
        // Acquire: the setter's writes, by the Release in `set`.
        let taken = update(self.event, Ordering::Acquire, next).map(drop);
        if taken.is_some() {
            self.registered.set(None);
        }
        Ok(taken)
    }

    fn announce(&self) -> Option<(Place<'_>, u32)> {
        let state = State(self.event.load(Ordering::Relaxed));
        if state.is_signaled() || self.is_granted(state) {
            return None;
        }
        let expected = wait::low(state.0);
        if self.is_registered(state) {
            return Some((Place::Low(self.event), expected));
        }
        // Without room it sleeps unregistered, and takes a signal that it finds when it looks up.
        if let Some(next) = state.register() {
            let (order, failed) = (Ordering::Relaxed, Ordering::Relaxed);
            self.event.compare_exchange(state.0, next.0, order, failed).ok()?;
            self.registered.set(Some(next));
        }
        Some((Place::Low(self.event), expected))
    }

    /// A grant that was made before this sleeper registered woke it: the one that it was made for
    /// was about to sleep, or is dead.
    fn woken_in_vain(&self) {
        let state = State(self.event.load(Ordering::Relaxed));
        if state.has_grants() && !self.is_granted(state) {
            withdraw(self.event, State::signal);
        }
    }

    /// Nothing: it does so when it is dropped.
    fn pass_on(&self) {}
}

impl Drop for Sleeper<'_> {
    fn drop(&mut self) {
        if self.registered.get().is_none() {
            return;
        }
        let next = |state: State| {
            if !self.is_registered(state) {
                return None;
            }
            if state.has_sleepers() {
                // If the grant was this sleeper's, another takes it, which may have registered later.
                let next = if self.is_granted(state) { state.next_turn() } else { state };
                return Some(next.deregister());
            }
            // As many were let go as were asleep: it was one of them.
            state.less_a_grant().map(State::signal)
        };
        let before = update(self.event, Ordering::Relaxed, next);
        let seen = before.unwrap_or_else(|| State(self.event.load(Ordering::Relaxed)));
        if seen.has_grants() {
            // This sleeper may have been woken for a grant that another has to take now.
            wait::wake(Place::Low(self.event), 1);
        }
        if let Some(before) = before.filter(|before| !before.has_sleepers()) {
            wake_lookers(self.event, before);
        }
    }
}

/// A thread that waits for such an event together with other objects, and takes nothing before all
/// of them are available.
pub(crate) struct Looker<'a> {
    event: &'a AtomicU64,
}

impl<'a> Looker<'a> {
    pub(crate) fn new(event: &'a AtomicU64) -> Looker<'a> {
        Looker { event }
    }
}

impl Waiter for Looker<'_> {
    type Got = ();

    fn is_there(&mut self, _: bool) -> io::Result<bool> {
        Ok(State(self.event.load(Ordering::Relaxed)).is_signaled())
    }

    fn take(&mut self, _: bool, _: bool) -> io::Result<Option<()>> {
        let next = |state: State| state.is_signaled().then(|| state.unsignal());
        // Acquire: as in `Sleeper::take`.
        Ok(update(self.event, Ordering::Acquire, next).map(drop))
    }

    fn announce(&self) -> Option<(Place<'_>, u32)> {
        let state = State(self.event.load(Ordering::Relaxed));
        if state.is_signaled() {
            return None;
        }
        let noted = state.0 | LOOKERS;
        if !state.has_lookers() {
            let (order, failed) = (Ordering::Relaxed, Ordering::Relaxed);
            self.event.compare_exchange(state.0, noted, order, failed).ok()?;
        }
        Some((Place::High(self.event), wait::high(noted)))
    }

    /// Nothing: all lookers are woken at once.
    fn pass_on(&self) {}
}
