//! Sync objects as words in shared memory, in an object of one page or in a user's section.

mod event;
mod mapped_words;
mod mutex;
mod semaphore;
mod state;
mod thread;
mod wait_all;
mod wait_any;

pub(crate) use event::Event;
pub(crate) use mapped_words::Words;
pub(crate) use mutex::Mutex;
pub(crate) use semaphore::Semaphore;
pub(crate) use state::read_state;
pub(crate) use wait_all::wait_all;
pub(crate) use wait_any::{SleepOn, wait_any};

pub(crate) use crate::sys::liveness::generation;
