//! An automatic event. Each signal releases exactly one waiter. If no thread waits, the event stays
//! signaled, and further signals have no effect until a waiter has taken the signal.
//!
//! The state is one word of 64 bits.
//!
//! | Bits | Name | Meaning |
//! |---|---|---|
//! | 0 to 23 | turn | the number of grants that were made |
//! | 24 to 31 | epoch | the number of times that all registrations were cancelled |
//! | 32 to 46 | registered | the number of registered waiters without a grant |
//! | 47 to 61 | granted | the number of grants that no waiter has taken yet |
//! | 62 | `SIGNALED` | signaled: a set found no registered waiter |
//! | 63 | `OBSERVERS` | a thread that waits for all of several objects may be asleep until the event is signaled |
//!
//! | State | Ended by |
//! |---|---|
//! | no waiter, not signaled | `set`, which signals it; a waiter, which registers |
//! | signaled | a waiter, which resets it; `clear`; `pulse` |
//! | registered waiters | `set` and `pulse`, which turn one registration into a grant; a waiter that deregisters; `withdraw`, which cancels all registrations |
//! | grants | a waiter that registered before; `withdraw`, if no thread was asleep; a leaving waiter, which turns its grant into the signal |
//!
//! A waiter registers before it sleeps on bits 0 to 31. `set` turns one registration into a
//! *grant*, begins a new turn in the same step, and then wakes one thread. A grant can be taken by
//! any waiter that registered in an earlier turn. A thread that calls `set` and then waits
//! registers in the new turn, so it cannot take its own signal. A waiter that stops waiting without
//! a grant deregisters. If there are as many grants as waiters, one of the grants is for this
//! waiter, which then turns the grant into the signal.
//!
//! A killed waiter stays registered. If `wake` finds no sleeping thread, `withdraw` cancels the
//! grant, signals the event and cancels all registrations; live waiters register again. A waiter
//! may also be killed after it was woken and before it took its grant. Another waiter that was
//! registered at that time takes the grant when its slice ends; waiters that register later cannot.

use std::cell::Cell;
use std::io;

use super::Waiter;
use crate::primitive::{AtomicU64, Ordering};
use crate::sys::fault;
use crate::sys::wait::{self, ALL, WaitWord};

const TURN: u64 = (1 << 24) - 1;
const ONE_EPOCH: u64 = 1 << 24;
const EPOCH: u64 = 0xFF * ONE_EPOCH;
const ONE_WAITER: u64 = 1 << 32;
const REGISTERED: u64 = 0x7FFF * ONE_WAITER;
const ONE_GRANT: u64 = 1 << 47;
const GRANTED: u64 = 0x7FFF * ONE_GRANT;
// The compiler makes one instruction of the step that tests and clears this bit. For bit 63 it makes a
// loop, because it takes the test for one of the sign.
const SIGNALED: u64 = 1 << 62;
const OBSERVERS: u64 = 1 << 63;

/// A value of the word. Every value is a valid state, because another process may write any value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct State(u64);

impl State {
    /// Returns a state without waiters.
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

    /// Returns whether a waiter or an observer may be asleep.
    pub(crate) fn has_waiters(self) -> bool {
        self.0 & (REGISTERED | GRANTED | OBSERVERS) != 0
    }

    fn has_registered(self) -> bool {
        self.0 & REGISTERED != 0
    }

    fn has_grants(self) -> bool {
        self.0 & GRANTED != 0
    }

    fn has_observers(self) -> bool {
        self.0 & OBSERVERS != 0
    }

    /// Returns the same state, signaled and without observers. The caller has to wake the
    /// observers.
    fn signal(self) -> State {
        State((self.0 | SIGNALED) & !OBSERVERS)
    }

    fn unsignal(self) -> State {
        State(self.0 & !SIGNALED)
    }

    /// Returns the state with one more registered waiter; `None` if the field is full.
    fn register(self) -> Option<State> {
        (self.0 & REGISTERED != REGISTERED).then(|| State(self.0 + ONE_WAITER))
    }

    fn deregister(self) -> State {
        State(if self.has_registered() { self.0 - ONE_WAITER } else { self.0 })
    }

    /// Returns the state after one registration has become a grant. The caller has checked that
    /// there is one.
    fn grant(self) -> State {
        let more = if self.0 & GRANTED == GRANTED { 0 } else { ONE_GRANT };
        State(self.next_turn().0 - ONE_WAITER + more)
    }

    /// Returns the state of the next turn, in which each waiter that is registered now may take a grant.
    fn next_turn(self) -> State {
        let turn = (self.0 + 1) & TURN;
        State(self.0 & !TURN | turn)
    }

    /// Returns the state with one grant less; `None` if there is none.
    fn take_grant(self) -> Option<State> {
        self.has_grants().then(|| State(self.0 - ONE_GRANT))
    }

    /// Returns the state without registrations, in the next epoch.
    fn cancel_all(self) -> State {
        let epoch = (self.0 + ONE_EPOCH) & EPOCH;
        State(self.0 & !(REGISTERED | EPOCH) | epoch)
    }
}

