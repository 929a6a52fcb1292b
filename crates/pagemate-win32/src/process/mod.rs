//! Processes: starts, opens and terminates them, and reports their exit codes.

mod children;
mod command_line;
pub mod create;
pub mod exit;
mod launch;
pub mod open;
mod program;
pub mod spawn;
