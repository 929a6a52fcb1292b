//! Mutexes, events, semaphores, critical sections, slim locks and threads, and waiting for them.

pub mod critical_section;
pub mod event;
pub mod mutex;
mod named;
pub mod semaphore;
pub mod slim;
pub mod thread;
pub mod wait;
mod wait_object;
mod wait_process;
