//! Events.

use super::super::words::{auto, event as manual};
use super::super::{Reset, Spec};
use super::cell::{AUTO, Cell, MANUAL, corrupted};
use crate::access::Kind;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::name::Name;
use crate::primitive::Ordering;
use crate::sys::object::{Existing, Object};

/// A handle to an event.
#[derive(Debug)]
pub(crate) struct Event {
    cell: Cell,
    reset: Reset,
}

impl Event {
    fn new(cell: Cell) -> Result<Event> {
        let reset = match cell.words().setting.load(Ordering::Relaxed) {
            AUTO => Reset::Auto,
            MANUAL => Reset::Manual,
            _ => return Err(corrupted("it says that it is no event")),
        };
        Ok(Event { cell, reset })
    }

    pub(crate) fn create(name: &Name, spec: &Spec, existing: Existing) -> Result<(Event, bool)> {
        let (cell, made) = Cell::create(name, spec, existing)?;
        Ok((Event::new(cell)?, made))
    }

    pub(crate) fn open(name: &Name) -> Result<Event> {
        Event::new(Cell::open(name, Kind::Event)?)
    }

    pub(crate) fn unnamed(spec: &Spec) -> Result<Event> {
        Event::new(Cell::unnamed(spec)?)
    }

    /// The event in an object that somebody handed us.
    pub(crate) fn of(object: Object) -> Result<Event> {
        Event::new(Cell::of(object)?)
    }

    /// Fails if another program removed the object's name.
    pub(crate) fn check_name(&self) -> Result<()> {
        self.object().check_name()
    }

    pub(crate) fn object(&self) -> &Object {
        self.cell.object()
    }

    pub(crate) fn reset_mode(&self) -> Reset {
        self.reset
    }

    #[allow(clippy::unnecessary_wraps, reason = "other systems can fail at it")]
    pub(crate) fn set(&self) -> Result<()> {
        match self.reset {
            Reset::Auto => auto::set(&self.cell.words().wide),
            Reset::Manual => manual::set(&self.cell.words().word),
        }
        Ok(())
    }

    #[allow(clippy::unnecessary_wraps, reason = "other systems can fail at it")]
    pub(crate) fn clear(&self) -> Result<()> {
        match self.reset {
            Reset::Auto => auto::clear(&self.cell.words().wide),
            Reset::Manual => manual::clear(&self.cell.words().word),
        }
        Ok(())
    }

    #[allow(clippy::unnecessary_wraps, reason = "other systems can fail at it")]
    pub(crate) fn pulse(&self) -> Result<()> {
        match self.reset {
            Reset::Auto => auto::pulse(&self.cell.words().wide),
            Reset::Manual => manual::pulse(&self.cell.words().word),
        }
        Ok(())
    }

    /// Waits for it; false if it did not happen in time.
    pub(crate) fn wait(&self, deadline: Deadline) -> Result<bool> {
        Ok(match self.reset {
            Reset::Auto => self.cell.wait(&mut self.sleeper(), deadline)?.is_some(),
            Reset::Manual => self.cell.wait(&mut self.watcher(), deadline)?.is_some(),
        })
    }

    /// A waiter of an event that resets by itself.
    pub(super) fn sleeper(&self) -> auto::Sleeper<'_> {
        auto::Sleeper::new(&self.cell.words().wide)
    }

    /// The same, together with other objects.
    pub(super) fn looker(&self) -> auto::Looker<'_> {
        auto::Looker::new(&self.cell.words().wide)
    }

    /// A waiter of an event that stays signaled.
    pub(super) fn watcher(&self) -> manual::Watcher<'_> {
        manual::Watcher::new(&self.cell.words().word)
    }

    pub(super) fn cell(&self) -> &Cell {
        &self.cell
    }
}
