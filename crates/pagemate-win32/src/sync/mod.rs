//! Mutexes, events, semaphores, critical sections and threads, and waiting for them.

pub mod create;
pub mod critical_section;
pub mod object;
pub mod thread;
pub mod wait;
