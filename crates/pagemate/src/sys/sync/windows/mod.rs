//! Sync objects of the Windows kernel, which every program opens by their names.

mod embedded;
mod event;
mod kernel;
mod mutex;
mod semaphore;
mod wait;
mod wait_many;

use std::io;

use crate::kind::Kind;
use crate::sys::object_state::{LONGEST, State};

pub(crate) use embedded::Words;
pub(crate) use event::Event;
pub(crate) use mutex::Mutex;
pub(crate) use semaphore::Semaphore;
pub(crate) use wait_many::{SleepOn, wait_all, wait_any};

/// Returns `None`: the kernel reports the state of its objects only by calls that may change it.
pub(crate) fn read_state(
    _: Kind,
    _: &[u8; LONGEST],
    _: &dyn Fn(u32) -> io::Result<bool>,
) -> Option<(State, u32)> {
    None
}

/// Returns the generation, which is always the same: Windows does not fork.
pub(crate) fn generation() -> u32 {
    0
}
