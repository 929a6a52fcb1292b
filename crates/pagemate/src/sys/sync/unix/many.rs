//! Waiting for any of several, and the parts of waiting for all of them.

use std::io;
use std::time::{Duration, Instant};

use super::super::words::{Waiter, auto, event, semaphore};
use super::super::{Got, Reset, Waitable};
use super::cell::{Waiting, cannot_wait};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::sys::fault;
use crate::sys::wait::{self, Pace, Place, Slice};

/// One of several, and we who wait for it.
pub(super) enum Each<'a> {
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
    pub(super) fn waiter(self) -> Result<Each<'a>> {
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
    pub(super) fn looker(self) -> Result<Each<'a>> {
        match self {
            Waitable::Event(event) if event.reset_mode() == Reset::Auto => {
                Ok(Each::Looked(event.looker()))
            }
            _ => self.waiter(),
        }
    }

    pub(super) fn count(self) -> Waiting<'a> {
        match self {
            Waitable::Mutex(mutex) => mutex.cell().count(),
            Waitable::Event(event) => event.cell().count(),
            Waitable::Semaphore(semaphore) => semaphore.cell().count(),
        }
    }

    /// Fails if another program removed the object's name.
    fn check_name(self) -> Result<()> {
        match self {
            Waitable::Mutex(mutex) => mutex.check_name(),
            Waitable::Event(event) => event.check_name(),
            Waitable::Semaphore(semaphore) => semaphore.check_name(),
        }
    }

    /// The same for all handles of one object, and no other's.
    pub(super) fn id(self) -> Result<(u64, u64)> {
        match self {
            Waitable::Mutex(mutex) => mutex.object().id(),
            Waitable::Event(event) => event.object().id(),
            Waitable::Semaphore(semaphore) => semaphore.object().id(),
        }
    }

    /// Whether it stays there for others when it is had.
    pub(super) fn is_lasting(self) -> bool {
        matches!(self, Waitable::Event(event) if event.reset_mode() == Reset::Manual)
    }

    /// We have it from now on.
    pub(super) fn have(self) {
        if let Waitable::Mutex(mutex) = self {
            mutex.have();
        }
    }

    /// Gives back what we took and could not have together with the rest.
    pub(super) fn undo(self, got: Got) {
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
pub(super) fn pace(each: &[Each<'_>]) -> Pace {
    each.iter().map(Waiter::pace).max().unwrap_or(Pace::Never)
}

/// Sleeps until one of these changes, which may have changed already; which one it was woken for.
pub(super) fn sleep(each: &[Each<'_>], time: Duration) -> Result<Option<usize>> {
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

/// Checks the names of the objects that a thread sleeps for, before its first sleep and then twice a
/// second at most.
#[derive(Default)]
pub(super) struct NameCheck(Option<Instant>);

impl NameCheck {
    pub(super) fn run(&mut self, list: &[Waitable<'_>]) -> Result<()> {
        if self.0.is_none_or(|last| last.elapsed() >= wait::LONG_SLICE) {
            list.iter().try_for_each(|one| one.check_name())?;
            self.0 = Some(Instant::now());
        }
        Ok(())
    }
}

/// Waits until one of them is had, the first in the list of those that can be; which, and how.
pub(crate) fn wait_any(list: &[Waitable<'_>], deadline: Deadline) -> Result<Option<(usize, Got)>> {
    let mut each = list.iter().map(|one| one.waiter()).collect::<Result<Vec<_>>>()?;
    let _counted: Vec<_> = list.iter().map(|one| one.count()).collect();
    let (mut slept, mut judge) = (false, false);
    let mut woken: Option<usize> = None;
    let mut names = NameCheck::default();
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
        if let Err(error) = names.run(list) {
            if slept {
                each.iter().for_each(Waiter::pass_on);
            }
            return Err(error);
        }
        slept = true;
        woken = sleep(&each, time)?;
        judge = slice.is_over();
        if judge {
            each.iter().try_for_each(Waiter::tend).map_err(cannot_wait)?;
        }
    }
}
