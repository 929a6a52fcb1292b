//! Waiting for any or for all of several.

use std::io;

use super::super::words::{Waiter, event, semaphore};
use super::super::{Got, Reset, Waitable};
use super::cell::{Waiting, cannot_wait};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::primitive::AtomicU32;
use crate::sys::wait::{self, SLICE};

/// One of several, and we who wait for it.
enum Each<'a> {
    Mutex(Box<dyn Waiter<Got = Got> + 'a>),
    Event(event::Watcher<'a>),
    Semaphore(semaphore::Taker<'a>),
}

impl Waiter for Each<'_> {
    type Got = Got;

    fn take(&mut self, slept: bool, judge: bool) -> io::Result<Option<Got>> {
        let whole = |()| Got::Released;
        match self {
            Each::Mutex(locker) => locker.take(slept, judge),
            Each::Event(watcher) => Ok(watcher.take(slept, judge)?.map(whole)),
            Each::Semaphore(taker) => Ok(taker.take(slept, judge)?.map(whole)),
        }
    }

    fn announce(&self) -> Option<(&AtomicU32, u32)> {
        match self {
            Each::Mutex(locker) => locker.announce(),
            Each::Event(watcher) => watcher.announce(),
            Each::Semaphore(taker) => taker.announce(),
        }
    }
}

impl<'a> Waitable<'a> {
    fn waiter(self) -> Result<Each<'a>> {
        Ok(match self {
            Waitable::Mutex(mutex) => Each::Mutex(Box::new(mutex.locker()?)),
            Waitable::Event(event) => Each::Event(event.watcher()),
            Waitable::Semaphore(semaphore) => Each::Semaphore(semaphore.taker()),
        })
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

/// Waits until one of them is had, the first in the list of those that can be; which, and how.
pub(crate) fn wait_any(list: &[Waitable<'_>], deadline: Deadline) -> Result<Option<(usize, Got)>> {
    let mut each = list.iter().map(|one| one.waiter()).collect::<Result<Vec<_>>>()?;
    let _counted: Vec<_> = list.iter().map(|one| one.count()).collect();
    let (mut slept, mut judge) = (false, false);
    loop {
        let time = deadline.next(SLICE);
        let judging = judge || time.is_none();
        for (index, one) in each.iter_mut().enumerate() {
            if let Some(got) = one.take(slept, judging).map_err(cannot_wait)? {
                list[index].have();
                return Ok(Some((index, got)));
            }
        }
        let Some(time) = time else { return Ok(None) };
        slept = true;
        let Some(words) = each.iter().map(Each::announce).collect::<Option<Vec<_>>>() else {
            continue;
        };
        judge = !wait::wait_any(&words, time).map_err(cannot_wait)?;
    }
}

/// Waits until all of them are had, and takes none before; how each.
///
/// For a moment some are taken while the last turns out not to be there, and are given back: whoever
/// only looks, without waiting, may not find them in that moment.
pub(crate) fn wait_all(list: &[Waitable<'_>], deadline: Deadline) -> Result<Option<Vec<Got>>> {
    let mut each = list.iter().map(|one| one.waiter()).collect::<Result<Vec<_>>>()?;
    let _counted: Vec<_> = list.iter().map(|one| one.count()).collect();
    let (mut slept, mut judge) = (false, false);
    loop {
        let time = deadline.next(SLICE);
        let judging = judge || time.is_none();
        let mut had = Vec::with_capacity(list.len());
        for one in &mut each {
            match one.take(slept, judging) {
                Ok(Some(got)) => had.push(got),
                other => {
                    for (one, got) in list.iter().zip(&had) {
                        one.undo(*got);
                    }
                    other.map_err(cannot_wait)?;
                    break;
                }
            }
        }
        if had.len() == list.len() {
            for one in list {
                one.have();
            }
            return Ok(Some(had));
        }
        let Some(time) = time else { return Ok(None) };
        slept = true;
        // All have to be there, so that it is enough to sleep for the first that is not.
        let missing = &each[had.len()];
        let Some((word, expected)) = missing.announce() else { continue };
        judge = !wait::wait(word, expected, time).map_err(cannot_wait)?;
    }
}
