//! The calls of Windows for shared memory and synchronisation, on Linux, with Windows' names and
//! rules.
//!
//! A Windows program that shares memory compiles unchanged against `include/windows.h` and links
//! this library. The modules:
//!
//! - `memory`: file mappings, views, `VirtualAlloc` and related calls, heaps.
//! - `sync`: mutexes, events, semaphores, waiting, threads.
//! - `file`: files, and reading and writing them.
//! - `process`: starting, opening and terminating processes.
//! - `system`: clock, environment, console, messages.
//! - `handle`: the table from handles to objects, and handles that a child process inherits.
//! - `object`: the objects that handles refer to.
//! - `security`: security attributes.
//! - `text`: object names, code pages, strings.
//! - `error`: last errors, their texts, and the trace.
//! - `locks`: the locks of this library, which `fork` acquires first.
//!
//! Modules import each other in one direction: the first five use `handle`, which uses `object`.
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
mod object;
mod pointer;
pub mod process;
pub mod security;
pub mod sync;
pub mod system;
pub mod text;
mod u64_halves;
