//! Processes: starts them, waits for them, reports their exit codes, terminates them.

pub(crate) mod children;
mod command_line;
pub mod create;
mod launch;
pub mod object;
mod program;
pub mod spawn;
pub(crate) mod wait;
