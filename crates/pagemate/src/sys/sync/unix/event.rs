//! Events: handles to the words of an event.

use super::super::words::{auto_event, manual_event};
use super::super::{Reset, Spec};
use super::mapped_words::{AUTO, MANUAL, MappedWords, corrupted};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::kind::Kind;
use crate::name::Name;
use crate::primitive::Ordering;
use crate::sys::object::{Existing, Object};

/// A handle to an event.
#[derive(Debug)]
pub(crate) struct Event {
    mapped: MappedWords,
    reset: Reset,
}

impl Event {
    fn new(mapped: MappedWords) -> Result<Event> {
        let reset = match mapped.words().setting.load(Ordering::Relaxed) {
            AUTO => Reset::Auto,
            MANUAL => Reset::Manual,
            _ => return Err(corrupted("its reset mode is not one of an event")),
        };
        Ok(Event { mapped, reset })
    }

    pub(crate) fn create(name: &Name, spec: &Spec, existing: Existing) -> Result<(Event, bool)> {
        let (mapped, created) = MappedWords::create(name, spec, existing)?;
        Ok((Event::new(mapped)?, created))
    }

    pub(crate) fn open(name: &Name) -> Result<Event> {
        Event::new(MappedWords::open(name, Kind::Event)?)
    }

    pub(crate) fn unnamed(spec: &Spec) -> Result<Event> {
        Event::new(MappedWords::unnamed(spec)?)
    }

    /// Returns the event in an object that another process created and sent.
    pub(crate) fn of(object: Object) -> Result<Event> {
        Event::new(MappedWords::of(object)?)
    }

    /// Returns an error if another program removed the object's name.
    pub(crate) fn check_name(&self) -> Result<()> {
        self.object().check_name()
    }

    pub(crate) fn object(&self) -> &Object {
        self.mapped.object()
    }

    pub(crate) fn reset_mode(&self) -> Reset {
        self.reset
    }

    #[inline]
    #[allow(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
    pub(crate) fn set(&self) -> Result<()> {
        match self.reset {
            Reset::Auto => auto_event::set(&self.mapped.words().wide),
            Reset::Manual => manual_event::set(&self.mapped.words().word),
        }
        Ok(())
    }

    #[allow(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
    pub(crate) fn clear(&self) -> Result<()> {
        match self.reset {
            Reset::Auto => auto_event::clear(&self.mapped.words().wide),
            Reset::Manual => manual_event::clear(&self.mapped.words().word),
        }
        Ok(())
    }

    #[allow(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
    pub(crate) fn pulse(&self) -> Result<()> {
        match self.reset {
            Reset::Auto => auto_event::pulse(&self.mapped.words().wide),
            Reset::Manual => manual_event::pulse(&self.mapped.words().word),
        }
        Ok(())
    }

    /// Waits for the event. Returns false if it was not signaled before the deadline.
    #[inline]
    pub(crate) fn wait(&self, deadline: Deadline) -> Result<bool> {
        // Try without a waiter first. It takes one step, and a waiter takes many more, because it
        // may have to deregister.
        if self.reset == Reset::Auto {
            let event = &self.mapped.words().wide;
            let may_take = !matches!(deadline, Deadline::Now) || auto_event::is_signaled(event);
            if may_take && auto_event::try_take_signal(event) {
                return Ok(true);
            }
        }
        self.wait_as_waiter(deadline)
    }

    #[inline(never)]
    fn wait_as_waiter(&self, deadline: Deadline) -> Result<bool> {
        Ok(match self.reset {
            Reset::Auto => self.mapped.wait(&mut self.auto_waiter(), deadline)?.is_some(),
            Reset::Manual => self.mapped.wait(&mut self.manual_waiter(), deadline)?.is_some(),
        })
    }

    /// Returns a waiter. The event is automatic.
    pub(super) fn auto_waiter(&self) -> auto_event::AutoWaiter<'_> {
        auto_event::AutoWaiter::new(&self.mapped.words().wide)
    }

    /// Returns a waiter for all of several objects. The event is automatic.
    pub(super) fn auto_observer(&self) -> auto_event::AutoObserver<'_> {
        auto_event::AutoObserver::new(&self.mapped.words().wide)
    }

    /// Returns a waiter. The event is manual.
    pub(super) fn manual_waiter(&self) -> manual_event::ManualWaiter<'_> {
        manual_event::ManualWaiter::new(&self.mapped.words().word)
    }

    pub(super) fn mapped(&self) -> &MappedWords {
        &self.mapped
    }
}
