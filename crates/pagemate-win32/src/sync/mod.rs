//! Mutexes, events, semaphores, critical sections, slim locks and threads, and waiting for them.

pub mod create;
pub mod critical_section;
pub mod object;
pub mod slim;
pub mod thread;
pub mod wait;
