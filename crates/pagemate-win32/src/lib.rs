//! The calls of Windows for shared memory and synchronisation, on Linux, with Windows' names and
//! rules.
//!
//! A Windows program that shares memory compiles unchanged against `include/windows.h` and links
//! this library. The modules:
//!
//! - `handle`: the table from handles to objects, and handles that a child process inherits.
//! - `memory`: mappings, views, `VirtualAlloc` and its kin, heaps.
//! - `sync`: mutexes, events, semaphores, waiting, threads.
//! - `file`: files, and reading and writing them.
//! - `process`: starting, awaiting and terminating processes.
//! - `system`: clock, environment, console, security attributes.
//! - `text`: object names, code pages, messages.
//!
//! Each exported function converts its arguments, calls a function that returns a `Result`, and
//! returns the result and the last error as on Windows. Microsoft documents the calls; the comments
//! here state where they differ on Linux, and why.
//!
//! The exported names are unmangled, because Windows programs refer to them.
#![cfg(target_os = "linux")]

#[cfg(not(target_pointer_width = "64"))]
compile_error!(
    "pagemate-win32 lays out structures, handles and addresses as 64-bit Windows does: build it for a \
     64-bit target, or leave it out with --exclude pagemate-win32"
);

mod deadline;
pub mod error;
pub mod file;
mod futex;
pub mod handle;
mod locks;
pub mod memory;
mod pointer;
pub mod process;
pub mod sync;
pub mod system;
pub mod text;

/// Joins the two halves of a 64-bit number, as Windows' older calls pass it.
fn join(high: u32, low: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}
