//! Sync objects as words in shared memory, in an object of one page or in a user's section.

mod all;
mod cell;
mod event;
mod many;
mod mutex;
mod semaphore;
mod state;
mod thread;

pub(crate) use all::wait_all;
pub(crate) use cell::Words;
pub(crate) use event::Event;
pub(crate) use many::wait_any;
pub(crate) use mutex::Mutex;
pub(crate) use semaphore::Semaphore;
pub(crate) use state::read_state;

pub(crate) use crate::sys::liveness::generation;
