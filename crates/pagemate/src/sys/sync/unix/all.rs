//! Waiting for all of several.

use std::io;
use std::time::{Duration, Instant};

use super::super::words::Waiter;
use super::super::{Got, Waitable};
use super::cell::cannot_wait;
use super::many::{Each, NameCheck, pace, sleep};
use crate::deadline::Deadline;
use crate::error::{Error, ErrorKind, Result};
use crate::sys::fault;
use crate::sys::wait::Slice;

/// How long some of them are held at most while the rest is waited for.
const HOLD: Duration = Duration::from_millis(20);

/// Waits until all of them are had; how each.
///
/// They are taken one by one, once all are there. If others are faster to take the last, the rest is
/// given back: a thread that only looks, without waiting, may not find it in that moment.
///
/// Where each of them is free now and again, but never all at once, they are [collected](collect).
pub(crate) fn wait_all(list: &[Waitable<'_>], deadline: Deadline) -> Result<Option<Vec<Got>>> {
    refuse_twice(list)?;
    let mut each = list.iter().map(|one| one.looker()).collect::<Result<Vec<_>>>()?;
    let _counted: Vec<_> = list.iter().map(|one| one.count()).collect();
    let (mut slept, mut judge) = (false, false);
    let mut slice = Slice::begin(pace(&each));
    // Which of them were there, or changed, since none were collected last.
    let mut seen = vec![false; list.len()];
    let mut names = NameCheck::default();
    loop {
        slice.follow(pace(&each));
        let time = deadline.next(slice.len());
        let judging = judge || time.is_none();
        let missing = match look(&mut each, &mut seen, judging).map_err(cannot_wait)? {
            Some(missing) => missing,
            None => match take_all(list, &mut each, slept, judging)? {
                Ok(had) => return Ok(Some(had)),
                Err(missing) => missing,
            },
        };
        if slept {
            each.iter().for_each(Waiter::pass_on);
        }
        let Some(time) = time else { return Ok(None) };
        if slept && seen.iter().all(|seen| *seen) {
            seen.fill(false);
            if let Some(had) = collect(list, deadline)? {
                return Ok(Some(had));
            }
        }
        names.run(list)?;
        slept = true;
        // All have to be there, so that it is enough to sleep for one that is not.
        let missing = seen.iter().position(|seen| !*seen).unwrap_or(missing);
        let start = Instant::now();
        if sleep(&each[missing..=missing], time)?.is_some() {
            each[missing].woken_in_vain();
        }
        seen[missing] |= start.elapsed() < time;
        judge = slice.is_over();
        if judge {
            each.iter().try_for_each(Waiter::tend).map_err(cannot_wait)?;
        }
    }
}

/// Fails if two of the handles are of one object, which cannot be had twice. Windows refuses that too.
fn refuse_twice(list: &[Waitable<'_>]) -> Result<()> {
    let mut ids = Vec::with_capacity(list.len());
    for one in list {
        ids.push(one.id()?);
    }
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        let cause = "two of the handles are of one object, and it cannot be had twice";
        return Err(Error::new(ErrorKind::InvalidInput, cause));
    }
    Ok(())
}

/// Looks at all of them, and notes which are there; the first that is not.
fn look(each: &mut [Each<'_>], seen: &mut [bool], judge: bool) -> io::Result<Option<usize>> {
    let mut missing = None;
    for (index, one) in each.iter_mut().enumerate() {
        let there = match one {
            // A pulse is to be seen by this look and by no later one.
            Each::Lasting(watcher) => watcher.take(true, judge)?.is_some(),
            _ => one.is_there(judge)?,
        };
        seen[index] |= there;
        if !there {
            missing = missing.or(Some(index));
        }
    }
    Ok(missing)
}

/// Takes all of them, which were there; which one was not any more, if so, and then none is taken.
fn take_all(
    list: &[Waitable<'_>],
    each: &mut [Each<'_>],
    slept: bool,
    judge: bool,
) -> Result<std::result::Result<Vec<Got>, usize>> {
    let mut had = Vec::with_capacity(list.len());
    for one in each {
        let got = match one {
            Each::Lasting(_) => Ok(Some(Got::Released)),
            _ => one.take(slept, judge),
        };
        fault::point("all-after-some");
        if let Ok(Some(got)) = got {
            had.push(got);
            continue;
        }
        for (one, got) in list.iter().zip(&had) {
            one.undo(*got);
        }
        return got.map(|_| Err(had.len())).map_err(cannot_wait);
    }
    for one in list {
        one.have();
    }
    Ok(Ok(had))
}

/// Takes them one after the other, and waits for each while it holds those before, for [`HOLD`] at
/// most: against threads that lock and unlock all the time they are hardly ever free at once. What was
/// taken is given back if it does not come to all.
///
/// All processes take them in the same order, so that two that collect do not hold each other up.
fn collect(list: &[Waitable<'_>], deadline: Deadline) -> Result<Option<Vec<Got>>> {
    let mut order = Vec::with_capacity(list.len());
    for (index, one) in list.iter().enumerate() {
        order.push((one.is_lasting(), one.id()?, index));
    }
    order.sort_unstable();
    let mut had: Vec<(usize, Got)> = Vec::with_capacity(list.len());
    let mut end = Instant::now() + HOLD;
    for (_, _, index) in order {
        let got = take_by(list[index], end, deadline);
        fault::point("all-after-some");
        if had.is_empty() {
            end = Instant::now() + HOLD;
        }
        if let Ok(Some(got)) = got {
            had.push((index, got));
            continue;
        }
        for (index, got) in had {
            list[index].undo(got);
        }
        return got.map(|_| None);
    }
    for one in list {
        one.have();
    }
    had.sort_unstable_by_key(|(index, _)| *index);
    Ok(Some(had.into_iter().map(|(_, got)| got).collect()))
}

/// Takes one of them, and waits for it until `end` at most.
fn take_by(one: Waitable<'_>, end: Instant, deadline: Deadline) -> Result<Option<Got>> {
    let mut waiter = [one.waiter()?];
    let mut slept = false;
    loop {
        if let Some(got) = waiter[0].take(slept, false).map_err(cannot_wait)? {
            return Ok(Some(got));
        }
        let left = end.saturating_duration_since(Instant::now());
        let time = deadline.next(left).filter(|time| !time.is_zero());
        // An event that stays is not waited for: it is no lock that others give back.
        let Some(time) = time.filter(|_| !one.is_lasting()) else {
            if slept {
                waiter[0].pass_on();
            }
            return Ok(None);
        };
        slept = true;
        if sleep(&waiter, time)?.is_some() {
            waiter[0].woken_in_vain();
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
    fn a_pulse_does_not_count_for_what_comes_after_it() {
        let sharing = Sharing::Owner;
        let event = Spec::Event { sharing, reset: Reset::Manual, signaled: false };
        let event = Event::unnamed(&event).unwrap();
        let semaphore = Semaphore::unnamed(&Spec::Semaphore { sharing, count: 0, max: 1 }).unwrap();
        let list = [Waitable::Semaphore(&semaphore), Waitable::Event(&event)];
        let mut each: Vec<_> = list.iter().map(|one| one.looker().unwrap()).collect();
        let mut missing = || look(&mut each, &mut [false; 2], false).unwrap();
        event.pulse().unwrap();
        assert_eq!(missing(), Some(0));
        semaphore.release(1).unwrap();
        assert_eq!(missing(), Some(1));
        event.pulse().unwrap();
        assert_eq!(missing(), None);
    }
}
