//! Windows' calls around shared memory, under their own names and with their own rules.
//!
//! Each exported function translates its arguments, leaves the work to a function that returns a
//! `Result`, and gives the answer and the last error as Windows would. What the calls do is
//! documented by Microsoft; the comments here say where we differ, and why.
//!
//! The names are Windows' own, unmangled: whoever links this library wants them to be these.

pub mod attributes;
pub mod clock;
pub mod codepage;
pub mod console;
pub mod critical;
pub mod environment;
pub mod error;
pub mod file;
mod fork;
pub mod handle;
pub mod heap;
mod inherit;
pub mod make;
pub mod mapping;
pub mod memory;
pub mod message;
mod name;
mod pages;
mod path;
mod place;
mod pointer;
mod protection;
mod region;
pub mod security;
pub mod spawn;
pub mod sync;
pub mod system;
pub mod text;
pub mod thread;
pub mod transfer;
pub mod view;
pub mod wait;

/// The halves of a number that Windows' older calls take apart.
fn join(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}
