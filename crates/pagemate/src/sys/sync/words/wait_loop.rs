//! The loop in which a thread waits for one object: it tries to take the object, and sleeps until the next try.

use std::io;

use super::Waiter;
use crate::deadline::Deadline;
use crate::sys::fault;
use crate::sys::wait::{self, Slice};

/// Waits until the object is taken, or until the deadline.
///
/// `check` runs after each sleep that ended without a wake-up. Its error ends the wait: it means that
/// other processes cannot make the object available any more, because its name was removed.
pub(crate) fn wait<W: Waiter>(
    waiter: &mut W,
    deadline: Deadline,
    check: impl Fn() -> io::Result<()>,
) -> io::Result<Option<W::Output>> {
    let (mut slept, mut check_liveness) = (false, false);
    let mut slice = Slice::begin(waiter.check_rate());
    loop {
        if let Some(taken) = waiter.try_take(slept, check_liveness)? {
            return Ok(Some(taken));
        }
        if check_liveness {
            waiter.maintain_watch()?;
        }
        slice.set_rate(waiter.check_rate());
        let Some(time) = deadline.next(slice.len()) else {
            // The last attempt always tests for dead owners, because the wait may end before the
            // slice does.
            let taken = waiter.try_take(slept, true)?;
            if slept && taken.is_none() {
                waiter.pass_on_wake();
            }
            return Ok(taken);
        };
        check_liveness = false;
        let Some((word, expected)) = waiter.prepare_sleep() else { continue };
        slept = true;
        fault::point("wait-before-sleep");
        let woken = wait::wait(word, expected, time)?;
        fault::point("wait-after-sleep");
        // Try without a liveness test first: the object is usually available now, and the test
        // takes system calls.
        if let Some(taken) = waiter.try_take(slept, false)? {
            return Ok(Some(taken));
        }
        if woken {
            waiter.on_futile_wake();
        } else if let Err(error) = check() {
            waiter.pass_on_wake();
            return Err(error);
        }
        check_liveness = slice.begin_next_if_over();
    }
}
