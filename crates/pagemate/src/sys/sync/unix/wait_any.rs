//! Waits for any of several objects. [`wait_all`](mod@super::wait_all) uses the same waiters.

use std::cell::Cell;
use std::io;
use std::time::{Duration, Instant};

use super::super::words::{Waiter, auto_event, manual_event, semaphore};
use super::super::{Acquired, Reset, Source, Waitable, not_for_all};
use super::mapped_words::{CountedWaiter, MappedWords, cannot_wait};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::sys::fault;
use crate::sys::wait::{self, CheckRate, Slice, WaitWord};

/// The calling thread's waiter of one of several objects.
pub(super) enum ObjectWaiter<'a> {
    Mutex(Box<dyn Waiter<Output = Acquired> + 'a>),
    /// An automatic event.
    AutoEvent(auto_event::AutoWaiter<'a>),
    /// An automatic event in a wait for all objects. The waiter takes no signal before all other
    /// objects are available.
    AutoObserver(auto_event::AutoObserver<'a>),
    /// A manual event. Taking it does not change it.
    ManualEvent(manual_event::ManualWaiter<'a>),
    Semaphore(semaphore::SemaphoreWaiter<'a>),
    Source(SourceWaiter<'a>),
}

/// The word that a thread sleeps on, and the value that it expects.
pub(crate) type SleepOn<'a> = (WaitWord<'a>, u32);

/// The calling thread's waiter of a source that is not a sync object.
pub(super) struct SourceWaiter<'a> {
    source: &'a dyn Source,
    /// Whether the thread has announced that it sleeps.
    is_announced: Cell<bool>,
}

impl SourceWaiter<'_> {
    fn end_sleep(&self) {
        if self.is_announced.take() {
            self.source.end_sleep();
        }
    }

    fn is_ready(&self, check_liveness: bool) -> bool {
        self.end_sleep();
        self.source.is_ready(check_liveness)
    }

    fn prepare_sleep(&self) -> Option<SleepOn<'_>> {
        self.is_announced.set(true);
        // An error leaves the word unused, and the next slice finds the progress.
        let word = self.source.begin_sleep().ok()?;
        if self.source.is_ready(false) { None } else { Some(word) }
    }
}

impl Drop for SourceWaiter<'_> {
    fn drop(&mut self) {
        self.end_sleep();
    }
}

