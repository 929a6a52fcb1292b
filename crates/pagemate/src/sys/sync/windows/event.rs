//! Events of the kernel.
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
        kernel::create(name, spec, existing).map(|(handle, created)| (Event(handle), created))
    }

    pub(crate) fn open(name: &Name) -> Result<Event> {
        kernel::open(name, kernel::EVENT).map(Event)
    }

    #[allow(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "it can fail on other systems"
    )]
    pub(crate) fn check_name(&self) -> Result<()> {
        Ok(())
    }

    pub(crate) fn unnamed(spec: &Spec) -> Result<Event> {
        kernel::unnamed(spec).map(Event)
    }

    /// Returns the event of a handle that another process created and sent.
    pub(crate) fn of(handle: OwnedHandle) -> Result<Event> {
        kernel::checked(handle, kernel::EVENT).map(Event)
    }

    pub(crate) fn handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }

    pub(crate) fn set(&self) -> Result<()> {
        // SAFETY: the call takes no pointers, and the handle is open because `self` owns it.
        check(unsafe { SetEvent(self.0.as_raw_handle()) }, "it cannot be set")
    }

    pub(crate) fn clear(&self) -> Result<()> {
        // SAFETY: the call takes no pointers, and the handle is open because `self` owns it.
        check(unsafe { ResetEvent(self.0.as_raw_handle()) }, "it cannot be reset")
    }

    pub(crate) fn pulse(&self) -> Result<()> {
        // SAFETY: the call takes no pointers, and the handle is open because `self` owns it.
        check(unsafe { PulseEvent(self.0.as_raw_handle()) }, "it cannot be pulsed")
    }

    /// Waits for the event. Returns false if it was not signaled before the deadline.
    pub(crate) fn wait(&self, deadline: Deadline) -> Result<bool> {
        Ok(wait::one(self.handle(), deadline)?.is_some())
    }
}

/// Converts the result of a Win32 call. Must run directly after the call, which has set the thread's
/// last error.
fn check(result: i32, failure: &'static str) -> Result<()> {
    if result == 0 { Err(Error::os(failure, io::Error::last_os_error())) } else { Ok(()) }
}
