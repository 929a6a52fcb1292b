//! Windows' calls around shared memory for Linux, under their own names and with their own rules.
//!
//! A program for Windows that shares memory compiles unchanged against `include/windows.h` and links
//! this library. The folders are subjects:
//!
//! - `handle`: the table from handles to objects, and handles that a child inherits.
//! - `memory`: mappings, views, `VirtualAlloc` and its kin, heaps.
//! - `sync`: mutexes, events, semaphores, waiting, threads.
//! - `file`: files, and moving bytes to and from them.
//! - `process`: starting programs, waiting for processes, ending them.
//! - `system`: clock, environment, console, security attributes.
//! - `text`: names, code pages, messages.
//!
//! Each exported function translates its arguments, leaves the work to a function that returns a
//! `Result`, and gives the answer and the last error as Windows would. Microsoft documents the calls;
//! the comments here state where they differ on Linux, and why.
//!
//! The exported names are Windows' own, unmangled, because a Windows program refers to them so.
#![cfg(target_os = "linux")]

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "pagemate-win32 lays out structures, handles and addresses as 64-bit Windows does: build it for a \
     64-bit target, or leave it out with --exclude pagemate-win32"
);

pub mod error;
pub mod file;
mod fork;
pub mod handle;
pub mod memory;
mod pointer;
pub mod process;
pub mod sync;
pub mod system;
pub mod text;

/// Joins the halves into which Windows' older calls split a 64-bit number.
fn join(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}
