//! Semaphores of the kernel.
#![allow(unsafe_code, reason = "a Win32 call")]

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, OwnedHandle};

use windows_sys::Win32::Foundation::ERROR_TOO_MANY_POSTS;
use windows_sys::Win32::System::Threading::ReleaseSemaphore;

use super::super::Spec;
use super::{kernel, wait};
use crate::deadline::Deadline;
use crate::error::{Error, Result};
use crate::name::Name;
use crate::sys::object::{Existing, named::code_of};

/// A handle to a semaphore.
#[derive(Debug)]
pub(crate) struct Semaphore(OwnedHandle);

impl Semaphore {
    pub(crate) fn create(
        name: &Name,
        spec: &Spec,
        existing: Existing,
    ) -> Result<(Semaphore, bool)> {
        kernel::create(name, spec, existing).map(|(handle, created)| (Semaphore(handle), created))
    }

    pub(crate) fn open(name: &Name) -> Result<Semaphore> {
        kernel::open(name, kernel::SEMAPHORE).map(Semaphore)
    }

    #[allow(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "it can fail on other systems"
    )]
    pub(crate) fn check_name(&self) -> Result<()> {
        Ok(())
    }

    pub(crate) fn unnamed(spec: &Spec) -> Result<Semaphore> {
        kernel::unnamed(spec).map(Semaphore)
    }

    /// Returns the semaphore of a handle that another process created and sent.
    pub(crate) fn of(handle: OwnedHandle) -> Result<Semaphore> {
        kernel::checked(handle, kernel::SEMAPHORE).map(Semaphore)
    }

    pub(crate) fn handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }

    /// Adds `by` permits, and returns the count before; `None` without a change if the count would
    /// exceed its maximum.
    pub(crate) fn release(&self, by: u32) -> Result<Option<u32>> {
        let Ok(by) = i32::try_from(by) else { return Ok(None) };
        let mut before = 0;
        // SAFETY: the handle is open because `self` owns it, and `before` is a local that outlives the
        // call.
        if unsafe { ReleaseSemaphore(self.0.as_raw_handle(), by, &raw mut before) } != 0 {
            return Ok(Some(before.cast_unsigned()));
        }
        let error = io::Error::last_os_error();
        match code_of(&error) {
            ERROR_TOO_MANY_POSTS => Ok(None),
            _ => Err(Error::os("no permits can be added to it", error)),
        }
    }

    /// Acquires one permit. Returns false if none was free before the deadline.
    pub(crate) fn acquire(&self, deadline: Deadline) -> Result<bool> {
        Ok(wait::one(self.handle(), deadline)?.is_some())
    }
}