/// Changes the state, and returns the old one; `None` without a change if `change` returns `None`.
#[inline]
fn update(
    event: &AtomicU64,
    order: Ordering,
    change: impl Fn(State) -> Option<State>,
) -> Option<State> {
    let change = |word| change(State(word)).map(State::word);
    event.fetch_update(order, Ordering::Relaxed, change).ok().map(State)
}

/// Sets the event: releases one registered waiter, or signals the event if there is none.
#[inline]
pub(crate) fn set(event: &AtomicU64) {
    let next =
        |state: State| Some(if state.has_registered() { state.grant() } else { state.signal() });
    // Release: publishes the setter's writes to the Acquire in `AutoWaiter::try_take` and
    // `try_take_signal`.
    let Some(before) = update(event, Ordering::Release, next) else { return };
    if before.has_registered() || before.has_observers() {
        wake_for_set(event, before);
    }
}

/// Wakes threads after `set` has changed the state from `before`.
#[cold]
fn wake_for_set(event: &AtomicU64, before: State) {
    if before.has_registered() {
        fault::point("set-before-wake");
        if wait::wake(WaitWord::LowHalf(event), 1) == 0 {
            withdraw(event, State::signal);
        }
    } else {
        wake_observers(event, before);
    }
}

/// Takes the signal, for a thread that is not registered. Returns false if the event is not signaled.
///
/// It clears the bit without loading the word first, because the step would wait for the load. If the bit
/// was clear, the step changes nothing. A thread that polls an event calls this function only if the
/// event is signaled, since the step takes the cache line away from other processors.
#[inline]
pub(crate) fn try_take_signal(event: &AtomicU64) -> bool {
    // Acquire: makes the setter's writes visible, published by the Release in `set`, `pulse` or `withdraw`.
    event.fetch_and(!SIGNALED, Ordering::Acquire) & SIGNALED != 0
}

/// Returns whether the event is signaled at this moment.
#[inline]
pub(crate) fn is_signaled(event: &AtomicU64) -> bool {
    State(event.load(Ordering::Relaxed)).is_signaled()
}

/// Resets the event. Grants that were made remain.
pub(crate) fn clear(event: &AtomicU64) {
    event.fetch_and(!SIGNALED, Ordering::Relaxed);
}

/// Releases one waiter that is registered now, and resets the event.
pub(crate) fn pulse(event: &AtomicU64) {
    let next = |state: State| {
        Some(if state.has_registered() {
            state.unsignal().grant()
        } else if state.has_observers() {
            state.signal()
        } else {
            state.unsignal()
        })
    };
    // Release: as in `set`.
    let Some(before) = update(event, Ordering::Release, next) else { return };
    if before.has_registered() {
        fault::point("set-before-wake");
        if wait::wake(WaitWord::LowHalf(event), 1) == 0 {
            withdraw(event, State::unsignal);
        }
    } else if before.has_observers() && wait::wake(WaitWord::HighHalf(event), ALL) == 0 {
        clear(event);
    }
}

/// Withdraws a grant for which no thread was asleep, and cancels all registrations. Live waiters
/// register again. `left` computes the new state from the remaining one.
fn withdraw(event: &AtomicU64, left: impl Fn(State) -> State) {
    // Wait for a moment first: a waiter that was about to sleep takes the grant in that time.
    // Otherwise the grant would become the signal, a following `set` would find the event signaled
    // already, and one of the two signals would be lost.
    for () in wait::pauses() {
        if !State(event.load(Ordering::Relaxed)).has_grants() {
            return;
        }
    }
    fault::point("set-before-withdraw");
    let next = |state: State| state.take_grant().map(|state| left(state.cancel_all()));
    // Release: as in `set`. `None`: a waiter that was about to sleep has taken the grant.
    let Some(before) = update(event, Ordering::Release, next) else { return };
    if before.has_registered() {
        // Waiters may have registered and gone to sleep since `wake` found none. They have to register
        // again.
        wait::wake(WaitWord::LowHalf(event), ALL);
    }
    wake_observers(event, before);
}

/// Wakes the observers that had set the bit `OBSERVERS` before the event was signaled.
fn wake_observers(event: &AtomicU64, before: State) {
    if before.has_observers() {
        fault::point("set-before-wake");
        wait::wake(WaitWord::HighHalf(event), ALL);
    }
}

/// A waiter of an automatic event.
pub(crate) struct AutoWaiter<'a> {
    event: &'a AtomicU64,
    /// The word as it was when this waiter registered. The waiter may take a grant only in a later turn than
    /// that of this word. If the epoch of the event differs, another thread cancelled the registration.
    registered: Cell<Option<State>>,
}

impl<'a> AutoWaiter<'a> {
    pub(crate) fn new(event: &'a AtomicU64) -> AutoWaiter<'a> {
        AutoWaiter { event, registered: Cell::new(None) }
    }

    /// Returns whether this waiter may take a grant in this state.
    fn is_granted(&self, state: State) -> bool {
        let later = |then: State| (then.0 ^ state.0) & TURN != 0;
        state.has_grants() && self.registered.get().is_some_and(later)
    }

    /// Returns whether this waiter is still registered in this state.
    fn is_registered(&self, state: State) -> bool {
        self.registered.get().is_some_and(|then| (then.0 ^ state.0) & EPOCH == 0)
    }
}

impl Waiter for AutoWaiter<'_> {
    type Output = ();