impl Waiter for ObjectWaiter<'_> {
    type Output = Acquired;

    fn is_available(&mut self, check_liveness: bool) -> io::Result<bool> {
        match self {
            ObjectWaiter::Mutex(waiter) => waiter.is_available(check_liveness),
            ObjectWaiter::AutoEvent(waiter) => waiter.is_available(check_liveness),
            ObjectWaiter::AutoObserver(waiter) => waiter.is_available(check_liveness),
            ObjectWaiter::ManualEvent(waiter) => waiter.is_available(check_liveness),
            ObjectWaiter::Semaphore(waiter) => waiter.is_available(check_liveness),
            ObjectWaiter::Source(waiter) => Ok(waiter.is_ready(check_liveness)),
        }
    }

    fn try_take(&mut self, slept: bool, check_liveness: bool) -> io::Result<Option<Acquired>> {
        let released = |()| Acquired::Released;
        match self {
            ObjectWaiter::Mutex(waiter) => waiter.try_take(slept, check_liveness),
            ObjectWaiter::AutoEvent(waiter) => {
                Ok(waiter.try_take(slept, check_liveness)?.map(released))
            }
            ObjectWaiter::AutoObserver(waiter) => {
                Ok(waiter.try_take(slept, check_liveness)?.map(released))
            }
            ObjectWaiter::ManualEvent(waiter) => {
                Ok(waiter.try_take(slept, check_liveness)?.map(released))
            }
            ObjectWaiter::Semaphore(waiter) => {
                Ok(waiter.try_take(slept, check_liveness)?.map(released))
            }
            ObjectWaiter::Source(waiter) => {
                Ok(waiter.is_ready(check_liveness).then_some(Acquired::Released))
            }
        }
    }

    fn check_rate(&self) -> CheckRate {
        match self {
            ObjectWaiter::Mutex(waiter) => waiter.check_rate(),
            ObjectWaiter::Source(_) => CheckRate::Frequent,
            _ => CheckRate::Never,
        }
    }

    fn maintain_watch(&self) -> io::Result<()> {
        match self {
            ObjectWaiter::Mutex(waiter) => waiter.maintain_watch(),
            _ => Ok(()),
        }
    }

    fn prepare_sleep(&self) -> Option<(WaitWord<'_>, u32)> {
        match self {
            ObjectWaiter::Mutex(waiter) => waiter.prepare_sleep(),
            ObjectWaiter::AutoEvent(waiter) => waiter.prepare_sleep(),
            ObjectWaiter::AutoObserver(waiter) => waiter.prepare_sleep(),
            ObjectWaiter::ManualEvent(waiter) => waiter.prepare_sleep(),
            ObjectWaiter::Semaphore(waiter) => waiter.prepare_sleep(),
            ObjectWaiter::Source(waiter) => waiter.prepare_sleep(),
        }
    }

    fn on_futile_wake(&self) {
        match self {
            ObjectWaiter::Mutex(waiter) => waiter.on_futile_wake(),
            ObjectWaiter::AutoEvent(waiter) => waiter.on_futile_wake(),
            ObjectWaiter::AutoObserver(_)
            | ObjectWaiter::ManualEvent(_)
            | ObjectWaiter::Semaphore(_)
            | ObjectWaiter::Source(_) => {}
        }
    }

    fn pass_on_wake(&self) {
        match self {
            ObjectWaiter::Mutex(waiter) => waiter.pass_on_wake(),
            ObjectWaiter::AutoEvent(waiter) => waiter.pass_on_wake(),
            ObjectWaiter::AutoObserver(waiter) => waiter.pass_on_wake(),
            ObjectWaiter::ManualEvent(waiter) => waiter.pass_on_wake(),
            ObjectWaiter::Semaphore(waiter) => waiter.pass_on_wake(),
            ObjectWaiter::Source(waiter) => {
                waiter.end_sleep();
                waiter.source.pass_on_wake();
            }
        }
    }
}

impl<'a> Waitable<'a> {
    /// Returns a waiter for any of several objects.
    pub(super) fn waiter(self) -> Result<ObjectWaiter<'a>> {
        Ok(match self {
            Waitable::Mutex(mutex) => ObjectWaiter::Mutex(Box::new(mutex.waiter()?)),
            Waitable::Event(event) if event.reset_mode() == Reset::Auto => {
                ObjectWaiter::AutoEvent(event.auto_waiter())
            }
            Waitable::Event(event) => ObjectWaiter::ManualEvent(event.manual_waiter()),
            Waitable::Semaphore(semaphore) => ObjectWaiter::Semaphore(semaphore.waiter()),
            Waitable::Source(source) => {
                ObjectWaiter::Source(SourceWaiter { source, is_announced: Cell::new(false) })
            }
        })
    }

    /// Returns a waiter for all of several objects.
    pub(super) fn observer(self) -> Result<ObjectWaiter<'a>> {
        match self {
            Waitable::Event(event) if event.reset_mode() == Reset::Auto => {
                Ok(ObjectWaiter::AutoObserver(event.auto_observer()))
            }
            _ => self.waiter(),
        }
    }

    /// Returns the words of a sync object.
    fn mapped(self) -> Option<&'a MappedWords> {
        match self {
            Waitable::Mutex(mutex) => Some(mutex.mapped()),
            Waitable::Event(event) => Some(event.mapped()),
            Waitable::Semaphore(semaphore) => Some(semaphore.mapped()),
            Waitable::Source(_) => None,
        }
    }

    /// Counts the calling thread as a waiter of a sync object until the result is dropped.
    pub(super) fn count_waiter(self) -> Option<CountedWaiter<'a>> {
        self.mapped().map(MappedWords::count_waiter)
    }

    /// Returns an error if another program removed the object's name.
    fn check_name(self) -> Result<()> {
        // A source checks its name when it tests the liveness of its peers.
        self.mapped().map_or(Ok(()), |mapped| mapped.object().check_name())
    }

    /// Returns the identity of the object, which all its handles share.
    pub(super) fn id(self) -> Result<(u64, u64)> {
        let mapped = self.mapped().ok_or_else(not_for_all)?;
        mapped.object().id()
    }

    /// Returns whether the object stays available after it was acquired.
    pub(super) fn is_manual_event(self) -> bool {
        matches!(self, Waitable::Event(event) if event.reset_mode() == Reset::Manual)
    }

    /// Records that the calling thread acquired the object.
    pub(super) fn record_acquired(self) {
        if let Waitable::Mutex(mutex) = self {
            mutex.record_acquired();
        }
    }

    /// Restores the state before an acquisition, because the other objects could not be acquired.
    pub(super) fn undo(self, acquired: Acquired) {
        match self {
            Waitable::Mutex(mutex) => {
                mutex.record_acquired();
                mutex.undo(acquired);
            }
            Waitable::Event(event) if event.reset_mode() == Reset::Auto => _ = event.set(),
            Waitable::Event(_) | Waitable::Source(_) => {}
            Waitable::Semaphore(semaphore) => semaphore.undo(),
        }
    }
}

