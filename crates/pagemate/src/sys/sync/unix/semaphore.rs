//! Semaphores: handles to the words of a semaphore.

use super::super::Spec;
use super::super::words::semaphore as protocol;
use super::mapped_words::{MappedWords, corrupted};
use crate::deadline::Deadline;
use crate::error::Result;
use crate::kind::Kind;
use crate::name::Name;
use crate::primitive::Ordering;
use crate::sys::object::{Existing, Object};

/// A handle to a semaphore.
#[derive(Debug)]
pub(crate) struct Semaphore {
    mapped: MappedWords,
    max: u32,
}

impl Semaphore {
    fn new(mapped: MappedWords) -> Result<Semaphore> {
        let max = mapped.words().setting.load(Ordering::Relaxed);
        if max == 0 || max > protocol::MAX_COUNT {
            return Err(corrupted("its maximum is not one of a semaphore"));
        }
        Ok(Semaphore { mapped, max })
    }

    pub(crate) fn create(
        name: &Name,
        spec: &Spec,
        existing: Existing,
    ) -> Result<(Semaphore, bool)> {
        let (mapped, created) = MappedWords::create(name, spec, existing)?;
        Ok((Semaphore::new(mapped)?, created))
    }

    pub(crate) fn open(name: &Name) -> Result<Semaphore> {
        Semaphore::new(MappedWords::open(name, Kind::Semaphore)?)
    }

    pub(crate) fn unnamed(spec: &Spec) -> Result<Semaphore> {
        Semaphore::new(MappedWords::unnamed(spec)?)
    }

    /// Returns the semaphore in an object that another process created and sent.
    pub(crate) fn of(object: Object) -> Result<Semaphore> {
        Semaphore::new(MappedWords::of(object)?)
    }

    /// Returns an error if another program removed the object's name.
    pub(crate) fn check_name(&self) -> Result<()> {
        self.object().check_name()
    }

    pub(crate) fn object(&self) -> &Object {
        self.mapped.object()
    }

    /// Adds `by` permits, and returns the count before; `None` without a change if the count would
    /// exceed its maximum.
    #[allow(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
    pub(crate) fn release(&self, by: u32) -> Result<Option<u32>> {
        Ok(protocol::release(&self.mapped.words().word, by, self.max))
    }

    /// Acquires one permit. Returns false if none was free before the deadline.
    pub(crate) fn acquire(&self, deadline: Deadline) -> Result<bool> {
        Ok(self.mapped.wait(&mut self.waiter(), deadline)?.is_some())
    }

    pub(super) fn waiter(&self) -> protocol::SemaphoreWaiter<'_> {
        protocol::SemaphoreWaiter { word: &self.mapped.words().word }
    }

    /// Releases a permit again. A wait for several objects calls this if it could not acquire the
    /// others.
    pub(super) fn undo(&self) {
        _ = protocol::release(&self.mapped.words().word, 1, protocol::MAX_COUNT);
    }

    pub(super) fn mapped(&self) -> &MappedWords {
        &self.mapped
    }
}
