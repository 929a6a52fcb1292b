//! Waits for all of several objects.

use std::io;
use std::time::{Duration, Instant};

use super::super::words::Waiter;
use super::super::{Acquired, Waitable};
use super::mapped_words::cannot_wait;
use super::wait_any::{NameCheck, ObjectWaiter, check_rate, sleep};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::fault;
use crate::sys::wait::Slice;

/// The longest time for which a thread keeps some of the objects while it waits for the next one.
const HOLD: Duration = Duration::from_millis(20);

/// Waits until all of the objects are acquired, and returns how each of them was acquired.
///
/// The thread acquires the objects one by one once all are available. If another thread acquires
/// one of them first, this thread releases those that it has. A thread that polls one of those
/// meanwhile may find it unavailable.
///
/// If every object becomes available from time to time, but never all at once, the thread
/// [collects](collect) them.
pub(crate) fn wait_all(list: &[Waitable<'_>], deadline: Deadline) -> Result<Option<Vec<Acquired>>> {
    refuse_twice(list)?;
    let mut waiters = list.iter().map(|one| one.observer()).collect::<Result<Vec<_>>>()?;
    let _counted: Vec<_> = list.iter().map(|one| one.count_waiter()).collect();
    let (mut slept, mut check_liveness) = (false, false);
    let mut slice = Slice::begin(check_rate(&waiters));
    // The objects that were available, or were released, since the last collection.
    let mut seen = vec![false; list.len()];
    let mut names = NameCheck::default();
    loop {
        slice.set_rate(check_rate(&waiters));
        let time = deadline.next(slice.len());
        let check_now = check_liveness || time.is_none();
        let missing = match find_missing(&mut waiters, &mut seen, check_now).map_err(cannot_wait)? {
            Some(missing) => missing,
            None => match take_all(list, &mut waiters, slept, check_now)? {
                Ok(acquired) => return Ok(Some(acquired)),
                Err(missing) => missing,
            },
        };
        if slept {
            waiters.iter().for_each(Waiter::pass_on_wake);
        }
        let Some(time) = time else { return Ok(None) };
        if slept && seen.iter().all(|seen| *seen) {
            seen.fill(false);
            if let Some(acquired) = collect(list, deadline)? {
                return Ok(Some(acquired));
            }
        }
        names.run(list)?;
        slept = true;
        // All of the objects are needed, so it is enough to sleep for one that is missing.
        let missing = seen.iter().position(|seen| !*seen).unwrap_or(missing);
        let start = Instant::now();
        if sleep(&waiters[missing..=missing], time)?.is_some() {
            waiters[missing].on_futile_wake();
        }
        seen[missing] |= start.elapsed() < time;
        check_liveness = slice.begin_next_if_over();
        if check_liveness {
            waiters.iter().try_for_each(Waiter::maintain_watch).map_err(cannot_wait)?;
        }
    }
}

/// Returns an error if two of the handles refer to the same object, which cannot be acquired twice.
/// Windows returns an error too.
fn refuse_twice(list: &[Waitable<'_>]) -> Result<()> {
    let mut ids = Vec::with_capacity(list.len());
    for one in list {
        ids.push(one.id()?);
    }
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        let cause = "two of the handles refer to the same object: pass each object once";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    Ok(())
}

/// Sets `seen` for each object that is available, and returns the index of the first one that is
/// not.
fn find_missing(
    waiters: &mut [ObjectWaiter<'_>],
    seen: &mut [bool],
    check_liveness: bool,
) -> io::Result<Option<usize>> {
    let mut missing = None;
    for (index, one) in waiters.iter_mut().enumerate() {
        let available = match one {
            // A pulse makes the event available for this test and for no later one.
            ObjectWaiter::ManualEvent(waiter) => waiter.try_take(true, check_liveness)?.is_some(),
            _ => one.is_available(check_liveness)?,
        };
        seen[index] |= available;
        if !available {
            missing = missing.or(Some(index));
        }
    }
    Ok(missing)
}

/// Acquires all of the objects, which were available. If another thread has acquired one of them
/// meanwhile, releases the others and returns the index of the missing one.
fn take_all(
    list: &[Waitable<'_>],
    waiters: &mut [ObjectWaiter<'_>],
    slept: bool,
    check_liveness: bool,
) -> Result<std::result::Result<Vec<Acquired>, usize>> {
    let mut acquired = Vec::with_capacity(list.len());
    for one in waiters {
        let taken = match one {
            ObjectWaiter::ManualEvent(_) => Ok(Some(Acquired::Released)),
            _ => one.try_take(slept, check_liveness),
        };
        fault::point("all-after-some");
        if let Ok(Some(taken)) = taken {
            acquired.push(taken);
            continue;
        }
        for (one, taken) in list.iter().zip(&acquired) {
            one.undo(*taken);
        }
        return taken.map(|_| Err(acquired.len())).map_err(cannot_wait);
    }
    for one in list {
        one.record_acquired();
    }
    Ok(Ok(acquired))
}

/// Acquires the objects one after the other. The thread keeps those that it has while it waits for
/// the next one, for at most [`HOLD`], and releases them if it does not get all. Under contention,
/// when other threads lock and unlock the objects all the time, all of them are hardly ever
/// available at the same moment.
///
/// All processes acquire the objects in the same order, so that two collections cannot deadlock.
fn collect(list: &[Waitable<'_>], deadline: Deadline) -> Result<Option<Vec<Acquired>>> {
    let mut order = Vec::with_capacity(list.len());
    for (index, one) in list.iter().enumerate() {
        order.push((one.is_manual_event(), one.id()?, index));
    }
    order.sort_unstable();
    let mut acquired: Vec<(usize, Acquired)> = Vec::with_capacity(list.len());
    let mut end = Instant::now() + HOLD;
    for (_, _, index) in order {
        let taken = take_until(list[index], end, deadline);
        fault::point("all-after-some");
        if acquired.is_empty() {
            end = Instant::now() + HOLD;
        }
        if let Ok(Some(taken)) = taken {
            acquired.push((index, taken));
            continue;
        }
        for (index, taken) in acquired {
            list[index].undo(taken);
        }
        return taken.map(|_| None);
    }
    for one in list {
        one.record_acquired();
    }
    acquired.sort_unstable_by_key(|(index, _)| *index);
    Ok(Some(acquired.into_iter().map(|(_, taken)| taken).collect()))
}

/// Acquires one of the objects, and waits for it until `end` at most.
fn take_until(one: Waitable<'_>, end: Instant, deadline: Deadline) -> Result<Option<Acquired>> {
    let mut waiter = [one.waiter()?];
    let mut slept = false;
    loop {
        if let Some(taken) = waiter[0].try_take(slept, false).map_err(cannot_wait)? {
            return Ok(Some(taken));
        }
        let left = end.saturating_duration_since(Instant::now());
        let time = deadline.next(left).filter(|time| !time.is_zero());
        // Do not wait for a manual event: it has no owner that is about to release it.
        let Some(time) = time.filter(|_| !one.is_manual_event()) else {
            if slept {
                waiter[0].pass_on_wake();
            }
            return Ok(None);
        };
        slept = true;
        if sleep(&waiter, time)?.is_some() {
            waiter[0].on_futile_wake();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::super::{Reset, Spec};
    use super::super::{Event, Semaphore};
    use super::*;
    use crate::access::Sharing;

    #[test]
    fn a_pulse_does_not_count_for_later_tests() {
        let sharing = Sharing::Owner;
        let event = Spec::Event { sharing, reset: Reset::Manual, signaled: false };
        let event = Event::unnamed(&event).unwrap();
        let semaphore = Semaphore::unnamed(&Spec::Semaphore { sharing, count: 0, max: 1 }).unwrap();
        let list = [Waitable::Semaphore(&semaphore), Waitable::Event(&event)];
        let mut waiters: Vec<_> = list.iter().map(|one| one.observer().unwrap()).collect();
        let mut missing = || find_missing(&mut waiters, &mut [false; 2], false).unwrap();
        event.pulse().unwrap();
        assert_eq!(missing(), Some(0));
        semaphore.release(1).unwrap();
        assert_eq!(missing(), Some(1));
        event.pulse().unwrap();
        assert_eq!(missing(), None);
    }
}