/// Returns how often a thread with these waiters has to test whether an owner is dead.
pub(super) fn check_rate(waiters: &[ObjectWaiter<'_>]) -> CheckRate {
    waiters.iter().map(Waiter::check_rate).max().unwrap_or(CheckRate::Never)
}

/// Sleeps until one of the objects changes. Returns the index of the object for which the thread was
/// woken; `None` at once if one of them has already changed.
pub(super) fn sleep(waiters: &[ObjectWaiter<'_>], time: Duration) -> Result<Option<usize>> {
    let Some(words) = waiters.iter().map(ObjectWaiter::prepare_sleep).collect::<Option<Vec<_>>>()
    else {
        return Ok(None);
    };
    fault::point("wait-before-sleep");
    let slept = match words[..] {
        [(word, expected)] => wait::wait(word, expected, time).map(|woken| woken.then_some(0)),
        _ => wait::wait_any(&words, time),
    };
    fault::point("wait-after-sleep");
    slept.map_err(cannot_wait)
}

/// Checks the names of the objects that a thread waits for: before its first sleep, and then at most
/// once in each long slice.
#[derive(Default)]
pub(super) struct NameCheck(Option<Instant>);

impl NameCheck {
    /// Checks the names if it is time to.
    pub(super) fn run(&mut self, list: &[Waitable<'_>]) -> Result<()> {
        if self.0.is_none_or(|last| last.elapsed() >= wait::LONG_SLICE) {
            list.iter().try_for_each(|one| one.check_name())?;
            self.0 = Some(Instant::now());
        }
        Ok(())
    }
}

/// Waits until one of the objects is acquired, the first available one of the list. Returns its index,
/// and how it was acquired.
pub(crate) fn wait_any(
    list: &[Waitable<'_>],
    deadline: Deadline,
) -> Result<Option<(usize, Acquired)>> {
    let mut waiters = list.iter().map(|one| one.waiter()).collect::<Result<Vec<_>>>()?;
    let _counted: Vec<_> = list.iter().map(|one| one.count_waiter()).collect();
    let (mut slept, mut check_liveness) = (false, false);
    let mut woken: Option<usize> = None;
    let mut names = NameCheck::default();
    let mut slice = Slice::begin(check_rate(&waiters));
    loop {
        slice.set_rate(check_rate(&waiters));
        let time = deadline.next(slice.len());
        let check_now = check_liveness || time.is_none();
        for (index, one) in waiters.iter_mut().enumerate() {
            if let Some(acquired) = one.try_take(slept, check_now).map_err(cannot_wait)? {
                list[index].record_acquired();
                if slept {
                    waiters[..index]
                        .iter()
                        .chain(&waiters[index + 1..])
                        .for_each(Waiter::pass_on_wake);
                }
                return Ok(Some((index, acquired)));
            }
        }
        let Some(time) = time else {
            if slept {
                waiters.iter().for_each(Waiter::pass_on_wake);
            }
            return Ok(None);
        };
        if let Some(index) = woken {
            waiters[index].on_futile_wake();
        }
        if let Err(error) = names.run(list) {
            if slept {
                waiters.iter().for_each(Waiter::pass_on_wake);
            }
            return Err(error);
        }
        slept = true;
        woken = sleep(&waiters, time)?;
        check_liveness = slice.begin_next_if_over();
        if check_liveness {
            waiters.iter().try_for_each(Waiter::maintain_watch).map_err(cannot_wait)?;
        }
    }
}
