//! The objects that handles refer to. They know neither handles nor rights.
//!
//! Events and semaphores are those of the `pagemate` crate.

pub(crate) mod file;
pub(crate) mod mapping;
pub(crate) mod mutex;
pub(crate) mod process;
pub(crate) mod process_status;
pub(crate) mod thread;
