//! Sync objects as Windows has them: the kernel's own, which any program opens by their names.

mod event;
mod inside;
mod kernel;
mod many;
mod mutex;
mod semaphore;
mod wait;

pub(crate) use event::Event;
pub(crate) use inside::Words;
pub(crate) use many::{wait_all, wait_any};
pub(crate) use mutex::Mutex;
pub(crate) use semaphore::Semaphore;
