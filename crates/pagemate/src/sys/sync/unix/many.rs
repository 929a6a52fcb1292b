//! Waiting for any or for all of several.

use std::io;
use std::time::Duration;

use super::super::words::{Waiter, auto, event, semaphore};
use super::super::{Got, Reset, Waitable};
use super::cell::{Waiting, cannot_wait};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::sys::fault;
use crate::sys::wait::{self, Pace, Place, Slice};

/// One of several, and we who wait for it.
enum Each<'a> {
    Mutex(Box<dyn Waiter<Got = Got> + 'a>),
    /// One that resets by itself.
    Event(auto::Sleeper<'a>),
    /// The same, of which nothing is taken before all others are there.
    Looked(auto::Looker<'a>),
    /// One that stays: to see that it has happened is to have it.
    Lasting(event::Watcher<'a>),
    Semaphore(semaphore::Taker<'a>),
}

impl Waiter for Each<'_> {
    type Got = Got;

    fn is_there(&mut self, judge: bool) -> io::Result<bool> {
        match self {
            Each::Mutex(locker) => locker.is_there(judge),
            Each::Event(sleeper) => sleeper.is_there(judge),
            Each::Looked(looker) => looker.is_there(judge),
            Each::Lasting(watcher) => watcher.is_there(judge),
            Each::Semaphore(taker) => taker.is_there(judge),
        }
    }

    fn take(&mut self, slept: bool, judge: bool) -> io::Result<Option<Got>> {
        let whole = |()| Got::Released;
        match self {
            Each::Mutex(locker) => locker.take(slept, judge),
            Each::Event(sleeper) => Ok(sleeper.take(slept, judge)?.map(whole)),
            Each::Looked(looker) => Ok(looker.take(slept, judge)?.map(whole)),
            Each::Lasting(watcher) => Ok(watcher.take(slept, judge)?.map(whole)),
            Each::Semaphore(taker) => Ok(taker.take(slept, judge)?.map(whole)),
        }
    }

    fn pace(&self) -> Pace {
        match self {
            Each::Mutex(locker) => locker.pace(),
            _ => Pace::Never,
        }
    }

    fn tend(&self) -> io::Result<()> {
        match self {
            Each::Mutex(locker) => locker.tend(),
            _ => Ok(()),
        }
    }

    fn announce(&self) -> Option<(Place<'_>, u32)> {
        match self {
            Each::Mutex(locker) => locker.announce(),
            Each::Event(sleeper) => sleeper.announce(),
            Each::Looked(looker) => looker.announce(),
            Each::Lasting(watcher) => watcher.announce(),
            Each::Semaphore(taker) => taker.announce(),
        }
    }

    fn woken_in_vain(&self) {
        match self {
            Each::Mutex(locker) => locker.woken_in_vain(),
            Each::Event(sleeper) => sleeper.woken_in_vain(),
            Each::Looked(_) | Each::Lasting(_) | Each::Semaphore(_) => {}
        }
    }

    fn pass_on(&self) {
        match self {
            Each::Mutex(locker) => locker.pass_on(),
            Each::Event(sleeper) => sleeper.pass_on(),
            Each::Looked(looker) => looker.pass_on(),
            Each::Lasting(watcher) => watcher.pass_on(),
            Each::Semaphore(taker) => taker.pass_on(),
        }
    }
}

impl<'a> Waitable<'a> {
    fn waiter(self) -> Result<Each<'a>> {
        Ok(match self {
            Waitable::Mutex(mutex) => Each::Mutex(Box::new(mutex.locker()?)),
            Waitable::Event(event) if event.reset_mode() == Reset::Auto => {
                Each::Event(event.sleeper())
            }
            Waitable::Event(event) => Each::Lasting(event.watcher()),
            Waitable::Semaphore(semaphore) => Each::Semaphore(semaphore.taker()),
        })
    }

    /// The same for one that is to be had together with others.
    fn looker(self) -> Result<Each<'a>> {
        match self {
            Waitable::Event(event) if event.reset_mode() == Reset::Auto => {
                Ok(Each::Looked(event.looker()))
            }
            _ => self.waiter(),
        }
    }

    fn count(self) -> Waiting<'a> {
        match self {
            Waitable::Mutex(mutex) => mutex.cell().count(),
            Waitable::Event(event) => event.cell().count(),
            Waitable::Semaphore(semaphore) => semaphore.cell().count(),
        }
    }

    /// We have it from now on.
    fn have(self) {
        if let Waitable::Mutex(mutex) = self {
            mutex.have();
        }
    }

    /// Gives back what we took and could not have together with the rest.
    fn undo(self, got: Got) {
        match self {
            Waitable::Mutex(mutex) => {
                mutex.have();
                mutex.undo(got);
            }
            Waitable::Event(event) if event.reset_mode() == Reset::Auto => _ = event.set(),
            Waitable::Event(_) => {}
            Waitable::Semaphore(semaphore) => semaphore.undo(),
        }
    }
}

