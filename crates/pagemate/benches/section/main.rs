//! Measures sections against raw system calls that do the same work without the guarantees.
//!
//! ```sh
//! cargo bench -p pagemate --bench section             # everything, in a few minutes
//! cargo bench -p pagemate --bench section -- quick    # in seconds: does it still run?
//! cargo bench -p pagemate --bench section -- open     # the groups whose names have this word
//! ```
//!
//! Both sides run alternately in one process, so that a disturbance affects both, and each result
//! is the ratio of their times. Times are processor times, because neither side waits: other load
//! on the machine evicts caches, but adds no time. The limits are goals of the project, and a
//! missed limit does not fail the run.
#![allow(clippy::print_stdout, reason = "it is a report")]
#![allow(clippy::cast_precision_loss, reason = "the report rounds them")]

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the system calls to compare with exist only on Linux");
}
