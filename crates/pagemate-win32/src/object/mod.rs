//! The objects that handles refer to. These types do not depend on handles or on access rights.
//!
//! Events and semaphores are those of the `pagemate` crate.

pub(crate) mod file;
pub(crate) mod mapping;
pub(crate) mod mutex;
pub(crate) mod process;
pub(crate) mod process_status;
pub(crate) mod thread;