/// How soon one that waits for these has to look whether an owner is dead.
fn pace(each: &[Each<'_>]) -> Pace {
    each.iter().map(Waiter::pace).max().unwrap_or(Pace::Never)
}

/// Sleeps until one of these changes, which may have changed already; which one it was woken for.
fn sleep(each: &[Each<'_>], time: Duration) -> Result<Option<usize>> {
    let Some(places) = each.iter().map(Each::announce).collect::<Option<Vec<_>>>() else {
        return Ok(None);
    };
    fault::point("wait-before-sleep");
    let slept = match places[..] {
        [(place, expected)] => wait::wait(place, expected, time).map(|woken| woken.then_some(0)),
        _ => wait::wait_any(&places, time),
    };
    fault::point("wait-after-sleep");
    slept.map_err(cannot_wait)
}

/// Waits until one of them is had, the first in the list of those that can be; which, and how.
pub(crate) fn wait_any(list: &[Waitable<'_>], deadline: Deadline) -> Result<Option<(usize, Got)>> {
    let mut each = list.iter().map(|one| one.waiter()).collect::<Result<Vec<_>>>()?;
    let _counted: Vec<_> = list.iter().map(|one| one.count()).collect();
    let (mut slept, mut judge) = (false, false);
    let mut woken: Option<usize> = None;
    let mut slice = Slice::begin(pace(&each));
    loop {
        slice.follow(pace(&each));
        let time = deadline.next(slice.len());
        let judging = judge || time.is_none();
        for (index, one) in each.iter_mut().enumerate() {
            if let Some(got) = one.take(slept, judging).map_err(cannot_wait)? {
                list[index].have();
                if slept {
                    each[..index].iter().chain(&each[index + 1..]).for_each(Waiter::pass_on);
                }
                return Ok(Some((index, got)));
            }
        }
        let Some(time) = time else {
            if slept {
                each.iter().for_each(Waiter::pass_on);
            }
            return Ok(None);
        };
        if let Some(index) = woken {
            each[index].woken_in_vain();
        }
        slept = true;
        woken = sleep(&each, time)?;
        judge = slice.is_over();
        if judge {
            each.iter().try_for_each(Waiter::tend).map_err(cannot_wait)?;
        }
    }
}

/// Waits until all of them are had, and takes none before; how each.
///
/// They are taken one by one, once all are there. If others are faster to take the last, the rest is
/// given back: whoever only looks, without waiting, may not find it in that moment.
pub(crate) fn wait_all(list: &[Waitable<'_>], deadline: Deadline) -> Result<Option<Vec<Got>>> {
    let mut each = list.iter().map(|one| one.looker()).collect::<Result<Vec<_>>>()?;
    let _counted: Vec<_> = list.iter().map(|one| one.count()).collect();
    let (mut slept, mut judge) = (false, false);
    let mut slice = Slice::begin(pace(&each));
    loop {
        slice.follow(pace(&each));
        let time = deadline.next(slice.len());
        let judging = judge || time.is_none();
        let missing = match first_missing(&mut each, judging).map_err(cannot_wait)? {
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
        slept = true;
        // All have to be there, so that it is enough to sleep for the first that is not.
        if sleep(&each[missing..=missing], time)?.is_some() {
            each[missing].woken_in_vain();
        }
        judge = slice.is_over();
        if judge {
            each.iter().try_for_each(Waiter::tend).map_err(cannot_wait)?;
        }
    }
}

/// Looks at all of them; the first that is not there.
fn first_missing(each: &mut [Each<'_>], judge: bool) -> io::Result<Option<usize>> {
    let mut missing = None;
    for (index, one) in each.iter_mut().enumerate() {
        let there = match one {
            // A pulse is to be seen by this look and by no later one.
            Each::Lasting(watcher) => watcher.take(true, judge)?.is_some(),
            _ => one.is_there(judge)?,
        };
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::super::super::Spec;
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
        let mut missing = || first_missing(&mut each, false).unwrap();
        event.pulse().unwrap();
        assert_eq!(missing(), Some(0));
        semaphore.release(1).unwrap();
        assert_eq!(missing(), Some(1));
        event.pulse().unwrap();
        assert_eq!(missing(), None);
    }
}
