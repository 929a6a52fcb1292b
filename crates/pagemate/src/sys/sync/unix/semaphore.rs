//! Semaphores.

use super::super::Spec;
use super::super::words::semaphore as protocol;
use super::cell::{Cell, corrupted};
use crate::access::Kind;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::name::Name;
use crate::primitive::Ordering;
use crate::sys::object::{Existing, Object};

/// A handle to a semaphore.
#[derive(Debug)]
pub(crate) struct Semaphore {
    cell: Cell,
    max: u32,
}

impl Semaphore {
    fn new(cell: Cell) -> Result<Semaphore> {
        let max = cell.words().setting.load(Ordering::Relaxed);
        if max == 0 || max > protocol::MOST {
            return Err(corrupted("it says that it is no semaphore"));
        }
        Ok(Semaphore { cell, max })
    }

    pub(crate) fn create(
        name: &Name,
        spec: &Spec,
        existing: Existing,
    ) -> Result<(Semaphore, bool)> {
        let (cell, made) = Cell::create(name, spec, existing)?;
        Ok((Semaphore::new(cell)?, made))
    }

    pub(crate) fn open(name: &Name) -> Result<Semaphore> {
        Semaphore::new(Cell::open(name, Kind::Semaphore)?)
    }

    pub(crate) fn unnamed(spec: &Spec) -> Result<Semaphore> {
        Semaphore::new(Cell::unnamed(spec)?)
    }

    /// The semaphore in an object that somebody handed us.
    pub(crate) fn of(object: Object) -> Result<Semaphore> {
        Semaphore::new(Cell::of(object)?)
    }

    /// Fails if another program removed the object's name.
    pub(crate) fn check_name(&self) -> Result<()> {
        self.object().check_name()
    }

    pub(crate) fn object(&self) -> &Object {
        self.cell.object()
    }

    /// Adds to the count, and tells what it was; `None` and no change if that is too much.
    #[allow(clippy::unnecessary_wraps, reason = "other systems can fail at it")]
    pub(crate) fn release(&self, by: u32) -> Result<Option<u32>> {
        Ok(protocol::release(&self.cell.words().word, by, self.max))
    }

    /// Takes one; false if there was none in time.
    pub(crate) fn acquire(&self, deadline: Deadline) -> Result<bool> {
        Ok(self.cell.wait(&mut self.taker(), deadline)?.is_some())
    }

    pub(super) fn taker(&self) -> protocol::Taker<'_> {
        protocol::Taker { word: &self.cell.words().word }
    }

    /// Gives one back that could not be had together with others.
    pub(super) fn undo(&self) {
        _ = protocol::release(&self.cell.words().word, 1, protocol::MOST);
    }

    pub(super) fn cell(&self) -> &Cell {
        &self.cell
    }
}
