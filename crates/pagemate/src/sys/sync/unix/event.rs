//! Events.

use super::super::words::event as protocol;
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

/// How the words say it.
pub(super) fn setting(reset: Reset) -> u32 {
    match reset {
        Reset::Auto => AUTO,
        Reset::Manual => MANUAL,
    }
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
        protocol::set(&self.cell.words().word, self.reset);
        Ok(())
    }

    #[allow(clippy::unnecessary_wraps, reason = "other systems can fail at it")]
    pub(crate) fn clear(&self) -> Result<()> {
        protocol::clear(&self.cell.words().word);
        Ok(())
    }

    #[allow(clippy::unnecessary_wraps, reason = "other systems can fail at it")]
    pub(crate) fn pulse(&self) -> Result<()> {
        protocol::pulse(&self.cell.words().word, self.reset);
        Ok(())
    }

    /// Waits for it; false if it did not happen in time.
    pub(crate) fn wait(&self, deadline: Deadline) -> Result<bool> {
        Ok(self.cell.wait(&mut self.watcher(), deadline)?.is_some())
    }

    pub(super) fn watcher(&self) -> protocol::Watcher<'_> {
        protocol::Watcher::new(&self.cell.words().word, self.reset)
    }

    pub(super) fn cell(&self) -> &Cell {
        &self.cell
    }
}
