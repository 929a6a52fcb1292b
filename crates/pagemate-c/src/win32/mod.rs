//! Windows' calls around shared memory, under their own names and with their own rules.
//!
//! Each exported function translates its arguments, leaves the work to a function that returns a
//! [`Result`](error::Result), and gives the answer and the last error as Windows would. What the
//! calls do is documented by Microsoft; the comments here say where we differ, and why.
//!
//! The names are Windows' own, unmangled: whoever links this library wants them to be these.

pub mod clock;
pub mod error;
pub mod file;
pub mod handle;
mod inherit;
pub mod mapping;
pub mod memory;
pub mod message;
mod name;
mod place;
mod region;
pub mod security;
pub mod system;
pub mod text;
pub mod view;