    fn is_available(&mut self, _: bool) -> io::Result<bool> {
        let state = State(self.event.load(Ordering::Relaxed));
        Ok(state.is_signaled() || self.is_granted(state))
    }

    fn try_take(&mut self, _: bool, _: bool) -> io::Result<Option<()>> {
        let next = |state: State| {
            if self.is_granted(state) {
                return state.take_grant();
            }
            let left = state.is_signaled().then(|| state.unsignal())?;
            Some(if self.is_registered(state) { left.deregister() } else { left })
        };
        // Acquire: makes the setter's writes visible, published by the Release in `set`, `pulse` or
        // `withdraw`.
        let taken = update(self.event, Ordering::Acquire, next).map(drop);
        if taken.is_some() {
            self.registered.set(None);
        }
        Ok(taken)
    }

    fn register(&self) {
        // `None` means that the event is available, or that it changed and the waiter registers
        // before it sleeps.
        _ = self.prepare_sleep();
    }

    fn prepare_sleep(&self) -> Option<(WaitWord<'_>, u32)> {
        let state = State(self.event.load(Ordering::Relaxed));
        if state.is_signaled() || self.is_granted(state) {
            return None;
        }
        let expected = wait::low_half(state.0);
        if self.is_registered(state) {
            return Some((WaitWord::LowHalf(self.event), expected));
        }
        // If the field is full, the waiter sleeps without a registration. It then takes only the
        // signal, at the end of a slice.
        if let Some(next) = state.register() {
            let (order, failed) = (Ordering::Relaxed, Ordering::Relaxed);
            self.event.compare_exchange(state.0, next.0, order, failed).ok()?;
            self.registered.set(Some(next));
        }
        Some((WaitWord::LowHalf(self.event), expected))
    }

    /// Withdraws a grant that was made before this waiter registered. The wake-up for the grant
    /// reached this waiter, so the waiter for which it was made was about to sleep, or is dead.
    fn on_futile_wake(&self) {
        let state = State(self.event.load(Ordering::Relaxed));
        if state.has_grants() && !self.is_granted(state) {
            withdraw(self.event, State::signal);
        }
    }

    /// Does nothing: `drop` deregisters this waiter, and wakes another one.
    fn pass_on_wake(&self) {}
}

impl Drop for AutoWaiter<'_> {
    fn drop(&mut self) {
        if self.registered.get().is_none() {
            return;
        }
        let next = |state: State| {
            if !self.is_registered(state) {
                return None;
            }
            if state.has_registered() {
                // If a grant may be for this waiter, begin a new turn, so that a waiter that
                // registered later can take it.
                let next = if self.is_granted(state) { state.next_turn() } else { state };
                return Some(next.deregister());
            }
            // Each registered waiter has a grant, including this one, so one grant becomes the
            // signal.
            state.take_grant().map(State::signal)
        };
        let before = update(self.event, Ordering::Relaxed, next);
        let seen = before.unwrap_or_else(|| State(self.event.load(Ordering::Relaxed)));
        if seen.has_grants() {
            // This waiter may have been woken for a grant that another waiter has to take now.
            wait::wake(WaitWord::LowHalf(self.event), 1);
        }
        if let Some(before) = before.filter(|before| !before.has_registered()) {
            wake_observers(self.event, before);
        }
    }
}

/// A waiter of an automatic event in a wait for all of several objects. It does not register,
/// because it takes no signal before all of the objects are available.
pub(crate) struct AutoObserver<'a> {
    event: &'a AtomicU64,
}

impl<'a> AutoObserver<'a> {
    pub(crate) fn new(event: &'a AtomicU64) -> AutoObserver<'a> {
        AutoObserver { event }
    }
}

impl Waiter for AutoObserver<'_> {
    type Output = ();

    fn is_available(&mut self, _: bool) -> io::Result<bool> {
        Ok(is_signaled(self.event))
    }

    fn try_take(&mut self, _: bool, _: bool) -> io::Result<Option<()>> {
        Ok((is_signaled(self.event) && try_take_signal(self.event)).then_some(()))
    }

    fn prepare_sleep(&self) -> Option<(WaitWord<'_>, u32)> {
        let state = State(self.event.load(Ordering::Relaxed));
        if state.is_signaled() {
            return None;
        }
        let marked = state.0 | OBSERVERS;
        if !state.has_observers() {
            let (order, failed) = (Ordering::Relaxed, Ordering::Relaxed);
            self.event.compare_exchange(state.0, marked, order, failed).ok()?;
        }
        Some((WaitWord::HighHalf(self.event), wait::high_half(marked)))
    }

    /// Does nothing: all observers are woken at once.
    fn pass_on_wake(&self) {}
}
