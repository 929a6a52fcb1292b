//! Events.
#![allow(unsafe_code, reason = "Win32 calls")]

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle};

use windows_sys::Win32::System::Threading::{PulseEvent, ResetEvent, SetEvent};

use super::super::Spec;
use super::{kernel, wait};
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::name::Name;
use crate::sys::object::Existing;

/// A handle to an event.
#[derive(Debug)]
pub(crate) struct Event(OwnedHandle);

impl Event {
    pub(crate) fn create(name: &Name, spec: &Spec, existing: Existing) -> Result<(Event, bool)> {
        kernel::create(name, spec, existing).map(|(handle, made)| (Event(handle), made))
    }

    pub(crate) fn open(name: &Name) -> Result<Event> {
        kernel::open(name, kernel::EVENT).map(Event)
    }

    #[allow(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "other systems can fail at it"
    )]
    pub(crate) fn check_name(&self) -> Result<()> {
        Ok(())
    }

    pub(crate) fn unnamed(spec: &Spec) -> Result<Event> {
        kernel::unnamed(spec).map(Event)
    }

    /// The event of a handle that somebody handed us.
    pub(crate) fn of(handle: OwnedHandle) -> Result<Event> {
        kernel::taken(handle, kernel::EVENT).map(Event)
    }

    pub(crate) fn handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }

    pub(crate) fn set(&self) -> Result<()> {
        // SAFETY: the handle is open.
        done(unsafe { SetEvent(self.0.as_raw_handle()) }, "it cannot be set")
    }

    pub(crate) fn clear(&self) -> Result<()> {
        // SAFETY: the handle is open.
        done(unsafe { ResetEvent(self.0.as_raw_handle()) }, "it cannot be reset")
    }

    pub(crate) fn pulse(&self) -> Result<()> {
        // SAFETY: the handle is open.
        done(unsafe { PulseEvent(self.0.as_raw_handle()) }, "it cannot be pulsed")
    }

    /// Waits for it; false if it did not happen in time.
    pub(crate) fn wait(&self, deadline: Deadline) -> Result<bool> {
        Ok(wait::one(self.handle(), deadline)?.is_some())
    }
}

/// What came of a call; to be asked right after it.
fn done(answer: i32, cannot: &'static str) -> Result<()> {
    if answer == 0 { Err(Error::os(cannot, io::Error::last_os_error())) } else { Ok(()) }
}
