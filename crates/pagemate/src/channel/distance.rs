//! The wait by which the two sides of a ring keep a distance.
//!
//! A side that takes each slot as soon as the other side has left it makes both slow. Each slot then moves between
//! the processors on its own, and both sides wait for each move. So an endpoint that has found no slot, and then
//! finds one, lets more of them become ready first, if they become ready quickly.
//!
//! A slot that becomes ready alone, as in an exchange of requests and responses, costs this wait in vain. After
//! each such wait the endpoint leaves out twice as many.

use crate::primitive::spin_loop;

/// The number of slots for which an endpoint waits at first.
const FIRST: u64 = 4;

/// The number of slots for which it waits in each later step.
const STEP: u64 = 8;

/// The greatest number of slots for which it waits.
const MOST: u64 = 64;

/// The number of looks in which one slot has to become ready. A look takes about 15 ns.
const LOOKS_PER_SLOT: u64 = 8;

/// Of so many waits, at least one is not left out: two to the power of this number.
const MOST_FAILURES: u32 = 8;

/// The distance of an endpoint from the other side.
#[derive(Debug, Default)]
pub(super) struct Distance {
    /// The number of waits to leave out.
    left_out: u32,
    /// The number of waits in vain since the last successful one.
    failures: u32,
}

impl Distance {
    /// Waits for a moment while slots become ready quickly, in a ring of `count` slots. `is_ready(n)` returns whether
    /// the slot `n` positions behind the first ready one is ready. The first wait in vain takes about half a
    /// microsecond, and a wait for all slots about eight, if a pause of the processor takes 15 ns.
    #[cold]
    pub(super) fn keep(&mut self, count: u64, is_ready: impl Fn(u64) -> bool) {
        if self.left_out > 0 {
            self.left_out -= 1;
            return;
        }
        let most = MOST.min(count / 2);
        let (mut behind, mut step) = (FIRST, FIRST);
        while behind <= most {
            if !(0..step * LOOKS_PER_SLOT).any(|_| look(|| is_ready(behind))) {
                break;
            }
            step = STEP;
            behind += step;
        }
        let is_in_vain = behind == FIRST;
        self.failures = if is_in_vain { (self.failures + 1).min(MOST_FAILURES) } else { 0 };
        self.left_out = (1 << self.failures) - 1;
    }
}

/// Returns whether the slot is ready, and waits briefly otherwise.
fn look(is_ready: impl Fn() -> bool) -> bool {
    let is_ready = is_ready();
    if !is_ready {
        spin_loop();
    }
    is_ready
}
