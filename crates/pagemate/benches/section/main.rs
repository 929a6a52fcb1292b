//! How fast sections are, beside the raw system calls that do the same without the promises.
//!
//! ```sh
//! cargo bench -p pagemate --bench section             # everything, in a few minutes
//! cargo bench -p pagemate --bench section -- quick    # in seconds: does it still run?
//! cargo bench -p pagemate --bench section -- open     # the groups whose names have this word
//! ```
//!
//! Both sides run alternately in one process, so that what disturbs the machine disturbs both;
//! what counts is their ratio. Times are the processor's, for nothing here waits: other load takes
//! caches away but adds no time. The limits are the project's own, and missing one fails nothing.
#![allow(clippy::print_stdout, reason = "it is a report")]
#![allow(clippy::cast_precision_loss, reason = "rounded for people anyway")]

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the system calls to compare with are Linux'");
}
